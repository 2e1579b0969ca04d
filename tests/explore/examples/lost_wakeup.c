/*
 * lost_wakeup - a signal that comes before the wait is lost
 * Build: cc -pthread -o lost_wakeup lost_wakeup.c
 */
#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t done = PTHREAD_COND_INITIALIZER;

static void *work(void *unused) {
    pthread_mutex_lock(&lock);
    pthread_cond_signal(&done);
    pthread_mutex_unlock(&lock);
    return unused;
}

int main(void) {
    pthread_t worker;
    pthread_create(&worker, NULL, work, NULL);
    pthread_mutex_lock(&lock);
    pthread_cond_wait(&done, &lock); /* for what? it may have been */
    pthread_mutex_unlock(&lock);
    pthread_join(worker, NULL);
    puts("done");
    return 0;
}
