/*
 * pantry_butler - right: one more thread seats the cooks in the order they
 * came
 * Exercise: 06-locks/exercise_pantry
 * Kind: one more thread seats the cooks in the order they came
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
    int busy;
    long left;
};
static struct shelf *shelves;
struct request {
    long a, b;
    int leaving, seated;
    struct request *next;
};
static pthread_mutex_t desk = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t bell = PTHREAD_COND_INITIALIZER,
                      seat = PTHREAD_COND_INITIALIZER;
static struct request *waiting, **last = &waiting;
static int closing, rung;

static void *butler(void *unused) {
    (void)unused;
    pthread_mutex_lock(&desk);
    for (;;) {
        while (!rung && !closing)
            pthread_cond_wait(&bell, &desk);
        if (closing)
            break;
        rung = 0;
        int seated = 0;
        for (struct request **p = &waiting; *p != NULL;) {
            struct request *r = *p;
            if (shelves[r->a].busy || shelves[r->b].busy) {
                p = &r->next;
                continue;
            }
            shelves[r->a].busy = shelves[r->b].busy = 1;
            *p = r->next;
            if (*p == NULL)
                last = p;
            r->seated = seated = 1;
        }
        if (seated)
            pthread_cond_broadcast(&seat);
    }
    pthread_mutex_unlock(&desk);
    return NULL;
}

struct cook {
    pthread_t thread;
    long k, done;
};

static void *cook(void *argument) {
    struct cook *me = argument;
    long a = me->k % shelf_count, b = (me->k + 1) % shelf_count;

    for (long dish = 1; dish <= dishes; dish++) {
        struct request mine = {a, b, 0, 0, NULL};
        pthread_mutex_lock(&desk);
        *last = &mine;
        last = &mine.next;
        rung = 1;
        pthread_cond_signal(&bell);
        while (!mine.seated)
            pthread_cond_wait(&seat, &desk);
        pthread_mutex_unlock(&desk);
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
        pthread_mutex_lock(&desk);
        shelves[a].busy = shelves[b].busy = 0;
        rung = 1;
        pthread_cond_signal(&bell);
        pthread_mutex_unlock(&desk);
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
    }
    pthread_t man;
    if ((errno = pthread_create(&man, NULL, butler, NULL)) != 0)
        err(EXIT_FAILURE, "pthread_create");
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
    }
    pthread_mutex_lock(&desk);
    closing = 1;
    pthread_cond_signal(&bell);
    pthread_mutex_unlock(&desk);
    pthread_join(man, NULL);
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
