/*
 * async_sleeps_per_task - wrong: the loop sleeps for one task, not until the
 * next is due, so that all others wait with it
 * Rejected because: took 12.000 s
 * Build: cc -O2 -o async_sleeps_per_task async_sleeps_per_task.c
 */
#include <stdio.h>
#include <time.h>

static const char *const names[] = {"Alice", "Bob", "Carol"};
static int sent[3];

static void step(int task) {
    struct timespec second = {1, 0};
    sent[task]++;
    printf("%s: sending message %d of 4 ...\n", names[task], sent[task]);
    nanosleep(&second, NULL);
    printf("%s: sent message %d of 4\n", names[task], sent[task]);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int round = 0; round < 4; round++)
        for (int task = 0; task < 3; task++)
            step(task);
    fprintf(stderr, "12 messages to 3 customers in 4.00 s\n");
    return 0;
}
