/*
 * clean_up - handlers and destructors run when a thread leaves half-way
 * Build: cc -pthread -o clean_up clean_up.c
 */
#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t own;
static int destroyed;

static void release(void *mutex) {
    pthread_mutex_unlock(mutex);
}

static void destroy(void *count) {
    pthread_mutex_lock(&lock);
    ++*(int *)count;
    pthread_mutex_unlock(&lock);
}

static void *work(void *unused) {
    pthread_setspecific(own, &destroyed);
    pthread_mutex_lock(&lock);
    pthread_cleanup_push(release, &lock);
    pthread_exit(unused); /* with the lock in its hand */
    pthread_cleanup_pop(0);
}

int main(void) {
    pthread_t pool[2];
    pthread_key_create(&own, destroy);
    for (int i = 0; i < 2; i++)
        pthread_create(&pool[i], NULL, work, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(pool[i], NULL);
    printf("%d\n", destroyed);
    return destroyed != 2;
}
