/*
 * wedding_sorts_in - wrong: each task is sorted in while friends already take
 * Exercise: 05-queue/exercise_wedding
 * Loses: order
 * Because: task 1 to be begun was
 */
#include <err.h>
#include <errno.h>
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

/* ---------- The tool: a queue, and friends who take from it ---------- */

static long friends = 4;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static const struct task **queue; /* the longest first */
static long first, last;          /* waiting: queue[first] to queue[last - 1] */
static int closed;

static void sleep_ms(long ms) {
    struct timespec rest = {ms / 1000, ms % 1000 * 1000000L};
    while (nanosleep(&rest, &rest) == -1 && errno == EINTR)
        continue;
}

static void *friend(void *unused) {
    pthread_mutex_lock(&lock);
    for (;;) {
        while (first == last && !closed)
            pthread_cond_wait(&news, &lock);
        if (first == last)
            break;
        const struct task *task = queue[first++];
        printf("%s: %ld h ...\n", task->name, task->hours);
        pthread_mutex_unlock(&lock);
        sleep_ms(task->hours * ms_per_hour);
        printf("%s: done\n", task->name);
        pthread_mutex_lock(&lock);
    }
    pthread_mutex_unlock(&lock);
    return unused;
}

static void do_all(void) {
    pthread_t *ids = calloc((size_t)friends, sizeof *ids);
    queue = calloc((size_t)task_count, sizeof *queue);
    if (ids == NULL || queue == NULL)
        err(EXIT_FAILURE, "calloc");
    for (long i = 0; i < friends; i++)
        if ((errno = pthread_create(&ids[i], NULL, friend, NULL)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    for (long i = 0; i < task_count; i++) {
        pthread_mutex_lock(&lock);
        long at = last++;
        for (; at > first && queue[at - 1]->hours < tasks[i].hours; at--)
            queue[at] = queue[at - 1];
        queue[at] = &tasks[i];
        pthread_cond_signal(&news);
        pthread_mutex_unlock(&lock);
    }
    pthread_mutex_lock(&lock);
    closed = 1;
    pthread_cond_broadcast(&news);
    pthread_mutex_unlock(&lock);
    for (long i = 0; i < friends; i++)
        pthread_join(ids[i], NULL);
    free(ids);
    free(queue);
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
