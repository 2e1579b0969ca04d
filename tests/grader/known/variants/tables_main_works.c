/*
 * tables_main_works - right: main is one of the workers, so that a pool of one
 * needs no thread; naps add up to the time, and stdout is flushed by hand
 * Exercise: 02-threads/exercise_tables
 * Kind: main works too; sleeps in small steps; fflush; own options
 */
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

typedef struct {
    char name[200];
    int seconds;
    int rows;
} Table;

static Table *tables;
static int tableCount, msPerSecond = 1000, workers = 3;
static atomic_int nextTable;

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...) {
    char line[400];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    puts(line); /* whole: other threads wait for stdout's own lock */
    fflush(stdout);
}

static int load(const Table *table) {
    say("%s: loading %d s ...", table->name, table->seconds);
    for (int i = 0; i < table->seconds; i++) {
        int ms = msPerSecond;
        for (; ms >= 500; ms -= 500)
            usleep(500000);
        if (ms > 0)
            usleep((useconds_t)ms * 1000);
    }
    say("%s: loaded", table->name);
    return table->seconds * 100;
}

static void *work(void *arg) {
    int *loaded = arg;
    for (;;) {
        int mine = atomic_load(&nextTable);
        if (mine == tableCount)
            return arg;
        if (!atomic_compare_exchange_weak(&nextTable, &mine, mine + 1))
            continue;
        tables[mine].rows = load(&tables[mine]);
        ++*loaded;
    }
}

static void loadAll(void) {
    int others = (workers < tableCount ? workers : tableCount) - 1;
    pthread_t *threads = calloc((size_t)others + 1, sizeof *threads);
    int *loaded = calloc((size_t)others + 1, sizeof *loaded), sum = 0;
    if (!threads || !loaded)
        err(1, "calloc");
    for (int i = 0; i < others; i++)
        if ((errno = pthread_create(threads + i, NULL, work, loaded + i)))
            err(1, "pthread_create");
    work(loaded + others);
    for (int i = 0; i < others; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i <= others; i++)
        sum += loaded[i];
    if (sum != tableCount)
        errx(1, "%d of %d tables loaded", sum, tableCount);
    free(threads);
    free(loaded);
}

static int wholeNumber(const char *what, const char *text, int most) {
    int value = 0, read = 0;
    if (strlen(text) > 9 || sscanf(text, "%9d%n", &value, &read) != 1 ||
        text[read] != 0 || value < 1 || value > most) {
        fprintf(stderr, "exercise_tables: %s %s: must be 1 to %d\n", what, text,
            most);
        exit(2);
    }
    return value;
}

static void addTable(char *word) {
    char *equals = strchr(word, '=');
    Table *table = &tables[tableCount++];
    if (equals == NULL || equals == word || equals - word > 199)
        errx(2, "%s: NAME=SECONDS is needed, SECONDS from 1 to 1000", word);
    table->seconds = wholeNumber(word, equals + 1, 1000);
    memcpy(table->name, word, (size_t)(equals - word));
}

int main(int argc, char **argv) {
    static char usual[3][4] = {"A=1", "B=2", "C=5"};
    struct timeval from, to, took;
    for (int c; (c = getopt(argc, argv, "hm:w:")) != -1;)
        switch (c) {
        case 'h':
            say("usage: exercise_tables [-w workers] [-m ms_per_second] "
                "[NAME=SECONDS...]");
            return 0;
        case 'm': msPerSecond = wholeNumber("-m", optarg, 60000); break;
        case 'w': workers = wholeNumber("-w", optarg, 1000); break;
        default: return 2;
        }
    if ((tables = calloc((size_t)argc + 3, sizeof *tables)) == NULL)
        err(1, "calloc");
    for (int i = optind; i < argc; i++)
        addTable(argv[i]);
    for (int i = 0; optind == argc && i < 3; i++)
        addTable(usual[i]);
    gettimeofday(&from, NULL);
    loadAll();
    gettimeofday(&to, NULL);
    timersub(&to, &from, &took);
    for (int i = 0; i < tableCount; i++)
        say("result %d: %s has %d rows", i + 1, tables[i].name, tables[i].rows);
    fprintf(stderr, "%d tables in %ld.%02ld s\n", tableCount, (long)took.tv_sec,
        (long)took.tv_usec / 10000);
    free(tables);
    return ferror(stdout) ? 1 : 0;
}
