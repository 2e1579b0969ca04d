/*
 * tables.c - 02-threads/exercise_tables: what it prints, and when
 *
 * Loading is sleeping, so virtual time makes every moment exact. Which worker
 * takes which table is free, when it is begun is not: the next table in the
 * order given is begun when the first worker is free.
 */
#include "grader/cause.h"
#include "grader/checks/exercises.h"
#include "grader/checks/jobs.h"
#include "grader/checks/orders.h"
#include "grader/checks/rare.h"
#include "grader/checks/sanitizers.h"

#include <stdio.h>
#include <string.h>

/* Of tables that take a few virtual seconds in all: who looks every
 * millisecond is found out in "waits" alone. */
static void plan(
    struct grading *g, struct jobs *j, long count, long workers, long most) {
    plan_jobs(g, j, count, workers, grade_random(g, 10, 40), most);
    j->moments.most_looks = 12000;
}

/* ---------- What is printed ---------- */

static void judge_results(
    const struct jobs *j, const struct run *run, struct verdict *v) {
    size_t first = run->count - (size_t)j->count;

    for (long i = 0; i < j->count && v->text[0] == '\0'; i++) {
        char expected[80];
        const char *seen = run->lines[first + (size_t)i].text;
        snprintf(expected, sizeof expected, "result %ld: %s has %ld rows",
            i + 1, j->names[i], j->units[i] * 100);
        if (strcmp(seen, expected) != 0)
            verdict_fail(v,
                "of the last %ld lines, number %ld is \"%s\"; expected: \"%s\""
                ", all results in the order asked, when all are loaded",
                j->count, i + 1, seen, expected);
    }
}

static struct expected lines_of(const struct jobs *j) {
    struct expected e = {.count = 0};

    for (long i = 0; i < j->count; i++) {
        expect_line(&e, "%s: loading %ld s ...", j->names[i], j->units[i]);
        expect_line(&e, "%s: loaded", j->names[i]);
        expect_line(&e, "result %ld: %s has %ld rows", i + 1, j->names[i],
            j->units[i] * 100);
    }
    return e;
}

/* To the letter and in order. */
static void judge_output(const struct jobs *j, struct verdict *v) {
    struct expected e = lines_of(j);

    judge_lines(&j->run, 0, &e, v);
    if (v->text[0] == '\0')
        judge_results(j, &j->run, v);
    free_expected(&e);
}

/* Was all loaded, once, and are the results right? */
static void judge_loaded(
    const struct run *run, const void *jobs, struct verdict *v) {
    struct expected e = lines_of(jobs);

    judge_run_end(run, 0, v);
    judge_present(run->lines, run->count, &e, v);
    free_expected(&e);
}

void check_tables_results(struct grading *g, struct finding *f) {
    struct jobs j;

    /* The first is the last to be loaded, so that order asked and order of
     * loading differ. */
    plan(g, &j, grade_random(g, 4, 8), grade_random(g, 2, 4), 6);
    j.units[0] = grade_random(g, 60, 90);
    run_jobs(g, f, &j);
    judge_output(&j, &f->verdict);
    run_free(&j.run);
    if (f->verdict.text[0] != '\0')
        return;
    plan(g, &j, grade_random(g, 3, 5), 1, 9);
    run_jobs(g, f, &j);
    judge_output(&j, &f->verdict);
    run_free(&j.run);
}

void check_tables_times(struct grading *g, struct finding *f) {
    struct jobs j;
    char form[60];

    plan(g, &j, grade_random(g, 4, 8), grade_random(g, 2, 4), 40);
    j.ms = grade_random(g, 11, 14) * 10; /* no half of a hundredth */
    run_jobs(g, f, &j);
    judge_lengths(&j, &j.run, &f->verdict);
    snprintf(form, sizeof form, "%ld tables in #.2 s", j.count);
    judge_summary(&j.run, form, 1e9, &f->verdict);
    run_free(&j.run);
}

/* ---------- The pool ---------- */

void check_tables_pool(struct grading *g, struct finding *f) {
    struct jobs j;

    /* Long and short ones mixed: rounds and lists dealt out are seen. Each is
     * far longer than what is allowed for lateness. */
    plan(g, &j, grade_random(g, 8, 14), grade_random(g, 3, 4), 9);
    j.ms = grade_random(g, 200, 300);
    j.units[grade_random(g, 0, 1)] = grade_random(g, 20, 30);
    run_jobs(g, f, &j);
    judge_begins(&j, &j.run, &f->verdict);
    run_free(&j.run);
    if (f->verdict.text[0] != '\0')
        return;
    plan(g, &j, grade_random(g, 4, 6), grade_random(g, 6, 9), 9);
    j.ms = grade_random(g, 100, 200);
    run_jobs(g, f, &j); /* a worker for each table, and some to spare */
    judge_begins(&j, &j.run, &f->verdict);
    run_free(&j.run);
}

/* Two threads more than needed may do something else, such as signals. */
enum { HELPERS = 2 };

/* A thread that is not needed is never asked for, so it may be refused. */
static void judge_no_more(struct grading *g, struct finding *f) {
    long count = grade_random(g, 2, 3);
    struct run run;
    struct jobs j;

    plan(g, &j, count, grade_random(g, 20, 40), 9);
    say_jobs(&j);
    j.program.virtual_time = true;
    if (!run_refused(g, f, &j.program, THREAD, (int)count + HELPERS + 1, &run))
        return;
    verdict_fault(&f->verdict, FAULT_SPARE,
        "with -w %ld and %ld tables it asked for thread number %ld; expected: "
        "no more than %ld threads that load, and %d for something else",
        j.workers, count, count + HELPERS + 1, count, HELPERS);
    run_free(&run);
}

void check_tables_workers(struct grading *g, struct finding *f) {
    struct jobs j;

    plan(g, &j, grade_random(g, 14, 20), grade_random(g, 2, 4), 9);
    run_jobs(g, f, &j);
    judge_workers(&j, &j.run, HELPERS, &f->verdict);
    run_free(&j.run);
    if (f->verdict.text[0] == '\0')
        judge_no_more(g, f);
}

/* ---------- Every order of the threads ---------- */

static void judge_lines_of(const struct line *lines, size_t count,
    const void *jobs, struct verdict *v) {
    struct expected e = lines_of(jobs);

    judge_present(lines, count, &e, v);
    free_expected(&e);
}

static void explore_tables(
    struct grading *g, struct finding *f, long count, long workers) {
    struct jobs j;

    plan_jobs(g, &j, count, workers, 1, 3);
    say_jobs(&j);
    judge_orders(g, f, &j.words, "BOUND=2", judge_lines_of, &j);
}

/* Whatever comes about: the lines, and the limit. */
static void judge_shaken_run(
    const struct run *run, const void *jobs, struct verdict *v) {
    struct verdict own = {0};

    judge_loaded(run, jobs, &own);
    judge_workers(jobs, run, HELPERS, &own);
    if (own.text[0] != '\0')
        verdict_fault(v, cause_in_order(own.fault),
            "in some order of its threads: %s", own.text);
}

void check_tables_every_order(struct grading *g, struct finding *f) {
    struct jobs j;

    explore_tables(g, f, 3, 2);
    explore_tables(g, f, 1, 3);
    plan_jobs(g, &j, 9, 4, 1, 5);
    say_jobs(&j);
    judge_races(g, f, &j.program);
    plan_jobs(g, &j, 7, 3, 1, 2);
    say_jobs(&j);
    judge_shaken(g, f, &j.program, 8, NULL, judge_shaken_run, &j);
    plan(g, &j, grade_random(g, 8, 10), grade_random(g, 4, 5), 9);
    run_jobs(g, f, &j);
    judge_some_overlap(&j, &f->verdict);
    run_free(&j.run);
}

/* ---------- What the system refuses ---------- */

void check_tables_refused(struct grading *g, struct finding *f) {
    struct jobs j;

    plan(g, &j, grade_random(g, 6, 9), 4, 9);
    say_jobs(&j);
    j.program.virtual_time = true;
    judge_refused_requests(g, f, &j.program, THREAD, 4, judge_loaded, &j);
    judge_refused_requests(g, f, &j.program, DESCRIPTOR, 3, judge_loaded, &j);
    judge_refused_requests(g, f, &j.program, MEMORY, 4, judge_loaded, &j);
    judge_full_disk(g, f, &j.program);
}

/* ---------- Edges ---------- */

/* More than a few, and fewer than asked: an array of threads has an end. That
 * there are few of them, or one too few, is told elsewhere. */
static void judge_most(const struct jobs *j, struct verdict *v) {
    long overlap = (long)events_overlap(j->run.lines, j->run.count);
    long asked = j->workers < j->count ? j->workers : j->count;

    if (overlap >= 10 && overlap < asked - 1)
        verdict_fail(v,
            "%ld tables were loaded at once at most, with -w %ld and %ld "
            "tables; expected: %ld",
            overlap, j->workers, j->count, asked);
}

/* What takes long costs nothing in virtual time. Who looks now and then is
 * found out elsewhere, and ends here undecided. */
static void judge_edge(struct grading *g, struct finding *f, struct jobs *j) {
    if (f->verdict.text[0] != '\0')
        return;
    j->program.deadline_ms = 15000;
    run_jobs(g, f, j);
    if (!j->moments.looks && j->run.end != TIMED_OUT) {
        judge_loaded(&j->run, j, &f->verdict);
        judge_lengths(j, &j->run, &f->verdict);
        judge_most(j, &f->verdict);
    }
    run_free(&j->run);
}

void check_tables_edges(struct grading *g, struct finding *f) {
    struct jobs j;

    plan_jobs(g, &j, 3, 2, 60000, 1000); /* hours */
    j.units[0] = 1000;
    j.units[1] = grade_random(g, 75, 99); /* past 2^32 microseconds */
    judge_edge(g, f, &j);
    plan_jobs(g, &j, 4, 2, 1500, 5); /* no whole seconds */
    judge_edge(g, f, &j);
    plan_jobs(g, &j, 1, grade_random(g, 100, 1000), 10, 9);
    judge_edge(g, f, &j);
    plan_jobs(g, &j, 95, grade_random(g, 80, 90), 10, 9);
    judge_edge(g, f, &j);
    plan_jobs(g, &j, 300, grade_random(g, 11, 20), 10, 3);
    judge_edge(g, f, &j);
    plan_jobs(g, &j, 3000, 8, 1, 2);
    judge_edge(g, f, &j);
    plan_jobs(g, &j, 5, 2, 20, 9);
    j.names[3] = j.names[1];
    j.units[3] = j.units[1] + 1;
    judge_edge(g, f, &j);
}

/* ---------- Clean ---------- */

void check_tables_memory(struct grading *g, struct finding *f) {
    struct jobs j;

    plan_jobs(g, &j, 30, 14, 1, 5);
    say_jobs(&j);
    judge_leaks(g, f, &j.program);
}

void check_tables_left(struct grading *g, struct finding *f) {
    struct jobs j;

    plan(g, &j, 20, 2, 9);
    run_jobs(g, f, &j);
    judge_descriptors(&j.moments, j.count, &f->verdict);
    judge_left(&j.run, &f->verdict);
    run_free(&j.run);
    plan_jobs(g, &j, 6, 2, 1000, 5); /* signals may come after seconds */
    say_jobs(&j);
    j.program.virtual_time = true;
    judge_handlers(g, f, &j.program);
}

/* Main has nothing to do until all are loaded. */
void check_tables_waits(struct grading *g, struct finding *f) {
    struct jobs j;

    plan_jobs(g, &j, 2, 2, 1000, 9);
    j.units[0] = 9;
    j.moments.most_looks = 50;
    run_jobs(g, f, &j);
    if (j.run.end == BUSY_WAIT || j.moments.looks)
        judge_run_end(&j.run, 0, &f->verdict);
    run_free(&j.run);
}

void check_tables_input(struct grading *g, struct finding *f) {
    judge_refusals(g, f, "wm",
        (struct refusal[]){{"-w", "0"}, {"-w", "1001"}, {"-m", "0"},
            {"-m", "60001"}, {NULL, "stray"}, {NULL, "A=0"}, {NULL, "A=-1"},
            {NULL, "A=x"}, {NULL, "A="}, {NULL, "=3"}, {NULL, "A=3x"},
            {NULL, "A=1001"}, {NULL, "A=99999999999999999999"}, {NULL, NULL}});
}
