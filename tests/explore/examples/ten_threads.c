/*
 * ten_threads - nine set two numbers, one looks between the two
 * Build: cc -pthread -o ten_threads ten_threads.c
 */
#include <assert.h>
#include <pthread.h>

#define promise assert

static int low, high;

static void *set(void *unused) {
    low = 1;
    high = -1;
    return unused;
}

static void *look(void *unused) {
    promise(low + high == 0);
    return unused;
}

int main(void) {
    pthread_t pool[10];
    for (int i = 0; i < 10; i++)
        pthread_create(&pool[i], NULL, i < 9 ? set : look, NULL);
    for (int i = 0; i < 10; i++)
        pthread_join(pool[i], NULL);
    return 0;
}
