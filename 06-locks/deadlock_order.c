/*
 * deadlock_order - two chefs take the knife first, then the board
 * Who has the board has the knife already and waits for nobody: of the four
 * conditions of a deadlock this takes away "circular wait". Notice linger():
 * here it waits in vain. The usual cure: one order for all locks, by name or
 * by address.
 * ThreadSanitizer: silent
 * Build: cc -O2 -pthread -o deadlock_order deadlock_order.c
 * Usage: ./deadlock_order [-s]
 */
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { CHEFS = 2, NOTHING = 0, KNIFE, BOARD, TOOLS };

static pthread_mutex_t tools[TOOLS];
static long dishes; /* guarded by knife and board together */
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
    int first = KNIFE, second = BOARD;
    take(chef, first);
    linger();
    take(chef, second);
    dishes++;
    put_back(second);
    put_back(first);
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
