/*
 * increment.c - is a program of the story "increment" right?
 *
 * That tasks compute in parallel is proved in one of two ways. CPU time over
 * wall time above 1.2: one thread never reaches 1.0, whatever else the machine
 * does. Or two tasks that had work through the same stretch of time: that is
 * seen even if the machine has no second core to give.
 */
#define _GNU_SOURCE /* asprintf */
#include "judge/events.h"
#include "judge/evidence.h"
#include "judge/stories.h"

#include <err.h>
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
            err(EXIT_FAILURE, "asprintf");
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
    const struct lesson *lesson, long times, struct verdict *verdict) {
    char n[24], summary[64];
    const char *argv[] = {lesson->path, "-n", n, NULL};
    struct program program = {.argv = argv, .deadline_ms = 60000};
    struct run run;

    snprintf(n, sizeof n, "%ld", times);
    lesson_run(lesson, &program, &run);
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
static void judge_parallel(
    const struct lesson *lesson, struct verdict *verdict) {
    struct seen seen = judge(lesson, 100000, verdict);
    double best = 0;
    size_t lanes = 0;
    double times = 1e5 * 25e6 / (double)(seen.cpu_ns + 1); /* for 25 ms */

    for (int i = 0; i < ATTEMPTS; i++, times *= 2) {
        seen = judge(lesson, (long)times + 1, verdict);
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

void increment_judge_sums(
    const struct lesson *lesson, long increments, struct verdict *verdict) {
    judge(lesson, increments, verdict);
}

void increment_judge(const struct lesson *lesson, struct verdict *verdict) {
    if (strcmp(lesson->tool, "01-sequential") == 0 ||
        strcmp(lesson->tool, "04-async") == 0)
        judge(lesson, 123457, verdict);
    else
        judge_parallel(lesson, verdict);
}
