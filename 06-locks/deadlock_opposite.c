/*
 * deadlock_opposite - two chefs take a knife and a board in opposite order
 * Each has what the other needs next, and neither gives it back: they wait for
 * ever. Notice linger(): each waits until the other has its first tool, so it
 * happens on every run. With -s all stays stuck, for a debugger to look at.
 * ThreadSanitizer: silent
 * Build: cc -O2 -pthread -o deadlock_opposite deadlock_opposite.c
 * Usage: ./deadlock_opposite [-s]
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

enum { CHEFS = 2, NOTHING = 0, KNIFE, BOARD, TOOLS };
static pthread_mutex_t tools[TOOLS] = {
    [KNIFE] = PTHREAD_MUTEX_INITIALIZER, [BOARD] = PTHREAD_MUTEX_INITIALIZER};
static long dishes; /* guarded by knife and board together */
static bool stay;   /* stuck */
static atomic_int holder[TOOLS], wants[CHEFS + 1], told, visits;

/* Whoever closes a circle of those who wait says so, instead of waiting. */
static void take(long chef, int tool) {
    wants[chef] = tool;
    int a = holder[KNIFE], b = holder[BOARD];
    if (wants[a] == BOARD && wants[b] == KNIFE && !stay && told++ == 0)
        errx(EXIT_FAILURE,
            "chef %d has the knife, chef %d the board; both wait for the other",
            a, b);
    pthread_mutex_lock(&tools[tool]);
    wants[chef] = NOTHING;
    holder[tool] = (int)chef;
}

static void put_back(int tool) {
    holder[tool] = 0;
    pthread_mutex_unlock(&tools[tool]);
}

/* The first to come waits for a second one, at most half a second. */
static void linger(void) {
    visits++;
    for (int ms = 0; ms < 500 && visits < 2; ms += 10)
        nanosleep(&(struct timespec){0, 10000000}, NULL);
}

static void *cook(void *number) {
    long chef = (long)number;
    int first = chef == 1 ? KNIFE : BOARD, second = KNIFE + BOARD - first;
    take(chef, first);
    linger();
    take(chef, second);
    dishes++;
    put_back(second);
    put_back(first);
    return NULL;
}

int main(int argc, char *argv[]) {
    pthread_t threads[CHEFS + 1];
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    switch (getopt(argc, argv, "sh")) {
    case 's': stay = true; break;
    case 'h': return puts("usage: [-s], stay stuck") < 0;
    case '?': return 2;
    }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    for (long i = 1; i <= CHEFS; i++)
        if ((errno = pthread_create(&threads[i], NULL, cook, (void *)i)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    for (long i = 1; i <= CHEFS; i++)
        if ((errno = pthread_join(threads[i], NULL)) != 0)
            err(EXIT_FAILURE, "pthread_join");
    if (printf("%ld dishes\n", dishes) < 0)
        err(EXIT_FAILURE, "standard output");
    return dishes != CHEFS;
}
