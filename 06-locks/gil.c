/*
 * gil - what an interpreter's global lock does to threads
 * A thread that runs holds the lock; it gives it up after each turn, and while
 * it waits. Notice that threads that compute gain nothing, and threads that
 * wait gain all. So Python waits with threads and computes with processes.
 * ThreadSanitizer: silent
 * Build: cc -O2 -pthread -o gil gil.c
 * Usage: ./gil
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, TURNS = 10, INCREMENTS = 500000, WAIT_NS = 5000000 };
enum { COMPUTE, COMPUTE_LOCKED, WAIT_LOCKED, WAIT, WAYS };
static const char *const names[WAYS] = {"compute, no lock",
    "compute, lock held", "wait, lock held", "wait, lock given up"};
static long turns; /* of each thread */
static pthread_mutex_t gil = PTHREAD_MUTEX_INITIALIZER;
static atomic_long at_once, most;

static void take_turn(long way) {
    bool locked = way == COMPUTE_LOCKED || way == WAIT_LOCKED;
    if (locked)
        pthread_mutex_lock(&gil);
    long now = ++at_once, seen = most;
    while (seen < now && !atomic_compare_exchange_weak(&most, &seen, now))
        continue;
    if (way == WAIT || way == WAIT_LOCKED)
        nanosleep(&(struct timespec){0, WAIT_NS}, NULL);
    else
        for (volatile long n = 0; n < INCREMENTS; n++)
            continue; /* volatile: or the compiler leaves it out */
    at_once--;
    if (locked)
        pthread_mutex_unlock(&gil);
}

static void *work(void *way) {
    for (long turn = 0; turn < turns; turn++)
        take_turn((long)way);
    return NULL;
}

/* The work of all threads, by so many workers. Returns seconds. */
static double run(long way, long workers) {
    pthread_t pool[THREADS];
    struct timespec from, to;
    turns = TURNS * THREADS / workers;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (long i = 0; i < workers; i++)
        if ((errno = pthread_create(&pool[i], NULL, work, (void *)way)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    for (long i = 0; i < workers; i++)
        if ((errno = pthread_join(pool[i], NULL)) != 0)
            err(EXIT_FAILURE, "pthread_join");
    clock_gettime(CLOCK_MONOTONIC, &to);
    return (double)(to.tv_sec - from.tv_sec) +
           (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    switch (getopt(argc, argv, "h")) {
    case 'h': return puts("usage: gil, which has no options") < 0;
    case '?': return 2;
    }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    fprintf(stderr, "%-20s  1 thread  %d threads  speedup\n", "", THREADS);
    for (long way = 0; way < WAYS; way++) {
        most = 0;
        double alone = run(way, 1), together = run(way, THREADS);
        printf("%s: at most %ld at once\n", names[way], most);
        fprintf(stderr, "%-20s  %6.2f s  %7.2f s  %7.1f\n", names[way], alone,
            together, together > 0 ? alone / together : 1);
    }
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
