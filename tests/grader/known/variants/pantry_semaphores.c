/*
 * pantry_semaphores - right: a semaphore of one for each shelf, taken from the
 * highest number down; all cooks begin when the last has come; a helper thread
 * does nothing but wait for Ctrl-C
 * Exercise: 06-locks/exercise_pantry
 * Kind: semaphores; a barrier; a helper thread that only waits for signals
 */
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

static long cooks = 2, shelf_count = 2, portions = 3, dishes = 2, ms = 10;

/* ---------- The tool: threads, and what they share ---------- */

static sem_t *shelf_free;
static long *left; /* left[i]: of whoever has shelf_free[i] */
static atomic_long done_dishes;
static pthread_barrier_t all_here;
static sigset_t stops;

static void *wait_for_stop(void *unused) {
    int number;
    (void)unused;
    sigwait(&stops, &number);
    _exit(128 + number);
}

static void p(long shelf) {
    while (sem_wait(&shelf_free[shelf]) == -1)
        if (errno != EINTR)
            err(EXIT_FAILURE, "sem_wait");
}

static const char *one_dish(long low, long high) {
    const char *what = "missed";
    p(high);
    p(low);
    if (left[low] != 0 && left[high] != 0) {
        left[low] -= 1;
        left[high] -= 1;
        for (long i = 0; i < ms; i++)
            usleep(1000);
        what = "done";
        atomic_fetch_add(&done_dishes, 1);
    }
    sem_post(&shelf_free[low]);
    sem_post(&shelf_free[high]);
    return what;
}

static void *cook(void *arg) {
    long me = *(long *)arg, a = me % shelf_count, b = (me + 1) % shelf_count;
    pthread_barrier_wait(&all_here);
    for (long dish = 1; dish <= dishes; dish++) {
        printf("cook %ld: cooking dish %ld of %ld ...\n", me + 1, dish, dishes);
        const char *what = a < b ? one_dish(a, b) : one_dish(b, a);
        printf("cook %ld: dish %ld %s\n", me + 1, dish, what);
    }
    return arg;
}

static void *room_for(long count, size_t size) {
    void *memory = calloc((size_t)count, size);
    if (memory == NULL)
        err(EXIT_FAILURE, "calloc");
    return memory;
}

static long cook_all(void) {
    pthread_t *threads = room_for(cooks, sizeof *threads), helper;
    long *names = room_for(cooks, sizeof *names);
    shelf_free = room_for(shelf_count, sizeof *shelf_free);
    left = room_for(shelf_count, sizeof *left);
    sigemptyset(&stops);
    sigaddset(&stops, SIGINT);
    sigaddset(&stops, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stops, NULL);
    if ((errno = pthread_create(&helper, NULL, wait_for_stop, NULL)) != 0)
        err(EXIT_FAILURE, "pthread_create");
    pthread_detach(helper);
    for (long i = 0; i < shelf_count; i++) {
        sem_init(&shelf_free[i], 0, 1);
        left[i] = portions;
    }
    pthread_barrier_init(&all_here, NULL, (unsigned)cooks);
    for (long i = 0; i < cooks; i++) {
        names[i] = i;
        if ((errno = pthread_create(&threads[i], NULL, cook, &names[i])) != 0)
            err(EXIT_FAILURE, "pthread_create");
    }
    for (long i = 0; i < cooks; i++)
        pthread_join(threads[i], NULL);
    for (long i = 0; i < shelf_count; i++)
        printf("shelf %ld: %ld of %ld left\n", i + 1, left[i], portions);
    free(shelf_free);
    free(left);
    free(names);
    free(threads);
    return done_dishes;
}

/* ---------- The run ---------- */

static const char usage[] =
    "usage: exercise_pantry [-c cooks] [-s shelves] [-n portions_per_shelf] "
    "[-d dishes_per_cook] [-m ms]\n";

static long number(int option, long least, long most) {
    char *end;
    long value = strtol(optarg, &end, 10);
    if (end == optarg || *end != '\0' || value < least || value > most)
        errx(2, "-%c %s: not a number from %ld to %ld", option, optarg, least,
            most);
    return value;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int option; (option = getopt(argc, argv, "c:s:n:d:m:h")) != -1;)
        switch (option) {
        case 'c': cooks = number(option, 1, 1000); break;
        case 's': shelf_count = number(option, 2, 1000); break;
        case 'n': portions = number(option, 1, 1000000); break;
        case 'd': dishes = number(option, 1, 1000000); break;
        case 'm': ms = number(option, 0, 60000); break;
        case 'h': return printf(usage) < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);

    long done = cook_all();
    printf("dishes: %ld done, %ld missed\n", done, cooks * dishes - done);
    fprintf(stderr, "%ld dishes asked of %ld cooks\n", cooks * dishes, cooks);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
