/*
 * demo.c - every story with every tool, in real time, as one table
 *
 * Usage: demo BUILD_DIR. The programs are found by wildcard, so a tool appears
 * as soon as it is built. The practice sites run inside this process, on a
 * free port; program_run() ends what it started, also on Ctrl-C. Exit status:
 * 0 if every program did its work, 1 if not, 130 after Ctrl-C.
 */
#include "run/program.h"
#include "sites/sites.h"

#include <err.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LATENCY_MS = 30, INTERVAL_MS = 150, MINUTE_MS = 7 };

/* A story at a scale that keeps the whole demo under half a minute. */
struct story {
    const char *name, *work, *option, *value;
    double ideal_s; /* 0: the sequential time over the CPUs */
};

static char base[64];

static const struct story stories[] = {
    {"messages", "3 customers x 4 messages, 150 ms apart", "-i", "150",
        4 * INTERVAL_MS / 1000.0},
    {"download", "90 pages, 30 ms each, 5 at a time", "-s", base,
        90 / 5 * LATENCY_MS / 1000.0},
    {"increment", "100 tasks, 30,000,000 increments each", "-n", "30000000", 0},
    {"cooking", "10 plates, a minute lasts 7 ms", "-m", "7",
        212 * MINUTE_MS / 1000.0},
};

/* Runs a program and prints a row. Returns the seconds, 0 when it failed, minus
 * the signal when this process got one. */
static double run_row(const char *const *argv, const char *story,
    const char *tool, double ideal_s, double sequential_s) {
    struct program program = {.argv = argv, .deadline_ms = 60000};
    struct run run;
    char how[400];

    printf("%-10s %-14s ", story, tool);
    fflush(stdout);
    program_run(&program, &run);
    double seconds = (double)run.wall_ns / 1e9;
    if (sequential_s < 0)
        sequential_s = seconds;
    if (ideal_s == 0)
        ideal_s = sequential_s / (double)sysconf(_SC_NPROCESSORS_ONLN);
    bool good = run.end == EXITED && run.code == 0 && run.left_behind == 0;
    if (good)
        printf("%7.2f s %7.2f s %7.2f\n", seconds, ideal_s,
            sequential_s / seconds);
    else if (run.end == INTERRUPTED)
        printf("was stopped\n");
    else
        printf("%s\n%s", run_describe(&run, how, sizeof how), run.err_text);
    if (!good)
        seconds = run.end == INTERRUPTED ? -run.code : 0;
    run_free(&run);
    return seconds;
}

static double run_one(
    const char *path, const struct story *story, double sequential_s) {
    const char *argv[] = {path, story->option, story->value, NULL};
    char tool[40];
    const char *slash = strrchr(path, '/'), *start = slash;

    while (start > path && start[-1] != '/')
        start--;
    snprintf(tool, sizeof tool, "%.*s", (int)(slash - start), start);
    return run_row(argv, story->name, tool, story->ideal_s, sequential_s);
}

/* The queue that leaves one machine. Its messages are a second apart. */
static double run_on_redis(const char *build, double sequential_s) {
    char dir[] = "/tmp/kit-demo-XXXXXX", worker[300], socket[60];
    const char *argv[] = {
        "/bin/sh", "tests/tools/demo_redis.sh", build, dir, NULL};

    snprintf(worker, sizeof worker, "%s/05-queue/worker", build);
    if (access(worker, X_OK) == -1)
        return 0;
    if (mkdtemp(dir) == NULL)
        err(EXIT_FAILURE, "mkdtemp");
    double seconds = run_row(
        argv, "messages", "05 on Redis", 4, sequential_s * 1000 / INTERVAL_MS);
    snprintf(socket, sizeof socket, "%s/redis", dir);
    unlink(socket);
    if (rmdir(dir) == -1)
        warn("%s", dir);
    return seconds;
}

/* Returns 0, 1 if a program failed, or minus the signal that interrupted. */
static int run_story(const char *build, const struct story *story) {
    char pattern[300];
    double sequential_s = -1;
    int status = 0;
    glob_t found;

    snprintf(pattern, sizeof pattern, "%s/[0-9][0-9]-*/%s", build, story->name);
    if (glob(pattern, 0, NULL, &found) != 0)
        found.gl_pathc = 0;
    for (size_t i = 0; i < found.gl_pathc && status >= 0; i++) {
        double seconds = run_one(found.gl_pathv[i], story, sequential_s);
        if (seconds < 0)
            status = (int)seconds;
        else if (seconds == 0)
            status = 1;
        if (i == 0)
            sequential_s = seconds;
    }
    globfree(&found);
    if (status == 0 && story == &stories[0]) {
        double seconds = run_on_redis(build, sequential_s);
        status = seconds < 0 ? (int)seconds : 0;
    }
    return status;
}

int main(int argc, char *argv[]) {
    struct sites_options options = {.latency_ms = LATENCY_MS};
    char error[300];
    int status = 0;

    if (argc != 2)
        errx(2, "usage: demo BUILD_DIR");
    struct sites *sites = sites_start(&options, error, sizeof error);
    if (sites == NULL)
        errx(EXIT_FAILURE, "%s", error);
    snprintf(base, sizeof base, "http://127.0.0.1:%d", sites_port(sites));

    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (size_t i = 0; i < sizeof stories / sizeof *stories && status >= 0; i++)
        printf("%-10s %s\n", stories[i].name, stories[i].work);
    printf("\n%-10s %-14s %9s %9s %7s\n", "story", "tool", "time", "ideal",
        "speedup");
    for (size_t i = 0; i < sizeof stories / sizeof *stories && status >= 0;
         i++) {
        int one = run_story(argv[1], &stories[i]);
        if (one != 0)
            status = one;
    }
    sites_stop(sites, NULL);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return status < 0 ? 128 - status : status;
}
