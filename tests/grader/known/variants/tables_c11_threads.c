/*
 * tables_c11_threads - right: C11 threads and a C11 mutex around the number of
 * the next table
 * Exercise: 02-threads/exercise_tables
 * Kind: C11 threads
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
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

static long workers = 3, taken;
static mtx_t lock; /* guards taken */

static struct table *take(void) {
    struct table *table = NULL;
    mtx_lock(&lock);
    if (taken < table_count)
        table = &tables[taken++];
    mtx_unlock(&lock);
    return table;
}

static int worker(void *unused) {
    (void)unused;
    for (struct table *table; (table = take()) != NULL;) {
        long ms = table->seconds * ms_per_second;
        printf("%s: loading %ld s ...\n", table->name, table->seconds);
        thrd_sleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
        table->rows = 100 * table->seconds;
        printf("%s: loaded\n", table->name);
    }
    return 0;
}

static void load_all(void) {
    long count = workers > table_count ? table_count : workers;
    thrd_t threads[1000];
    if (mtx_init(&lock, mtx_plain) != thrd_success)
        errx(EXIT_FAILURE, "mtx_init");
    for (long i = 0; i < count; i++)
        if (thrd_create(&threads[i], worker, NULL) != thrd_success)
            errx(EXIT_FAILURE, "thrd_create");
    for (long i = 0; i < count; i++)
        thrd_join(threads[i], NULL);
    mtx_destroy(&lock);
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
    for (struct table *t = tables; t < tables + table_count; t++)
        printf("result %d: %s has %ld rows\n", (int)(t - tables) + 1, t->name,
            t->rows);
    fprintf(stderr, "%ld tables in %.2f s\n", table_count, elapsed);
    if (tables != three)
        free(tables);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
