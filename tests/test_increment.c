/*
 * test_increment.c - the suite of the story "increment", for every tool
 *
 * That two cores were used is proved by CPU time over wall time above 1.2: one
 * thread never reaches 1.0, whatever else the machine does. Not seen, it
 * proves nothing unless a witness, run right beside it, did get a second core
 * every time.
 */
#define _GNU_SOURCE /* asprintf */
#include "suite.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TASKS = 100, ATTEMPTS = 8, MOST_ATTEMPTS = 40 };
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

/* Runs 100 tasks of so many increments and judges all but the parallelism.
 * Returns the CPU time used, in ns; its share of the wall time in *ratio. */
static int64_t judge(
    const char *path, long times, double *ratio, struct verdict *verdict) {
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
    *ratio = (double)run.cpu_ns / (double)run.wall_ns;
    int64_t cpu_ns = run.cpu_ns;
    run_free(&run);
    return cpu_ns;
}

static double seconds(clockid_t which) {
    struct timespec now;
    clock_gettime(which, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Two processes compute for 50 ms of CPU time each. Returns the CPU time over
 * the wall time: above 1.2 this machine gave two cores just now. */
static double witness(void) {
    double start = seconds(CLOCK_MONOTONIC);
    pid_t pids[2];

    for (int i = 0; i < 2; i++) {
        pids[i] = fork();
        if (pids[i] == -1)
            err(EXIT_FAILURE, "fork");
        if (pids[i] == 0) {
            while (seconds(CLOCK_PROCESS_CPUTIME_ID) < 0.05)
                ;
            _exit(0);
        }
    }
    for (int i = 0; i < 2; i++)
        waitpid(pids[i], NULL, 0);
    return 0.1 / (seconds(CLOCK_MONOTONIC) - start);
}

/* Looks for evidence that two cores were used. Returns false when this machine
 * cannot show it. */
static bool judge_parallel(const char *path, struct verdict *verdict) {
    double ratio, best = 0, least_witness = 9;
    int64_t cpu_ns = judge(path, 1000000, &ratio, verdict);
    long times = (long)(1e6 * 1e8 / (double)(cpu_ns + 1)); /* 100 ms of CPU */

    times = times < 10000 ? 10000 : times > 100000000 ? 100000000 : times;
    int counted = 0;
    for (int i = 0; i < MOST_ATTEMPTS && counted < ATTEMPTS; i++) {
        double other = witness();
        judge(path, times, &ratio, verdict);
        if (verdict->text[0] != '\0' || ratio > PARALLEL)
            return true;
        if (other <= PARALLEL)
            continue; /* this machine had no second core to give just now */
        counted++;
        best = ratio > best ? ratio : best;
        least_witness = other < least_witness ? other : least_witness;
    }
    if (counted < ATTEMPTS)
        return false;
    verdict_fail(verdict,
        "it never used more than one CPU: in %d runs CPU time "
        "was at most %.2f of wall time, while two processes beside it reached "
        "%.2f at least; expected: more than %.1f",
        ATTEMPTS, best, least_witness, PARALLEL);
    return true;
}

bool increment_judge(
    const char *tool, const char *path, struct verdict *verdict) {
    double ratio;

    if (strcmp(tool, tools[0]) != 0 && strcmp(tool, tools[3]) != 0)
        return judge_parallel(path, verdict);
    judge(path, 5000000, &ratio, verdict);
    return true;
}

static void test_sums(void) {
    for (size_t t = 0; tools[t] != NULL; t++) {
        char name[64];
        struct verdict verdict = {""};
        double ratio;
        snprintf(name, sizeof name, "%s/increment", tools[t]);
        judge(built(name), 5000000, &ratio, &verdict);
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
        if (!judge_parallel(built(name), &verdict))
            skip("%s: this machine gave no second core", name);
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
    double ratio;

    judge(built("tests/wrong/increment_no_counting"), 100000000, &ratio,
        &verdict);
    expect_rejected(&verdict, "increment_no_counting");
}

static void test_wrong_sequential(void) {
    struct verdict verdict = {""};

    if (!judge_parallel(built("tests/wrong/increment_sequential"), &verdict))
        skip("this machine gave no second core");
    else
        expect_rejected(&verdict, "increment_sequential");
}

CU_TestInfo increment_tests[] = {
    {"every tool counts every task to its end", test_sums},
    {"threads, processes and a queue use two cores", test_parallel},
    {"one thing after another uses one thread", test_one_by_nature},
    {"a program that does not count is rejected", test_wrong_sum},
    {"a program that uses one core is rejected", test_wrong_sequential},
    CU_TEST_INFO_NULL,
};
