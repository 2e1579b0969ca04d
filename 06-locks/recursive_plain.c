/*
 * recursive_plain - a function that holds a lock calls one that takes it too
 * A plain mutex does not ask who holds it: the cashier waits for itself, for
 * ever, and so do all who come after. Notice main(): it looks whether one
 * is stuck, and says so. With -s all stays stuck, for a debugger to look at.
 * ThreadSanitizer: silent
 * Build: cc -O2 -pthread -o recursive_plain recursive_plain.c
 * Usage: ./recursive_plain [-s]
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { CASHIERS = 2, DRINK = 2, SOUP = 3, ROAST = 9 };
static pthread_mutex_t till;
static long sold;                  /* guarded by till */
static _Thread_local int has;      /* how often this cashier has taken it */
static atomic_int finished, stuck; /* cashiers */

static void take(void) {
    stuck += has; /* waits for itself, if the mutex does not count */
    if ((errno = pthread_mutex_lock(&till)) != 0)
        err(EXIT_FAILURE, "the till, taken %d times already", has);
    stuck -= has++;
}

static void give_back(void) {
    has--;
    pthread_mutex_unlock(&till);
}

static void sell(long price) {
    take();
    sold += price;
    give_back();
}

/* The menu is one sale: nobody may see the soup sold without the roast. */
static void *serve(void *unused) {
    sell(DRINK);
    take();
    sell(SOUP);
    sell(ROAST);
    give_back();
    finished++;
    return unused;
}

/* Waits until all have finished, or one has been stuck for half a second. */
static void watch(void) {
    for (int ms = 0; ms < 500 && finished < CASHIERS; ms = stuck ? ms + 10 : 0)
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    if (finished < CASHIERS)
        errx(EXIT_FAILURE, "a cashier has the till and waits for the till");
}

int main(int argc, char *argv[]) {
    pthread_t threads[CASHIERS];
    int option = getopt(argc, argv, "sh");
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    if (option == 'h')
        return puts("usage: [-s], stay stuck") < 0;
    if (option == '?')
        return 2;
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_NORMAL);
    pthread_mutex_init(&till, &kind);
    for (int i = 0; i < CASHIERS; i++)
        if ((errno = pthread_create(&threads[i], NULL, serve, NULL)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    if (option != 's')
        watch();
    for (int i = 0; i < CASHIERS; i++)
        if ((errno = pthread_join(threads[i], NULL)) != 0)
            err(EXIT_FAILURE, "pthread_join");
    if (printf("sold for %ld\n", sold) < 0)
        err(EXIT_FAILURE, "standard output");
    return sold != CASHIERS * (DRINK + SOUP + ROAST);
}
