/*
 * messages - an automated conversation with each customer, by way of a queue
 * A producer puts the customers into the kernel's message queue, three workers
 * take them out: 3 need 4 messages x 1 s = 4 s, 4 to 6 need 8. Linux only.
 * Build: cc -O2 -o messages messages.c -lrt
 * Usage: ./messages [-c customers] [-m messages] [-i interval_ms] [-w workers]
 */
#include <err.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
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
static mqd_t queue; /* customers by number; a number past the last: the end */
static char *done;  /* by customer, in memory that all processes share */

/* Waits while the queue is full. The end comes last: it has priority 0. */
static void produce(void) {
    for (long job = 0;; job++)
        if (mq_send(queue, (char *)&job, sizeof job, job < customers) == -1)
            err(EXIT_FAILURE, "mq_send");
}

static void converse(long customer);

/* Takes the next job until the end comes, or until nobody can be told. */
static void work(void) {
    for (long job; mq_receive(queue, (char *)&job, sizeof job, NULL) != -1 &&
                   job < customers && !ferror(stdout);) {
        converse(job);
        done[job] = !ferror(stdout);
    }
}

static pid_t start(void (*part)(void)) {
    pid_t parent = getpid(), pid = fork();
    if (pid == -1)
        warn("fork");
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the parent ... */
    if (getppid() == parent)          /* ... which may be gone already */
        part();
    if (ferror(stdout))
        warnx("standard output: not everything was written");
    _exit(EXIT_SUCCESS);
}

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

/* Returns how many customers had all their messages. */
static long send_all(void) {
    static const char *const names[] = {"Alice", "Bob", "Carol"};
    struct mq_attr size = {.mq_maxmsg = 10, .mq_msgsize = sizeof(long)};
    pid_t pids[1001], ended; /* the producer, then the workers */
    long started = 0, running, served = 0;
    char name[40];
    snprintf(name, sizeof name, "/messages-%ld", (long)getpid());
    done = mmap(NULL, (size_t)customers, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &size);
    if (queue == -1 || mq_unlink(name) == -1 || done == MAP_FAILED)
        err(EXIT_FAILURE, "message queue %s", name);
    signal(SIGCHLD, SIG_DFL); /* ignored, it hides who has ended */
    while (started <= workers && started <= customers &&
           (pids[started] = start(started == 0 ? produce : work)) != -1)
        started++;
    for (running = started - 1; running > 0 && (ended = wait(NULL)) != pids[0];)
        for (long i = 1; i < started; i++)
            running -= pids[i] == ended;
    if (running != 0 || waitpid(pids[0], NULL, WNOHANG) != 0)
        errx(EXIT_FAILURE, "the producer is missing");
    signal(SIGPIPE, SIG_IGN);
    work(); /* what is left, if all workers have died */
    kill(pids[0], SIGKILL);
    waitpid(pids[0], NULL, 0);
    for (long c = 0; c < customers; c++)
        if (done[c])
            served++;
        else if (c < 3)
            warnx("%s: not done", names[c]);
        else
            warnx("Customer %ld: not done", c + 1);
    return served;
}

/* ---------- The run: the same in every lesson ---------- */

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
