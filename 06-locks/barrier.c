/*
 * barrier - workers draw a triangle row by row, each its own columns
 * A cell needs two cells of the row above, of which one may be a neighbour's:
 * nobody may begin a row before all have finished the last. A barrier is just
 * that. Notice that one barrier a row is enough, because there are two rows:
 * the one that is read is never the one that is written.
 * ThreadSanitizer: silent
 * Build: cc -O2 -pthread -o barrier barrier.c
 * Usage: ./barrier [-w workers]
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROWS = 16 };

static long workers = 2;
static pthread_barrier_t row_done;
static bool cells[2][ROWS + 1]; /* column 0 stays empty */
static long wrong;              /* cells; written by one thread a row */

/* Pascal's triangle: odd numbers, which are where row has all bits of column */
static void draw(long row, const bool *line) {
    char text[ROWS + 1] = "";
    for (long column = 0; column <= row; column++) {
        text[column] = line[column + 1] ? '#' : '.';
        wrong += line[column + 1] != ((row & column) == column);
    }
    printf("%s\n", text);
}

static void *work(void *number) {
    for (long row = 1; row < ROWS; row++) {
        bool *above = cells[(row - 1) % 2], *now = cells[row % 2];
        for (long c = (long)number + 1; c <= ROWS; c += workers)
            now[c] = above[c - 1] ^ above[c];
        if (pthread_barrier_wait(&row_done) == PTHREAD_BARRIER_SERIAL_THREAD)
            draw(row, now); /* one of all; the others begin the next row */
    }
    return NULL;
}

static long number(int option, long most) {
    char *end;
    long value = strtol(optarg, &end, 10);
    if (*end != '\0' || value < 1 || value > most)
        errx(2, "-%c %s: not a number from 1 to %ld", option, optarg, most);
    return value;
}

int main(int argc, char *argv[]) {
    pthread_t threads[ROWS];
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    for (int option; (option = getopt(argc, argv, "w:h")) != -1;)
        switch (option) {
        case 'w': workers = number(option, ROWS); break;
        case 'h': return puts("usage: [-w workers]") < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    if ((errno = pthread_barrier_init(&row_done, NULL, (unsigned)workers)) != 0)
        err(EXIT_FAILURE, "pthread_barrier_init");
    cells[0][1] = true;
    draw(0, cells[0]);
    for (long i = 0; i < workers; i++)
        if ((errno = pthread_create(&threads[i], NULL, work, (void *)i)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    for (long i = 0; i < workers; i++)
        if ((errno = pthread_join(threads[i], NULL)) != 0)
            err(EXIT_FAILURE, "pthread_join");
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    if (wrong > 0)
        errx(EXIT_FAILURE, "%ld cells are wrong", wrong);
    return EXIT_SUCCESS;
}
