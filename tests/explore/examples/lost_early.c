/*
 * lost_early - an update is lost at the beginning, then comes much more
 * Build: cc -pthread -o lost_early lost_early.c
 */
#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int sum, turns;

static int get(void) {
    pthread_mutex_lock(&lock);
    int seen = sum;
    pthread_mutex_unlock(&lock);
    return seen;
}

static void put(int n) {
    pthread_mutex_lock(&lock);
    sum = n;
    pthread_mutex_unlock(&lock);
}

static void *work(void *unused) {
    put(get() + 1); /* each half is locked, the whole is not */
    for (int i = 0; i < 40; i++) {
        pthread_mutex_lock(&lock);
        turns++;
        pthread_mutex_unlock(&lock);
    }
    return unused;
}

int main(void) {
    pthread_t pool[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&pool[i], NULL, work, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(pool[i], NULL);
    printf("%d\n", sum);
    return 0;
}
