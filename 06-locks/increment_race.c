/*
 * increment_race - workers add 1 to one number, and additions get lost
 * Adding is three steps: read, add, write. A worker that reads between the
 * read and the write of another one puts an old number back. Notice linger():
 * it holds the window open until a second worker is in it, so the loss shows
 * on every run. With -q (quick) it shows when it likes: the worst time.
 * ThreadSanitizer: data race
 * Build: cc -O2 -pthread -o increment_race increment_race.c
 * Usage: ./increment_race [-t tasks] [-n increments] [-w workers] [-q]
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

static long tasks, increments = 100000, workers = 2;
static bool quick; /* do not linger */
static long sum;   /* all workers write it, nothing guards it */

/* The first to come waits for a second one, at most half a second. */
static void linger(void) {
    static atomic_int visits;
    if (quick || visits > 1 || atomic_fetch_add(&visits, 1) > 0)
        return;
    for (int ms = 0; ms < 500 && visits < 2; ms += 10)
        nanosleep(&(struct timespec){0, 10000000}, NULL);
}

static void *work(void *number) {
    for (long task = (long)number; task < tasks; task += workers)
        for (long i = 0; i < increments; i++) {
            long seen = sum;
            linger();
            sum = seen + 1;
        }
    return NULL;
}

static void work_all(void) {
    static pthread_t pool[1000]; /* -w allows no more */
    for (long i = 0; i < workers; i++)
        if ((errno = pthread_create(&pool[i], NULL, work, (void *)i)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    for (long i = 0; i < workers; i++)
        if ((errno = pthread_join(pool[i], NULL)) != 0)
            err(EXIT_FAILURE, "pthread_join");
}

static long number(int option, long most) {
    char *end;
    long value = strtol(optarg, &end, 10);
    if (*end != '\0' || value < 1 || value > most)
        errx(2, "-%c %s: not a number from 1 to %ld", option, optarg, most);
    return value;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    for (int option; (option = getopt(argc, argv, "t:n:w:qh")) != -1;)
        switch (option) {
        case 't': tasks = number(option, 1000000); break;
        case 'n': increments = number(option, 1000000000); break;
        case 'w': workers = number(option, 1000); break;
        case 'q': quick = true; break;
        case 'h':
            return puts("usage: [-t tasks, or one a worker] [-n increments] "
                        "[-w workers] [-q]") < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    tasks = tasks == 0 ? workers : tasks;
    work_all();
    if (printf("counted to %ld\n", sum) < 0)
        err(EXIT_FAILURE, "standard output");
    if (sum != tasks * increments)
        errx(EXIT_FAILURE, "%ld of %ld increments are lost",
            tasks * increments - sum, tasks * increments);
    return EXIT_SUCCESS;
}
