/*
 * pantry_rare.c - 06-locks/exercise_pantry: cooks who go on at other shelves,
 * refusals, and large jobs
 */
#include "grader/cause.h"
#include "grader/checks/exercises.h"
#include "grader/checks/pantry.h"
#include "grader/checks/rare.h"

#include <stdio.h>
#include <string.h>

/* ---------- At once ---------- */

enum { ORDERS = 16, LONG_MS = 60 };

static bool takes(const struct kitchen *k, const struct run *run, long ms) {
    return run->end == EXITED && run->code == 0 &&
           run->count == (size_t)(2 * k->cooks * k->dishes + k->shelves + 1) &&
           work_ns(run) <= (ms + SLACK_MS) * MS;
}

/* Cooks 1 and 3 share no shelf, cook 2 shares one with each: in the best order
 * two take at the same time. */
static void judge_disjoint(struct grading *g, struct finding *f) {
    struct kitchen k =
        plan_kitchen(3, grade_random(g, 4, 5), 9, 1, grade_random(g, 30, 50));
    int64_t best = INT64_MAX;
    bool found = false;
    struct run run;

    say_kitchen(&k);
    for (int i = 0; i < ORDERS && !found; i++) {
        if (i == 0)
            run_virtual(g, f, &k.program, &run);
        else if (!run_shaken(g, f, &k.program, NULL, &run))
            break;
        found = takes(&k, &run, 2 * k.ms);
        if (run.end == EXITED && run.code == 0 && work_ns(&run) < best)
            best = work_ns(&run);
        if (run.end != EXITED) /* it would be so in every order */
            judge_run_end(&run, 0, &f->verdict);
        run_free(&run);
        if (f->verdict.text[0] != '\0')
            return;
    }
    if (!found && best == INT64_MAX)
        verdict_fail(&f->verdict, "in no order of its threads did it end "
                                  "well; expected: it does in every order");
    else if (!found)
        verdict_fail(&f->verdict,
            "cooks at different shelves wait for each other: in %d orders of "
            "its threads 3 dishes of %ld ms took %.3f s or more; expected: "
            "%.3f s, as cooks 1 and 3 share no shelf",
            ORDERS, k.ms, (double)best / 1e9, (double)(2 * k.ms) / 1e3);
}

/* Did another cook go on while one took so much longer? */
static bool goes_on(const struct kitchen *k, const struct run *run) {
    for (long c = 1; c <= k->cooks; c++) {
        char lane[32];
        snprintf(lane, sizeof lane, "cook %ld", c);
        struct piece p = piece_of(run, lane);
        if (p.end == NULL || p.end->at_ns - p.begin->at_ns < LONG_MS * MS)
            continue;
        for (size_t i = 0; i < run->count; i++)
            if (strstr(run->lines[i].text, ": cooking dish 2 of") != NULL &&
                run->lines[i].at_ns >= p.begin->at_ns &&
                run->lines[i].at_ns < p.end->at_ns)
                return true;
    }
    return false;
}

/* One cook's first dish takes far longer: whoever shares no shelf with it goes
 * on to the next, at least in one order. */
static void judge_long_dish(struct grading *g, struct finding *f) {
    struct kitchen k = plan_kitchen(5, grade_random(g, 6, 7), 9, 2, 2);
    bool found = false, seen = false;
    struct run run;

    say_kitchen(&k);
    for (int i = 0; i < ORDERS && !found && f->verdict.text[0] == '\0'; i++) {
        char variable[40];
        snprintf(variable, sizeof variable, "KIT_LONG=%d:%d",
            (int)(i % k.cooks) + 1, LONG_MS);
        if (!run_shaken(g, f, &k.program, variable, &run))
            return;
        seen = seen || work_ns(&run) >= LONG_MS * MS;
        found = goes_on(&k, &run);
        if (run.end == BUSY_WAIT)
            judge_run_end(&run, 0, &f->verdict);
        run_free(&run);
    }
    if (seen && !found)
        verdict_fail(&f->verdict,
            "while one cook's dish took %d ms no other went on to its next, in "
            "%d orders of its threads; expected: cooks at other shelves go on",
            LONG_MS, ORDERS);
}

void check_pantry_concurrent(struct grading *g, struct finding *f) {
    judge_disjoint(g, f);
    if (f->verdict.text[0] == '\0')
        judge_long_dish(g, f);
}

/* ---------- What the system refuses, and edges ---------- */

void check_pantry_refused(struct grading *g, struct finding *f) {
    struct kitchen k = plan_kitchen(4, 3, 5, 2, 5);

    say_kitchen(&k);
    judge_refused_requests(g, f, &k.program, THREAD, 5, judge_kitchen_run, &k);
    judge_refused_requests(
        g, f, &k.program, DESCRIPTOR, 3, judge_kitchen_run, &k);
    judge_refused_requests(g, f, &k.program, MEMORY, 4, judge_kitchen_run, &k);
    judge_full_disk(g, f, &k.program);
}

void check_pantry_edges(struct grading *g, struct finding *f) {
    struct kitchen k = plan_kitchen(1, 2, 1000000, 3, 60000);

    k.program.deadline_ms =
        15000; /* who sleeps by the millisecond: undecided */
    run_kitchen(g, f, &k);
    if (k.run.end != TIMED_OUT)
        judge_kitchen_run(&k.run, &k, &f->verdict);
    if (k.run.end != TIMED_OUT &&
        (work_ns(&k.run) < 180 * SECOND || work_ns(&k.run) > 181 * SECOND))
        verdict_fail(&f->verdict,
            "3 dishes of 60000 ms took %.3f s; expected: 180 s",
            (double)work_ns(&k.run) / 1e9);
    run_free(&k.run);
    judge_kitchen_job(g, f, plan_kitchen(1, 1000, 2, 2, 1500));
    bool own = f->verdict.text[0] != '\0';
    judge_kitchen_job(g, f, plan_kitchen(30, grade_random(g, 20, 40), 3, 2, 1));
    judge_kitchen_job(g, f, plan_kitchen(12, 30, 300, 100, 0));
    judge_kitchen_job(g, f, plan_kitchen(2, 2, 500, 300, 0));
    if (!own) /* what several cooks do to each other */
        f->verdict.fault = cause_in_order(f->verdict.fault);
}
