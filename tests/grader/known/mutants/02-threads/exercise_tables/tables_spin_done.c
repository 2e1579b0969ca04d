/*
 * tables_spin_done - wrong: main spins on an atomic counter until all is
 * loaded
 * Exercise: 02-threads/exercise_tables
 * Loses: results
 * Loses: times
 * Loses: pool
 * Loses: every_order
 * Perhaps: refused
 * Loses: edges
 * Loses: waits
 * Because: busy wait
 */
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
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

static void wait_ms(long ms) {
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&t, &t) == -1 && errno == EINTR)
        ;
}
static void load(struct table *t) {
    printf("%s: loading %ld s ...\n", t->name, t->seconds);
    wait_ms(t->seconds * ms_per_second);
    t->rows = t->seconds * 100;
    printf("%s: loaded\n", t->name);
}
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long next_table;
static atomic_long finished;
static void *work(void *unused) {
    for (;;) {
        pthread_mutex_lock(&lock);
        long mine = next_table++;
        pthread_mutex_unlock(&lock);
        if (mine >= table_count) {
            finished++;
            return unused;
        }
        load(&tables[mine]);
    }
}
static void load_all(void) {
    long n = workers < table_count ? workers : table_count;
    pthread_t *ids = calloc((size_t)n, sizeof *ids);
    if (ids == NULL)
        err(EXIT_FAILURE, "calloc");
    for (long i = 0; i < n; i++)
        if ((errno = pthread_create(&ids[i], NULL, work, NULL)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    while (finished < n)
        ;
    for (long i = 0; i < n; i++)
        pthread_join(ids[i], NULL);
    free(ids);
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
