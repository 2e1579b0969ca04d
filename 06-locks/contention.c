/*
 * contention - what a lock costs: one increment in eight ways, 1 to N threads
 * The time from the first to the last, over the number of increments. Notice
 * what makes the difference: whether two CPUs write the same cache line, which
 * then moves back and forth. Own numbers help if apart. Linux only (CPU_SET).
 * ThreadSanitizer: data race (in the way without a lock, to see what it loses)
 * Build: cc -O2 -pthread -o contention contention.c
 * Usage: ./contention [-w threads] [-n increments]
 */
#define _GNU_SOURCE /* CPU_SET */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { NONE, MUTEX, SPIN, ADD, CAS, BESIDE, APART, LOCAL, WAYS };
static const char *const names[WAYS] = {"no lock", "mutex", "spin lock",
    "atomic add", "compare-and-swap", "own, side by side", "own, apart",
    "local, then one add"};
enum { MOST = 64, ROUNDS = 15, MEDIAN = ROUNDS / 2, LINE = 128 /* bytes */ };
static long threads, way;                       /* that is measured, */
static long increments = 30000;                 /* too short to be disturbed */
static double ns[WAYS][MOST + 1][ROUNDS], lost; /* all rounds, sorted */
static struct timespec from, to;
static cpu_set_t cpus;
static atomic_long missing, running; /* threads, in this round */
static _Alignas(LINE) pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static _Alignas(LINE) pthread_spinlock_t spin;
static _Alignas(LINE) volatile long plain;
static _Alignas(LINE) atomic_long shared, beside[MOST];
static _Alignas(LINE) atomic_long apart[MOST][LINE / sizeof(atomic_long)];

/* Two threads that happen to be on one CPU would not get in each other's way */
static void stay_on_cpu(long me) {
    cpu_set_t one = {{0}};
    size_t cpu = 0;
    for (long skip = me % CPU_COUNT(&cpus); skip >= 0; cpu++)
        skip -= CPU_ISSET(cpu, &cpus) != 0;
    CPU_SET(cpu - 1, &one);
    if (sched_setaffinity(0, sizeof one, &one) == -1) /* 0: this thread */
        err(EXIT_FAILURE, "sched_setaffinity");
}

/* Seems to use the number, or the compiler makes one of all additions. */
#define ONE_BY_ONE(number) __asm__ volatile("" : "+r"(number))
#define SWAP atomic_compare_exchange_weak
#define WAY(name, step)                         \
    case name:                                  \
        for (long i = 0; i < increments; i++) { \
            step;                               \
        }                                       \
        break

static void *work(void *number) {
    long me = (long)number, own = 0, seen;
    stay_on_cpu(me);
    if (--missing == 0)
        clock_gettime(CLOCK_MONOTONIC, &from);
    while (missing > 0) /* awake: who sleeps in a barrier begins too late */
        sched_yield();
    switch (way) {
        WAY(NONE, plain = plain + 1);
        WAY(MUTEX, pthread_mutex_lock(&mutex); plain = plain + 1;
            pthread_mutex_unlock(&mutex));
        WAY(SPIN, pthread_spin_lock(&spin); plain = plain + 1;
            pthread_spin_unlock(&spin));
        WAY(ADD, shared++);
        WAY(CAS, seen = shared; while (!SWAP(&shared, &seen, seen + 1)));
        WAY(BESIDE, beside[me]++);
        WAY(APART, apart[me][0]++);
        WAY(LOCAL, own++; ONE_BY_ONE(own));
    }
    shared += own;
    if (--running == 0)
        clock_gettime(CLOCK_MONOTONIC, &to);
    return NULL;
}

static void measure(long n, int round) {
    pthread_t pool[MOST];
    shared = plain = 0;
    missing = running = n;
    for (long i = 0; i < n; i++)
        if ((errno = pthread_create(&pool[i], NULL, work, (void *)i)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    for (long i = 0; i < n; i++) {
        if ((errno = pthread_join(pool[i], NULL)) != 0)
            err(EXIT_FAILURE, "pthread_join");
        shared += atomic_exchange(&beside[i], 0);
        shared += atomic_exchange(&apart[i][0], 0);
    }
    double all = (double)(n * increments);
    double s = (double)(to.tv_sec - from.tv_sec);
    double time = (s * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / all;
    for (; round > 0 && ns[way][n][round - 1] > time; round--)
        ns[way][n][round] = ns[way][n][round - 1];
    ns[way][n][round] = time;
    if (way == NONE)
        lost = 1 - (double)plain / all;
    else if (plain + shared != n * increments)
        errx(EXIT_FAILURE, "%s: increments are lost", names[way]);
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
    if (sched_getaffinity(0, sizeof cpus, &cpus) == -1) /* over 1,024 CPUs */
        err(EXIT_FAILURE, "sched_getaffinity");
    threads = CPU_COUNT(&cpus) < MOST ? CPU_COUNT(&cpus) : MOST;
    for (int option; (option = getopt(argc, argv, "w:n:h")) != -1;)
        switch (option) {
        case 'w': threads = number(option, MOST); break;
        case 'n': increments = number(option, 1000000000); break;
        case 'h': return puts("usage: [-w threads] [-n increments]") < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    for (int round = 0; round < ROUNDS; round++)
        for (way = 0; way < WAYS; way++) {
            measure(1, round);
            if (threads > 1)
                measure(threads, round);
        }
    printf("ns per increment      1 thread  %3ld threads  speedup\n", threads);
    for (way = 0; way < WAYS; way++) {
        double one = ns[way][1][MEDIAN], all = ns[way][threads][MEDIAN];
        printf("%-20s  %8.2f  %11.2f  %7.2f", names[way], one, all, one / all);
        printf(way == NONE ? "  %.0f %% lost\n" : "\n", 100 * lost);
    }
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
