/*
 * pantry_monitor - right: one mutex guards a note at each shelf that says
 * whether somebody is there; it is never held while somebody takes
 * Exercise: 06-locks/exercise_pantry
 * Kind: a monitor with one condition variable; says "cooking" when it is there
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

/* ---------- The tool: threads, and what they share ---------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t somebody_left = PTHREAD_COND_INITIALIZER;
static bool *taken; /* all three guarded by lock */
static long *left, done_dishes;

static void go_to(long a, long b) {
    pthread_mutex_lock(&lock);
    while (taken[a] || taken[b])
        pthread_cond_wait(&somebody_left, &lock);
    taken[a] = taken[b] = true;
    pthread_mutex_unlock(&lock);
}

static void go_away(long a, long b) {
    pthread_mutex_lock(&lock);
    taken[a] = taken[b] = false;
    pthread_cond_broadcast(&somebody_left);
    pthread_mutex_unlock(&lock);
}

/* Only who is at both shelves may call it. */
static bool take(long a, long b) {
    bool got = false;
    pthread_mutex_lock(&lock);
    if (left[a] > 0 && left[b] > 0) {
        got = true;
        left[a]--;
        left[b]--;
        done_dishes++;
    }
    pthread_mutex_unlock(&lock);
    if (got && ms > 0)
        usleep((useconds_t)ms * 1000);
    return got;
}

static void *cook(void *arg) {
    long me = (long)arg, a = me % shelf_count, b = (me + 1) % shelf_count;
    for (long dish = 1; dish <= dishes; dish++) {
        go_to(a, b);
        printf("cook %ld: cooking dish %ld of %ld ...\n", me + 1, dish, dishes);
        bool got = take(a, b);
        printf(
            "cook %ld: dish %ld %s\n", me + 1, dish, got ? "done" : "missed");
        go_away(a, b);
    }
    return NULL;
}

static long cook_all(void) {
    pthread_t *threads = calloc((size_t)cooks, sizeof *threads);
    taken = calloc((size_t)shelf_count, sizeof *taken);
    left = calloc((size_t)shelf_count, sizeof *left);
    if (threads == NULL || taken == NULL || left == NULL)
        err(EXIT_FAILURE, "calloc");
    for (long i = 0; i < shelf_count; i++)
        left[i] = portions;
    for (long i = 0; i < cooks; i++)
        if ((errno = pthread_create(&threads[i], NULL, cook, (void *)i)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    for (long i = 0; i < cooks; i++)
        pthread_join(threads[i], NULL);
    for (long i = 0; i < shelf_count; i++)
        printf("shelf %ld: %ld of %ld left\n", i + 1, left[i], portions);
    free(threads);
    free(taken);
    free(left);
    return done_dishes;
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
