/*
 * tables_barrier_sem - right: a barrier before work, a semaphore counts the
 * tickets
 * Exercise: 02-threads/exercise_tables
 * Kind: a barrier before work
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

struct table {
    const char *name;
    long seconds, rows;
};

static struct table three[] = {{"A", 1, 0}, {"B", 2, 0}, {"C", 5, 0}};
static struct table *tables = three;
static long table_count = 3, ms_per_second = 1000;

/* ---------- The tool: a pool of threads ---------- */

static long workers = 3;

static pthread_barrier_t ready;
static sem_t tickets;
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static long given;
static int write_failed; /* under order */

static void say(const char *format, ...) {
    char line[4096];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n >= (int)sizeof line)
        n = sizeof line - 1;
    for (int sent = 0; sent < n;) {
        ssize_t k = write(1, line + sent, (size_t)(n - sent));
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0) {
            pthread_mutex_lock(&order);
            write_failed = 1;
            pthread_mutex_unlock(&order);
            return;
        }
        sent += (int)k;
    }
}
static void *worker(void *arg) {
    pthread_barrier_wait(&ready);
    while (sem_trywait(&tickets) == 0) {
        pthread_mutex_lock(&order);
        struct table *t = &tables[given++];
        pthread_mutex_unlock(&order);
        say("%s: loading %ld s ...\n", t->name, t->seconds);
        poll(NULL, 0, (int)(t->seconds * ms_per_second));
        t->rows = t->seconds * 100;
        say("%s: loaded\n", t->name);
    }
    return arg;
}
static void load_all(void) {
    long n = workers < table_count ? workers : table_count;
    pthread_t ids[1000];
    sem_init(&tickets, 0, (unsigned)table_count);
    pthread_barrier_init(&ready, NULL, (unsigned)n);
    for (long i = 0; i < n; i++)
        if ((errno = pthread_create(&ids[i], NULL, worker, NULL)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    for (long i = 0; i < n; i++)
        pthread_join(ids[i], NULL);
    pthread_barrier_destroy(&ready);
    sem_destroy(&tickets);
    if (write_failed)
        errx(EXIT_FAILURE, "standard output: not everything was written");
}

/* ---------- The run ---------- */

static const char usage[] = "usage: exercise_tables [-w workers] "
                            "[-m ms_per_second] [NAME=SECONDS...]\n";

static long number(int option, long most) {
    char *end;
    long value = strtol(optarg, &end, 10);
    if (*end != '\0' || value < 1 || value > most)
        errx(2, "-%c %s: not a number from 1 to %ld", option, optarg, most);
    return value;
}

static struct table *read_tables(char **words, long count) {
    struct table *list = calloc((size_t)count, sizeof *list);
    if (list == NULL)
        err(EXIT_FAILURE, "calloc");
    for (long i = 0; i < count; i++) {
        char *equals = strchr(words[i], '='), *end = NULL;
        if (equals != NULL)
            list[i].seconds = strtol(equals + 1, &end, 10);
        if (end == NULL || equals == words[i] || *end != '\0' ||
            list[i].seconds < 1 || list[i].seconds > 1000)
            errx(2, "%s: not NAME=SECONDS with a number from 1 to 1000",
                words[i]);
        *equals = '\0';
        list[i].name = words[i];
    }
    return list;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int option; (option = getopt(argc, argv, "w:m:h")) != -1;)
        switch (option) {
        case 'w': workers = number(option, 1000); break;
        case 'm': ms_per_second = number(option, 60000); break;
        case 'h': return printf(usage) < 0;
        default: return 2;
        }
    if (optind < argc) {
        table_count = argc - optind;
        tables = read_tables(argv + optind, table_count);
    }

    double start = seconds();
    load_all();
    double elapsed = seconds() - start;
    for (long i = 0; i < table_count; i++)
        printf("result %ld: %s has %ld rows\n", i + 1, tables[i].name,
            tables[i].rows);
    fprintf(stderr, "%ld tables in %.2f s\n", table_count, elapsed);
    if (tables != three)
        free(tables);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
