/*
 * increment_no_counting - wrong: prints the result without computing it
 * Rejected because: cannot have
 * Build: cc -O2 -o increment_no_counting increment_no_counting.c
 */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char *argv[]) {
    long times = argc > 2 ? atol(argv[2]) : 1000000;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int task = 1; task <= 100; task++) {
        printf("task %d: counting to %ld ...\n", task, times);
        printf("task %d: counted to %ld\n", task, times);
    }
    fprintf(stderr, "%ld increments in 0.01 s, 2 at a time\n", 100 * times);
    return 0;
}
