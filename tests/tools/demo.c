/*
 * demo.c - every story with every tool, in real time, as a table and a page
 *
 * Usage: demo [-s] [-o page] BUILD_DIR. The programs are found by wildcard, so
 * a tool appears as soon as it is built. The practice sites run inside this
 * process, on a free port; program_run() ends what it started, also on Ctrl-C.
 * All rows of a story have the same work at the same scale: -s is a small one.
 * The page is BUILD_DIR/demo.html unless -o names another.
 * Exit status: 0 if every program did its work, 1 if not, 130 after Ctrl-C.
 */
#define _GNU_SOURCE /* sched_getaffinity */
#include "pictures/others.h"
#include "pictures/page.h"
#include "run/remove.h"
#include "sites/sites.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PAGES = 90,
    FETCHERS = 5,
    TIMES = 10,        /* each page of "both" */
    CONNECTIONS = 100, /* more than there are, fewer than 256 files */
    MOST_ROWS = 8,
    STORIES = 5
};

/* How large the work is: all of it takes less than half a minute. */
static struct scale {
    int interval_ms, latency_ms, millions, minute_ms, rounds;
} scale = {120, 25, 25, 4, 100};
static const struct scale small = {12, 3, 1, 1, 10};

static char urls[3][64];
static long cpus = 1;

/* How many work at once when a tool tells a story, and the least seconds that
 * so many can need; computing_s is the CPU time of the first program. */
static void plan_messages(
    const char *tool, double computing_s, struct row *row) {
    (void)computing_s;
    row->workers = strncmp(tool, "01", 2) == 0 ? 1 : 3;
    row->ideal_s = 12 * scale.interval_ms / 1000.0 / (double)row->workers;
}

static void plan_download(
    const char *tool, double computing_s, struct row *row) {
    (void)computing_s;
    row->workers = strncmp(tool, "01", 2) == 0 ? 1 : FETCHERS;
    row->ideal_s = PAGES * scale.latency_ms / 1000.0 / (double)row->workers;
}

/* An event loop gains nothing here: it is one worker. */
static void plan_increment(
    const char *tool, double computing_s, struct row *row) {
    bool one = strncmp(tool, "01", 2) == 0 || strncmp(tool, "04", 2) == 0;

    row->workers = one ? 1 : sysconf(_SC_NPROCESSORS_ONLN);
    row->ideal_s =
        computing_s / (double)(row->workers < cpus ? row->workers : cpus);
}

/* No schedule of 10 plates is shorter, with a cooker per plate: 212 minutes for
 * one chef, 122 for two. */
static void plan_cooking(
    const char *tool, double computing_s, struct row *row) {
    bool two = strncmp(tool, "03", 2) == 0 || strncmp(tool, "05", 2) == 0;

    (void)computing_s;
    row->workers = two ? 2 : 1;
    row->ideal_s = (two ? 122 : 212) * scale.minute_ms / 1000.0;
}

/* Waiting and computing in one: one program, in different shapes. */
static struct shape {
    const char *tool;
    long processes, threads;
} shapes[] = {{"one by one", 1, 1}, {"threads", 1, 10}, {"processes", 0, 1},
    {"both of them", 0, 5}}; /* 0: one for each CPU */
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

/* No CPU can do more than compute all the time, no worker can do more than wait
 * and compute all the time. */
static void plan_both(const char *tool, double computing_s, struct row *row) {
    double waiting_s = 3 * TIMES * scale.latency_ms / 1000.0;
    size_t i = 0;

    while (strcmp(shapes[i].tool, tool) != 0)
        i++;
    row->workers = shapes[i].processes * shapes[i].threads;
    double of_workers = (computing_s + waiting_s) / (double)row->workers;
    double of_cpus =
        computing_s / (double)(row->workers < cpus ? row->workers : cpus);
    row->ideal_s = of_workers > of_cpus ? of_workers : of_cpus;
}

static char interval[16], increments[16], minute[16], rounds[16];

static const struct story {
    const char *name, *work, *unit; /* the scale's number stands between */
    const int *number;
    const char *arguments[4];
    void (*plan)(const char *tool, double computing_s, struct row *);
} stories[STORIES] = {
    {"messages", "3 customers x 4 messages, ", " ms apart", &scale.interval_ms,
        {"-i", interval}, plan_messages},
    {"download", "90 pages, ", " ms each, 5 at a time", &scale.latency_ms,
        {urls[0], urls[1], urls[2]}, plan_download},
    {"increment", "100 tasks, ", " million increments each", &scale.millions,
        {"-n", increments}, plan_increment},
    {"cooking", "10 plates with a cooker each, a minute lasts ", " ms",
        &scale.minute_ms, {"-m", minute}, plan_cooking},
    {"both", "30 of the pages, and ", " checksums of each", &scale.rounds,
        {NULL}, plan_both},
};

static void write_scale(void) {
    snprintf(interval, sizeof interval, "%d", scale.interval_ms);
    snprintf(increments, sizeof increments, "%d000000", scale.millions);
    snprintf(minute, sizeof minute, "%d", scale.minute_ms);
    snprintf(rounds, sizeof rounds, "%d", scale.rounds);
}

static struct row rows[STORIES][MOST_ROWS];

/* ---------- A row ---------- */

/* One line that is overwritten, on a terminal. */
static void show_progress(const char *story, const char *tool, bool running) {
    static int done;

    if (!isatty(STDERR_FILENO))
        return;
    if (running)
        fprintf(stderr, "\r%-10s %-14s running, row %d of about 25 ...", story,
            tool, ++done);
    else
        fprintf(stderr, "\r%60s\r", "");
}

static void print_row(const char *story, const struct row *row) {
    printf("%-10s %-14s", story, row->tool);
    if (row->good)
        printf("%7ld %6.2f s %6.2f s %8.2f %9.0f %% %6.2f", row->workers,
            row->time_s, row->ideal_s, row->speedup, row_percent(row),
            row->cpus);
    if (row->note[0] != '\0')
        printf("%s%s", row->good ? "\n           ^ " : "  ", row->note);
    putchar('\n');
    if (!row->good && row->recording.run.err_text != NULL)
        printf("%s", row->recording.run.err_text);
}

/* Runs the program. Returns 0, or the signal that this process got. */
static int run_row(
    const char *const *argv, const struct story *story, struct row *row) {
    struct program program = {.argv = argv, .deadline_ms = 60000};
    const struct run *run = &row->recording.run;
    double others = others_cpu_s();

    show_progress(story->name, row->tool, true);
    record_run(&program, &row->recording);
    show_progress(story->name, row->tool, false);
    double wall_s = (double)run->wall_ns / 1e9;
    row->time_s = wall_s;
    row->good = run->end == EXITED && run->code == 0 && run->left_behind == 0;
    if (!row->good) {
        run_describe(run, row->note, sizeof row->note);
        return program_interrupted();
    }
    row->cpus = (double)run->cpu_ns / 1e9 / wall_s;
    others = (others_cpu_s() - others) / wall_s; /* counted in ticks */
    row->others = others < (double)cpus ? others : (double)cpus;
    if (others_mattered(&row->recording, row->others))
        snprintf(row->note, sizeof row->note,
            "not all its own: other jobs took %.1f of %ld CPUs for these "
            "%.1f s",
            row->others, cpus, wall_s);
    return 0;
}

/* Fills in what depends on the sequential program. */
static void finish_row(
    const struct story *story, struct row *row, const struct row *first) {
    story->plan(row->tool, first->cpus * first->time_s, row);
    row->speedup = first->good ? first->time_s / row->time_s : 0;
    print_row(story->name, row);
}

static int run_program(
    const char *path, const struct story *story, struct row *row) {
    const char *argv[] = {path, story->arguments[0], story->arguments[1],
        story->arguments[2], NULL};
    const char *slash = strrchr(path, '/'), *start = slash;

    while (start > path && start[-1] != '/')
        start--;
    row->tool = strndup(start, (size_t)(slash - start));
    if (row->tool == NULL)
        err(EXIT_FAILURE, "strndup");
    int stopped = run_row(argv, story, row);
    char title[100];
    snprintf(title, sizeof title, "%s/%s", row->tool, story->name);
    picture_make(title, &row->recording, &row->picture);
    return stopped;
}

/* ---------- Threads, processes, and both ---------- */

static int run_shape(const char *path, const struct story *story,
    struct shape *shape, struct row *row) {
    char p[24], w[24], t[24], site[64], title[100];
    const char *argv[] = {
        path, "-p", p, "-w", w, "-t", t, "-n", rounds, "-s", site, NULL};

    if (shape->processes == 0)
        shape->processes = cpus;
    snprintf(p, sizeof p, "%ld", shape->processes);
    snprintf(w, sizeof w, "%ld", shape->threads);
    snprintf(t, sizeof t, "%d", TIMES);
    snprintf(site, sizeof site, "%.*s", (int)(strrchr(urls[0], '/') - urls[0]),
        urls[0]);
    row->tool = shape->tool;
    int stopped = run_row(argv, story, row);
    snprintf(title, sizeof title, "%s, %s", story->name, row->tool);
    picture_make(title, &row->recording, &row->picture);
    return stopped;
}

static int run_both(
    const char *build, const struct story *story, struct page_story *told) {
    char path[300];
    int stopped = 0;

    snprintf(path, sizeof path, "%s/03-processes/both", build);
    for (size_t i = 0; i < SHAPES && access(path, X_OK) == 0; i++) {
        struct row *row = &told->rows[told->count++];
        stopped = run_shape(path, story, &shapes[i], row);
        if (stopped != 0)
            break;
        finish_row(story, row, &told->rows[0]);
    }
    return stopped;
}

/* ---------- The queue that leaves one machine ---------- */

/* Redis and its workers are started before the clock: the line "ready" starts
 * it, the line "done" stops it. */
static void time_redis(struct row *row) {
    const struct run *run = &row->recording.run;
    int64_t from = -1, to = -1;

    for (size_t i = 0; i < run->count; i++) {
        if (strcmp(run->lines[i].text, "ready") == 0)
            from = run->lines[i].at_ns;
        if (strcmp(run->lines[i].text, "done") == 0)
            to = run->lines[i].at_ns;
    }
    row->good = row->good && from >= 0 && to > from;
    if (row->good)
        row->time_s = (double)(to - from) / 1e9;
}

/* The same pages, a job each. */
static int run_redis(
    const char *build, const struct story *story, struct row *row) {
    char dir[] = "/tmp/kit-demo-XXXXXX", workers[20];
    const char *argv[8 + PAGES] = {
        "/bin/sh", "tests/tools/demo_redis.sh", build, dir, workers};
    size_t used = 5;

    for (int i = 0; i < PAGES; i++)
        argv[used++] = urls[i % 3];
    snprintf(workers, sizeof workers, "%d", FETCHERS);
    if (mkdtemp(dir) == NULL)
        err(EXIT_FAILURE, "mkdtemp");
    row->tool = "05 on Redis";
    int stopped = run_row(argv, story, row);
    time_redis(row);
    remove_tree(dir);
    return stopped;
}

/* ---------- All ---------- */

/* Returns 0, or the signal that this process got. */
static int run_story(
    const char *build, const struct story *story, struct page_story *told) {
    char pattern[300], worker[300];
    int stopped = 0;
    glob_t found;

    if (strcmp(story->name, "both") == 0)
        return run_both(build, story, told);
    snprintf(pattern, sizeof pattern, "%s/[0-9][0-9]-*/%s", build, story->name);
    if (glob(pattern, 0, NULL, &found) != 0)
        found.gl_pathc = 0;
    for (size_t i = 0; i < found.gl_pathc && i + 1 < MOST_ROWS; i++) {
        struct row *row = &told->rows[told->count++];
        stopped = run_program(found.gl_pathv[i], story, row);
        if (stopped != 0)
            break;
        finish_row(story, row, &told->rows[0]);
    }
    globfree(&found);
    snprintf(worker, sizeof worker, "%s/05-queue/worker", build);
    if (stopped == 0 && strcmp(story->name, "download") == 0 &&
        access(worker, X_OK) == 0) {
        struct row *row = &told->rows[told->count++];
        stopped = run_redis(build, story, row);
        if (stopped == 0)
            finish_row(story, row, &told->rows[0]);
    }
    return stopped;
}

static void print_head(const struct page_story *told) {
    for (size_t i = 0; i < STORIES; i++)
        printf("%-10s %s\n", told[i].name, told[i].work);
    printf("\n%-10s %-14s%7s %8s %8s %8s %11s %6s\n%53s%17s %6s\n", "story",
        "tool", "workers", "time", "ideal", "speedup", "of the", "CPUs", "",
        "possible", "busy");
}

static void write_page(const char *path, const struct page_story *told) {
    char part[310];

    snprintf(part, sizeof part, "%s.part", path);
    if (!page_write(part, told, STORIES, cpus) || rename(part, path) == -1)
        err(EXIT_FAILURE, "%s", path);
    printf("\nPictures: %s\n", path);
}

/* Returns the build directory; `page` is the path of the page. */
static const char *read_options(
    int argc, char *argv[], char *page, size_t size) {
    const char *own = NULL;
    int option;

    while ((option = getopt(argc, argv, "so:")) != -1)
        switch (option) {
        case 's': scale = small; break;
        case 'o': own = optarg; break;
        default: exit(2);
        }
    if (argc != optind + 1)
        errx(2, "usage: demo [-s] [-o page] BUILD_DIR");
    snprintf(page, size, "%s%s", own != NULL ? own : argv[optind],
        own != NULL ? "" : "/demo.html");
    return argv[optind];
}

static struct sites *open_sites(void) {
    static const char *const pages[] = {"small", "medium", "large"};
    struct sites_options options = {
        .latency_ms = scale.latency_ms, .connections = CONNECTIONS};
    char error[300];
    struct sites *sites = sites_start(&options, error, sizeof error);

    if (sites == NULL)
        errx(EXIT_FAILURE, "%s", error);
    for (int i = 0; i < 3; i++)
        snprintf(urls[i], sizeof urls[i], "http://127.0.0.1:%d/%s",
            sites_port(sites), pages[i]);
    return sites;
}

int main(int argc, char *argv[]) {
    struct page_story told[STORIES];
    char page[300], work[STORIES][80];
    int stopped = 0;
    bool good = true;
    cpu_set_t allowed;

    /* Closed, their places would go to a pipe or a socket. */
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    const char *build = read_options(argc, argv, page, sizeof page);
    write_scale();
    struct sites *sites = open_sites();
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        cpus = CPU_COUNT(&allowed);

    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (size_t i = 0; i < STORIES; i++) {
        snprintf(work[i], sizeof work[i], "%s%d%s", stories[i].work,
            *stories[i].number, stories[i].unit);
        told[i] = (struct page_story){stories[i].name, work[i], rows[i], 0};
    }
    print_head(told);
    for (size_t i = 0; i < STORIES && stopped == 0; i++) {
        stopped = run_story(build, &stories[i], &told[i]);
        for (size_t j = 0; j < told[i].count; j++)
            good = good && told[i].rows[j].good;
    }
    sites_stop(sites, NULL);
    if (stopped != 0)
        return 128 + stopped;
    write_page(page, told);
    if (fflush(stdout) != 0 || ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
