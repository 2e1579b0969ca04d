/*
 * messages - an automated conversation with each customer, by way of a queue
 * A producer puts the customers into the kernel's message queue; three workers
 * take from it, each the next one when it has time. Notice that 3 customers
 * take 4 messages x 1 s = 4 s, and 4 to 6 customers 8 s. Linux only (prctl).
 * Build: cc -O2 -o messages messages.c -lrt
 * Usage: ./messages [-c customers] [-m messages] [-i interval_ms] [-w workers]
 */
#include <err.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
static mqd_t queue;      /* the jobs by number, then END */
static long *results;    /* by job; 0: not done. Shared by all processes */
static pid_t pids[1000]; /* as many as most_workers */
enum { END = -1 };

static void converse(long customer);

/* Takes the next job until the end comes, or until nobody can be told. */
static void work(void) {
    long job;
    while (mq_receive(queue, (char *)&job, sizeof job, NULL) != -1 &&
           job != END && !ferror(stdout)) {
        converse(job);
        results[job] = !ferror(stdout);
    }
}

/* Waits while the queue is full. END comes after the jobs, as its priority is
 * lower, and as often as anyone takes it. */
static void produce(void) {
    for (long next = 0;; next++) {
        long job = next < customers ? next : END;
        if (mq_send(queue, (char *)&job, sizeof job, job != END) == -1)
            err(EXIT_FAILURE, "mq_send");
    }
}

/* Starts a child that does its part. Returns its pid, or -1. */
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
    _exit(ferror(stdout) != 0);
}

/* Ten messages are what the kernel lets everybody have. Unlinked at once, the
 * queue ends with the last process that has it open. */
static void open_queue(void) {
    struct mq_attr size = {.mq_maxmsg = 10, .mq_msgsize = sizeof(long)};
    char name[40];
    snprintf(name, sizeof name, "/messages-%ld", (long)getpid());
    queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &size);
    if (queue == -1 || mq_unlink(name) == -1)
        err(EXIT_FAILURE, "message queue %s", name);
    results = mmap(NULL, (size_t)customers * sizeof *results,
        PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (results == MAP_FAILED)
        err(EXIT_FAILURE, "mmap");
}

/* Waits for the workers. If all have died, this process does what is left. */
static void join_all(pid_t producer, long started) {
    for (long running = started; running > 0;) {
        int status;
        pid_t ended = wait(&status);
        if (ended == -1 || ended == producer)
            errx(EXIT_FAILURE, "the producer died");
        for (long i = 0; i < started; i++)
            if (pids[i] == ended) { /* else a stranger, from before exec */
                running--;
                if (WIFSIGNALED(status))
                    warnx("a worker died: %s", strsignal(WTERMSIG(status)));
            }
    }
    signal(SIGPIPE, SIG_IGN);
    work();
    kill(producer, SIGKILL);
    waitpid(producer, NULL, 0);
}

/* For stderr. Lives until the next call. */
static const char *name_of(long customer) {
    static const char *const names[] = {"Alice", "Bob", "Carol"};
    static char other[40];
    snprintf(other, sizeof other, "Customer %ld", customer + 1);
    return customer < 3 ? names[customer] : other;
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
    long started = 0, served = 0;
    open_queue();
    pid_t producer = start(produce);
    if (producer == -1)
        exit(EXIT_FAILURE);
    while (started < workers && started < customers &&
           (pids[started] = start(work)) != -1)
        started++;
    join_all(producer, started);
    for (long customer = 0; customer < customers; customer++) {
        if (results[customer] == 0)
            warnx("%s: not done", name_of(customer));
        served += results[customer];
    }
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
