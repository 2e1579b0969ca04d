/*
 * exercise_tables - load tables in a pool of threads: a solution
 * Each worker takes the next table in the order given when it is free. Its
 * rows go to the place of the table, not of the worker, so main can print the
 * results in the order asked however they finish. Notice that A, B, C of 1, 2
 * and 5 s take 5 s.
 * Build: cc -O2 -pthread -o exercise_tables exercise_tables.c
 * Outcomes: any order
 * Usage: ./exercise_tables [-w workers] [-m ms_per_second] [NAME=SECONDS...]
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
    long seconds, rows; /* rows: written by who loads it, read after join */
};

static struct table three[] = {{"A", 1, 0}, {"B", 2, 0}, {"C", 5, 0}};
static struct table *tables = three;
static long table_count = 3, ms_per_second = 1000;

static void wait_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    if (nanosleep(&time, NULL) == -1)
        err(EXIT_FAILURE, "nanosleep");
}

/* Returns how many rows it has. */
static long load(const struct table *table) {
    printf("%s: loading %ld s ...\n", table->name, table->seconds);
    wait_ms(table->seconds * ms_per_second);
    printf("%s: loaded\n", table->name);
    return table->seconds * 100;
}

/* ---------- The tool: a pool of threads ---------- */

static long workers = 3;
static atomic_long next_table; /* the first that nobody has taken */

static void *work(void *unused) {
    long i;
    while ((i = atomic_fetch_add(&next_table, 1)) < table_count)
        tables[i].rows = load(&tables[i]);
    return unused;
}

static void load_all(void) {
    long count = workers < table_count ? workers : table_count;
    pthread_t *pool = calloc((size_t)count, sizeof *pool);
    if (pool == NULL)
        err(EXIT_FAILURE, "calloc");
    for (long i = 0; i < count; i++)
        if ((errno = pthread_create(&pool[i], NULL, work, NULL)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    for (long i = 0; i < count; i++)
        if ((errno = pthread_join(pool[i], NULL)) != 0)
            err(EXIT_FAILURE, "pthread_join");
    free(pool);
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
