/*
 * wedding_one_by_one - wrong: friends begin while the queue is being filled, so
 * the first task is not the longest
 * Exercise: 05-queue/exercise_wedding
 * Loses: order
 * Because: as the longest comes first
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
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

/* ---------- The tool ---------- */
static long friends = 4;
struct item {
    struct task *t;
    struct item *next;
};
static struct item *first;
static bool closed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static void put(struct task *t) {
    struct item *i = malloc(sizeof *i), **at = &first;
    if (!i)
        err(1, "malloc");
    i->t = t;
    while (*at && (*at)->t->hours >= t->hours)
        at = &(*at)->next;
    i->next = *at;
    *at = i;
}
static void *friend_(void *arg) {
    (void)arg;
    for (;;) {
        pthread_mutex_lock(&lock);
        while (first == NULL && !closed)
            pthread_cond_wait(&changed, &lock);
        struct item *i = first;
        if (i)
            first = i->next;
        if (i)
            printf("%s: %ld h ...\n", i->t->name, i->t->hours);
        pthread_mutex_unlock(&lock);
        if (!i)
            return NULL;
        long ms = i->t->hours * ms_per_hour;
        struct timespec length = {ms / 1000, ms % 1000 * 1000000};
        nanosleep(&length, NULL);
        flockfile(stdout);
        printf("%s: ", i->t->name);
        puts("done");
        funlockfile(stdout);
        free(i);
    }
}
static void *host(void *arg) {
    (void)arg;
    for (long i = 0; i < task_count; i++) {
        pthread_mutex_lock(&lock);
        put(&tasks[i]);
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&lock);
    }
    pthread_mutex_lock(&lock);
    closed = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return NULL;
}
static void do_all(void) {
    pthread_t *id = malloc((friends + 1) * sizeof *id);
    if (!id)
        err(1, "malloc");
    if ((errno = pthread_create(&id[friends], NULL, host, NULL)))
        err(1, "host");
    for (long i = 0; i < friends; i++)
        if ((errno = pthread_create(&id[i], NULL, friend_, NULL)))
            err(1, "friend %ld", i + 1);
    for (long i = 0; i <= friends; i++)
        pthread_join(id[i], NULL);
    free(id);
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
