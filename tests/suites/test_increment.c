/*
 * test_increment.c - the suite of the story "increment", for every tool
 */
#define _GNU_SOURCE /* sched_getaffinity */
#include "judge/stories.h"
#include "suites/suite.h"

#include <sched.h>

static void test_tools(void) {
    expect_story("increment", increment_judge);
}

/* The lesson of an event loop: one thread, so never more than one CPU. */
static void test_one_by_nature(void) {
    static const char *const names[] = {
        "01-sequential/increment", "04-async/increment"};

    for (size_t i = 0; i < 2; i++) {
        const char *argv[] = {built(names[i]), "-n", "300000", NULL};
        struct program program = {.argv = argv};
        struct run run;
        program_run(&program, &run);
        expect(run.most_tasks <= 1,
            "%s ran %d threads and processes; expected: 1", names[i],
            run.most_tasks);
        size_t overlap = events_overlap(run.lines, run.count);
        size_t expected = i == 0 ? 1 : 100;
        expect(overlap == expected,
            "%s: %zu tasks under way at once; expected: "
            "%zu",
            names[i], overlap, expected);
        run_free(&run);
    }
}

static void judge_long(const struct lesson *lesson, struct verdict *verdict) {
    increment_judge_sums(lesson, 100000000, verdict);
}

static void judge_short(const struct lesson *lesson, struct verdict *verdict) {
    increment_judge_sums(lesson, 1000, verdict);
}

static void test_wrong_sum(void) {
    static const char *const wrong[] = {"increment_no_counting", NULL};
    static const char *const silent[] = {"increment_no_time", NULL};

    expect_all_rejected(wrong, "02-threads", judge_long);
    expect_all_rejected(silent, "02-threads", judge_short);
}

static void test_wrong_one_core(void) {
    static const char *const wrong[] = {
        "increment_sequential", "increment_one_lock", "increment_burner", NULL};

    expect_all_rejected(wrong, "02-threads", increment_judge);
}

static void test_wrong_one_cpu(void) {
    static const char *const wrong[] = {"increment_one_cpu", NULL};
    cpu_set_t cpus;

    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0 && CPU_COUNT(&cpus) == 1)
        skip("increment_one_cpu: we have one CPU too");
    else
        expect_all_rejected(wrong, "02-threads", increment_judge);
}

CU_TestInfo increment_tests[] = {
    {"every tool counts every task, in parallel where it can", test_tools},
    {"one thing after another uses one thread", test_one_by_nature},
    {"a program that does not count, or keep the time, is rejected",
        test_wrong_sum},
    {"a program that uses one core is rejected", test_wrong_one_core},
    {"a program that confines itself to one CPU is rejected",
        test_wrong_one_cpu},
    CU_TEST_INFO_NULL,
};
