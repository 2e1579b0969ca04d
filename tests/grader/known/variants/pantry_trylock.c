/*
 * pantry_trylock - right: whoever cannot have the second lock gives the first
 * one back, and waits for the one that was not free
 * Exercise: 06-locks/exercise_pantry
 * Kind: trylock and step back, no order of locks; stdout flushed by hand
 */
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

static long cooks = 2, shelf_count = 2, portions = 3, dishes = 2, ms = 10;

/* ---------- The tool: threads, and what they share ---------- */

struct shelf {
    pthread_mutex_t lock;
    long taken; /* portions; guarded by lock */
};

struct cook {
    pthread_t thread;
    long number, done;
    struct shelf *shelves[2];
};

static void lock_both(struct shelf *one, struct shelf *other) {
    pthread_mutex_lock(&one->lock);
    while (pthread_mutex_trylock(&other->lock) != 0) {
        struct shelf *held = one;
        pthread_mutex_unlock(&held->lock);
        pthread_mutex_lock(&other->lock); /* waits where it is not free */
        one = other;
        other = held;
    }
}

static int take(struct shelf *one, struct shelf *other) {
    struct timespec time = {
        .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    int enough;
    lock_both(one, other);
    enough = one->taken < portions && other->taken < portions;
    if (enough) {
        one->taken++;
        if (ms > 0)
            clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
        other->taken++;
    }
    pthread_mutex_unlock(&one->lock);
    pthread_mutex_unlock(&other->lock);
    return enough;
}

static void *work(void *arg) {
    struct cook *me = arg;
    for (long dish = 1; dish <= dishes; dish++) {
        fprintf(stdout, "cook %ld: cooking dish %ld of %ld ...\n", me->number,
            dish, dishes);
        fflush(stdout);
        int got = take(me->shelves[0], me->shelves[1]);
        me->done += got;
        fprintf(stdout, "cook %ld: dish %ld %s\n", me->number, dish,
            got ? "done" : "missed");
        fflush(stdout);
    }
    return NULL;
}

static void begin(struct cook *cook, struct shelf *shelves, long k) {
    cook->number = k + 1;
    cook->shelves[0] = shelves + k % shelf_count;
    cook->shelves[1] = shelves + (k + 1) % shelf_count;
    errno = pthread_create(&cook->thread, NULL, work, cook);
    if (errno != 0)
        err(EXIT_FAILURE, "pthread_create");
}

static long cook_all(void) {
    struct shelf *shelves = calloc((size_t)shelf_count, sizeof *shelves);
    struct cook *all = calloc((size_t)cooks, sizeof *all);
    long done = 0;
    if (shelves == NULL || all == NULL)
        err(EXIT_FAILURE, "calloc");
    for (long i = 0; i < shelf_count; i++)
        pthread_mutex_init(&shelves[i].lock, NULL);
    for (long k = 0; k < cooks; k++)
        begin(&all[k], shelves, k);
    for (long k = 0; k < cooks; k++) {
        pthread_join(all[k].thread, NULL);
        done += all[k].done;
    }
    for (long i = 0; i < shelf_count; i++) {
        printf("shelf %ld: %ld of %ld left\n", i + 1,
            portions - shelves[i].taken, portions);
        pthread_mutex_destroy(&shelves[i].lock);
    }
    fflush(stdout);
    free(shelves);
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

    long done = cook_all();
    printf("dishes: %ld done, %ld missed\n", done, cooks * dishes - done);
    fprintf(stderr, "%ld dishes asked of %ld cooks\n", cooks * dishes, cooks);
    if (fflush(stdout) != 0)
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
