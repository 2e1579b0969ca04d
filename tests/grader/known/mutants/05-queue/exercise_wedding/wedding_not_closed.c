/*
 * wedding_not_closed - wrong: nobody tells the friends that no more tasks will
 * come
 * Exercise: 05-queue/exercise_wedding
 * Loses: tasks
 * Loses: times
 * Loses: every_order
 * Perhaps: refused
 * Loses: edges
 * Loses: memory
 * Because: deadlock
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

/* ---------- The tool ---------- */

static long friends = 4;
#include <errno.h>
#include <pthread.h>

static int longer(const void *one, const void *other) {
    const struct task *a = one, *b = other;
    if (a->hours != b->hours)
        return a->hours > b->hours ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

static void last_ms(long long all) {
    struct timespec left = {(time_t)(all / 1000), (long)(all % 1000) * 1000000};
    while (nanosleep(&left, &left) == -1 && errno == EINTR)
        ;
}

static void do_task(const struct task *t) {
    printf("%s: %ld h ...\n", t->name, t->hours);
    last_ms((long long)t->hours * ms_per_hour);
    printf("%s: done\n", t->name);
}

enum { ROOM = 4 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER,
                      room = PTHREAD_COND_INITIALIZER;
static const struct task *ring[ROOM];
static long first, held;
static int closed;

static void put(const struct task *t) {
    pthread_mutex_lock(&lock);
    while (held == ROOM)
        pthread_cond_wait(&room, &lock);
    ring[(first + held++) % ROOM] = t;
    pthread_cond_signal(&more);
    pthread_mutex_unlock(&lock);
}

static const struct task *get(void) {
    pthread_mutex_lock(&lock);
    while (held == 0 && !closed)
        pthread_cond_wait(&more, &lock);
    const struct task *t = NULL;
    if (held > 0) {
        t = ring[first];
        first = (first + 1) % ROOM;
        held--;
        pthread_cond_signal(&room);
    }
    pthread_mutex_unlock(&lock);
    return t;
}

static void *friend_lives(void *unused) {
    (void)unused;
    for (const struct task *t; (t = get()) != NULL;)
        do_task(t);
    return NULL;
}

static void do_all(void) {
    qsort(tasks, (size_t)task_count, sizeof *tasks, longer);

    pthread_t *all = calloc((size_t)friends, sizeof *all);
    if (all == NULL)
        err(EXIT_FAILURE, "calloc");
    long made = 0;
    int failed = 0;
    for (; made < friends && !failed; made++)
        if ((failed = pthread_create(&all[made], NULL, friend_lives, NULL)) !=
            0)
            break;
    for (long i = 0; i < task_count && made > 0; i++)
        put(&tasks[i]);
    pthread_mutex_lock(&lock);
    pthread_cond_broadcast(&more);
    pthread_mutex_unlock(&lock);
    for (long i = 0; i < made; i++)
        pthread_join(all[i], NULL);
    free(all);

    if (failed) {
        errno = failed;
        err(EXIT_FAILURE, "pthread_create");
    }
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
