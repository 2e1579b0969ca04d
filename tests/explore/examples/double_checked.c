/*
 * double_checked - initialise once, and look without the lock first
 * The first look is a data race: it may see the pointer before the value.
 * Build: cc -pthread -o double_checked double_checked.c
 */
#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int *ready, value;

static void *use(void *unused) {
    if (ready == NULL) {
        pthread_mutex_lock(&lock);
        if (ready == NULL) {
            ready = &value; /* too early: the value is not there yet */
            value = 42;
        }
        pthread_mutex_unlock(&lock);
    }
    return *ready == 42 ? NULL : unused;
}

int main(void) {
    pthread_t a, b;
    void *bad_a, *bad_b;
    pthread_create(&a, NULL, use, &lock);
    pthread_create(&b, NULL, use, &lock);
    pthread_join(a, &bad_a);
    pthread_join(b, &bad_b);
    puts(bad_a || bad_b ? "used before it was ready" : "ready");
    return bad_a != NULL || bad_b != NULL;
}
