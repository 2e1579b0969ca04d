/*
 * in_time - waits two seconds for a signal that may have come before
 * Build: cc -pthread -o in_time in_time.c
 * Usage: ./in_time
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int ready;

static void *work(void *arg) {
    ready = 1;
    pthread_cond_signal(&changed);
    return arg;
}

int main(void) {
    pthread_t thread;
    struct timespec until;
    int error = 0;

    pthread_create(&thread, NULL, work, NULL);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 2;
    pthread_mutex_lock(&lock);
    while (!ready && error == 0)
        error = pthread_cond_timedwait(&changed, &lock, &until);
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
    puts(error == ETIMEDOUT ? "too late" : "in time");
    return 0;
}
