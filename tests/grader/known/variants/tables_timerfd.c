/*
 * tables_timerfd - right: C11 threads that sleep by a timer descriptor; a
 * semaphore counts
 * Exercise: 02-threads/exercise_tables
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
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

/* ---------- The tool ---------- */
static long workers = 3;
static atomic_long cursor;
static sem_t loaded;
static int work(void *p) {
    (void)p;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    if (fd == -1)
        err(1, "timerfd_create");
    long i;
    while ((i = atomic_fetch_add(&cursor, 1)) < table_count) {
        struct table *t = tables + i;
        printf("%s: loading %ld s ...\n", t->name, t->seconds);
        long ms = t->seconds * ms_per_second;
        struct itimerspec it = {.it_value = {ms / 1000, ms % 1000 * 1000000L}};
        uint64_t ticks;
        if (timerfd_settime(fd, 0, &it, NULL) == -1 ||
            read(fd, &ticks, sizeof ticks) != sizeof ticks)
            err(1, "timerfd");
        t->rows = t->seconds * 100;
        printf("%s: loaded\n", t->name);
        sem_post(&loaded);
    }
    close(fd);
    return 0;
}
static void load_all(void) {
    if (workers > table_count)
        workers = table_count;
    if (sem_init(&loaded, 0, 0))
        err(1, "sem_init");
    thrd_t *ts = malloc(workers * sizeof *ts);
    if (!ts)
        err(1, "malloc");
    for (long i = 0; i < workers; i++)
        switch (thrd_create(&ts[i], work, NULL)) {
        case thrd_success: break;
        case thrd_nomem: errx(1, "thread: %s", strerror(ENOMEM));
        default: errx(1, "thread: %s", strerror(EAGAIN));
        }
    for (long i = 0; i < table_count; i++)
        while (sem_wait(&loaded) == -1 && errno == EINTR)
            ;
    for (long i = 0; i < workers; i++)
        thrd_join(ts[i], NULL);
    free(ts);
    sem_destroy(&loaded);
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
