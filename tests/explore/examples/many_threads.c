/*
 * many_threads - correct: so many at a time, and that so many times
 * Its exit status is how many have counted.
 * Build: cc -pthread -o many_threads many_threads.c
 * Usage: ./many_threads [at_a_time [times]]
 */
#include <pthread.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int count;

static void *work(void *unused) {
    pthread_mutex_lock(&lock);
    count++;
    pthread_mutex_unlock(&lock);
    return unused;
}

int main(int argc, char *argv[]) {
    int threads = argc > 1 ? atoi(argv[1]) : 3;
    int times = argc > 2 ? atoi(argv[2]) : 1;
    pthread_t pool[60];
    while (times-- > 0) {
        for (int i = 0; i < threads; i++)
            pthread_create(&pool[i], NULL, work, NULL);
        for (int i = 0; i < threads; i++)
            pthread_join(pool[i], NULL);
    }
    return count;
}
