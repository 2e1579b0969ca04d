/*
 * philosophers - each takes the left fork, then the right one: a deadlock
 * With a second argument the last one takes the right fork first: none.
 * Build: cc -pthread -o philosophers philosophers.c
 * Usage: ./philosophers [how_many [right_first]]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_mutex_t forks[8];
static int many = 5, cure;

static void *dine(void *arg) {
    long me = (long)arg;
    long first = me, second = (me + 1) % many;
    if (cure && second < first) {
        second = me;
        first = 0;
    }
    pthread_mutex_lock(&forks[first]);
    pthread_mutex_lock(&forks[second]);
    pthread_mutex_unlock(&forks[second]);
    pthread_mutex_unlock(&forks[first]);
    return NULL;
}

int main(int argc, char *argv[]) {
    pthread_t guests[8];
    many = argc > 1 ? atoi(argv[1]) : 5;
    cure = argc > 2;
    for (long i = 0; i < many; i++)
        pthread_mutex_init(&forks[i], NULL);
    for (long i = 0; i < many; i++)
        pthread_create(&guests[i], NULL, dine, (void *)i);
    for (long i = 0; i < many; i++)
        pthread_join(guests[i], NULL);
    puts("all have eaten");
    return 0;
}
