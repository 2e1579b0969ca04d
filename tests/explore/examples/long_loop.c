/*
 * long_loop - correct, and takes 3,000 turns at a lock
 * Build: cc -pthread -o long_loop long_loop.c
 */
#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int count;

static void *work(void *unused) {
    for (int i = 0; i < 1500; i++) {
        pthread_mutex_lock(&lock);
        count++;
        pthread_mutex_unlock(&lock);
    }
    return unused;
}

int main(void) {
    pthread_t pool[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&pool[i], NULL, work, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(pool[i], NULL);
    printf("%d\n", count);
    return 0;
}
