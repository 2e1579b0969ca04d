/*
 * increment - tasks that only compute, in a pool of one process per CPU
 * The tasks are dealt out in advance; the sums come back through a pipe.
 * Notice that N CPUs need an Nth of the time, with no lock. Linux (prctl).
 * Build: cc -O2 -o increment increment.c
 * Usage: ./increment [-t tasks] [-n increments] [-w workers]
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

enum { MOST = 1000 };
static long workers, most_workers = MOST; /* if not given, one per CPU */

/* A worker does its first task and every workers-th after it. */
static long work(long worker) {
    long sum = 0;
    for (long task = worker; task < tasks; task += workers) {
        volatile long number = 0;
        begin_task(task);
        increment(&number, increments);
        end_task(task, number);
        sum += number;
    }
    return sum;
}

/* The result is one record below PIPE_BUF: it comes whole or not at all. */
static pid_t start(long worker, int results) {
    pid_t parent = getpid(), pid = fork();
    if (pid == -1)
        warn("worker %ld: fork", worker + 1);
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the parent ... */
    if (getppid() != parent)          /* ... which may be gone by now */
        _exit(EXIT_FAILURE);
    long result = work(worker);
    _exit(ferror(stdout) || write(results, &result, sizeof result) == -1);
}

/* Waits for each child when it ends, so that none stays a zombie. */
static long join_all(const pid_t *pids, long count, int results) {
    long sum = 0, result;
    for (long left = count; left > 0;) {
        siginfo_t end;
        if (waitid(P_ALL, 0, &end, WEXITED | WNOWAIT) == -1 ||
            waitpid(end.si_pid, NULL, 0) == -1)
            err(EXIT_FAILURE, "wait");
        for (long i = 0; i < count; i++)
            if (pids[i] == end.si_pid) {
                left--;
                if (end.si_code != CLD_EXITED)
                    warnx("worker %ld: killed by signal %d (%s)", i + 1,
                        end.si_status, strsignal(end.si_status));
                else if (end.si_status != 0)
                    warnx("worker %ld: failed, or could not print", i + 1);
                else if (read(results, &result, sizeof result) > 0)
                    sum += result;
            }
    }
    return sum;
}

/* Returns the sum of all tasks' numbers. */
static long increment_all(void) {
    pid_t pids[MOST];
    long started = 0;
    int ends[2];
    if (workers == 0)
        workers = sysconf(_SC_NPROCESSORS_ONLN);
    if (workers > MOST)
        workers = MOST;
    if (pipe(ends) == -1)
        err(EXIT_FAILURE, "pipe");
    while (started < workers && started < tasks &&
           (pids[started] = start(started, ends[1])) != -1)
        started++;
    close(ends[1]);
    return join_all(pids, started, ends[0]);
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
