/*
 * check_then_act_race - two customers and the last portion: both are served
 * Each looks whether a portion is left and then takes it; but what was seen
 * may be past by the time it is acted on. Notice linger(): it makes time pass
 * between the two until the other customer has looked as well.
 * Guarding the look and the taking each by itself would change nothing.
 * ThreadSanitizer: data race
 * Build: cc -O2 -pthread -o check_then_act_race check_then_act_race.c
 * Usage: ./check_then_act_race [-c customers] [-q]
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

static long customers = 2;
static long left = 1; /* portions: all write it, nothing guards it */
static bool quick;    /* do not linger */

/* The first to come waits for a second one, at most half a second. */
static void linger(void) {
    static atomic_int visits;
    if (quick || visits > 1 || atomic_fetch_add(&visits, 1) > 0)
        return;
    for (int ms = 0; ms < 500 && visits < 2; ms += 10)
        nanosleep(&(struct timespec){0, 10000000}, NULL);
}

/* Returns whether the customer was served. */
static bool order(void) {
    bool served = false;
    if (left > 0) {
        linger();
        left--;
        served = true;
    }
    return served;
}

static void *dine(void *served) {
    *(bool *)served = order();
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
    static pthread_t threads[1000]; /* -c allows no more */
    static bool served[1000];
    long sum = 0;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    for (int option; (option = getopt(argc, argv, "c:qh")) != -1;)
        switch (option) {
        case 'c': customers = number(option, 1000); break;
        case 'q': quick = true; break;
        case 'h': return puts("usage: [-c customers] [-q]") < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    for (long i = 0; i < customers; i++)
        if ((errno = pthread_create(&threads[i], NULL, dine, &served[i])) != 0)
            err(EXIT_FAILURE, "pthread_create");
    for (long i = 0; i < customers; i++, sum += served[i - 1])
        if ((errno = pthread_join(threads[i], NULL)) != 0)
            err(EXIT_FAILURE, "pthread_join");
    if (printf("%ld of %ld customers served\n", sum, customers) < 0)
        err(EXIT_FAILURE, "standard output");
    if (sum != 1)
        errx(EXIT_FAILURE, "the last portion was sold %ld times", sum);
    return EXIT_SUCCESS;
}
