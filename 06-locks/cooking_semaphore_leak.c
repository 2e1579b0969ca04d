/*
 * cooking_semaphore_leak - one way out does not give the cooker back
 * boil() returns early for a soup and forgets its cooker: with each soup there
 * is one cooker less, until all wait for ever. Notice that while a cooker is
 * left the program only gets slower; and that it takes a wait with a time limit
 * to tell.
 * ThreadSanitizer: silent
 * Outcomes: any order
 * Build: cc -O2 -pthread -o cooking_semaphore_leak cooking_semaphore_leak.c
 * Usage: ./cooking_semaphore_leak [-p plates] [-w chefs] [-k cookers]
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { MOST_PLATES = 100, MINUTE_NS = 1000000, PATIENCE = 30 };
static long plates = 10, chefs = 2, cookers = 2;
static sem_t free_chefs, free_cookers, all_begun;
static atomic_long begun, steps, served;

static long minutes_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000 + now.tv_nsec / MINUTE_NS;
}

static void do_step(long plate, const char *doing, const char *done, long n) {
    printf("plate %ld: %s ...\n", plate, doing);
    nanosleep(&(struct timespec){0, n * MINUTE_NS}, NULL);
    printf("plate %ld: %s\n", plate, done);
    steps++;
}

/* Gives up when in so many looks nobody in the kitchen has done a thing. */
static void take_cooker(void) {
    for (long looks = 0, seen = 0; looks < PATIENCE; seen = steps) {
        long end = minutes_now() + 10;
        struct timespec until = {end / 1000, end % 1000 * MINUTE_NS};
        if (sem_timedwait(&free_cookers, &until) == 0)
            return;
        looks = seen == steps ? looks + 1 : 0;
    }
    pthread_exit(NULL); /* main() tells what is missing */
}

static void boil(long plate) {
    take_cooker();
    do_step(plate, "boiling", "boiled", 30);
    if (plate % 5 == 2) { /* a soup, served as it is */
        return;
    }
    sem_post(&free_cookers);
}

static void *cook(void *number) {
    long plate = (long)number;
    sem_wait(&free_chefs);
    if (++begun == plates)
        for (long i = 0; i < plates; i++)
            sem_post(&all_begun);
    do_step(plate, "washing", "washed", 5);
    do_step(plate, "cutting", "cut", 13);
    sem_post(&free_chefs);
    boil(plate);
    sem_wait(&all_begun);
    sem_wait(&free_chefs);
    do_step(plate, "serving", "served", 2);
    served++;
    sem_post(&free_chefs);
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
    pthread_t threads[MOST_PLATES + 1];
    int idle;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    for (int option; (option = getopt(argc, argv, "p:w:k:h")) != -1;)
        switch (option) {
        case 'p': plates = number(option, MOST_PLATES); break;
        case 'w': chefs = number(option, 1000); break;
        case 'k': cookers = number(option, 1000); break;
        case 'h': return puts("usage: [-p plates] [-w chefs] [-k cookers]") < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    sem_init(&free_chefs, 0, (unsigned)chefs);
    sem_init(&free_cookers, 0, (unsigned)cookers);
    sem_init(&all_begun, 0, 0);
    long start = minutes_now();
    for (long i = 1; i <= plates; i++)
        if ((errno = pthread_create(&threads[i], NULL, cook, (void *)i)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    for (long i = 1; i <= plates; i++)
        if ((errno = pthread_join(threads[i], NULL)) != 0)
            err(EXIT_FAILURE, "pthread_join");
    fprintf(stderr, "%ld plates in %ld minutes\n", (long)served,
        minutes_now() - start);
    sem_getvalue(&free_cookers, &idle);
    if (idle != cookers || served != plates)
        errx(EXIT_FAILURE,
            "%ld of %ld cookers are not given back, %ld plates not served",
            cookers - idle, cookers, plates - served);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
