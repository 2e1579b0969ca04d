/*
 * wedding_heap - right: a heap in memory is the queue; friends wait at a
 * condition variable until there is something in it, or nothing more comes
 * Exercise: 05-queue/exercise_wedding
 * Kind: a heap, a mutex and a condition variable; detached threads that are
 * counted; stdout flushed by hand
 */
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

/* ---------- The tool: a queue, and friends who take from it ---------- */

static long friends = 4;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct task **heap; /* all below: guarded by lock */
static long size, present;
static bool complete;

static bool before(const struct task *a, const struct task *b) {
    return a->hours != b->hours ? a->hours > b->hours : a->place < b->place;
}

static void put(struct task *task) {
    long at = size++;
    for (; at > 0 && before(task, heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = task;
}

static struct task *get(void) {
    struct task *first = heap[0], *moved = heap[--size];
    long at = 0, child;
    while ((child = 2 * at + 1) < size) {
        if (child + 1 < size && before(heap[child + 1], heap[child]))
            child++;
        if (!before(heap[child], moved))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
    return first;
}

static void say(const char *name, const char *text) {
    printf("%s: %s\n", name, text);
    fflush(stdout);
}

static void perform(const struct task *task) {
    char text[40];
    long ms = task->hours * ms_per_hour;
    snprintf(text, sizeof text, "%ld h ...", task->hours);
    say(task->name, text);
    if (ms >= 1000)
        for (unsigned left = (unsigned)(ms / 1000); left > 0;)
            left = sleep(left);
    if (ms % 1000 > 0)
        usleep((useconds_t)(ms % 1000) * 1000);
    say(task->name, "done");
}

static void *be_friend(void *unused) {
    pthread_mutex_lock(&lock);
    for (;;) {
        while (size == 0 && !complete)
            pthread_cond_wait(&changed, &lock);
        if (size == 0)
            break;
        struct task *mine = get();
        pthread_mutex_unlock(&lock);
        perform(mine);
        pthread_mutex_lock(&lock);
    }
    present--;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return unused;
}

static void do_all(void) {
    heap = calloc((size_t)task_count, sizeof *heap);
    if (heap == NULL)
        err(EXIT_FAILURE, "calloc");
    for (present = 0; present < friends;) {
        pthread_t thread;
        pthread_mutex_lock(&lock);
        if ((errno = pthread_create(&thread, NULL, be_friend, NULL)) != 0)
            err(EXIT_FAILURE, "pthread_create");
        present++;
        pthread_mutex_unlock(&lock);
        pthread_detach(thread);
    }
    pthread_mutex_lock(&lock);
    for (long i = 0; i < task_count; i++)
        put(&tasks[i]);
    complete = true;
    pthread_cond_broadcast(&changed);
    while (present > 0)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    free(heap);
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
