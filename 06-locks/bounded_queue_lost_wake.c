/*
 * bounded_queue_lost_wake - a signal that comes before the wait is lost
 * A consumer looks, gives up the lock, takes it again and falls asleep. What is
 * told in between reaches nobody: a condition variable remembers nothing. All
 * sleep beside a full queue. Notice that there is a `while` and that each line
 * runs under the lock; looking and falling asleep are two steps all the same.
 * ThreadSanitizer: silent
 * Build: cc -O2 -pthread -o bounded_queue_lost_wake bounded_queue_lost_wake.c
 * Usage: ./bounded_queue_lost_wake [-n jobs] [-w consumers] [-s]
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

enum { SLOTS = 2, NOTHING = 0 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards it all */
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER;
static long jobs = 6, consumers = 2, queue[SLOTS], done, asleep, told, running;
static atomic_long in, out, sleeps; /* so far; in, out: jobs */
static bool closed, stay;

/* Until the number is so large, at most half a second, without the lock. */
static void linger(atomic_long *number, long least) {
    pthread_mutex_unlock(&lock);
    for (int ms = 0; ms < 500 && *number < least; ms += 10)
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    pthread_mutex_lock(&lock);
}

/* Who falls asleep last has nobody left to wake it. */
static void wait_for(pthread_cond_t *change) {
    long before = told;
    sleeps++;
    if (++asleep == running && !stay)
        errx(EXIT_FAILURE, "all wait, %ld jobs in the queue", in - out);
    pthread_cond_wait(change, &lock);
    asleep -= before == told; /* may wake untold; tell() has counted the told */
}

static void tell(pthread_cond_t *change) {
    asleep = 0;
    told++;
    pthread_cond_broadcast(change);
}

static void *consume(void *unused) {
    pthread_mutex_lock(&lock);
    for (;;) {
        while (in <= out && !closed) {
            sleeps++; /* so the producer thinks */
            linger(&in, SLOTS);
            wait_for(&not_empty);
        }
        if (in <= out && closed)
            break;
        done += queue[out % SLOTS] != NOTHING;
        queue[out++ % SLOTS] = NOTHING;
        tell(&not_full);
    }
    running--;
    pthread_mutex_unlock(&lock);
    return unused;
}

static void produce(void) {
    pthread_mutex_lock(&lock);
    linger(&sleeps, consumers); /* until all consumers are asleep */
    for (long job = 1; job <= jobs; job++) {
        while (in - out >= SLOTS)
            wait_for(&not_full);
        queue[in++ % SLOTS] = job;
        tell(&not_empty);
    }
    closed = true;
    running--;
    tell(&not_empty);
    pthread_mutex_unlock(&lock);
}

static long number(int option, long most) {
    char *end;
    long value = strtol(optarg, &end, 10);
    if (*end != '\0' || value < 1 || value > most)
        errx(2, "-%c %s: not a number from 1 to %ld", option, optarg, most);
    return value;
}

int main(int argc, char *argv[]) {
    pthread_t threads[100]; /* -w allows no more */
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int option; (option = getopt(argc, argv, "n:w:sh")) != -1;)
        switch (option) {
        case 'n': jobs = number(option, 1000000); break;
        case 'w': consumers = number(option, 100); break;
        case 's': stay = true; break;
        case 'h': return puts("usage: [-n jobs] [-w consumers] [-s], stay") < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    running = consumers + 1;
    for (long i = 0; i < consumers; i++)
        if ((errno = pthread_create(&threads[i], NULL, consume, NULL)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    produce();
    for (long i = 0; i < consumers; i++)
        if ((errno = pthread_join(threads[i], NULL)) != 0)
            err(EXIT_FAILURE, "pthread_join");
    if (printf("%ld of %ld jobs done\n", done, jobs) < 0)
        err(EXIT_FAILURE, "standard output");
    if (out != done || done != jobs)
        errx(EXIT_FAILURE,
            "%ld jobs are lost, %ld times an empty slot was taken for a job",
            jobs - done, out - done);
    return EXIT_SUCCESS;
}
