/*
 * async_polls_without_end - wrong: the loop polls with a time-out of 0 until
 * the next task is due: a CPU is busy with waiting
 * Rejected because: busy wait
 * Build: cc -O2 -o async_polls_without_end async_polls_without_end.c
 */
#include <poll.h>
#include <stdio.h>
#include <time.h>

static const char *const names[] = {"Alice", "Bob", "Carol"};

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void tell(const char *what, int message, const char *end) {
    for (int task = 0; task < 3; task++)
        printf("%s: %s message %d of 4%s\n", names[task], what, message, end);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int message = 1; message <= 4; message++) {
        double due = now() + 1;
        tell("sending", message, " ...");
        while (now() < due)
            poll(NULL, 0, 0);
        tell("sent", message, "");
    }
    fprintf(stderr, "12 messages to 3 customers in 4.00 s\n");
    return 0;
}
