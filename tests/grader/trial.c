/*
 * trial.c - runs the submitted program for a check
 *
 * In the sandbox, by the means that the binary wants: one for every order of
 * its threads runs under explore, whose report cannot be forged; one in virtual
 * time on one CPU.
 */
#define _GNU_SOURCE
#include "grader/trial.h"
#include "grader/repeat.h"
#include "grader/sandbox.h"
#include "judge/events.h"

#include <err.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { MEMORY_KIB = 512 << 10 };

/* splitmix64: every seed is a good one. */
long grade_random(struct grading *g, long low, long high) {
    uint64_t z = g->random += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    z ^= z >> 31;
    return low + (long)(z % ((uint64_t)(high - low) + 1));
}

void grade_where(struct finding *f, const char *format, ...) {
    size_t used = strlen(f->where);
    va_list args;

    if (f->verdict.text[0] != '\0')
        return;
    if (!f->where_is_new)
        used = 0;
    f->where_is_new = true;
    f->where[used] = '\0';
    if (used > 0 && used + 2 < sizeof f->where)
        used += (size_t)snprintf(f->where + used, sizeof f->where - used, "; ");
    va_start(args, format);
    vsnprintf(f->where + used, sizeof f->where - used, format, args);
    va_end(args);
}

/* Of what explore has printed, only what is its own. */
static void keep_report(struct run *run, const char *token, struct finding *f) {
    size_t kept = 0;
    int marks = 0;

    for (size_t i = 0; i < run->count; i++) {
        bool mark = strcmp(run->lines[i].text, token) == 0;
        marks += mark;
        if (marks == 1 && !mark)
            run->lines[kept++] = run->lines[i];
        else
            free(run->lines[i].text);
    }
    run->count = kept;
    if (marks != 2 && run->end == EXITED)
        verdict_fault(&f->verdict, FAULT_NONE,
            "explore was kept from reporting%s%.300s; expected: a program that "
            "leaves its surroundings alone, and can be explored",
            run->err_text[0] != '\0' ? ": " : "", run->err_text);
}

void trial_end_if_stopped(void) {
    if (program_interrupted() != 0)
        _exit(program_interrupted() == SIGALRM ? TRIAL_TOO_SLOW : EXIT_FAILURE);
}

static enum outside busy(void *arg) {
    (void)arg;
    return OUTSIDE_BUSY;
}

/* Names and lines for explore's report, in the sandbox: names.awk. The dir
 * is the binary's; the submitted source is put beside it. */
static void look_up(const struct grading *g, const char *dir, struct run *run) {
    char path[600], exe[600], report[600], source[600], scripts[2][600];
    char variable[2][640];
    struct sandbox sandbox = sandbox_at(dir, NULL);
    struct program program = {.box = &sandbox.box};
    struct run better;

    snprintf(path, sizeof path, "%s/source.c", dir);
    sandbox_path(&sandbox, path, source, sizeof source);
    if (link(g->source, path) == -1 && errno != EEXIST)
        err(EXIT_FAILURE, "%s", path);
    snprintf(path, sizeof path, "%s/report", dir);
    sandbox_path(&sandbox, path, report, sizeof report);
    FILE *file = fopen(path, "we");
    for (size_t k = 0; file != NULL && k < run->count; k++)
        fprintf(file, "%s\n", run->lines[k].text);
    if (file == NULL || fclose(file) == EOF)
        err(EXIT_FAILURE, "%s", path);
    snprintf(path, sizeof path, "%s/%s", dir, strrchr(g->path, '/') + 1);
    snprintf(variable[0], sizeof variable[0], "exe=%s",
        sandbox_path(&sandbox, path, exe, sizeof exe));
    snprintf(variable[1], sizeof variable[1], "src=%s", source);
    snprintf(scripts[0], sizeof scripts[0], "%s/debug.awk", sandbox_kit());
    snprintf(scripts[1], sizeof scripts[1], "%s/names.awk", sandbox_kit());
    program.argv = (const char *const[]){"/usr/bin/awk", "-v", variable[0],
        "-v", variable[1], "-f", scripts[0], "-f", scripts[1], report, report,
        NULL};
    program_run(&program, &better);
    if (better.end != EXITED || better.code != 0) {
        run_free(&better); /* its addresses are better than nothing */
        return;
    }
    for (size_t k = 0; k < run->count; k++)
        free(run->lines[k].text);
    free(run->lines);
    run->lines = better.lines;
    run->count = better.count;
    better.lines = NULL;
    better.count = 0;
    run_free(&better);
}

/* Explore computes, and waits for its children in real time. */
static void run_explore(const struct grading *g, struct program *program,
    struct run *run, struct finding *f) {
    char token[64], variable[96];
    const char *env[16] = {variable};
    const char *const *given = program->env;
    unsigned long random[2];
    size_t used = 1;

    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        err(EXIT_FAILURE, "getrandom");
    snprintf(token, sizeof token, "%016lx%016lx", random[0], random[1]);
    snprintf(variable, sizeof variable, "EXPLORE_TOKEN=%s", token);
    for (const char *const *e = program->env; e != NULL && *e && used < 15; e++)
        env[used++] = *e;
    program->env = env;
    program->outside = busy;
    program->forks = true; /* one for each order */
    program_run(program, run);
    trial_end_if_stopped();
    keep_report(run, token, f);
    look_up(g, ((const struct sandbox *)program->box)->dir, run);
    program->env = given;
}

/* In virtual time the number of CPUs changes nothing but what is left to luck:
 * with one, a thread goes on until it waits, so a submission with a fault of
 * order shows the same in each run. */
static void run_on_one_cpu(const struct program *program, struct run *run) {
    cpu_set_t before, one;
    int cpu = sched_getcpu();

    if (cpu < 0 || sched_getaffinity(0, sizeof before, &before) == -1)
        err(EXIT_FAILURE, "sched_getaffinity");
    CPU_ZERO(&one);
    CPU_SET((size_t)cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    program_run(program, run);
    sched_setaffinity(0, sizeof before, &before);
}

/* Keeps what the feedback needs of a run. */
static void keep(const struct grading *g, const struct program *program,
    const struct run *run, struct finding *f) {
    bool explored = strstr(program->argv[0], "/explore/") != NULL;

    if (strcmp(program->argv[0], g->binary) == 0)
        f->flags[0] = '\0';
    repeat_command(
        g, program, explored, f->flags, f->command, sizeof f->command);
    repeat_words(run, f->said, sizeof f->said);
    if (!f->where_is_new)
        f->where[0] = '\0';
    f->where_is_new = false;
    f->picture[0] = '\0';
    if (explored)
        repeat_schedule(run, f->picture, sizeof f->picture);
    else if (program->virtual_time && run->count > 0 &&
             run->lines[run->count - 1].at_ns > 0 &&
             events_overlap(run->lines, run->count) > 0)
        events_timeline(run->lines, run->count, f->picture, sizeof f->picture);
}

void grade_run(struct grading *g, struct program *program, struct run *run,
    struct finding *f) {
    struct program copy = *program;
    struct sandbox sandbox;
    const char **argv;
    size_t count = 0;
    char dir[512];

    while (program->argv[count] != NULL)
        count++;
    argv = calloc(count + 2, sizeof *argv);
    if (argv == NULL)
        err(EXIT_FAILURE, "calloc");
    memcpy(argv, program->argv, count * sizeof *argv);
    if (count == 0 || argv[0][0] != '/') /* else from grade_build() */
        argv[0] = g->binary;
    copy.argv = argv;
    snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(argv[0], '/') - argv[0]),
        argv[0]);
    sandbox = sandbox_at(dir, NULL);
    copy.box = &sandbox.box;
    if (copy.memory_kib == 0)
        copy.memory_kib = MEMORY_KIB;
    /* What it computes takes no virtual time: its share of that is small. */
    if (copy.virtual_time && copy.cpu_permille == 0)
        copy.cpu_permille = 1;
    if (strstr(argv[0], "/explore/") != NULL)
        run_explore(g, &copy, run, f);
    else if (copy.virtual_time)
        run_on_one_cpu(&copy, run);
    else
        program_run(&copy, run);
    trial_end_if_stopped();
    if (f->verdict.text[0] == '\0')
        keep(g, &copy, run, f);
    free(argv);
}
