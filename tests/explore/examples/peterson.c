/*
 * peterson - Peterson's lock for two threads
 * Build: cc -pthread -o peterson peterson.c
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static atomic_int wants[2], turn;
static int counter;

static void *work(void *arg) {
    int me = arg != NULL, other = 1 - me;
    wants[me] = 1;
    turn = other;
    while (wants[other] && turn == other)
        continue;
    counter++;
    wants[me] = 0;
    return NULL;
}

int main(void) {
    pthread_t a, b;
    pthread_create(&a, NULL, work, NULL);
    pthread_create(&b, NULL, work, &counter);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    printf("%d\n", counter);
    return counter != 2;
}
