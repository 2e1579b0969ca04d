/*
 * gil - what an interpreter's global lock does to threads
 * Who runs holds the lock; it gives it up after each turn, and while it waits.
 * Notice the speedups: threads that compute gain nothing, however often they
 * take turns; threads that give the lock up while they wait gain all. So Python
 * programs wait with threads and compute with processes.
 * ThreadSanitizer: silent
 * Build: cc -O2 -pthread -o gil gil.c
 * Usage: ./gil [-w threads]
 */
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { TURNS = 10, INCREMENTS = 5000000, WAIT_NS = 5000000 };

static struct way {
    const char *name;
    bool compute, lock;
} ways[] = {
    {"compute, no lock", true, false},
    {"compute, lock held", true, true},
    {"wait, lock held", false, true},
    {"wait, lock given up", false, false},
};

static long threads = 4;
static pthread_mutex_t gil = PTHREAD_MUTEX_INITIALIZER;
static atomic_long at_once, most;

static void take_turn(const struct way *way) {
    volatile long number = 0; /* or the compiler adds it all at once */
    if (way->lock)
        pthread_mutex_lock(&gil);
    long now = ++at_once, seen = most;
    while (seen < now && !atomic_compare_exchange_weak(&most, &seen, now))
        continue;
    while (way->compute && number < INCREMENTS)
        number++;
    if (!way->compute)
        nanosleep(&(struct timespec){0, WAIT_NS}, NULL);
    at_once--;
    if (way->lock)
        pthread_mutex_unlock(&gil);
}

static void *work(void *way) {
    for (int turn = 0; turn < TURNS; turn++)
        take_turn(way);
    return NULL;
}

/* The work of all threads, by so many at a time. Returns seconds. */
static double run(struct way *way, long workers) {
    static pthread_t pool[100]; /* -w allows no more */
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (long done = 0; done < threads; done += workers) {
        for (long i = 0; i < workers; i++)
            if ((errno = pthread_create(&pool[i], NULL, work, way)) != 0)
                err(EXIT_FAILURE, "pthread_create");
        for (long i = 0; i < workers; i++)
            if ((errno = pthread_join(pool[i], NULL)) != 0)
                err(EXIT_FAILURE, "pthread_join");
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    return (double)(to.tv_sec - from.tv_sec) +
           (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

static long number(int option, long limit) {
    char *end;
    long value = strtol(optarg, &end, 10);
    if (*end != '\0' || value < 1 || value > limit)
        errx(2, "-%c %s: not a number from 1 to %ld", option, optarg, limit);
    return value;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int option; (option = getopt(argc, argv, "w:h")) != -1;)
        switch (option) {
        case 'w': threads = number(option, 100); break;
        case 'h': return puts("usage: [-w threads]") < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    fprintf(stderr, "%-20s  1 thread  %ld threads  speedup\n", "", threads);
    for (struct way *way = ways; way < ways + 4; way++) {
        most = 0;
        double alone = run(way, 1), together = run(way, threads);
        printf("%s: at most %ld at once\n", way->name, most);
        fprintf(stderr, "%-20s  %6.2f s  %7.2f s  %7.1f\n", way->name, alone,
            together, together > 0 ? alone / together : 1);
    }
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
