/*
 * exercise_pantry - cooks take portions from shared shelves: a solution
 * Each shelf has a lock of its own, so cooks at different shelves do not wait
 * for each other. A cook needs two: whoever takes the one with the smaller
 * number first can never be part of a circle that waits for itself. Looking
 * and taking happen under both locks: what was seen is still true then.
 * Outcomes: any
 * Build: cc -O2 -pthread -o exercise_pantry exercise_pantry.c
 * Usage: ./exercise_pantry [-c cooks] [-s shelves] [-n portions_per_shelf]
 *        [-d dishes_per_cook] [-m ms]
 */
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

static long cooks = 2, shelf_count = 2, portions = 3, dishes = 2, ms = 10;

struct shelf {
    pthread_mutex_t lock;
    long left; /* guarded by lock */
};

struct cook {
    pthread_t thread;
    long number;     /* from 0 */
    long done;       /* dishes; read after join */
    struct shelf *a; /* the one with the smaller number */
    struct shelf *b;
};

static void linger(void) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    if (ms > 0 && nanosleep(&time, NULL) == -1)
        err(EXIT_FAILURE, "nanosleep");
}

/* ---------- The tool: a lock for each shelf, in one order ---------- */

/* Takes a portion from both shelves or from none. Returns whether it did. */
static bool take(struct shelf *a, struct shelf *b) {
    bool enough;
    pthread_mutex_lock(&a->lock);
    pthread_mutex_lock(&b->lock);
    if ((enough = a->left > 0 && b->left > 0)) {
        linger();
        a->left--;
        b->left--;
    }
    pthread_mutex_unlock(&b->lock);
    pthread_mutex_unlock(&a->lock);
    return enough;
}

static void *cook_dishes(void *arg) {
    struct cook *cook = arg;
    for (long dish = 1; dish <= dishes; dish++) {
        printf("cook %ld: cooking dish %ld of %ld ...\n", cook->number + 1,
            dish, dishes);
        bool done = take(cook->a, cook->b);
        printf("cook %ld: dish %ld %s\n", cook->number + 1, dish,
            done ? "done" : "missed");
        cook->done += done;
    }
    return NULL;
}

/* Returns how many dishes were done. */
static long cook_all(struct shelf *shelves) {
    struct cook *all = calloc((size_t)cooks, sizeof *all);
    long done = 0;
    if (all == NULL)
        err(EXIT_FAILURE, "calloc");
    for (long i = 0; i < cooks; i++) {
        long one = i % shelf_count, other = (i + 1) % shelf_count;
        all[i].number = i;
        all[i].a = &shelves[one < other ? one : other];
        all[i].b = &shelves[one < other ? other : one];
        if ((errno = pthread_create(
                 &all[i].thread, NULL, cook_dishes, &all[i])) != 0)
            err(EXIT_FAILURE, "pthread_create");
    }
    for (long i = 0; i < cooks; i++) {
        if ((errno = pthread_join(all[i].thread, NULL)) != 0)
            err(EXIT_FAILURE, "pthread_join");
        done += all[i].done;
    }
    free(all);
    return done;
}

/* ---------- The run ---------- */

static const char usage[] =
    "usage: exercise_pantry [-c cooks] [-s shelves] [-n portions_per_shelf] "
    "[-d dishes_per_cook] [-m ms]\n";

static long number(int option, long least, long most) {
    char *end;
    long value = strtol(optarg, &end, 10);
    if (end == optarg || *end != '\0' || value < least || value > most)
        errx(2, "-%c %s: not a number from %ld to %ld", option, optarg, least,
            most);
    return value;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int option; (option = getopt(argc, argv, "c:s:n:d:m:h")) != -1;)
        switch (option) {
        case 'c': cooks = number(option, 1, 1000); break;
        case 's': shelf_count = number(option, 2, 1000); break;
        case 'n': portions = number(option, 1, 1000000); break;
        case 'd': dishes = number(option, 1, 1000000); break;
        case 'm': ms = number(option, 0, 60000); break;
        case 'h': return printf(usage) < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);

    struct shelf *shelves = calloc((size_t)shelf_count, sizeof *shelves);
    if (shelves == NULL)
        err(EXIT_FAILURE, "calloc");
    for (long i = 0; i < shelf_count; i++) {
        pthread_mutex_init(&shelves[i].lock, NULL);
        shelves[i].left = portions;
    }
    long done = cook_all(shelves);
    for (long i = 0; i < shelf_count; i++) {
        printf(
            "shelf %ld: %ld of %ld left\n", i + 1, shelves[i].left, portions);
        pthread_mutex_destroy(&shelves[i].lock);
    }
    printf("dishes: %ld done, %ld missed\n", done, cooks * dishes - done);
    fprintf(stderr, "%ld dishes asked of %ld cooks\n", cooks * dishes, cooks);
    free(shelves);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
