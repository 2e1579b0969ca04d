/*
 * deadlock_one_lock - two chefs and one lock for knife and board
 * Who has it never waits for another: of the four conditions of a deadlock this
 * takes away "hold and wait". Notice that nobody can use the board alone any
 * more: simple and right, but slow where many want different things. Begin with
 * one lock, and split it when a measurement says so.
 * ThreadSanitizer: silent
 * Build: cc -O2 -pthread -o deadlock_one_lock deadlock_one_lock.c
 * Usage: ./deadlock_one_lock [-s]
 */
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { CHEFS = 2, NOTHING = 0, KNIFE, BOARD, BOTH, TOOLS };

static pthread_mutex_t tools[TOOLS];
static long dishes; /* guarded by the lock for both */
static atomic_int finished, holder[TOOLS], wants[CHEFS + 1]; /* for watch() */

static void take(long chef, int tool) {
    wants[chef] = tool;
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
    static atomic_int visits;
    visits++;
    for (int ms = 0; ms < 500 && visits < 2; ms += 10)
        nanosleep(&(struct timespec){0, 10000000}, NULL);
}

static void *cook(void *number) {
    long chef = (long)number;
    take(chef, BOTH);
    linger();
    dishes++;
    put_back(BOTH);
    finished++;
    return NULL;
}

/* Who waits in a circle ten looks in a row will not move again. */
static void watch(void) {
    for (int looks = 0; finished < CHEFS;) {
        nanosleep(&(struct timespec){0, 10000000}, NULL);
        int a = holder[KNIFE], b = holder[BOARD];
        looks = wants[a] == BOARD && wants[b] == KNIFE ? looks + 1 : 0;
        if (looks == 10)
            errx(EXIT_FAILURE,
                "chef %d has the knife and waits for the board, "
                "chef %d has the board and waits for the knife",
                a, b);
    }
}

int main(int argc, char *argv[]) {
    pthread_t threads[CHEFS + 1];
    int option = getopt(argc, argv, "sh");
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (option == 'h')
        return puts("usage: [-s], stay stuck") < 0;
    if (option == '?')
        return 2;
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    for (int i = 0; i < TOOLS; i++)
        pthread_mutex_init(&tools[i], NULL);
    for (long i = 1; i <= CHEFS; i++)
        if ((errno = pthread_create(&threads[i], NULL, cook, (void *)i)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    if (option != 's')
        watch();
    for (long i = 1; i <= CHEFS; i++)
        if ((errno = pthread_join(threads[i], NULL)) != 0)
            err(EXIT_FAILURE, "pthread_join");
    if (printf("%ld dishes\n", dishes) < 0)
        err(EXIT_FAILURE, "standard output");
    return dishes != CHEFS;
}
