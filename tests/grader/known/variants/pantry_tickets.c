/*
 * pantry_tickets - right: who comes to a shelf takes a ticket, at both shelves
 * in one go, and waits until both show it: first come, first served
 * Exercise: 06-locks/exercise_pantry
 * Kind: ticket queues and a condition variable for each cook; ends by exit()
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
    long next_ticket, served, left;
};

static pthread_mutex_t desk = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t *turn;  /* one for each cook */
static struct shelf *shelves; /* guarded by desk */
static long done_dishes;      /* guarded by desk */

/* All who might be next look for themselves. */
static void call_next(void) {
    for (long k = 0; k < cooks; k++)
        pthread_cond_signal(&turn[k]);
}

static int one_dish(long me, struct shelf *a, struct shelf *b) {
    pthread_mutex_lock(&desk);
    long mine_a = a->next_ticket++, mine_b = b->next_ticket++;
    while (a->served != mine_a || b->served != mine_b)
        pthread_cond_wait(&turn[me], &desk);
    int enough = a->left > 0 && b->left > 0;
    if (enough && ms > 0) {
        struct timespec t = {ms / 1000, ms % 1000 * 1000000};
        pthread_mutex_unlock(&desk); /* nobody else has these tickets */
        nanosleep(&t, NULL);
        pthread_mutex_lock(&desk);
    }
    a->left -= enough;
    b->left -= enough;
    done_dishes += enough;
    a->served++;
    b->served++;
    call_next();
    pthread_mutex_unlock(&desk);
    return enough;
}

static void *cook(void *arg) {
    long me = (pthread_cond_t *)arg - turn;
    struct shelf *a = &shelves[me % shelf_count];
    struct shelf *b = &shelves[(me + 1) % shelf_count];
    for (long dish = 1; dish <= dishes; dish++) {
        printf("cook %ld: cooking dish %ld of %ld ...\n", me + 1, dish, dishes);
        if (one_dish(me, a, b))
            printf("cook %ld: dish %ld done\n", me + 1, dish);
        else
            printf("cook %ld: dish %ld missed\n", me + 1, dish);
    }
    return NULL;
}

static long cook_all(void) {
    pthread_t *threads = calloc((size_t)cooks, sizeof *threads);
    turn = calloc((size_t)cooks, sizeof *turn);
    shelves = calloc((size_t)shelf_count, sizeof *shelves);
    if (threads == NULL || turn == NULL || shelves == NULL)
        err(EXIT_FAILURE, "calloc");
    for (long s = 0; s < shelf_count; s++)
        shelves[s].left = portions;
    for (long k = 0; k < cooks; k++)
        pthread_cond_init(&turn[k], NULL);
    for (long k = 0; k < cooks; k++)
        if ((errno = pthread_create(&threads[k], NULL, cook, &turn[k])) != 0)
            err(EXIT_FAILURE, "pthread_create");
    for (long k = 0; k < cooks; k++)
        pthread_join(threads[k], NULL);
    for (long s = 0; s < shelf_count; s++)
        printf(
            "shelf %ld: %ld of %ld left\n", s + 1, shelves[s].left, portions);
    for (long k = 0; k < cooks; k++)
        pthread_cond_destroy(&turn[k]);
    free(threads);
    free(turn);
    free(shelves);
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
    exit(EXIT_SUCCESS);
}
