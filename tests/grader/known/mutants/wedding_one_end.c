/*
 * wedding_one_end - wrong: sends one end for all friends: the first takes it,
 * the others wait
 * Exercise: 05-queue/exercise_wedding
 * Loses: tasks
 * Loses: order
 * Loses: busy
 * Loses: friends
 * Loses: refused
 * Loses: races
 * Loses: memory
 * Because: mq_receive
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
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

static void wait_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    if (nanosleep(&time, NULL) == -1)
        err(EXIT_FAILURE, "nanosleep");
}

static void do_task(const struct task *task) {
    printf("%s: %ld h ...\n", task->name, task->hours);
    wait_ms(task->hours * ms_per_hour);
    printf("%s: done\n", task->name);
}

/* ---------- The tool: a queue, and a thread for each friend ---------- */

static long friends = 4;
static mqd_t queue; /* the tasks by number, then END for each friend */
enum { END = -1 };

static void *help(void *unused) {
    long task;
    while (mq_receive(queue, (char *)&task, sizeof task, NULL) != -1 &&
           task != END)
        do_task(&tasks[task]);
    return unused;
}

/* qsort may change the order of equals, so their places decide. */
static int longest_first(const void *a, const void *b) {
    const struct task *x = a, *y = b;
    if (x->hours != y->hours)
        return x->hours < y->hours ? 1 : -1;
    return (x->place > y->place) - (x->place < y->place);
}

/* Ten messages are what the kernel lets everybody have. Unlinked at once, the
 * queue ends with this process. */
static void open_queue(void) {
    struct mq_attr size = {.mq_maxmsg = 10, .mq_msgsize = sizeof(long)};
    char name[40];
    snprintf(name, sizeof name, "/wedding-%ld", (long)getpid());
    queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &size);
    if (queue == -1 || mq_unlink(name) == -1)
        err(EXIT_FAILURE, "message queue %s", name);
}

static void do_all(void) {
    pthread_t *threads = calloc((size_t)friends, sizeof *threads);
    if (threads == NULL)
        err(EXIT_FAILURE, "calloc");
    qsort(tasks, (size_t)task_count, sizeof *tasks, longest_first);
    open_queue();
    for (long i = 0; i < friends; i++)
        if ((errno = pthread_create(&threads[i], NULL, help, NULL)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    for (long i = 0; i < task_count + 1; i++) {
        long task = i < task_count ? i : END;
        if (mq_send(queue, (char *)&task, sizeof task, 0) == -1)
            err(EXIT_FAILURE, "mq_send");
    }
    for (long i = 0; i < friends; i++)
        if ((errno = pthread_join(threads[i], NULL)) != 0)
            err(EXIT_FAILURE, "pthread_join");
    mq_close(queue);
    free(threads);
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
