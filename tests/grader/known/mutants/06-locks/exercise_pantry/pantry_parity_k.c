/*
 * pantry_parity_k - wrong: odd cooks take their shelves the other way round:
 * around an odd ring two neighbours are alike
 * Exercise: 06-locks/exercise_pantry
 * Loses: every_order
 * Perhaps: refused
 * Perhaps: edges
 * Because: deadlock
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---------- The story ---------- */

static long cooks = 2, shelf_count = 2, portions = 3, dishes = 2, ms = 10;

/* ---------- The tool ---------- */

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

static void last_ms(void) {
    if (ms == 0)
        return;
    struct timespec left = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&left, &left) == -1 && errno == EINTR)
        ;
}

struct shelf {
    pthread_mutex_t lock;
    long left;
};
static struct shelf *shelves;

struct cook {
    pthread_t thread;
    long k, done;
};

static void *cook(void *argument) {
    struct cook *me = argument;
    long a = me->k % shelf_count, b = (me->k + 1) % shelf_count;
    long first = me->k % 2 ? b : a, second = me->k % 2 ? a : b;
    for (long dish = 1; dish <= dishes; dish++) {
        pthread_mutex_lock(&shelves[first].lock);
        pthread_mutex_lock(&shelves[second].lock);
        printf(
            "cook %ld: cooking dish %ld of %ld ...\n", me->k + 1, dish, dishes);
        last_ms();
        int both = shelves[a].left > 0 && shelves[b].left > 0;
        if (both) {
            shelves[a].left--;
            shelves[b].left--;
            me->done++;
        }
        printf("cook %ld: dish %ld %s\n", me->k + 1, dish,
            both ? "done" : "missed");
        pthread_mutex_unlock(&shelves[second].lock);
        pthread_mutex_unlock(&shelves[first].lock);
    }
    return NULL;
}

static long cook_all(void) {
    shelves = calloc((size_t)shelf_count, sizeof *shelves);
    struct cook *all = calloc((size_t)cooks, sizeof *all);
    if (shelves == NULL || all == NULL)
        err(EXIT_FAILURE, "calloc");
    for (long i = 0; i < shelf_count; i++) {
        shelves[i].left = portions;
        pthread_mutex_init(&shelves[i].lock, NULL);
    }
    for (long i = 0; i < cooks; i++) {
        all[i].k = i;
        int failed = pthread_create(&all[i].thread, NULL, cook, &all[i]);
        if (failed) {
            errno = failed;
            err(EXIT_FAILURE, "pthread_create");
        }
    }
    long done = 0;
    for (long i = 0; i < cooks; i++) {
        pthread_join(all[i].thread, NULL);
        done += all[i].done;
    }
    for (long i = 0; i < shelf_count; i++) {
        printf(
            "shelf %ld: %ld of %ld left\n", i + 1, shelves[i].left, portions);
        pthread_mutex_destroy(&shelves[i].lock);
    }
    free(all);
    free(shelves);
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

    long done = cook_all();
    printf("dishes: %ld done, %ld missed\n", done, cooks * dishes - done);
    fprintf(stderr, "%ld dishes asked of %ld cooks\n", cooks * dishes, cooks);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
