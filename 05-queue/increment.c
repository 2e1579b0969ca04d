/*
 * increment - tasks that only compute, in a queue with one worker per CPU
 * The queue is a pipe: whoever is done reads the next task, so no CPU idles
 * while one is left, and N CPUs need an Nth of the time. Linux only (prctl):
 * there each read() takes one record, whole; POSIX does not promise that where
 * several processes read.
 * Build: cc -O2 -o increment increment.c
 * Usage: ./increment [-t tasks] [-n increments] [-w workers]
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

static long tasks = 100, increments = 1000000;

static void begin_task(long task) {
    printf("task %ld: counting to %ld ...\n", task + 1, increments);
}

/* volatile: without it the compiler makes one addition of all of them. */
static void increment(volatile long *number, long times) {
    for (long i = 0; i < times; i++)
        *number += 1;
}

static void end_task(long task, long number) {
    printf("task %ld: counted to %ld\n", task + 1, number);
}

/* ---------- The tool: a queue of jobs, worker processes ---------- */

static long workers, most_workers = 1000; /* if not given, one per CPU */
static atomic_long *sum; /* in memory that all processes share */

/* Takes the next task, until the queue ends or nobody can be told. */
static void work(const int *ends, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the parent ... */
    if (getppid() != parent)          /* ... which may be gone by now */
        _exit(EXIT_FAILURE);
    close(ends[1]); /* while anyone can write, the queue has no end */
    for (long task; !ferror(stdout) && read(ends[0], &task, sizeof task) > 0;) {
        volatile long number = 0;
        begin_task(task);
        increment(&number, increments);
        end_task(task, number);
        *sum += number;
    }
    _exit(ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* Returns the sum of all tasks' numbers. */
static long increment_all(void) {
    long task = 0;
    int ends[2], why = 0;
    pid_t parent = getpid();
    sum = mmap(NULL, sizeof *sum, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (sum == MAP_FAILED || pipe(ends) == -1)
        err(EXIT_FAILURE, "mmap or pipe");
    for (long i = 0; i < workers; i++)
        switch (fork()) {
        case -1: err(EXIT_FAILURE, "fork");
        case 0: work(ends, parent);
        }
    signal(SIGPIPE, SIG_IGN); /* if no worker is left, write() fails instead */
    close(ends[0]);
    while (task < tasks && write(ends[1], &task, sizeof task) != -1)
        task++; /* write() waits while the queue is full */
    close(ends[1]);
    for (int status; wait(&status) != -1;)
        why = status != 0 && !WIFSIGNALED(why) ? status : why;
    if (WIFSIGNALED(why))
        errx(EXIT_FAILURE,
            "worker killed by signal %d, increments missing: %ld",
            WTERMSIG(why), tasks * increments - *sum);
    if (why != 0)
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return *sum;
}

/* ---------- The run: the same in every lesson ---------- */

static const char usage[] =
    "usage: increment [-t tasks] [-n increments] [-w workers, 1 to %ld]\n";

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
    for (int option; (option = getopt(argc, argv, "t:n:w:h")) != -1;)
        switch (option) {
        case 't': tasks = number(option, 1000000); break;
        case 'n': increments = number(option, 1000000000); break;
        case 'w': workers = number(option, most_workers); break;
        case 'h': return printf(usage, most_workers) < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    workers = workers == 0 ? sysconf(_SC_NPROCESSORS_ONLN) : workers;
    workers = workers < tasks ? workers : tasks;

    double start = seconds();
    long total = increment_all();
    fprintf(stderr, "%ld increments in %.2f s, %ld at a time\n", total,
        seconds() - start, workers);
    if (total != tasks * increments)
        errx(EXIT_FAILURE, "%ld increments expected", tasks * increments);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
