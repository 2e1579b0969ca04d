/*
 * bounded_queue_lost_wake - a signal that comes before the wait is lost
 * A consumer looks, gives up the lock, takes it again and falls asleep. What is
 * told in between reaches nobody: a condition variable remembers nothing. All
 * sleep beside a full queue. Notice that there is a `while` and that each line
 * runs under the lock; looking and falling asleep are two steps all the same.
 * ThreadSanitizer: silent
 * Build: cc -O2 -pthread -o bounded_queue_lost_wake bounded_queue_lost_wake.c
 * Usage: ./bounded_queue_lost_wake [-n jobs] [-s]
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

enum { SLOTS = 2, CONSUMERS = 2, NONE = 0, END = -1 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards it all */
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER;
static long jobs = 6, queue[SLOTS], asleep, changes, running = CONSUMERS + 1;
static bool closed, stay;
static atomic_long in, out, sleeps, done, ghosts; /* in, out: jobs so far */

/* Until the number is so large, at most half a second. */
static void linger(atomic_long *number, long least) {
    for (int ms = 0; ms < 500 && *number < least; ms += 10)
        nanosleep(&(struct timespec){0, 10000000}, NULL);
}

/* Like all below, with the lock held. */
static void tell(pthread_cond_t *change) {
    asleep = 0;
    changes++;
    pthread_cond_broadcast(change);
}

/* Who falls asleep last has nobody left to wake it. */
static void wait_for(pthread_cond_t *change) {
    long seen = changes;
    sleeps++;
    if (++asleep == running && !stay)
        errx(EXIT_FAILURE, "all wait, %ld jobs in the queue", in - out);
    pthread_cond_wait(change, &lock);
    asleep -= seen == changes; /* woken though nothing changed: that may be */
}

static void put(long job) {
    while (in - out >= SLOTS)
        wait_for(&not_full);
    queue[in++ % SLOTS] = job;
    tell(&not_empty);
}

static long take(void) {
    while (in <= out && !closed) {
        pthread_mutex_unlock(&lock);
        sleeps++; /* so the producer thinks */
        linger(&in, SLOTS);
        pthread_mutex_lock(&lock);
        wait_for(&not_empty);
    }
    if (in <= out && closed)
        return END;
    long job = queue[out % SLOTS];
    queue[out++ % SLOTS] = NONE;
    tell(&not_full);
    return job;
}

static void *consume(void *unused) {
    pthread_mutex_lock(&lock);
    for (long job; (job = take()) != END;) {
        pthread_mutex_unlock(&lock);
        *(job == NONE ? &ghosts : &done) += 1; /* the work: without the lock */
        pthread_mutex_lock(&lock);
    }
    running--;
    pthread_mutex_unlock(&lock);
    return unused;
}

static void produce(void) {
    linger(&sleeps, CONSUMERS); /* until all consumers are asleep */
    for (long job = 1; job <= jobs; job++) {
        pthread_mutex_lock(&lock);
        put(job);
        pthread_mutex_unlock(&lock);
    }
    pthread_mutex_lock(&lock);
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
    pthread_t threads[CONSUMERS];
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int option; (option = getopt(argc, argv, "n:sh")) != -1;)
        switch (option) {
        case 'n': jobs = number(option, 1000000); break;
        case 's': stay = true; break;
        case 'h': return puts("usage: [-n jobs] [-s, stay stuck]") < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    for (int i = 0; i < CONSUMERS; i++)
        if ((errno = pthread_create(&threads[i], NULL, consume, NULL)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    produce();
    for (int i = 0; i < CONSUMERS; i++)
        if ((errno = pthread_join(threads[i], NULL)) != 0)
            err(EXIT_FAILURE, "pthread_join");
    if (printf("%ld of %ld jobs done\n", done, jobs) < 0)
        err(EXIT_FAILURE, "standard output");
    if (ghosts > 0 || done != jobs)
        errx(EXIT_FAILURE,
            "%ld jobs are lost, an empty slot was taken for a "
            "job %ld times",
            jobs - done, ghosts);
    return EXIT_SUCCESS;
}
