/*
 * wedding_ring_c11 - right: a ring with room for three tasks, guarded by a C11
 * mutex and two C11 condition variables; the friends are C11 threads
 * Exercise: 05-queue/exercise_wedding
 * Kind: C11 threads; a bounded ring; own reading of options
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 3 };

typedef struct Task {
    char *name;
    int32_t hours;
} Task;

static mtx_t guard;
static cnd_t filled, emptied;
static const Task *ring[ROOM];
static int head, length;
static bool closed;
static int32_t ms = 100, friends = 4;

_Noreturn static void refuse(const char *what, const char *why) {
    fprintf(stderr, "exercise_wedding: %s: %s\n", what, why);
    exit(2);
}

static void push(const Task *task) {
    mtx_lock(&guard);
    while (length == ROOM)
        cnd_wait(&emptied, &guard);
    ring[(head + length++) % ROOM] = task;
    cnd_signal(&filled);
    mtx_unlock(&guard);
}

static const Task *pop(void) {
    const Task *task = NULL;
    mtx_lock(&guard);
    while (length == 0 && !closed)
        cnd_wait(&filled, &guard);
    if (length > 0) {
        task = ring[head];
        head = (head + 1) % ROOM;
        length--;
        cnd_signal(&emptied);
    }
    mtx_unlock(&guard);
    return task;
}

static int friend(void *unused) {
    const Task *task;
    while ((task = pop()) != NULL) {
        long long time = (long long)task->hours * ms;
        struct timespec t = {time / 1000, time % 1000 * 1000000};
        printf("%s: %d h ...\n", task->name, task->hours);
        while (thrd_sleep(&t, &t) == -1)
            ;
        printf("%s: done\n", task->name);
    }
    return unused != NULL;
}

/* Every length from the longest down, and the list once for each. */
static void push_all(const Task *all, int count) {
    for (int32_t hours = 1000; hours > 0; hours--)
        for (int i = 0; i < count; i++)
            if (all[i].hours == hours)
                push(&all[i]);
    mtx_lock(&guard);
    closed = true;
    cnd_broadcast(&filled);
    mtx_unlock(&guard);
}

static void celebrate(const Task *all, int count) {
    thrd_t *threads = malloc((size_t)friends * sizeof *threads);
    if (!threads || mtx_init(&guard, mtx_plain) || cnd_init(&filled) ||
        cnd_init(&emptied))
        exit(fputs("exercise_wedding: no memory\n", stderr) | 1);
    for (int i = 0; i < friends; i++)
        if (thrd_create(&threads[i], friend, NULL) != thrd_success) {
            fprintf(stderr, "exercise_wedding: friend %d cannot come\n", i + 1);
            exit(1);
        }
    push_all(all, count);
    for (int i = 0; i < friends; i++)
        thrd_join(threads[i], NULL);
    cnd_destroy(&filled);
    cnd_destroy(&emptied);
    mtx_destroy(&guard);
    free(threads);
}

static int32_t whole(const char *text, int32_t most, const char *what) {
    int64_t value = 0;
    char why[80];
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && value <= most; at++)
        value = value * 10 + *at - '0';
    if (*at || at == text || value < 1 || value > most) {
        snprintf(why, sizeof why, "\"%.20s\" is not from 1 to %d", text, most);
        refuse(what, why);
    }
    return (int32_t)value;
}

static void read_task(Task *task, char *word) {
    char *equals = strchr(word, '=');
    if (equals == NULL || equals == word)
        refuse(word, "TASK=HOURS is needed, HOURS from 1 to 1000");
    task->hours = whole(equals + 1, 1000, word);
    *equals = 0;
    task->name = word;
}

int main(int argc, char *argv[]) {
    static char words[4][16] = {
        "cake=3", "band=2", "decorations=4", "invitations=1"};
    struct timespec from, to;
    int c;
    setlinebuf(stdout);
    while ((c = getopt(argc, argv, "w:m:h")) != -1) {
        if (c == 'h')
            return puts("usage: exercise_wedding [-w friends] "
                        "[-m ms_per_hour] [TASK=HOURS...]") == EOF;
        if (c == 'w')
            friends = whole(optarg, 1000, "-w");
        else if (c == 'm')
            ms = whole(optarg, 60000, "-m");
        else
            exit(2);
    }
    int count = argc > optind ? argc - optind : 4;
    Task *all = calloc((size_t)count, sizeof *all);
    if (!all)
        exit(fputs("exercise_wedding: no memory\n", stderr) | 1);
    for (int i = 0; i < count; i++)
        read_task(&all[i], argc > optind ? argv[optind + i] : words[i]);
    timespec_get(&from, TIME_UTC);
    celebrate(all, count);
    timespec_get(&to, TIME_UTC);
    double took = (double)(to.tv_sec - from.tv_sec) * 1e3 +
                  (double)(to.tv_nsec - from.tv_nsec) / 1e6;
    fprintf(stderr, "%d tasks by %d friends in %.0f h\n", count, friends,
        took / ms);
    free(all);
    return ferror(stdout) != 0;
}
