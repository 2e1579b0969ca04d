/*
 * increment - tasks that only compute, taking turns on one thread
 * All tasks are under way at once, yet one CPU does all the work. Notice that
 * it takes as long as one task after another: an event loop uses the time in
 * which a task waits, and these never do.
 * Build: cc -O2 -o increment increment.c
 * Usage: ./increment [-t tasks] [-n increments] [-w workers]
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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

/* ---------- The tool: one thread, each task a slice in turn ---------- */

static long workers = 1, most_workers = 1; /* one by nature */
static const long slice = 100000;

/* Returns the sum of all tasks' numbers. */
static long increment_all(void) {
    long sum = 0;
    long *numbers = calloc((size_t)tasks, sizeof *numbers);
    if (numbers == NULL)
        err(EXIT_FAILURE, "calloc");
    for (long task = 0; task < tasks; task++)
        begin_task(task);
    for (long done = 0; done < increments; done += slice)
        for (long task = 0; task < tasks; task++) {
            long left = increments - done;
            increment(&numbers[task], left < slice ? left : slice);
            if (left <= slice) {
                end_task(task, numbers[task]);
                sum += numbers[task];
            }
        }
    free(numbers);
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
