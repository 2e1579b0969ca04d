/*
 * rwlock - many read the menu at once, and whoever changes it is alone
 * Readers do no harm to each other, so all may be inside at once: notice that
 * they are. It pays only where reading is frequent and takes long: this lock
 * costs more than a mutex, and readers may keep the writer out (starvation).
 * ThreadSanitizer: silent
 * Build: cc -O2 -pthread -o rwlock rwlock.c
 * Usage: ./rwlock [-w readers] [-n changes]
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

static long readers = 3, changes = 100;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static long soup = 3, menu = 12; /* guarded by lock: a menu is soup and 9 */
static atomic_long inside, torn;
static atomic_bool met; /* all readers were inside at once */

/* Until all readers have met, at most half a second. */
static void linger(void) {
    for (int ms = 0; ms < 500 && !met; ms += 10)
        nanosleep(&(struct timespec){0, 10000000}, NULL);
}

static void *read_menu(void *none) {
    for (long i = 0; i < changes; i++) {
        pthread_rwlock_rdlock(&lock);
        if (++inside == readers)
            met = true;
        linger();
        torn += menu != soup + 9;
        inside--;
        pthread_rwlock_unlock(&lock);
    }
    return none;
}

static void change_prices(void) {
    linger();
    for (long i = 0; i < changes; i++) {
        pthread_rwlock_wrlock(&lock);
        torn += inside != 0;
        soup++;
        menu = soup + 9;
        pthread_rwlock_unlock(&lock);
    }
}

static long number(int option, long most) {
    char *end;
    long value = strtol(optarg, &end, 10);
    if (*end != '\0' || value < 1 || value > most)
        errx(2, "-%c %s: not a number from 1 to %ld", option, optarg, most);
    return value;
}

int main(int argc, char *argv[]) {
    static pthread_t threads[1000]; /* -w allows no more */
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    for (int option; (option = getopt(argc, argv, "w:n:h")) != -1;)
        switch (option) {
        case 'w': readers = number(option, 1000); break;
        case 'n': changes = number(option, 1000000); break;
        case 'h': return puts("usage: [-w readers] [-n changes]") < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    for (long i = 0; i < readers; i++)
        if ((errno = pthread_create(&threads[i], NULL, read_menu, NULL)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    change_prices();
    for (long i = 0; i < readers; i++)
        if ((errno = pthread_join(threads[i], NULL)) != 0)
            err(EXIT_FAILURE, "pthread_join");
    if (printf("%s readers met, soup costs %ld, %ld menus half changed\n",
            met ? "all" : "not all", soup, torn) < 0)
        err(EXIT_FAILURE, "standard output");
    return !met || soup != 3 + changes || torn > 0;
}
