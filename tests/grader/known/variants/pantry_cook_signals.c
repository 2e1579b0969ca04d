/*
 * pantry_cook_signals - right: one C11 mutex, a condition for each cook, all
 * who wait are told
 * Exercise: 06-locks/exercise_pantry
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

static long cooks = 2, shelf_count = 2, portions = 3, dishes = 2, ms = 10;

/* ---------- The tool ---------- */
struct cook_ {
    thrd_t id;
    long a, b, number, done;
    cnd_t turn;
    bool waiting;
};
static struct cook_ *all;
struct shelf_ {
    long left;
    bool busy;
};
static struct shelf_ *shelf;
static mtx_t m;
static void enter(struct cook_ *c) {
    mtx_lock(&m);
    c->waiting = true;
    while (shelf[c->a].busy || shelf[c->b].busy)
        cnd_wait(&c->turn, &m);
    c->waiting = false;
    shelf[c->a].busy = shelf[c->b].busy = true;
}
static void leave(struct cook_ *c) {
    shelf[c->a].busy = shelf[c->b].busy = false;
    for (long i = 0; i < cooks; i++)
        if (all[i].waiting)
            cnd_signal(&all[i].turn);
    mtx_unlock(&m);
}
static int life(void *p) {
    struct cook_ *c = p;
    for (long d = 1; d <= dishes; d++) {
        enter(c);
        bool both = shelf[c->a].left > 0 && shelf[c->b].left > 0;
        printf("cook %ld: cooking dish %ld of %ld ...\n", c->number, d, dishes);
        if (both) {
            mtx_unlock(&m);
            thrd_sleep(
                &(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
            mtx_lock(&m);
            shelf[c->a].left--;
            shelf[c->b].left--;
            c->done++;
        }
        printf(
            "cook %ld: dish %ld %s\n", c->number, d, both ? "done" : "missed");
        leave(c);
    }
    return 0;
}
static long cook_all(void) {
    all = calloc(cooks, sizeof *all);
    shelf = calloc(shelf_count, sizeof *shelf);
    if (!all || !shelf)
        err(1, "calloc");
    if (mtx_init(&m, mtx_plain) != thrd_success)
        errx(1, "mtx_init");
    for (long i = 0; i < shelf_count; i++)
        shelf[i].left = portions;
    for (long i = 0; i < cooks; i++) {
        all[i].a = i % shelf_count;
        all[i].b = (i + 1) % shelf_count;
        all[i].number = i + 1;
        cnd_init(&all[i].turn);
    }
    for (long i = 0; i < cooks; i++)
        if (thrd_create(&all[i].id, life, &all[i]) != thrd_success)
            errx(1, "thrd_create: no more threads");
    long n = 0;
    for (long i = 0; i < cooks; i++) {
        thrd_join(all[i].id, NULL);
        n += all[i].done;
        cnd_destroy(&all[i].turn);
    }
    for (long i = 0; i < shelf_count; i++)
        printf("shelf %ld: %ld of %ld left\n", i + 1, shelf[i].left, portions);
    mtx_destroy(&m);
    free(all);
    free(shelf);
    return n;
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
