/*
 * exercise_wedding - -w friends do the tasks of a wedding, the longest first
 * The tasks go through a queue (the kernel's, a pipe, or one in memory, with
 * threads or processes: as you like) to -w friends: the longest first, those
 * of equal length as given. A friend is never idle while a task waits. A task
 * takes HOURS x -m ms. Write do_all() first.
 * All that is asked, and its points: exercise_wedding.md beside this file.
 * Test: make check EXERCISE=05-queue/exercise_wedding
 * Build: cc -O2 -pthread -o exercise_wedding exercise_wedding.c -lrt
 * Outcomes: any order
 * Usage: ./exercise_wedding [-w friends] [-m ms_per_hour] [TASK=HOURS...]
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

struct task {
    const char *name;
    long hours, place; /* in the order given */
};

static struct task four[] = {{"cake", 3, 0}, {"band", 2, 1},
    {"decorations", 4, 2}, {"invitations", 1, 3}};
static struct task *tasks = four;
static long task_count = 4, ms_per_hour = 100;

/* ---------- The tool: a queue, and friends who take from it ---------- */

static long friends = 4;

/* Yours: does all tasks. */
static void do_all(void) {
    errx(EXIT_FAILURE, "do_all() is not written yet: no friend has a task");
}

/* ---------- The run ---------- */

static const char usage[] = "usage: exercise_wedding [-w friends] "
                            "[-m ms_per_hour] [TASK=HOURS...]\n";

static long number(int option, long most) {
    char *end;
    long value = strtol(optarg, &end, 10);
    if (*end != '\0' || value < 1 || value > most)
        errx(2, "-%c %s: not a number from 1 to %ld", option, optarg, most);
    return value;
}

static struct task *read_tasks(char **words, long count) {
    struct task *list = calloc((size_t)count, sizeof *list);
    if (list == NULL)
        err(EXIT_FAILURE, "calloc");
    for (long i = 0; i < count; i++) {
        char *equals = strchr(words[i], '='), *end = NULL;
        if (equals != NULL)
            list[i].hours = strtol(equals + 1, &end, 10);
        if (end == NULL || equals == words[i] || *end != '\0' ||
            list[i].hours < 1 || list[i].hours > 1000)
            errx(
                2, "%s: not TASK=HOURS with a number from 1 to 1000", words[i]);
        *equals = '\0';
        list[i].name = words[i];
        list[i].place = i;
    }
    return list;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int option; (option = getopt(argc, argv, "w:m:h")) != -1;)
        switch (option) {
        case 'w': friends = number(option, 1000); break;
        case 'm': ms_per_hour = number(option, 60000); break;
        case 'h': return printf(usage) < 0;
        default: return 2;
        }
    if (optind < argc) {
        task_count = argc - optind;
        tasks = read_tasks(argv + optind, task_count);
    }

    double start = seconds();
    do_all();
    fprintf(stderr, "%ld tasks by %ld friends in %.0f h\n", task_count, friends,
        (seconds() - start) * 1000 / (double)ms_per_hour);
    if (tasks != four)
        free(tasks);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
