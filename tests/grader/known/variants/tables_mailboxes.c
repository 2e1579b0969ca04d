/*
 * tables_mailboxes - right: main hands each table to a worker that is idle; a
 * helper thread waits for SIGINT, SIGTERM and, at the end, SIGUSR1
 * Exercise: 02-threads/exercise_tables
 * Kind: a condition variable; a helper thread that only waits for signals;
 * slow start; more words on stderr
 */
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
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

enum { MOST = 1000, NONE = -1, GO_HOME = -2 };
static long workers = 3;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long mailbox[MOST]; /* a table, NONE or GO_HOME; guarded by lock */
static sigset_t signals;

static void *wait_for_signals(void *unused) {
    int number = 0;
    sigwait(&signals, &number);
    if (number != SIGUSR1)
        errx(EXIT_FAILURE, "stopped by signal %d", number);
    return unused;
}

static void nap(long ms) {
    struct timespec left = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&left, &left) == -1 && errno == EINTR)
        ;
}

static void *work(void *arg) {
    long *mine = arg;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (*mine == NONE)
            pthread_cond_wait(&changed, &lock);
        if (*mine == GO_HOME)
            break;
        struct table *table = &tables[*mine];
        pthread_mutex_unlock(&lock);
        printf("%s: loading %ld s ...\n", table->name, table->seconds);
        nap(table->seconds * ms_per_second);
        printf("%s: loaded\n", table->name);
        pthread_mutex_lock(&lock);
        table->rows = 100 * table->seconds;
        *mine = NONE;
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

/* Puts it into the first empty mailbox. */
static void hand_out(long what, long boxes) {
    pthread_mutex_lock(&lock);
    for (long i = 0;; i++) {
        if (i == boxes) {
            pthread_cond_wait(&changed, &lock);
            i = 0;
        }
        if (mailbox[i] == NONE) {
            mailbox[i] = what;
            break;
        }
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void load_all(void) {
    long count = workers < table_count ? workers : table_count;
    pthread_t threads[MOST], helper;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if ((errno = pthread_create(&helper, NULL, wait_for_signals, NULL)) != 0)
        err(EXIT_FAILURE, "pthread_create");
    for (long i = 0; i < count; i++) {
        mailbox[i] = NONE;
        if ((errno = pthread_create(&threads[i], NULL, work, &mailbox[i])) != 0)
            err(EXIT_FAILURE, "pthread_create");
    }
    fprintf(stderr, "a pool of %ld\n", count);
    for (long i = 0; i < table_count; i++)
        hand_out(i, count);
    for (long i = 0; i < count; i++)
        hand_out(GO_HOME, count);
    for (long i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    pthread_kill(helper, SIGUSR1);
    pthread_join(helper, NULL);
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

    nap(30); /* a slow start */
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
