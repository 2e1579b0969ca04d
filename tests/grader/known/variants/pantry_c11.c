/*
 * pantry_c11 - right: C11 threads and mutexes; the cooks' own results come
 * back by thrd_join
 * Exercise: 06-locks/exercise_pantry
 * Kind: C11 threads
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

static long cooks = 2, shelf_count = 2, portions = 3, dishes = 2, ms = 10;

/* ---------- The tool: threads, and what they share ---------- */

static mtx_t *locks;
static long *left; /* left[i] is guarded by locks[i] */

static int take(long low, long high) {
    int enough;
    mtx_lock(&locks[low]);
    mtx_lock(&locks[high]);
    enough = left[low] > 0 && left[high] > 0;
    if (enough) {
        --left[low];
        --left[high];
        if (ms > 0)
            thrd_sleep(
                &(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
    }
    mtx_unlock(&locks[high]);
    mtx_unlock(&locks[low]);
    return enough;
}

static int work(void *arg) {
    long me = (long)arg, a = me % shelf_count, b = (me + 1) % shelf_count;
    int done = 0;
    for (long dish = 1; dish <= dishes; dish++) {
        printf("cook %ld: cooking dish %ld of %ld ...\n", me + 1, dish, dishes);
        if (take(a < b ? a : b, a < b ? b : a)) {
            printf("cook %ld: dish %ld done\n", me + 1, dish);
            done++;
        } else {
            printf("cook %ld: dish %ld missed\n", me + 1, dish);
        }
    }
    return done;
}

static long cook_all(void) {
    thrd_t *threads = calloc((size_t)cooks, sizeof *threads);
    long done = 0;
    int one;
    locks = calloc((size_t)shelf_count, sizeof *locks);
    left = calloc((size_t)shelf_count, sizeof *left);
    if (threads == NULL || locks == NULL || left == NULL)
        err(EXIT_FAILURE, "calloc");
    for (long i = 0; i < shelf_count; i++) {
        if (mtx_init(&locks[i], mtx_plain) != thrd_success)
            errx(EXIT_FAILURE, "mtx_init");
        left[i] = portions;
    }
    for (long i = 0; i < cooks; i++)
        if (thrd_create(&threads[i], work, (void *)i) != thrd_success)
            errx(EXIT_FAILURE, "thrd_create");
    for (long i = 0; i < cooks; i++) {
        thrd_join(threads[i], &one);
        done += one;
    }
    for (long i = 0; i < shelf_count; i++) {
        printf("shelf %ld: %ld of %ld left\n", i + 1, left[i], portions);
        mtx_destroy(&locks[i]);
    }
    free(threads);
    free(locks);
    free(left);
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
