/*
 * guarded.h - a header with a function in it, for header.c
 */
#include <pthread.h>

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static int guarded;

static void add(int n) {
    pthread_mutex_lock(&guard);
    guarded += n;
    pthread_mutex_unlock(&guard);
}
