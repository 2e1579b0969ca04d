/*
 * private_work - three threads with work of their own, one number shared
 * Each counts in a number of its own, which main reads when all is done, and
 * adds it to the common one at the end. Only the order of these three additions
 * matters: what a search should notice.
 * Build: cc -pthread -o private_work private_work.c
 * Usage: ./private_work [times]
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_int own[3], total;
static int times = 1;

static void *work(void *arg) {
    atomic_int *mine = arg;
    for (int i = 0; i < times; i++)
        atomic_fetch_add(mine, 1);
    atomic_fetch_add(&total, times);
    return NULL;
}

int main(int argc, char *argv[]) {
    pthread_t pool[3];
    int sum = 0;
    times = argc > 1 ? atoi(argv[1]) : 1;
    for (int i = 0; i < 3; i++)
        pthread_create(&pool[i], NULL, work, &own[i]);
    for (int i = 0; i < 3; i++)
        pthread_join(pool[i], NULL);
    for (int i = 0; i < 3; i++)
        sum += own[i];
    printf("%d of %d\n", total, sum);
    return total != sum;
}
