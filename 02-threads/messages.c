/*
 * messages - an automated conversation with each customer, a thread each
 * While one thread waits, the others go on: the waits overlap instead of
 * adding up. Notice that 3 customers take as long as one does, 4 messages x
 * 1 s = 4 s, and that a customer's own messages still come in order.
 * Outcomes: any order
 * Build: cc -O2 -pthread -o messages messages.c
 * Usage: ./messages [-c customers] [-m messages] [-i interval_ms]
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story: the same in every lesson ---------- */

static long customers = 3, messages = 4, interval_ms = 1000;

static void tell(
    long customer, const char *what, long message, const char *end) {
    static const char *const names[] = {"Alice", "Bob", "Carol"};
    if (customer < 3)
        printf("%s: %s message %ld of %ld%s\n", names[customer], what, message,
            messages, end);
    else
        printf("Customer %ld: %s message %ld of %ld%s\n", customer + 1, what,
            message, messages, end);
}

static void begin_message(long customer, long message) {
    tell(customer, "sending", message, " ...");
}

static void end_message(long customer, long message) {
    tell(customer, "sent", message, "");
}

/* ---------- The tool: a thread for each customer ---------- */

struct conversation {
    pthread_t thread;
    long customer;
};

static void wait_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    if (nanosleep(&time, NULL) == -1)
        err(EXIT_FAILURE, "nanosleep");
}

static void *converse(void *arg) {
    long customer = ((struct conversation *)arg)->customer;
    for (long message = 1; message <= messages; message++) {
        begin_message(customer, message);
        wait_ms(interval_ms);
        end_message(customer, message);
    }
    return NULL;
}

/* Returns how many customers had all their messages. */
static long send_all(void) {
    struct conversation *all = calloc((size_t)customers, sizeof *all);
    if (all == NULL)
        err(EXIT_FAILURE, "calloc");
    for (long customer = 0; customer < customers; customer++) {
        struct conversation *one = &all[customer];
        one->customer = customer;
        if ((errno = pthread_create(&one->thread, NULL, converse, one)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    }
    for (long customer = 0; customer < customers; customer++)
        if ((errno = pthread_join(all[customer].thread, NULL)) != 0)
            err(EXIT_FAILURE, "pthread_join");
    free(all);
    return customers;
}

/* ---------- The run: the same in every lesson; 05 adds -w ---------- */

static const char usage[] =
    "usage: messages [-c customers] [-m messages] [-i interval_ms]\n";

static long number(int option, long most) {
    char *end;
    long value = strtol(optarg, &end, 10);
    if (*end != '\0' || value < 1 || value > most)
        errx(2, "-%c %s: not a number from 1 to %ld", option, optarg, most);
    return value;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    setvbuf(stderr, NULL, _IOLBF, BUFSIZ); /* whole lines, whoever writes */
    /* If one is closed, the next pipe or socket would get its number. */
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    for (int option; (option = getopt(argc, argv, "c:m:i:h")) != -1;)
        switch (option) {
        case 'c': customers = number(option, 1000000); break;
        case 'm': messages = number(option, 1000000); break;
        case 'i': interval_ms = number(option, 3600000); break;
        case 'h': return printf(usage) < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);

    double start = seconds();
    long served = send_all();
    fprintf(stderr, "%ld messages to %ld customers in %.2f s\n",
        served * messages, served, seconds() - start);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return served == customers ? EXIT_SUCCESS : EXIT_FAILURE;
}
