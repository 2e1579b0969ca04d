/*
 * tables_detached - right: nobody is joined; the workers are detached, and the
 * last one to end tells main by a condition variable
 * Exercise: 02-threads/exercise_tables
 * Kind: detached threads that are counted
 */
#include <err.h>
#include <errno.h>
#include <pthread.h>
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
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t nobody_left = PTHREAD_COND_INITIALIZER;
static long next, at_work; /* guarded by lock */

static void load(struct table *table) {
    struct timespec until;
    long ms = table->seconds * ms_per_second;
    printf("%s: loading %ld s ...\n", table->name, table->seconds);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    while (
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
    table->rows = 100 * table->seconds;
    printf("%s: loaded\n", table->name);
}

static void *work(void *arg) {
    struct table **all = arg;
    pthread_mutex_lock(&lock);
    while (next < table_count) {
        struct table *mine = &(*all)[next++];
        pthread_mutex_unlock(&lock);
        load(mine);
        pthread_mutex_lock(&lock);
    }
    if (--at_work == 0)
        pthread_cond_signal(&nobody_left);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void load_all(void) {
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&detached, 256 * 1024);
    pthread_mutex_lock(&lock);
    for (long i = 0; i < workers && i < table_count; i++, at_work++) {
        pthread_t unused;
        errno = pthread_create(&unused, &detached, work, &tables);
        if (errno != 0)
            err(EXIT_FAILURE, "pthread_create");
    }
    while (at_work > 0)
        pthread_cond_wait(&nobody_left, &lock);
    pthread_mutex_unlock(&lock);
    pthread_attr_destroy(&detached);
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
    long place = 0;
    while (place < table_count) {
        struct table *t = &tables[place++];
        printf("result %ld: %s has %ld rows\n", place, t->name, t->rows);
    }
    fprintf(stderr, "%ld tables in %.2f s\n", table_count, elapsed);
    if (tables != three)
        free(tables);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
