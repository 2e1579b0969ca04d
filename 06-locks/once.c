/*
 * once - the first customer who wants the menu has it written, once
 * Nobody knows who will be first, and who comes meanwhile must wait until it is
 * complete: pthread_once() does both. Notice that all customers are there
 * before the menu is done, and that it is written once. A flag of one's own
 * says "begun" or "done" to the others too early or too late.
 * ThreadSanitizer: silent
 * Build: cc -O2 -pthread -o once once.c
 * Usage: ./once [-c customers]
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

enum { DISHES = 3 };

static long customers = 4;
static pthread_once_t menu_once = PTHREAD_ONCE_INIT;
static long prices[DISHES], written; /* both by write_menu() alone */
static atomic_long arrived, read_in_full;

/* Waits until all customers are there, at most half a second. */
static void write_menu(void) {
    for (int dish = 0; dish < DISHES; dish++) {
        for (int ms = 0; ms < 500 && arrived < customers; ms += 10)
            nanosleep(&(struct timespec){0, 10000000}, NULL);
        prices[dish] = 3 * (dish + 1);
    }
    written++;
}

static void *order(void *none) {
    long sum = 0;
    arrived++;
    pthread_once(&menu_once, write_menu);
    for (int dish = 0; dish < DISHES; dish++)
        sum += prices[dish];
    read_in_full += sum == 3 + 6 + 9;
    return none;
}

static long number(int option, long most) {
    char *end;
    long value = strtol(optarg, &end, 10);
    if (*end != '\0' || value < 1 || value > most)
        errx(2, "-%c %s: not a number from 1 to %ld", option, optarg, most);
    return value;
}

int main(int argc, char *argv[]) {
    static pthread_t threads[1000]; /* -c allows no more */
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    for (int option; (option = getopt(argc, argv, "c:h")) != -1;)
        switch (option) {
        case 'c': customers = number(option, 1000); break;
        case 'h': return puts("usage: [-c customers]") < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    for (long i = 0; i < customers; i++)
        if ((errno = pthread_create(&threads[i], NULL, order, NULL)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    for (long i = 0; i < customers; i++)
        if ((errno = pthread_join(threads[i], NULL)) != 0)
            err(EXIT_FAILURE, "pthread_join");
    if (printf("written %ld times, read in full by %ld of %ld customers\n",
            written, read_in_full, customers) < 0)
        err(EXIT_FAILURE, "standard output");
    return written != 1 || read_in_full != customers;
}
