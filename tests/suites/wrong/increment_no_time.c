/*
 * increment_no_time - wrong: says nothing about how long it took
 * Rejected because: stderr is ""; expected: "100000 increments in
 * Build: cc -O2 -o increment_no_time increment_no_time.c
 */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char *argv[]) {
    long times = argc > 2 ? atol(argv[2]) : 1000000;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int task = 1; task <= 100; task++) {
        printf("task %d: counting to %ld ...\n", task, times);
        for (volatile long number = 0; number < times; number++)
            ;
        printf("task %d: counted to %ld\n", task, times);
    }
    return 0;
}
