/*
 * async_short_lived_thread - wrong: a thread prints each line and is gone
 * before anyone looks
 * Rejected because: where it may have one task only
 * Build: cc -O2 -pthread -o async_short_lived_thread async_short_lived_thread.c
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *const names[] = {"Alice", "Bob", "Carol"};
static char line[80];

static void *print(void *unused) {
    puts(line);
    return unused;
}

static void tell(const char *what, int message, const char *end) {
    for (int task = 0; task < 3; task++) {
        pthread_t printer;
        snprintf(line, sizeof line, "%s: %s message %d of 4%s", names[task],
            what, message, end);
        if (pthread_create(&printer, NULL, print, NULL) != 0)
            exit(EXIT_FAILURE);
        pthread_join(printer, NULL);
    }
}

int main(void) {
    struct timespec second = {1, 0};
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int message = 1; message <= 4; message++) {
        tell("sending", message, " ...");
        nanosleep(&second, NULL);
        tell("sent", message, "");
    }
    fprintf(stderr, "12 messages to 3 customers in 4.00 s\n");
    return 0;
}
