/*
 * increment_mutex - the cure: the threads add 1 under a lock
 * Build: cc -pthread -o increment_mutex increment_mutex.c
 * Usage: ./increment_mutex [threads [times]]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int counter, times = 1;

static void *work(void *unused) {
    for (int i = 0; i < times; i++) {
        pthread_mutex_lock(&lock);
        counter++;
        pthread_mutex_unlock(&lock);
    }
    return unused;
}

int main(int argc, char *argv[]) {
    int threads = argc > 1 ? atoi(argv[1]) : 2;
    pthread_t pool[8];
    times = argc > 2 ? atoi(argv[2]) : 1;
    for (int i = 0; i < threads; i++)
        if (pthread_create(&pool[i], NULL, work, NULL) != 0)
            return 2;
    for (int i = 0; i < threads; i++)
        pthread_join(pool[i], NULL);
    printf("%d\n", counter);
    return counter != threads * times;
}
