/*
 * lost_wakeup_unlocked - the flag changes between the look and the wait
 * Build: cc -pthread -o lost_wakeup_unlocked lost_wakeup_unlocked.c
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t done = PTHREAD_COND_INITIALIZER;
static atomic_int ready;

static void *work(void *unused) {
    ready = 1; /* not under the lock */
    pthread_cond_signal(&done);
    return unused;
}

int main(void) {
    pthread_t worker;
    pthread_create(&worker, NULL, work, NULL);
    pthread_mutex_lock(&lock);
    while (!ready)
        pthread_cond_wait(&done, &lock);
    pthread_mutex_unlock(&lock);
    pthread_join(worker, NULL);
    puts("done");
    return 0;
}
