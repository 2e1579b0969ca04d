/*
 * increment - tasks that only compute, in a pool of one process per CPU
 * The tasks are dealt out in advance; the sums come back through a pipe.
 * Notice that N CPUs need an Nth of the time, with no lock. Linux (prctl).
 * Build: cc -O2 -o increment increment.c
 * Usage: ./increment [-t tasks] [-n increments] [-w workers]
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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

/* ---------- The tool: a pool of processes, the tasks dealt out ---------- */

static long workers, most_workers = 1000; /* if not given, one per CPU */

/* A worker does its first task and every workers-th after it. The
 * result is one record below PIPE_BUF: it comes whole or not at all. */
static void work(long worker, const int *ends, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the parent ... */
    if (getppid() != parent)          /* ... which may be gone by now */
        _exit(EXIT_FAILURE);
    close(ends[0]);
    long sum = 0;
    for (long task = worker; task < tasks; task += workers) {
        volatile long number = 0;
        begin_task(task);
        increment(&number, increments);
        end_task(task, number);
        sum += number;
    }
    _exit(ferror(stdout) || write(ends[1], &sum, sizeof sum) == -1);
}

/* Returns the sum of all tasks' numbers. */
static long increment_all(void) {
    long sum = 0, result, failed = 0, last = 0;
    int ends[2], status, why = 0;
    pid_t parent = getpid(), pid, *pids = calloc((size_t)workers, sizeof *pids);
    if (pids == NULL)
        err(EXIT_FAILURE, "calloc");
    if (pipe(ends) == -1)
        err(EXIT_FAILURE, "pipe");
    for (long i = 0; i < workers; i++)
        switch (pids[i] = fork()) {
        case -1: err(EXIT_FAILURE, "fork");
        case 0: work(i, ends, parent);
        }
    close(ends[1]);
    while ((pid = wait(&status)) != -1) /* each as it ends: no zombies */
        if (status == 0 && read(ends[0], &result, sizeof result) > 0)
            sum += result;
        else {
            failed++;
            why = status;
            for (last = 0; last < workers && pids[last] != pid;)
                last++;
        }
    if (WIFSIGNALED(why))
        warnx("%ld of %ld workers failed, worker %ld killed by signal %d",
            failed, workers, last + 1, WTERMSIG(why));
    else if (failed > 0)
        warnx("%ld of %ld workers failed, worker %ld could not print", failed,
            workers, last + 1);
    free(pids);
    return sum;
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
