/*
 * wedding_mq_priority - right: the kernel's queue sorts by priority, which is
 * the length; the list is sorted as well, for what does not fit into it yet
 * Exercise: 05-queue/exercise_wedding
 * Kind: message priorities; processes; slow start; more words on stderr
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
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
static mqd_t queue;

static int order(const void *a, const void *b) {
    const struct task *x = a, *y = b;
    return x->hours == y->hours ? (int)(x->place - y->place)
                                : (int)(y->hours - x->hours);
}

/* A message of priority 0 is the end of the day. */
static int help(pid_t parent) {
    unsigned priority;
    int which;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        return EXIT_FAILURE;
    for (;;) {
        if (mq_receive(queue, (char *)&which, sizeof which, &priority) == -1)
            err(EXIT_FAILURE, "mq_receive");
        if (priority == 0)
            return ferror(stdout);
        struct task *task = &tasks[which];
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        long ms = task->hours * ms_per_hour;
        until.tv_nsec += ms % 1000 * 1000000;
        until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        printf("%s: %ld h ...\n", task->name, task->hours);
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) ==
               EINTR)
            ;
        printf("%s: done\n", task->name);
    }
}

static void open_queue(void) {
    struct mq_attr attr = {.mq_maxmsg = 8, .mq_msgsize = sizeof(int)};
    char name[64];
    snprintf(name, sizeof name, "/a_wedding.%d", (int)getpid());
    queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
    if (queue == (mqd_t)-1)
        err(EXIT_FAILURE, "mq_open %s", name);
    mq_unlink(name);
}

static void do_all(void) {
    pid_t me = getpid();
    long bad = 0;
    qsort(tasks, (size_t)task_count, sizeof *tasks, order);
    open_queue();
    for (long i = 0; i < friends; i++)
        switch (fork()) {
        case -1: err(EXIT_FAILURE, "fork");
        case 0: _exit(help(me));
        default: break;
        }
    fprintf(stderr, "%ld friends have come\n", friends);
    for (int i = 0; i < task_count + friends; i++) {
        unsigned priority = i < task_count ? (unsigned)tasks[i].hours : 0;
        if (mq_send(queue, (const char *)&i, sizeof i, priority) == -1)
            err(EXIT_FAILURE, "mq_send");
    }
    for (int status; wait(&status) > 0;)
        bad += status != 0;
    mq_close(queue);
    if (bad > 0)
        errx(EXIT_FAILURE, "%ld friends did not end well", bad);
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

    usleep(40000);
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
