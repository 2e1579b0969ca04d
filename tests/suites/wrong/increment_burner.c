/*
 * increment_burner - wrong: a thread that only burns CPU time beside the work
 * Rejected because: one task under way at a time
 * Build: cc -O2 -pthread -o increment_burner increment_burner.c
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_bool done;

static void *burn(void *unused) {
    while (!done)
        ;
    return unused;
}

int main(int argc, char *argv[]) {
    long times = argc > 2 ? atol(argv[2]) : 1000000;
    pthread_t burner;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (pthread_create(&burner, NULL, burn, NULL) != 0)
        return 1;
    for (int task = 1; task <= 100; task++) {
        volatile long number = 0;
        printf("task %d: counting to %ld ...\n", task, times);
        while (number < times)
            number += 1;
        printf("task %d: counted to %ld\n", task, number);
    }
    done = true;
    pthread_join(burner, NULL);
    fprintf(stderr, "%ld increments in 0.01 s, 2 at a time\n", 100 * times);
    return 0;
}
