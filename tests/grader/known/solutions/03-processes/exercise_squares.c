/*
 * exercise_squares - sums of squares, one process per CPU: a solution
 * The parent starts a process for each number, never more than -w at once, and
 * waits for whichever ends next: its sum is handled then, not when its turn
 * comes. Notice that a process that is killed costs its own sum, no other.
 * Linux only (prctl).
 * Build: cc -O2 -o exercise_squares exercise_squares.c
 * Usage: ./exercise_squares [-w processes] [N...]
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

/* ---------- The story ---------- */

enum { MODULUS = 1000000007, MOST = 1000000000, MOST_PROCESSES = 1000 };
static long four[] = {20000000, 30000000, 10000000, 25000000};
static long *numbers = four;
static long job_count = 4;

static long sum_squares(long n) {
    long sum = 0;
    for (long i = 1; i <= n; i++)
        sum = (sum + i * i) % MODULUS;
    return sum;
}

/* ---------- The tool: processes, each result as it completes ---------- */

static long processes; /* if not given, one per CPU */

struct job {
    pid_t pid;   /* 0: not started, or over */
    int results; /* the pipe's end to read from */
    long n;
};

/* Starts a process for the job. Returns 1, or 0 if it cannot. */
static int start(struct job *job) {
    pid_t parent = getpid();
    int ends[2];
    if (pipe(ends) == -1) {
        warn("%ld: pipe", job->n);
        printf("%ld: no sum\n", job->n);
        return 0;
    }
    job->results = ends[0];
    if ((job->pid = fork()) == -1) {
        warn("%ld: fork", job->n);
        printf("%ld: no sum\n", job->n);
        job->pid = 0;
        close(ends[0]);
    }
    if (job->pid != 0 || getpid() == parent) {
        close(ends[1]);
        return job->pid != 0;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the parent ... */
    if (getppid() != parent)          /* ... which may be gone by now */
        _exit(EXIT_FAILURE);
    printf("%ld: summing ...\n", job->n);
    long sum = sum_squares(job->n);
    _exit(ferror(stdout) || write(ends[1], &sum, sizeof sum) != sizeof sum);
}

/* The process has ended. Returns its sum, or -1 when it has none. */
static long end(struct job *job, int status) {
    long sum = -1;
    if (WIFSIGNALED(status))
        warnx("%ld: killed by signal %d (%s)", job->n, WTERMSIG(status),
            strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) != 0 ||
             read(job->results, &sum, sizeof sum) != sizeof sum)
        warnx("%ld: failed", job->n);
    if (sum == -1)
        printf("%ld: no sum\n", job->n);
    else
        printf("%ld: %ld\n", job->n, sum);
    close(job->results);
    job->pid = 0;
    return sum;
}

/* Stores the sum of all sums. Returns how many have come. */
static long sum_all(long *total) {
    struct job *jobs = calloc((size_t)job_count, sizeof *jobs);
    long started = 0, running = 0, came = 0;
    if (jobs == NULL)
        err(EXIT_FAILURE, "calloc");
    while (started < job_count || running > 0) {
        if (started < job_count && running < processes) {
            jobs[started].n = numbers[started];
            running += start(&jobs[started++]);
            continue;
        }
        int status;
        pid_t pid = wait(&status);
        if (pid == -1)
            err(EXIT_FAILURE, "wait");
        for (long i = 0; i < started; i++)
            if (jobs[i].pid == pid) { /* else a stranger, from before exec */
                long sum = end(&jobs[i], status);
                running--;
                came += sum != -1;
                *total = (*total + (sum == -1 ? 0 : sum)) % MODULUS;
            }
    }
    free(jobs);
    return came;
}

/* ---------- The run ---------- */

static const char usage[] = "usage: exercise_squares [-w processes] [N...]\n";

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long number(const char *option, const char *text, long most) {
    char *rest;
    long value = strtol(text, &rest, 10);
    if (rest == text || *rest != '\0' || value < 1 || value > most)
        errx(2, "%s%s: not a number from 1 to %ld", option, text, most);
    return value;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int option; (option = getopt(argc, argv, "w:h")) != -1;)
        switch (option) {
        case 'w': processes = number("-w ", optarg, MOST_PROCESSES); break;
        case 'h': return printf(usage) < 0;
        default: return 2;
        }
    if (optind < argc) {
        job_count = argc - optind;
        if ((numbers = calloc((size_t)job_count, sizeof *numbers)) == NULL)
            err(EXIT_FAILURE, "calloc");
        for (long i = 0; i < job_count; i++)
            numbers[i] = number("", argv[optind + i], MOST);
    }
    if (processes == 0)
        processes = sysconf(_SC_NPROCESSORS_ONLN);

    double start_time = seconds();
    long total = 0, came = sum_all(&total);
    if (came == job_count)
        printf("total: %ld\n", total);
    fprintf(stderr, "%ld sums in %.2f s\n", came, seconds() - start_time);
    if (numbers != four)
        free(numbers);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return came == job_count ? EXIT_SUCCESS : EXIT_FAILURE;
}
