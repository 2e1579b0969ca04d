/*
 * messages - an automated conversation with each customer, by way of a queue
 * The queue is a pipe: whichever of three workers is free reads the next job.
 * Notice that 4 to 6 customers take 8 s. Linux only (prctl): there each read()
 * takes one record, whole; POSIX does not promise that to several readers.
 * Build: cc -O2 -o messages messages.c
 * Usage: ./messages [-c customers] [-m messages] [-i interval_ms] [-w workers]
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
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

/* ---------- The tool: a queue of jobs, worker processes ---------- */

static long workers = 3, most_workers = 1000;
static atomic_long *total; /* customers served; all share it */

static void wait_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    if (nanosleep(&time, NULL) == -1)
        err(EXIT_FAILURE, "nanosleep");
}

static void converse(long customer) {
    for (long message = 1; message <= messages; message++) {
        begin_message(customer, message);
        wait_ms(interval_ms);
        end_message(customer, message);
    }
}

/* Takes the next job, until the queue ends or nobody can be told. */
static void work(const int *ends, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the parent ... */
    if (getppid() != parent)          /* ... which may be gone by now */
        _exit(EXIT_FAILURE);
    close(ends[1]); /* while anyone can write, the queue has no end */
    for (long job; !ferror(stdout) && read(ends[0], &job, sizeof job) > 0;) {
        converse(job);
        ++*total;
    }
    _exit(ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* Returns how many customers had all their messages. */
static long send_all(void) {
    long job = 0;
    int ends[2], why = 0;
    pid_t parent = getpid();
    total = mmap(NULL, sizeof *total, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (total == MAP_FAILED || pipe(ends) == -1)
        err(EXIT_FAILURE, "mmap or pipe");
    for (long i = 0; i < workers && i < customers; i++)
        switch (fork()) {
        case -1: err(EXIT_FAILURE, "fork");
        case 0: work(ends, parent);
        }
    signal(SIGPIPE, SIG_IGN); /* if no worker is left, write() fails instead */
    close(ends[0]);
    while (job < customers && write(ends[1], &job, sizeof job) != -1)
        job++; /* write() waits while the queue is full */
    close(ends[1]);
    for (int status; wait(&status) != -1;)
        why = status != 0 && !WIFSIGNALED(why) ? status : why;
    if (WIFSIGNALED(why))
        errx(EXIT_FAILURE, "worker killed by signal %d, customers missing: %ld",
            WTERMSIG(why), customers - *total);
    if (why != 0)
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return *total;
}

/* ---------- The run: the same in every lesson; 05 adds -w ---------- */

static const char usage[] =
    "usage: messages [-c customers] [-m messages] [-i interval_ms] "
    "[-w workers, 1 to %ld]\n";

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
    for (int option; (option = getopt(argc, argv, "c:m:i:w:h")) != -1;)
        switch (option) {
        case 'c': customers = number(option, 1000000); break;
        case 'm': messages = number(option, 1000000); break;
        case 'i': interval_ms = number(option, 3600000); break;
        case 'w': workers = number(option, most_workers); break;
        case 'h': return printf(usage, most_workers) < 0;
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
