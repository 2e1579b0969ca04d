/*
 * pantry_rwlock_detached - right: the locks are reader-writer locks, taken for
 * writing; the cooks are detached, and the last to go tells main
 * Exercise: 06-locks/exercise_pantry
 * Kind: rwlocks by address; detached threads that are counted; slow start;
 * more words on stderr
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

typedef struct {
    pthread_rwlock_t lock;
    long left;
} Shelf;

static Shelf *pantry;
static pthread_mutex_t door = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gone = PTHREAD_COND_INITIALIZER;
static long here, arrived, all_done; /* guarded by door */

static int take(Shelf *one, Shelf *two) {
    int ok = 0;
    pthread_rwlock_wrlock(one < two ? &one->lock : &two->lock);
    pthread_rwlock_wrlock(one < two ? &two->lock : &one->lock);
    if (one->left >= 1 && two->left >= 1) {
        struct timespec rest = {ms / 1000, ms % 1000 * 1000000};
        while (ms > 0 && nanosleep(&rest, &rest) == -1)
            ;
        ok = 1;
    }
    one->left -= ok;
    two->left -= ok;
    pthread_rwlock_unlock(&one->lock);
    pthread_rwlock_unlock(&two->lock);
    return ok;
}

static void *cook(void *unused) {
    long done = 0;
    pthread_mutex_lock(&door);
    long k = arrived++;
    pthread_mutex_unlock(&door);
    for (long dish = 0; dish++ < dishes;) {
        printf("cook %ld: cooking dish %ld of %ld ...\n", k + 1, dish, dishes);
        if (take(&pantry[k % shelf_count], &pantry[(k + 1) % shelf_count])) {
            done++;
            printf("cook %ld: dish %ld done\n", k + 1, dish);
        } else {
            fprintf(stderr, "cook %ld: nothing left\n", k + 1);
            printf("cook %ld: dish %ld missed\n", k + 1, dish);
        }
    }
    pthread_mutex_lock(&door);
    all_done += done;
    if (--here == 0)
        pthread_cond_signal(&gone);
    pthread_mutex_unlock(&door);
    return unused;
}

static long cook_all(void) {
    pthread_attr_t attr;
    pantry = calloc((size_t)shelf_count, sizeof *pantry);
    if (pantry == NULL)
        err(EXIT_FAILURE, "calloc");
    for (Shelf *s = pantry; s < pantry + shelf_count; s++) {
        pthread_rwlock_init(&s->lock, NULL);
        s->left = portions;
    }
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    here = cooks;
    for (long i = 0; i < cooks; i++) {
        pthread_t unused;
        if ((errno = pthread_create(&unused, &attr, cook, NULL)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    }
    pthread_attr_destroy(&attr);
    pthread_mutex_lock(&door);
    while (here > 0)
        pthread_cond_wait(&gone, &door);
    pthread_mutex_unlock(&door);
    for (long i = 0; i < shelf_count; i++)
        printf("shelf %ld: %ld of %ld left\n", i + 1, pantry[i].left, portions);
    for (long i = 0; i < shelf_count; i++)
        pthread_rwlock_destroy(&pantry[i].lock);
    free(pantry);
    return all_done;
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

    usleep(25000); /* a slow start */
    long done = cook_all();
    printf("dishes: %ld done, %ld missed\n", done, cooks * dishes - done);
    fprintf(stderr, "%ld dishes asked of %ld cooks\n", cooks * dishes, cooks);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
