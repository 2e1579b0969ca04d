/*
 * messages - an automated conversation with each customer, on one thread
 * No customer has a thread to wait in; each is a few numbers: who, which
 * message, when it is due. The loop sleeps until the first is due. Notice
 * that 3 customers take 4 s as with threads, and 100,000 do as well.
 * Build: cc -O2 -o messages messages.c
 * Usage: ./messages [-c customers] [-m messages] [-i interval_ms]
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
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

/* ---------- The tool: one thread, the next message that is due ---------- */

struct conversation {
    int64_t due_ns;
    long customer, message;
};

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void wait_until(int64_t ns) {
    struct timespec time = {ns / 1000000000, ns % 1000000000};
    if (ns <= now_ns()) /* the timer of a sleep costs more than a look */
        return;
    if ((errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL)))
        err(EXIT_FAILURE, "clock_nanosleep");
}

static void begin_next(struct conversation *one) {
    begin_message(one->customer, ++one->message);
    one->due_ns = now_ns() + interval_ms * INT64_C(1000000);
}

static bool is_sooner(struct conversation a, struct conversation b) {
    return a.due_ns != b.due_ns ? a.due_ns < b.due_ns : a.customer < b.customer;
}

/* The top has become later: lets it sink, so that the soonest is on top. */
static void sink(struct conversation *heap, long count) {
    struct conversation top = heap[0];
    long at = 0;
    for (long child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && is_sooner(heap[child + 1], heap[child]))
            child++;
        if (!is_sooner(heap[child], top))
            break;
        heap[at] = heap[child];
    }
    heap[at] = top;
}

/* Returns how many customers had all their messages. */
static long send_all(void) {
    struct conversation *heap = calloc((size_t)customers, sizeof *heap);
    if (heap == NULL)
        err(EXIT_FAILURE, "calloc");
    for (long i = 0; i < customers; i++) { /* in order of time: a heap */
        heap[i].customer = i;
        begin_next(&heap[i]);
    }
    for (long left = customers; left > 0; sink(heap, left)) {
        wait_until(heap[0].due_ns);
        end_message(heap[0].customer, heap[0].message);
        if (heap[0].message < messages)
            begin_next(&heap[0]);
        else
            heap[0] = heap[--left];
    }
    free(heap);
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
