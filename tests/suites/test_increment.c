/*
 * test_increment.c - the suite of the story "increment", for every tool
 *
 * That tasks compute in parallel is proved in one of two ways. CPU time over
 * wall time above 1.2: one thread never reaches 1.0, whatever else the machine
 * does. Or two tasks that had work through the same stretch of time: that is
 * seen even if the machine has no second core to give.
 */
#define _GNU_SOURCE /* asprintf, sched_getaffinity */
#include "suites/suite.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TASKS = 100, ATTEMPTS = 5 };
static const double PARALLEL = 1.2;
/* An addition in memory takes a cycle at least: 20 GHz is out of reach. */
static const double FASTEST_NS = 0.05;

static void judge_lines(const struct run *run, long times, struct verdict *v) {
    char *lines[2 * TASKS];

    for (int task = 0; task < TASKS; task++)
        if (asprintf(&lines[2 * task], "task %d: counting to %ld ...", task + 1,
                times) == -1 ||
            asprintf(&lines[2 * task + 1], "task %d: counted to %ld", task + 1,
                times) == -1)
            abort();
    events_compare(
        run->lines, run->count, (const char *const *)lines, 2 * TASKS, v);
    for (int i = 0; i < 2 * TASKS; i++)
        free(lines[i]);
}

/* What a run showed of its parallelism. */
struct seen {
    int64_t cpu_ns;
    double ratio; /* CPU time over wall time */
    int parallel; /* tasks that computed at the same moment */
    size_t lanes; /* tasks under way at once, by its lines */
};

/* Runs 100 tasks of so many increments and judges all but the parallelism. */
static struct seen judge(
    const char *path, long times, struct verdict *verdict) {
    char n[24], summary[64];
    const char *argv[] = {path, "-n", n, NULL};
    struct program program = {.argv = argv, .deadline_ms = 60000};
    struct run run;

    snprintf(n, sizeof n, "%ld", times);
    run_lesson(&program, &run);
    judge_end(&run, 0, verdict);
    judge_lines(&run, times, verdict);
    snprintf(summary, sizeof summary, "%ld increments in ", TASKS * times);
    if (strncmp(run.err_text, summary, strlen(summary)) != 0)
        verdict_fail(verdict, "stderr is \"%.200s\"; expected: \"%s...\"",
            run.err_text, summary);
    if ((double)run.cpu_ns < (double)(TASKS * times) * FASTEST_NS)
        verdict_fail(verdict,
            "it cannot have counted: %ld increments in "
            "%.1f ms of CPU time",
            TASKS * times, (double)run.cpu_ns / 1e6);
    struct seen seen = {run.cpu_ns, (double)run.cpu_ns / (double)run.wall_ns,
        run.most_parallel, events_overlap(run.lines, run.count)};
    run_free(&run);
    return seen;
}

/* Looks for evidence that tasks computed in parallel. */
static void judge_parallel(const char *path, struct verdict *verdict) {
    struct seen seen = judge(path, 1000000, verdict);
    double best = 0;
    size_t lanes = 0;
    double times = 1e6 * 5e7 / (double)(seen.cpu_ns + 1); /* for 50 ms */

    for (int i = 0; i < ATTEMPTS; i++, times *= 2) {
        seen = judge(path, (long)times + 1, verdict);
        if (verdict->text[0] != '\0')
            return;
        if (seen.lanes > 1 && (seen.ratio > PARALLEL || seen.parallel > 1))
            return;
        lanes = seen.lanes > lanes ? seen.lanes : lanes;
        best = seen.ratio > best ? seen.ratio : best;
    }
    if (lanes < 2)
        verdict_fail(verdict,
            "one task under way at a time, by its lines; expected: as many as "
            "there are workers");
    verdict_fail(verdict,
        "it never used more than one CPU: in %d runs CPU time was at most "
        "%.2f of wall time, and never did two tasks have work at the same "
        "moment; expected: more than %.1f, or two",
        ATTEMPTS, best, PARALLEL);
}

void increment_judge(
    const char *tool, const char *path, struct verdict *verdict) {
    if (strcmp(tool, tools[0]) != 0 && strcmp(tool, tools[3]) != 0)
        judge_parallel(path, verdict);
    else
        judge(path, 1234567, verdict);
}

static void test_sums(void) {
    for (size_t t = 0; tools[t] != NULL; t++) {
        char name[64];
        struct verdict verdict = {""};
        snprintf(name, sizeof name, "%s/increment", tools[t]);
        judge(built(name), 1234567, &verdict);
        expect(verdict.text[0] == '\0', "%s: %s", name, verdict.text);
    }
}

static void test_parallel(void) {
    for (size_t t = 0; tools[t] != NULL; t++) {
        char name[64];
        struct verdict verdict = {""};
        bool one_by_nature = t == 0 || t == 3;
        snprintf(name, sizeof name, "%s/increment", tools[t]);
        if (one_by_nature)
            continue;
        judge_parallel(built(name), &verdict);
        expect(verdict.text[0] == '\0', "%s: %s", name, verdict.text);
    }
}

/* The lesson of an event loop: one thread, so never more than one CPU. */
static void test_one_by_nature(void) {
    static const char *const names[] = {
        "01-sequential/increment", "04-async/increment"};

    for (size_t i = 0; i < 2; i++) {
        const char *argv[] = {built(names[i]), NULL};
        struct program program = {.argv = argv};
        struct run run;
        program_run(&program, &run);
        expect(run.most_tasks == 1,
            "%s ran %d threads and processes; "
            "expected: 1",
            names[i], run.most_tasks);
        size_t overlap = events_overlap(run.lines, run.count);
        size_t expected = i == 0 ? 1 : TASKS;
        expect(overlap == expected,
            "%s: %zu tasks under way at once; expected: "
            "%zu",
            names[i], overlap, expected);
        run_free(&run);
    }
}

static void test_wrong_sum(void) {
    struct verdict verdict = {""};

    judge(
        built("tests/suites/wrong/increment_no_counting"), 100000000, &verdict);
    expect_rejected(&verdict, "increment_no_counting");
}

static void test_wrong_one_core(void) {
    static const char *const names[] = {"increment_sequential",
        "increment_one_lock", "increment_burner", "increment_one_cpu"};
    cpu_set_t cpus;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct verdict verdict = {""};
        char path[64];
        if (i == 3 && sched_getaffinity(0, sizeof cpus, &cpus) == 0 &&
            CPU_COUNT(&cpus) == 1) {
            skip("%s: we have one CPU too", names[i]);
            continue;
        }
        snprintf(path, sizeof path, "tests/suites/wrong/%s", names[i]);
        judge_parallel(built(path), &verdict);
        expect_rejected(&verdict, names[i]);
    }
}

CU_TestInfo increment_tests[] = {
    {"every tool counts every task to its end", test_sums},
    {"threads, processes and a queue compute in parallel", test_parallel},
    {"one thing after another uses one thread", test_one_by_nature},
    {"a program that does not count is rejected", test_wrong_sum},
    {"a program that uses one core is rejected", test_wrong_one_core},
    CU_TEST_INFO_NULL,
};
