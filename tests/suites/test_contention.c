/*
 * test_contention.c - the suite of 06-locks, part three: what a lock costs
 *
 * How long anything takes is judged nowhere: only that contention measures what
 * it says it does. Its clock is made up where a number is asked for.
 */
#define _GNU_SOURCE /* sched_getaffinity */
#include "run/proc.h"
#include "suites/by_hand.h"
#include "suites/counted_clock.h"
#include "suites/lock_runs.h"
#include "suites/suite.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAFETY_MS = 20000, ROWS = 8 };

/* Every increment is there but where there is no lock: it says so itself. */
static void test_table(void) {
    static const char *const ways[ROWS] = {"no lock ", "mutex ", "spin lock ",
        "atomic add ", "compare-and-swap ", "own, side by side ", "own, apart ",
        "local, then one add "};
    const char *argv[] = {
        path_of("contention"), "-w", "2", "-n", "10000", NULL};
    const char *env[] = {TSAN_QUIET, NULL};
    struct program program = {.argv = argv, .env = env};
    struct verdict verdict = {0};
    struct run run;

    program_run(&program, &run);
    judge_end(&run, 0, &verdict);
    for (size_t i = 0; i < ROWS; i++)
        if (run.count != ROWS + 1 ||
            strncmp(run.lines[i + 1].text, ways[i], strlen(ways[i])) != 0)
            verdict_fail(&verdict, "no row for \"%s\"", ways[i]);
    if (run.count != ROWS + 1 || strstr(run.lines[1].text, "% lost") == NULL)
        verdict_fail(&verdict, "%zu lines; expected: a table of %d", run.count,
            ROWS + 1);
    expect_right(&verdict);
    run_free(&run);
}

/* Each row has the median of its rounds. */
static void test_median(void) {
    char preload[300];
    const char *argv[] = {path_of("contention"), "-w1", "-n1000", NULL};
    const char *env[] = {preload, TSAN_QUIET, NULL};
    struct program program = {.argv = argv, .env = env};
    struct run run;

    snprintf(preload, sizeof preload, "LD_PRELOAD=%s",
        built("tests/counted_clock.so"));
    program_run(&program, &run);
    expect(run.count == ROWS + 1, "%zu lines, \"%s\"; expected: a table of %d",
        run.count, run.err_text, ROWS + 1);
    for (size_t i = 1; i < run.count; i++) {
        const char *text = run.lines[i].text;
        double ns = strlen(text) > 20 ? atof(text + 20) : 0;
        expect(ns > COUNTED_MEDIAN - 0.01 && ns < COUNTED_MEDIAN + 0.01,
            "\"%s\": the rounds' median is %d ns an increment", text,
            COUNTED_MEDIAN);
    }
    run_free(&run);
}

/* The CPU to which a task is confined; -1: to none, or to several. */
static long only_cpu(pid_t pid, pid_t task) {
    char text[4096], *end;

    if (!proc_read(text, sizeof text, "/proc/%d/task/%d/status", pid, task))
        return -1;
    char *list = strstr(text, "\nCpus_allowed_list:");
    if (list == NULL)
        return -1;
    long cpu = strtol(list + strlen("\nCpus_allowed_list:"), &end, 10);
    return *end == '\n' ? cpu : -1;
}

/* Are two tasks of the process confined to two CPUs? */
static bool on_two_cpus(pid_t pid) {
    struct pids tasks = {0};
    long first = -1;
    bool two = false;

    proc_tasks(pid, &tasks);
    for (size_t i = 0; i < tasks.count; i++) {
        long cpu = only_cpu(pid, tasks.ids[i]);
        two = two || (first != -1 && cpu != -1 && cpu != first);
        first = cpu != -1 ? cpu : first;
    }
    free(tasks.ids);
    return two;
}

/* Threads that share a CPU would not get in each other's way. */
static void test_apart(void) {
    const char *argv[] = {path_of("contention"), "-w2", "-n30000000", NULL};
    static struct hand hand;
    struct verdict verdict = {0};
    cpu_set_t cpus;
    bool apart = false;

    if (sched_getaffinity(0, sizeof cpus, &cpus) == -1 ||
        CPU_COUNT(&cpus) < 2) {
        skip("one CPU: two threads cannot be kept apart");
        return;
    }
    hand_start(&hand, argv);
    struct pollfd end = {.fd = hand.pidfd, .events = POLLIN};
    for (int ms = 0; ms < SAFETY_MS && !apart && poll(&end, 1, 1) == 0; ms++)
        apart = on_two_cpus(hand.pid);
    if (!apart)
        verdict_fail(
            &verdict, "two threads never had a CPU each to themselves");
    kill(hand.pid, SIGKILL);
    hand_wait(&hand);
    hand_end(&hand, &verdict);
    expect_right(&verdict);
}

CU_TestInfo contention_tests[] = {
    {"contention prints a table, and loses nothing", test_table},
    {"a number is the median of its rounds", test_median},
    {"two threads have a CPU each", test_apart},
    CU_TEST_INFO_NULL,
};
