/*
 * squares_stealing - right: the jobs are dealt out to -w processes in shared
 * memory; one whose own list is empty takes from another's. What is done goes
 * into a pipe; a signalfd tells of those that die, and they are replaced
 * Exercise: 03-processes/exercise_squares
 * Kind: work stealing; shared memory; signalfd; slow start
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

enum { MODULUS = 1000000007, MOST = 1000000000, MOST_PROCESSES = 1000 };
static long four[] = {20000000, 30000000, 10000000, 25000000};
static long *numbers = four;
static long job_count = 4;

/* ---------- The tool: processes, each result as it completes ---------- */

static long processes; /* if not given, one per CPU */

struct job {
    atomic_long taker; /* 1 + the worker's number, 0: nobody */
    long sum;          /* written before the job goes into the pipe */
    int handled;       /* the parent's */
};
static struct job *jobs; /* shared */
static pid_t *workers;
static int done_pipe[2];

static int take(long job, long me) {
    long nobody = 0;
    return job < job_count &&
           atomic_compare_exchange_strong(&jobs[job].taker, &nobody, me + 1);
}

static void do_job(long job) {
    long sum = 0;
    printf("%ld: summing ...\n", numbers[job]);
    for (long i = 1; i <= numbers[job]; i++)
        sum = (sum + i * i % MODULUS) % MODULUS;
    jobs[job].sum = sum;
    if (write(done_pipe[1], &job, sizeof job) != sizeof job)
        _exit(EXIT_FAILURE);
}

/* List l has the jobs l, l + processes, ... Own ones from the front, others'
 * from the back. */
static void work(long me) {
    long rounds = (job_count + processes - 1) / processes;
    for (long i = 0; i < rounds; i++)
        if (take(i * processes + me, me))
            do_job(i * processes + me);
    for (long other = 1; other < processes; other++)
        for (long i = rounds - 1; i >= 0; i--)
            if (take(i * processes + (me + other) % processes, me))
                do_job(i * processes + (me + other) % processes);
    _exit(ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS);
}

static void hire(long me) {
    pid_t parent = getpid();
    if ((workers[me] = fork()) == -1) {
        warn("fork");
        while (me-- > 0)
            kill(workers[me], SIGKILL);
        while (wait(NULL) != -1)
            continue;
        exit(EXIT_FAILURE);
    }
    if (workers[me] != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
    work(me);
}

static long handle(long job, long *total) {
    jobs[job].handled = 1;
    printf("%ld: %ld\n", numbers[job], jobs[job].sum);
    *total = (*total + jobs[job].sum) % MODULUS;
    return 1;
}

/* What has come by now; waits for the first if asked to. */
static long collect(long *total) {
    struct pollfd some = {.fd = done_pipe[0], .events = POLLIN};
    long came = 0, job;
    while (poll(&some, 1, 0) == 1 && some.revents & POLLIN &&
           read(done_pipe[0], &job, sizeof job) == sizeof job)
        came += handle(job, total);
    return came;
}

/* Somebody has ended. Returns how many sums came from them meanwhile; *alive
 * and *lost are kept up. */
static long bury(long *total, long *alive) {
    int status;
    long came = 0, open_jobs = 0;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        long me = 0;
        while (me < processes && workers[me] != pid)
            me++;
        if (me == processes)
            continue;
        came += collect(total); /* what it had written before */
        --*alive;
        for (long j = 0; status != 0 && j < job_count; j++) {
            open_jobs += atomic_load(&jobs[j].taker) == 0;
            if (atomic_load(&jobs[j].taker) != me + 1 || jobs[j].handled)
                continue;
            jobs[j].handled = 1;
            warnx("%ld: its process ended with status 0x%x", numbers[j],
                (unsigned)status);
            printf("%ld: no sum\n", numbers[j]);
        }
        if (status != 0 && open_jobs > 0) {
            hire(me);
            ++*alive;
        }
    }
    return came;
}

static void *shared(size_t size) {
    void *at = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        err(EXIT_FAILURE, "mmap");
    return at;
}

static long sum_all(long *total) {
    size_t size = (size_t)job_count * sizeof *jobs;
    long came = 0, alive;
    struct signalfd_siginfo child;
    sigset_t set;
    processes = processes < job_count ? processes : job_count;
    jobs = shared(size);
    workers = calloc((size_t)processes, sizeof *workers);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int signals = signalfd(-1, &set, SFD_CLOEXEC);
    if (workers == NULL || signals == -1 || pipe(done_pipe) == -1)
        err(EXIT_FAILURE, "sum_all");
    for (alive = 0; alive < processes; alive++)
        hire(alive);
    while (alive > 0) {
        struct pollfd two[] = {{.fd = done_pipe[0], .events = POLLIN},
            {.fd = signals, .events = POLLIN}};
        if (poll(two, 2, -1) == -1)
            err(EXIT_FAILURE, "poll");
        came += collect(total);
        if (two[1].revents != 0 &&
            read(signals, &child, sizeof child) == sizeof child)
            came += bury(total, &alive);
    }
    close(signals);
    free(workers);
    munmap(jobs, size);
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

    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL); /* slow start */
    double start = seconds();
    long total = 0, came = sum_all(&total);
    if (came == job_count)
        printf("total: %ld\n", total);
    fprintf(stderr, "%ld sums in %.2f s\n", came, seconds() - start);
    if (numbers != four)
        free(numbers);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return came == job_count ? EXIT_SUCCESS : EXIT_FAILURE;
}
