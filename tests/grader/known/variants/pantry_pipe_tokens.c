/*
 * pantry_pipe_tokens - right: a pipe with one byte in it is the lock of a shelf
 * Exercise: 06-locks/exercise_pantry
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

static long cooks = 2, shelf_count = 2, portions = 3, dishes = 2, ms = 10;

/* ---------- The tool ---------- */
static long *left;
static int (*token)[2];
static long *done_of;
static void *cook(void *p) {
    long me = (long *)p - done_of, a = me % shelf_count,
         b = (me + 1) % shelf_count;
    long lo = a < b ? a : b, hi = a < b ? b : a;
    for (long d = 1; d <= dishes; d++) {
        char t = 0;
        if (read(token[lo][0], &t, 1) != 1 || read(token[hi][0], &t, 1) != 1)
            err(1, "read");
        printf("cook %ld: cooking dish %ld of %ld ...\n", me + 1, d, dishes);
        if (left[a] > 0 && left[b] > 0) {
            struct timespec s = {ms / 1000, ms % 1000 * 1000000};
            if (ms > 0)
                nanosleep(&s, NULL);
            left[a]--, left[b]--;
            done_of[me]++;
            printf("cook %ld: dish %ld done\n", me + 1, d);
        } else
            printf("cook %ld: dish %ld missed\n", me + 1, d);
        if (write(token[hi][1], &t, 1) != 1 || write(token[lo][1], &t, 1) != 1)
            err(1, "write");
    }
    return NULL;
}
static long cook_all(void) {
    left = calloc(shelf_count, sizeof *left);
    token = calloc(shelf_count, sizeof *token);
    done_of = calloc(cooks, sizeof *done_of);
    pthread_t *t = calloc(cooks, sizeof *t);
    if (!left || !token || !done_of || !t)
        err(1, "calloc");
    for (long i = 0; i < shelf_count; i++) {
        left[i] = portions;
        if (pipe(token[i]) == -1)
            err(1, "pipe");
        if (write(token[i][1], "", 1) != 1)
            err(1, "write");
    }
    for (long i = 0; i < cooks; i++)
        if ((errno = pthread_create(&t[i], NULL, cook, &done_of[i])))
            err(1, "pthread_create");
    long n = 0;
    for (long i = 0; i < cooks; i++) {
        pthread_join(t[i], NULL);
        n += done_of[i];
    }
    for (long i = 0; i < shelf_count; i++) {
        printf("shelf %ld: %ld of %ld left\n", i + 1, left[i], portions);
        close(token[i][0]);
        close(token[i][1]);
    }
    free(left);
    free(token);
    free(done_of);
    free(t);
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
