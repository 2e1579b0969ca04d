/*
 * contention - what a lock costs: one increment in eight ways, 1 to N threads
 * The time of all increments over their number, the median of some rounds.
 * Notice what makes the difference: whether two cores write the same cache
 * line, which then moves back and forth. Own numbers help if they lie apart.
 * ThreadSanitizer: data race (in the way without a lock, to see what it loses)
 * Build: cc -O2 -pthread -o contention contention.c
 * Usage: ./contention [-w threads] [-n increments] [-p file]
 */
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { NONE, MUTEX, SPIN, ADD, CAS, BESIDE, APART, LOCAL, WAYS };
static const char *const names[WAYS] = {"no lock", "mutex", "spin lock",
    "atomic add", "compare-and-swap", "own, side by side", "own, apart",
    "local, then one add"};
enum { MOST = 64, ROUNDS = 7, MEDIAN = ROUNDS / 2, LINE = 128 /* bytes */ };
static long threads, increments = 2000000, times, way; /* that is measured */
static double ns[WAYS][MOST + 1][ROUNDS], lost, from;  /* sorted */
static pthread_barrier_t start;
static _Alignas(LINE) pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static _Alignas(LINE) pthread_spinlock_t spin;
static _Alignas(LINE) volatile long plain;
static _Alignas(LINE) atomic_long shared, beside[MOST];
static struct { _Alignas(LINE) atomic_long number; } apart[MOST];

static double nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

#define WAY(name, step)                    \
    case name:                             \
        for (long i = 0; i < times; i++) { \
            step;                          \
        }                                  \
        break

static void *work(void *number) {
    long me = (long)number, seen;
    volatile long own = 0; /* volatile: or all additions become one */
    if (pthread_barrier_wait(&start) == PTHREAD_BARRIER_SERIAL_THREAD)
        from = nanoseconds();
    switch (way) {
        WAY(NONE, plain = plain + 1);
        WAY(MUTEX, pthread_mutex_lock(&mutex); plain = plain + 1;
            pthread_mutex_unlock(&mutex));
        WAY(SPIN, pthread_spin_lock(&spin); plain = plain + 1;
            pthread_spin_unlock(&spin));
        WAY(ADD, shared++);
        WAY(CAS, seen = shared;
            while (!atomic_compare_exchange_weak(&shared, &seen, seen + 1)));
        WAY(BESIDE, beside[me]++);
        WAY(APART, apart[me].number++);
        WAY(LOCAL, own = own + 1);
    }
    shared += own;
    return NULL;
}

/* Measures n threads, and keeps the figures of all rounds sorted. */
static void measure(long n, int round) {
    pthread_t pool[MOST];
    shared = plain = 0;
    times = way == NONE || way == LOCAL ? 10 * increments : increments;
    pthread_barrier_init(&start, NULL, (unsigned)n);
    for (long i = 0; i < n; i++) {
        beside[i] = apart[i].number = 0;
        if ((errno = pthread_create(&pool[i], NULL, work, (void *)i)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    }
    for (long i = 0; i < n; i++) {
        if ((errno = pthread_join(pool[i], NULL)) != 0)
            err(EXIT_FAILURE, "pthread_join");
        shared += beside[i] + apart[i].number;
    }
    double time = (nanoseconds() - from) / (double)(n * times);
    pthread_barrier_destroy(&start);
    for (; round > 0 && ns[way][n][round - 1] > time; round--)
        ns[way][n][round] = ns[way][n][round - 1];
    ns[way][n][round] = time;
    if (way == NONE)
        lost = 1 - (double)plain / (double)(n * times);
    else if (plain + shared != n * times)
        errx(EXIT_FAILURE, "%s: increments are lost", names[way]);
}

static void plot(const char *path) {
    FILE *file = fopen(path, "w");
    if (file == NULL)
        err(EXIT_FAILURE, "%s", path);
    fprintf(file, "set logscale y\nset xlabel 'threads'\n$ns << END\n");
    for (way = 0; way < WAYS; way++) {
        fprintf(file, "\n\n\"%s\"\n", names[way]);
        for (long n = 1; n <= threads; n++)
            fprintf(file, "%ld %.3f\n", n, ns[way][n][MEDIAN]);
    }
    fprintf(file, "END\nplot for [i=0:7] $ns index i with linespoints "
                  "title columnheader(1)\n");
    if (ferror(file) || fclose(file) == EOF)
        err(EXIT_FAILURE, "%s", path);
}

static long number(int option, long most) {
    char *end;
    long value = strtol(optarg, &end, 10);
    if (*end != '\0' || value < 1 || value > most)
        errx(2, "-%c %s: not a number from 1 to %ld", option, optarg, most);
    return value;
}

int main(int argc, char *argv[]) {
    const char *path = NULL;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int option; (option = getopt(argc, argv, "w:n:p:h")) != -1;)
        switch (option) {
        case 'w': threads = number(option, MOST); break;
        case 'n': increments = number(option, 1000000000); break;
        case 'p': path = optarg; break;
        case 'h': return puts("usage: [-w threads] [-n each] [-p file]") < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    threads = threads > 0 ? threads : cpus > MOST ? MOST : cpus;
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    for (int round = 0; round < ROUNDS; round++)
        for (way = 0; way < WAYS; way++)
            for (long n = 1; n <= threads; n++)
                measure(n, round);
    printf("ns per increment      1 thread  %3ld threads  speedup\n", threads);
    for (way = 0; way < WAYS; way++) {
        double one = ns[way][1][MEDIAN], all = ns[way][threads][MEDIAN];
        printf("%-20s  %8.2f  %11.2f  %7.2f", names[way], one, all, one / all);
        printf(way == NONE ? "  %.0f %% lost\n" : "\n", 100 * lost);
    }
    if (path != NULL)
        plot(path);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
