/*
 * squares_rare.c - 03-processes/exercise_squares: other orders of its
 * processes, death, refusals, edges, and what is left
 */
#include "grader/checks/exercises.h"
#include "grader/checks/moments.h"
#include "grader/checks/rare.h"
#include "grader/checks/sanitizers.h"
#include "grader/checks/squares.h"

#include <stdio.h>
#include <string.h>

enum { KILL_AFTER_MS = 60, PARENT_MS = 50 };

/* ---------- Every order ---------- */

static void judge_other_order(
    const struct run *run, const void *summing, struct verdict *v) {
    struct verdict own = {0};

    judge_sums(run, summing, &own);
    if (own.text[0] != '\0')
        verdict_fault(
            v, own.fault, "in some order of its processes: %s", own.text);
}

/* Several children have ended before the parent hears of the first: the one
 * that was started last is the first to end. */
static void judge_meeting(struct grading *g, struct finding *f) {
    struct summing s = {.workers = 3, .watched = {.to_meet = 3}};

    if (f->verdict.text[0] != '\0')
        return;
    for (int i = 0; i < 3; i++)
        for (int size = 3; size > 0; size--)
            add_squares(g, &s, 1, size * 8000000, size * 8000000 + 999);
    sum_squares(g, f, &s);
    judge_other_order(&s.run, &s, &f->verdict);
    run_free(&s.run);
}

void check_squares_every_order(struct grading *g, struct finding *f) {
    static const char *const threads[] = {
        "pthread_create", "thrd_create", NULL};
    struct summing s = {.workers = 3}, alone = {.workers = 1};

    add_squares(g, &s, 9, 100, 10000);
    say_squares(&s);
    s.program.virtual_time = true;
    judge_shaken(g, f, &s.program, 8, NULL, judge_other_order, &s);
    /* One at a time: whoever misses its end waits for ever. */
    alone.program.virtual_time = true;
    add_squares(g, &alone, 6, 1000, 10000);
    say_squares(&alone);
    judge_shaken(g, f, &alone.program, 4, NULL, judge_other_order, &alone);
    judge_meeting(g, f);
    s.program.virtual_time = false;
    if (f->verdict.text[0] == '\0' && calls(g, threads))
        judge_races(g, f, &s.program);
}

/* ---------- A process that is killed ---------- */

/* Two long ones run when one of them is killed: which, its "no sum" tells. */
void check_squares_killed(struct grading *g, struct finding *f) {
    struct summing s = {.workers = 2};
    char name[24];

    add_squares(g, &s, 2, 3 * LONG_JOB, 3 * LONG_JOB + 999);
    add_squares(g, &s, grade_random(g, 3, 6), 1000, 300000);
    s.watched.kill_after_ms = KILL_AFTER_MS;
    grade_where(f,
        "a child is killed by SIGKILL when it has had %d ms of CPU "
        "time",
        KILL_AFTER_MS);
    sum_squares(g, f, &s);
    if (s.watched.killed == 0)
        verdict_fail(&f->verdict,
            "no process of it ever had %d ms of CPU time, so none could be "
            "killed; expected: %ld is added up by one",
            KILL_AFTER_MS, s.n[0]);
    s.killed = s.n[0];
    snprintf(name, sizeof name, "%ld: no sum", s.n[1]);
    if (place_of(&s.run, name) != -1)
        s.killed = s.n[1];
    judge_sums(&s.run, &s, &f->verdict);
    if (f->verdict.fault == FAULT_NONE)
        f->verdict.fault = FAULT_OWN; /* how it ended says no more than this */
    snprintf(name, sizeof name, "%ld", s.killed);
    if (strstr(s.run.err_text, name) == NULL)
        verdict_fault(&f->verdict, FAULT_NONE,
            "stderr is \"%.200s\"; expected: it names %ld, whose process was "
            "killed",
            s.run.err_text, s.killed);
    run_free(&s.run);
}

/* ---------- What the system refuses, and edges ---------- */

void check_squares_refused(struct grading *g, struct finding *f) {
    static const enum refused kinds[] = {CHILD, DESCRIPTOR, OBJECT, MEMORY};
    struct summing s = {.workers = grade_random(g, 3, 4)};

    add_squares(g, &s, 5, 100000, 200000);
    say_squares(&s);
    s.program.virtual_time = true;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        judge_refused_requests(g, f, &s.program, kinds[i], 3, judge_sums, &s);
    judge_full_disk(g, f, &s.program);
}

static void judge_edge(
    struct grading *g, struct finding *f, struct summing *s) {
    if (f->verdict.text[0] != '\0')
        return;
    sum_squares(g, f, s);
    judge_sums(&s->run, s, &f->verdict);
    run_free(&s->run);
}

void check_squares_edges(struct grading *g, struct finding *f) {
    struct summing large = {.workers = 1000}, many = {.workers = 7},
                   same = {.workers = 1};

    /* Past 2^64 in all, and 2^32 in one square. */
    add_squares(g, &large, 3, 5000000, 9000000);
    judge_edge(g, f, &large);
    add_squares(g, &many, 300, 1, 3000);
    judge_edge(g, f, &many);
    add_squares(g, &same, 3, 1, 3000);
    same.n[same.count] = same.n[1];
    same.count++;
    judge_edge(g, f, &same);
}

/* ---------- Clean, and bad input ---------- */

void check_squares_memory(struct grading *g, struct finding *f) {
    struct summing s = {.workers = 2};

    add_squares(g, &s, 12, 100, 10000);
    say_squares(&s);
    judge_leaks(g, f, &s.program);
}

/* Pauses make quiet moments, at which descriptors can be counted. */
void check_squares_left(struct grading *g, struct finding *f) {
    struct summing s = {.workers = 2};
    struct moments m = {.quiet = 0};
    static const char *const env[] = {"KIT_SHAKE=7", NULL};
    const char *built = build_rare(g, f);

    add_squares(g, &s, 24, 100, 10000);
    say_squares(&s);
    s.words.argv[0] = built != NULL ? built : "";
    s.program.env = env;
    run_moments(g, f, &s.program, &s.run, &m);
    judge_descriptors(&m, s.count, &f->verdict);
    judge_left(&s.run, &f->verdict);
    run_free(&s.run);
    s.words.argv[0] = "";
    s.program.env = NULL;
    judge_handlers(g, f, &s.program);
}

/* What only the parent should do: nothing. It sleeps until one has ended, and
 * then lets it go. One long job and short ones: the long one's CPU time says
 * how long that is. */
static void judge_parent(struct grading *g, struct finding *f) {
    struct summing s = {.workers = 2};

    add_squares(g, &s, 1, LONG_JOB, LONG_JOB + 1000000);
    add_squares(g, &s, grade_random(g, 3, 5), 1000, 100000);
    sum_squares(g, f, &s);
    if (s.watched.zombie != 0)
        verdict_fault(&f->verdict, FAULT_LEFT_ZOMBIE,
            "process %d had ended and was not waited for while another used "
            "%d ms of CPU time; expected: no zombie",
            (int)s.watched.zombie, ZOMBIE_MS);
    if (s.watched.parent_ms > PARENT_MS &&
        s.watched.parent_ms * 4 > s.watched.busiest_ms)
        verdict_fault(&f->verdict, FAULT_BUSY_WAIT,
            "the parent used %ld ms of CPU time, the longest sum %ld ms; "
            "expected: it sleeps until a process has ended",
            s.watched.parent_ms, s.watched.busiest_ms);
    run_free(&s.run);
}

/* In virtual time the clock moves only when somebody has asked for a time: who
 * waits for a child asks for none. */
static void judge_naps(struct grading *g, struct finding *f) {
    struct summing s = {.workers = 2};
    struct moments m = {.quiet = 0};

    if (f->verdict.text[0] != '\0')
        return;
    add_squares(g, &s, 20, 1000, 1000000);
    say_squares(&s);
    run_moments(g, f, &s.program, &s.run, &m);
    if (m.quiet > 5 &&
        s.run.virtual_ns >
            0) /* each moves the clock; a few may be for something else */
        verdict_fault(&f->verdict, FAULT_POLL,
            "it slept %ld times, or waited with a time-out, to look whether a "
            "child had ended; expected: it sleeps until one has",
            (long)s.run.sleeps);
    run_free(&s.run);
}

void check_squares_waits(struct grading *g, struct finding *f) {
    judge_parent(g, f);
    judge_naps(g, f);
}

void check_squares_input(struct grading *g, struct finding *f) {
    judge_refusals(g, f, "w",
        (struct refusal[]){{"-w", "0"}, {"-w", "1001"}, {NULL, "stray"},
            {NULL, "0"}, {NULL, "3x"}, {NULL, "1000000001"},
            {NULL, "99999999999999999999"}, {NULL, NULL}});
}
