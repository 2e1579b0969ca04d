/*
 * increment - tasks that only compute, in a queue with one worker per CPU
 * Whoever is done takes the next, so no CPU idles while a task is left: N need
 * an Nth of the time. A message costs microseconds. Linux only (prctl).
 * Build: cc -O2 -o increment increment.c -lrt
 * Usage: ./increment [-t tasks] [-n increments] [-w workers]
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
static mqd_t queue;   /* tasks by number; a number past the last: the end */
static long *counted; /* by task, in memory that all processes share */

/* Waits while the queue is full. The end comes last: it has priority 0. */
static void produce(void) {
    for (long job = 0;; job++)
        if (mq_send(queue, (char *)&job, sizeof job, job < tasks) == -1)
            err(EXIT_FAILURE, "mq_send");
}

/* Takes the next task until the end comes, or until nobody can be told. */
static void work(void) {
    for (long task; mq_receive(queue, (char *)&task, sizeof task, NULL) != -1 &&
                    task < tasks && !ferror(stdout);) {
        volatile long number = 0;
        begin_task(task);
        increment(&number, increments);
        end_task(task, number);
        counted[task] = ferror(stdout) ? 0 : number;
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

/* Returns the sum of all tasks' numbers. */
static long increment_all(void) {
    workers = workers == 0 ? sysconf(_SC_NPROCESSORS_ONLN) : workers;
    struct mq_attr size = {.mq_maxmsg = 10, .mq_msgsize = sizeof(long)};
    pid_t pids[1001], ended; /* the producer, then the workers */
    long started = 0, running, sum = 0;
    char name[40];
    snprintf(name, sizeof name, "/increment-%ld", (long)getpid());
    counted = mmap(NULL, (size_t)tasks * sizeof(long), PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &size);
    if (queue == -1 || mq_unlink(name) == -1 || counted == MAP_FAILED)
        err(EXIT_FAILURE, "message queue %s", name);
    signal(SIGCHLD, SIG_DFL); /* ignored, it hides who has ended */
    while (started <= workers && started <= tasks && started <= most_workers &&
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
    for (long task = 0; task < tasks; sum += counted[task++])
        if (counted[task] == 0)
            warnx("task %ld: not done", task + 1);
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
