/*
 * increment - tasks that only compute, in a queue with one worker per CPU
 * Each worker takes the next task when it is done with one, so no CPU idles
 * while a task is left, however long each takes. Notice that N CPUs need an
 * Nth of the time, and that a task must be long beside the microseconds a
 * message costs. Linux only (prctl).
 * Build: cc -O2 -o increment increment.c -lrt
 * Usage: ./increment [-t tasks] [-n increments] [-w workers]
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
static mqd_t queue;                       /* the jobs by number, then END */
static long *results;    /* by job; 0: not done. Shared by all processes */
static pid_t pids[1000]; /* as many as most_workers */
enum { END = -1 };

/* Takes the next task until the end comes, or until nobody can be told. */
static void work(void) {
    long task;
    while (mq_receive(queue, (char *)&task, sizeof task, NULL) != -1 &&
           task != END && !ferror(stdout)) {
        volatile long number = 0;
        begin_task(task);
        increment(&number, increments);
        end_task(task, number);
        results[task] = ferror(stdout) ? 0 : number;
    }
}

/* Waits while the queue is full. END comes after the jobs, as its priority is
 * lower, and as often as anyone takes it. */
static void produce(void) {
    for (long next = 0;; next++) {
        long job = next < tasks ? next : END;
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
    snprintf(name, sizeof name, "/increment-%ld", (long)getpid());
    queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &size);
    if (queue == -1 || mq_unlink(name) == -1)
        err(EXIT_FAILURE, "message queue %s", name);
    results = mmap(NULL, (size_t)tasks * sizeof *results,
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

/* Returns the sum of all tasks' numbers. */
static long increment_all(void) {
    if (workers == 0)
        workers = sysconf(_SC_NPROCESSORS_ONLN);
    long started = 0, sum = 0;
    open_queue();
    pid_t producer = start(produce);
    if (producer == -1)
        exit(EXIT_FAILURE);
    while (started < workers && started < tasks &&
           (pids[started] = start(work)) != -1)
        started++;
    join_all(producer, started);
    for (long task = 0; task < tasks; task++) {
        if (results[task] == 0)
            warnx("task %ld: not done", task + 1);
        sum += results[task];
    }
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
