/*
 * peterson_swapped - Peterson's lock, its first two stores swapped
 * Build: cc -pthread -o peterson_swapped peterson_swapped.c
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static atomic_int wants[2], turn;
static int counter;

static void *work(void *arg) {
    int me = arg != NULL, other = 1 - me;
    turn = other;
    wants[me] = 1;
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
