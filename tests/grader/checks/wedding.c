/*
 * wedding.c - the checks of 05-queue/exercise_wedding
 *
 * A task is a sleep, so virtual time makes every moment exact: a task is begun
 * the moment a friend is free, the longest first. Friends may be threads or
 * processes, the queue may be the kernel's or one in memory.
 */
#include "grader/cause.h"
#include "grader/checks/exercises.h"
#include "grader/checks/jobs.h"
#include "grader/checks/orders.h"
#include "grader/checks/rare.h"
#include "grader/checks/sanitizers.h"

#include <stdio.h>
#include <string.h>

/* The longest first, equals as given: a stable insertion sort. */
static void sort(struct jobs *j) {
    for (long i = 0; i < j->count; i++) {
        long at = i;
        for (; at > 0 && j->units[j->order[at - 1]] < j->units[i]; at--)
            j->order[at] = j->order[at - 1];
        j->order[at] = i;
    }
}

/* Who looks now and then is found out in "waits" alone. */
static void plan(
    struct grading *g, struct jobs *j, long count, long friends, long most) {
    plan_jobs(g, j, count, friends, grade_random(g, 20, 60), most);
    j->moments.most_looks = 12000;
}

static void celebrate(struct grading *g, struct finding *f, struct jobs *j) {
    sort(j);
    run_jobs(g, f, j);
}

/* ---------- The tasks ---------- */

static struct expected lines_of(const struct jobs *j) {
    struct expected e = {.count = 0};

    for (long i = 0; i < j->count; i++) {
        expect_line(&e, "%s: %ld h ...", j->names[i], j->units[i]);
        expect_line(&e, "%s: done", j->names[i]);
    }
    return e;
}

/* Was every task done, and once? */
static void judge_tasks(
    const struct run *run, const void *jobs, struct verdict *v) {
    struct expected e = lines_of(jobs);

    judge_run_end(run, 0, v);
    judge_present(run->lines, run->count, &e, v);
    free_expected(&e);
}

static void judge_hours(const struct jobs *j, struct verdict *v) {
    char form[80];

    snprintf(form, sizeof form, "%ld tasks by %ld friends in # h", j->count,
        j->workers);
    judge_summary(&j->run, form, (double)(j->ms * MS), v);
}

void check_wedding_tasks(struct grading *g, struct finding *f) {
    struct jobs j;

    /* More than the kernel's queue holds at once; and one so long that the
     * others must wait for it in the end. */
    plan(g, &j, grade_random(g, 14, 20), grade_random(g, 2, 4), 9);
    for (long i = 1; i < j.count; i++)
        j.units[0] += j.units[i];
    celebrate(g, f, &j);
    struct expected e = lines_of(&j);
    judge_lines(&j.run, 0, &e, &f->verdict);
    free_expected(&e);
    run_free(&j.run);
}

void check_wedding_times(struct grading *g, struct finding *f) {
    struct jobs j;

    plan(g, &j, grade_random(g, 5, 8), grade_random(g, 2, 4), 9);
    j.ms = grade_random(g, 11, 30) * 10;
    celebrate(g, f, &j);
    judge_lengths(&j, &j.run, &f->verdict);
    judge_hours(&j, &f->verdict);
    run_free(&j.run);
}

/* ---------- The longest first ---------- */

/* One friend: the order of the lines is the order of the queue. */
static void judge_order(
    const struct jobs *j, const struct run *run, struct verdict *v) {
    long begun = 0;

    for (size_t at = 0; at < run->count && v->text[0] == '\0'; at++) {
        const char *seen = run->lines[at].text;
        char begin[60];
        size_t length = strlen(seen);
        if (length < 4 || strcmp(seen + length - 4, " ...") != 0 ||
            begun == j->count)
            continue;
        long task = j->order[begun++];
        snprintf(begin, sizeof begin, "%s: %ld h ...", j->names[task],
            j->units[task]);
        if (strcmp(seen, begin) != 0)
            verdict_fail(v,
                "task %ld to be begun was \"%.60s\"; expected: \"%s\", as the "
                "longest comes first, equals as given",
                begun, seen, begin);
    }
    if (begun < j->count)
        verdict_fail(
            v, "%ld of %ld tasks were begun; expected: all", begun, j->count);
}

static void judge_shaken_order(
    const struct run *run, const void *jobs, struct verdict *v) {
    struct verdict own = {0};

    if (run->end == EXITED && run->code == 0)
        judge_order(jobs, run, &own);
    if (own.text[0] != '\0')
        verdict_fault(
            v, own.fault, "in some order of its friends: %s", own.text);
}

static void judge_explored_order(const struct line *lines, size_t count,
    const void *jobs, struct verdict *v) {
    const struct run run = {.lines = (struct line *)lines, .count = count};
    const struct jobs *j = jobs;

    if (count == 2 * (size_t)j->count) /* else it is told elsewhere */
        judge_order(j, &run, v);
}

void check_wedding_order(struct grading *g, struct finding *f) {
    struct jobs j;

    /* Few different lengths, so that there are equals; more than 10, as many
     * as the kernel's queue takes. */
    plan(g, &j, grade_random(g, 14, 20), 1, 5);
    celebrate(g, f, &j);
    judge_order(&j, &j.run, &f->verdict);
    run_free(&j.run);
    /* Whoever fills the queue may be slower than the friend. */
    plan(g, &j, 7, 1, 4);
    sort(&j);
    say_jobs(&j);
    judge_shaken(g, f, &j.program, 6, NO_SPURIOUS, judge_shaken_order, &j);
    plan_jobs(g, &j, 2, 1, 1, 2);
    j.units[0] = 1;
    j.units[1] = 2;
    sort(&j);
    say_jobs(&j);
    judge_lines_in_orders(g, f, &j.words, "BOUND=1", judge_explored_order, &j);
}

/* ---------- Nobody idle ---------- */

/* The tasks as they were begun: that it was the wrong order is told elsewhere,
 * here it only counts that nobody was idle. */
static void find_order(struct jobs *j) {
    long found = 0;

    for (size_t i = 0; i < j->run.count; i++)
        for (long t = 0; t < j->count && found < j->count; t++)
            if (piece_of(&j->run, j->names[t]).begin == &j->run.lines[i])
                j->order[found++] = t;
}

void check_wedding_busy(struct grading *g, struct finding *f) {
    struct jobs j;

    for (int i = 0; i < 2 && f->verdict.text[0] == '\0'; i++) {
        plan(g, &j, grade_random(g, 11, 18), grade_random(g, 3, 5), 12);
        j.ms = grade_random(g, 200, 300);
        celebrate(g, f, &j);
        find_order(&j);
        judge_begins(&j, &j.run, &f->verdict);
        run_free(&j.run);
    }
}

/* A producer and a few helpers are no friends. */
enum { HELPERS = 4 };

void check_wedding_friends(struct grading *g, struct finding *f) {
    struct jobs j;

    plan(g, &j, grade_random(g, 18, 24), grade_random(g, 3, 4), 9);
    celebrate(g, f, &j);
    judge_workers(&j, &j.run, HELPERS, &f->verdict);
    run_free(&j.run);
}

/* ---------- Every order ---------- */

static void judge_lines_of(const struct line *lines, size_t count,
    const void *jobs, struct verdict *v) {
    struct expected e = lines_of(jobs);

    judge_present(lines, count, &e, v);
    free_expected(&e);
}

static void explore_tasks(
    struct grading *g, struct finding *f, long count, long friends) {
    struct jobs j;

    plan_jobs(g, &j, count, friends, 1, 2);
    say_jobs(&j);
    judge_orders(g, f, &j.words, "BOUND=1", judge_lines_of, &j);
}

static void judge_shaken_run(
    const struct run *run, const void *jobs, struct verdict *v) {
    struct verdict own = {0};

    judge_tasks(run, jobs, &own);
    judge_workers(jobs, run, HELPERS, &own);
    if (own.text[0] != '\0')
        verdict_fault(v, cause_in_order(own.fault),
            "in some order of its friends: %s", own.text);
}

/* Whether a friend comes to wait before there is a task, or after the last one
 * was put in, or is woken for nothing, is luck: it is all tried. */
void check_wedding_every_order(struct grading *g, struct finding *f) {
    struct jobs j;

    explore_tasks(g, f, 2, 2);
    explore_tasks(g, f, 1, 3);
    plan_jobs(g, &j, 14, 3, 1, 5);
    say_jobs(&j);
    judge_races(g, f, &j.program);
    plan_jobs(g, &j, 7, 3, 1, 2);
    say_jobs(&j);
    judge_shaken(g, f, &j.program, 8, NULL, judge_shaken_run, &j);
    plan(g, &j, grade_random(g, 8, 10), grade_random(g, 4, 5), 9);
    celebrate(g, f, &j);
    judge_some_overlap(&j, &f->verdict);
    run_free(&j.run);
}

/* ---------- What the system refuses, and who is killed ---------- */

void check_wedding_refused(struct grading *g, struct finding *f) {
    static const enum refused kinds[] = {
        THREAD, PROCESS, DESCRIPTOR, OBJECT, MEMORY};
    struct jobs j;

    plan(g, &j, grade_random(g, 8, 12), 4, 9);
    sort(&j);
    say_jobs(&j);
    j.program.virtual_time = true;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        judge_refused_requests(g, f, &j.program, kinds[i], 4, judge_tasks, &j);
    judge_full_disk(g, f, &j.program);
}

/* Only where friends are processes. What the friend had begun is lost, or done
 * by another one; it is never said that all went well when it did not. */
void check_wedding_killed(struct grading *g, struct finding *f) {
    struct jobs j;
    char how[800];

    plan(g, &j, grade_random(g, 8, 12), 3, 9);
    j.moments.kill_at = 4;
    grade_where(f, "a friend that is a process is killed by SIGKILL when 4 "
                   "lines have been printed");
    celebrate(g, f, &j);
    bool all = true;
    for (long i = 0; i < j.count; i++)
        all = all && piece_of(&j.run, j.names[i]).end != NULL;
    bool well =
        j.run.end == EXITED && j.run.left_behind == 0 &&
        (j.run.code == 0 ? all : j.run.code == 1 && j.run.err_text[0] != 0);
    if (j.moments.killed != 0 && !well)
        verdict_fail(&f->verdict,
            "when a friend was killed in the middle of a task it %s, stderr "
            "\"%.160s\"; expected: the others go on, exit status 1 and the "
            "reason on stderr",
            run_describe(&j.run, how, sizeof how), j.run.err_text);
    run_free(&j.run);
}

/* ---------- Edges ---------- */

static void judge_edge(struct grading *g, struct finding *f, struct jobs *j) {
    if (f->verdict.text[0] != '\0')
        return;
    j->program.deadline_ms = 15000;
    celebrate(g, f, j);
    if (!j->moments.looks && j->run.end != TIMED_OUT) {
        judge_tasks(&j->run, j, &f->verdict);
        if (j->count <= 40)
            judge_lengths(j, &j->run, &f->verdict);
        if (j->workers == 1)
            judge_order(j, &j->run, &f->verdict);
        judge_hours(j, &f->verdict);
    }
    run_free(&j->run);
}

void check_wedding_edges(struct grading *g, struct finding *f) {
    static const char longest[] =
        "a-task-whose-name-is-much-longer-than-anybody-would-think-of-but-that-"
        "the-text-does-not-forbid-so-it-is-to-be-done-like-any-other-task-of-a-"
        "wedding";
    struct jobs j;

    plan_jobs(g, &j, 4, 1, 60000, 1000); /* weeks, past 2^32 microseconds */
    j.units[2] = 1000;
    judge_edge(g, f, &j);
    plan_jobs(g, &j, 12, 1, 1500, 1000); /* hours that no byte holds */
    j.units[3] = 128;
    j.units[7] = 256;
    judge_edge(g, f, &j);
    plan_jobs(g, &j, 1, grade_random(g, 50, 90), 20, 9);
    j.names[0] = longest;
    judge_edge(g, f, &j);
    plan_jobs(g, &j, 40, 1, 20, 1000); /* 32,767 in all */
    judge_edge(g, f, &j);
    plan_jobs(g, &j, 5, 1, 20, 9);
    j.names[4] = j.names[1]; /* two of one name */
    j.units[4] = j.units[1];
    judge_edge(g, f, &j);
    plan_jobs(g, &j, 300, 30, 20, 9);
    judge_edge(g, f, &j);
    plan_jobs(g, &j, 3000, 8, 1, 3);
    judge_edge(g, f, &j);
}

/* ---------- Clean, and bad input ---------- */

void check_wedding_memory(struct grading *g, struct finding *f) {
    struct jobs j;

    plan_jobs(g, &j, 30, 12, 1, 5);
    say_jobs(&j);
    judge_leaks(g, f, &j.program);
}

void check_wedding_left(struct grading *g, struct finding *f) {
    struct jobs j;

    plan(g, &j, 20, 2, 9);
    celebrate(g, f, &j);
    judge_descriptors(&j.moments, j.count, &f->verdict);
    judge_left(&j.run, &f->verdict);
    run_free(&j.run);
    plan_jobs(g, &j, 8, 3, 1000, 5); /* signals may come after seconds */
    say_jobs(&j);
    j.program.virtual_time = true;
    judge_handlers(g, f, &j.program);
}

void check_wedding_waits(struct grading *g, struct finding *f) {
    struct jobs j;

    /* Two friends have nothing to do for a long time. */
    plan_jobs(g, &j, 3, 3, 1000, 3);
    j.units[1] = 60;
    j.moments.most_looks = 200;
    celebrate(g, f, &j);
    if (j.run.end == BUSY_WAIT || j.moments.looks)
        judge_run_end(&j.run, 0, &f->verdict);
    run_free(&j.run);
}

void check_wedding_input(struct grading *g, struct finding *f) {
    judge_refusals(g, f, "wm",
        (struct refusal[]){{"-w", "0"}, {"-w", "1001"}, {"-m", "0"},
            {"-m", "60001"}, {NULL, "stray"}, {NULL, "cake=0"},
            {NULL, "cake=-1"}, {NULL, "cake=x"}, {NULL, "cake="}, {NULL, "=3"},
            {NULL, "cake=3x"}, {NULL, "cake=1001"},
            {NULL, "cake=99999999999999999999"}, {NULL, NULL}});
}
