/*
 * wedding_foreman - right: a foreman has a pipe to each friend, and they have
 * one to him
 * Exercise: 05-queue/exercise_wedding
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
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

/* ---------- The tool ---------- */
static long friends = 4;
static int longer(const void *a, const void *b) {
    const struct task *x = a, *y = b;
    if (x->hours != y->hours)
        return x->hours < y->hours ? 1 : -1;
    return x->place < y->place ? -1 : 1;
}
static void friend_main(int in, int back, int me) {
    long i;
    ssize_t n;
    while ((n = read(in, &i, sizeof i)) == sizeof i) {
        printf("%s: %ld h ...\n", tasks[i].name, tasks[i].hours);
        long ms = tasks[i].hours * ms_per_hour;
        struct timespec t = {ms / 1000, ms % 1000 * 1000000};
        while (nanosleep(&t, &t) == -1)
            ;
        printf("%s: done\n", tasks[i].name);
        if (write(back, &me, sizeof me) != sizeof me)
            _exit(1);
    }
    _exit(n == 0 && !ferror(stdout) ? 0 : 1);
}
static void do_all(void) {
    struct task *sorted = tasks;
    qsort(sorted, task_count, sizeof *sorted, longer);
    int n = friends < task_count ? friends : task_count, back[2];
    int *to = calloc(n, sizeof *to);
    pid_t *pid = calloc(n, sizeof *pid);
    if (!to || !pid)
        err(1, "calloc");
    if (pipe(back) == -1)
        err(1, "pipe");
    int made = 0;
    for (; made < n; made++) {
        int p[2];
        if (pipe(p) == -1) {
            warn("pipe");
            break;
        }
        pid[made] = fork();
        if (pid[made] == -1) {
            warn("fork");
            close(p[0]);
            close(p[1]);
            break;
        }
        if (pid[made] == 0) {
            for (int k = 0; k < made; k++)
                close(to[k]);
            close(p[1]);
            close(back[0]);
            friend_main(p[0], back[1], made);
        }
        close(p[0]);
        to[made] = p[1];
    }
    close(back[1]);
    if (made == 0)
        exit(1);
    signal(SIGPIPE, SIG_IGN);
    long next = 0;
    for (int k = 0; k < made && next < task_count; k++, next++)
        if (write(to[k], &next, sizeof next) == -1)
            warn("friend %d", k);
    int who;
    while (next < task_count && read(back[0], &who, sizeof who) == sizeof who) {
        if (write(to[who], &next, sizeof next) == -1)
            warn("friend %d", who);
        else
            next++;
    }
    for (int k = 0; k < made; k++)
        close(to[k]);
    int bad = next < task_count, st;
    while (wait(&st) > 0)
        if (st != 0)
            bad = 1;
    free(to);
    free(pid);
    close(back[0]);
    if (bad)
        errx(1, "a friend was lost");
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
