/*
 * wedding_killed_is_fine - wrong: WEXITSTATUS without WIFEXITED; it is 0 as well
 * of a friend who was killed
 * Exercise: 05-queue/exercise_wedding
 * Loses: killed
 * Because: when a friend was killed in the middle of a task it exited with
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
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

/* ---------- The tool: a queue, and friends who take from it ---------- */

static long friends = 4;

static void sort(void) {
    for (long i = 1; i < task_count; i++)
        for (long j = i; j > 0 && tasks[j - 1].hours < tasks[j].hours; j--) {
            struct task other = tasks[j];
            tasks[j] = tasks[j - 1];
            tasks[j - 1] = other;
        }
}

static void be_a_friend(int queue, pid_t parent) {
    long i;
    ssize_t size;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
    while ((size = read(queue, &i, sizeof i)) == sizeof i) {
        long ms = tasks[i].hours * ms_per_hour;
        struct timespec time = {ms / 1000, ms % 1000 * 1000000};
        printf("%s: %ld h ...\n", tasks[i].name, tasks[i].hours);
        while (nanosleep(&time, &time) == -1)
            if (errno != EINTR)
                err(EXIT_FAILURE, "nanosleep");
        printf("%s: done\n", tasks[i].name);
    }
    _exit(size != 0 || ferror(stdout));
}

static void do_all(void) {
    int queue[2], failed = 0, status;
    pid_t parent = getpid(), *pids = calloc((size_t)friends, sizeof *pids);
    if (pids == NULL || pipe(queue) == -1)
        err(EXIT_FAILURE, "pipe");
    sort();
    signal(SIGPIPE, SIG_IGN);
    for (long i = 0; i < friends; i++) {
        if ((pids[i] = fork()) == -1)
            err(EXIT_FAILURE, "fork");
        if (pids[i] == 0) {
            close(queue[1]);
            be_a_friend(queue[0], parent);
        }
    }
    close(queue[0]);
    for (long i = 0; i < task_count; i++)
        if (write(queue[1], &i, sizeof i) != sizeof i)
            err(EXIT_FAILURE, "no friend is left");
    close(queue[1]);
    for (long i = 0; i < friends; i++)
        failed +=
            waitpid(pids[i], &status, 0) != pids[i] || WEXITSTATUS(status) != 0;
    free(pids);
    if (failed > 0)
        errx(EXIT_FAILURE, "%d friends failed", failed);
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
