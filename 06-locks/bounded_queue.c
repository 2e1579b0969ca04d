/*
 * bounded_queue - a producer, two consumers, a queue of two slots, its closing
 * Whoever finds the queue empty or full waits, and looks again when woken: to
 * be woken says that something has changed, not what is true by now. The
 * first job wakes two consumers, and one of them goes back to sleep. Looking
 * and falling asleep are one step: pthread_cond_wait() gives up the lock in it.
 * ThreadSanitizer: silent
 * Build: cc -O2 -pthread -o bounded_queue bounded_queue.c
 * Usage: ./bounded_queue [-s]
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { JOBS = 4, SLOTS = 2, CONSUMERS = 2 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards it all */
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER;
static bool full[SLOTS], closed, stay;
static int in, out, done, asleep, told, sleeps, running = CONSUMERS + 1;

/* Waits, without the lock, until the number is large enough; 0.5 s at most. */
static void linger(const int *number, int least) {
    for (int ms = 0; ms < 500 && *number < least; ms += 10) {
        pthread_mutex_unlock(&lock);
        nanosleep(&(struct timespec){0, 10000000}, NULL);
        pthread_mutex_lock(&lock);
    }
}

/* Whoever falls asleep last has nobody left to wake it. */
static void wait_for(pthread_cond_t *change) {
    int before = told;
    sleeps++;
    if (++asleep == running && !stay)
        errx(EXIT_FAILURE, "all wait, %d jobs in the queue", in - out);
    pthread_cond_wait(change, &lock);
    asleep -= before == told; /* woke by itself; tell() counts all others */
}

static void tell(pthread_cond_t *change) {
    asleep = 0;
    told++;
    pthread_cond_broadcast(change);
}

static void *consume(void *unused) {
    pthread_mutex_lock(&lock);
    for (;;) {
        while (in <= out && !closed)
            wait_for(&not_empty);
        if (in <= out && closed)
            break;
        done += full[out % SLOTS];
        full[out++ % SLOTS] = false;
        tell(&not_full);
    }
    running--;
    pthread_mutex_unlock(&lock);
    return unused;
}

static void produce(void) {
    pthread_mutex_lock(&lock);
    linger(&sleeps, CONSUMERS); /* until all consumers are asleep */
    for (int job = 1; job <= JOBS; job++) {
        while (in - out >= SLOTS)
            wait_for(&not_full);
        full[in++ % SLOTS] = true;
        tell(&not_empty);
        linger(&sleeps, job == 1 ? 2 * CONSUMERS : 0); /* and again */
    }
    closed = true;
    running--;
    tell(&not_empty);
    pthread_mutex_unlock(&lock);
}

int main(int argc, char *argv[]) {
    pthread_t threads[CONSUMERS];
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
    for (int i = 0; i < CONSUMERS; i++)
        if ((errno = pthread_create(&threads[i], NULL, consume, NULL)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    produce();
    for (int i = 0; i < CONSUMERS; i++)
        if ((errno = pthread_join(threads[i], NULL)) != 0)
            err(EXIT_FAILURE, "pthread_join");
    if (printf("%d of %d jobs done\n", done, JOBS) < 0)
        err(EXIT_FAILURE, "standard output");
    if (out != done || done != JOBS)
        errx(EXIT_FAILURE,
            "%d jobs are lost, %d times an empty slot was taken for a job",
            JOBS - done, out - done);
    return EXIT_SUCCESS;
}
