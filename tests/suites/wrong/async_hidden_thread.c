/*
 * async_hidden_thread - wrong: the loop has a thread that waits for it
 * Rejected because: where it may have one task only
 * Build: cc -O2 -pthread -o async_hidden_thread async_hidden_thread.c
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *const names[] = {"Alice", "Bob", "Carol"};

static void *wait_second(void *unused) {
    struct timespec second = {1, 0};
    nanosleep(&second, NULL);
    return unused;
}

static void tell(const char *what, int message, const char *end) {
    for (int task = 0; task < 3; task++)
        printf("%s: %s message %d of 4%s\n", names[task], what, message, end);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int message = 1; message <= 4; message++) {
        pthread_t timer;
        tell("sending", message, " ...");
        if (pthread_create(&timer, NULL, wait_second, NULL) != 0)
            return EXIT_FAILURE;
        pthread_join(timer, NULL);
        tell("sent", message, "");
    }
    fprintf(stderr, "12 messages to 3 customers in 4.00 s\n");
    return 0;
}
