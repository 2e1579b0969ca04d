/*
 * long_loop - correct, and each takes 1,500 turns at a lock, or as many as said
 * Build: cc -pthread -o long_loop long_loop.c
 * Usage: ./long_loop [times]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int count, times = 1500;

static void *work(void *unused) {
    for (int i = 0; i < times; i++) {
        pthread_mutex_lock(&lock);
        count++;
        pthread_mutex_unlock(&lock);
    }
    return unused;
}

int main(int argc, char *argv[]) {
    pthread_t pool[2];
    times = argc > 1 ? atoi(argv[1]) : times;
    for (int i = 0; i < 2; i++)
        pthread_create(&pool[i], NULL, work, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(pool[i], NULL);
    printf("%d\n", count);
    return 0;
}
