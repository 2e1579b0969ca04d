/*
 * check_pantry.c - the checks of 06-locks/exercise_pantry
 *
 * What must hold at the end of every run follows from its own lines: what is
 * left on a shelf and what was taken from it are what was there at first, and
 * who went without had an empty shelf. Explore shows every order of the
 * threads on a small job. For whether cooks at different shelves wait for each
 * other it is asked as well: some order must let them sleep at the same time.
 */
#include "grader/checks/exercises.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COOKS = 8, MOST_SHELVES = 8, MOST_DISHES = 8 };

struct kitchen {
    long cooks, shelves, portions, dishes, ms;
    struct words words;
    struct program program;
    struct run run;
};

static struct kitchen plan(
    long cooks, long shelves, long portions, long dishes, long ms) {
    return (struct kitchen){
        cooks, shelves, portions, dishes, ms, .words = {.count = 0}};
}

static void say_words(struct kitchen *k) {
    const char *const letters[] = {"-c", "-s", "-n", "-d", "-m"};
    const long values[] = {k->cooks, k->shelves, k->portions, k->dishes, k->ms};

    for (int i = 0; i < 5; i++) {
        add_word(&k->words, "%s", letters[i]);
        add_word(&k->words, "%ld", values[i]);
    }
    k->program.argv = k->words.argv;
}

static void cook(struct grading *g, struct finding *f, struct kitchen *k) {
    say_words(k);
    k->program.virtual_time = true;
    grade_run(g, &k->program, &k->run, f);
}

/* ---------- What must hold of the lines of any run ---------- */

static bool printed(const struct line *lines, size_t count, const char *text) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(lines[i].text, text) == 0)
            return true;
    return false;
}

/* Who did which dish, by the cooks' own lines, and what that leaves. */
struct tally {
    bool done[MOST_COOKS][MOST_DISHES];
    long left[MOST_SHELVES], all_done;
};

static struct tally tally_of(
    const struct kitchen *k, const struct line *lines, size_t count) {
    struct tally t = {.all_done = 0};
    char text[60];

    for (long s = 0; s < k->shelves; s++)
        t.left[s] = k->portions;
    for (long c = 0; c < k->cooks; c++)
        for (long d = 0; d < k->dishes; d++) {
            snprintf(
                text, sizeof text, "cook %ld: dish %ld done", c + 1, d + 1);
            if (!printed(lines, count, text))
                continue;
            t.done[c][d] = true;
            t.left[c % k->shelves]--;
            t.left[(c + 1) % k->shelves]--;
            t.all_done++;
        }
    return t;
}

/* Nothing lost, nothing twice, nothing below zero. */
static void judge_shelves(const struct kitchen *k, const struct tally *t,
    const struct line *lines, size_t count, struct verdict *v) {
    for (long s = 0; s < k->shelves; s++) {
        char begin[30];
        long seen;
        bool found = false;
        snprintf(begin, sizeof begin, "shelf %ld: ", s + 1);
        for (size_t i = 0; i < count; i++)
            if (strncmp(lines[i].text, begin, strlen(begin)) == 0) {
                found = true;
                seen = strtol(lines[i].text + strlen(begin), NULL, 10);
            }
        if (!found)
            continue;
        if (t->left[s] < 0 || seen < 0)
            verdict_fail(v,
                "%ld portions were taken from shelf %ld, which had %ld; "
                "expected: never below zero",
                k->portions - t->left[s], s + 1, k->portions);
        if (seen != t->left[s])
            verdict_fail(v,
                "shelf %ld has %ld of %ld left after %ld dishes; expected: "
                "%ld, no portion lost or taken twice",
                s + 1, seen, k->portions, k->portions - t->left[s], t->left[s]);
    }
}

/* A shelf that is not empty at the end was never empty. */
static void judge_missed(
    const struct kitchen *k, const struct tally *t, struct verdict *v) {
    for (long c = 0; c < k->cooks; c++)
        for (long d = 0; d < k->dishes; d++) {
            long one = c % k->shelves, other = (c + 1) % k->shelves;
            if (!t->done[c][d] && t->left[one] > 0 && t->left[other] > 0)
                verdict_fail(v,
                    "cook %ld missed dish %ld, though shelf %ld has %ld left "
                    "and shelf %ld has %ld; expected: done",
                    c + 1, d + 1, one + 1, t->left[one], other + 1,
                    t->left[other]);
        }
}

static void judge_kitchen(const struct kitchen *k, const struct line *lines,
    size_t count, struct verdict *v) {
    struct tally t = tally_of(k, lines, count);
    struct expected e = {.count = 0};
    struct verdict form = {0};

    for (long c = 1; c <= k->cooks; c++)
        for (long d = 1; d <= k->dishes; d++) {
            expect_line(
                &e, "cook %ld: cooking dish %ld of %ld ...", c, d, k->dishes);
            expect_line(&e, "cook %ld: dish %ld %s", c, d,
                t.done[c - 1][d - 1] ? "done" : "missed");
        }
    for (long s = 0; s < k->shelves; s++)
        expect_line(
            &e, "shelf %ld: %ld of %ld left", s + 1, t.left[s], k->portions);
    expect_line(&e, "dishes: %ld done, %ld missed", t.all_done,
        k->cooks * k->dishes - t.all_done);
    events_compare(lines, count, (const char *const *)e.lines, e.count, &form);
    judge_shelves(k, &t, lines, count, v);
    if (form.text[0] == '\0')
        judge_missed(k, &t, v);
    if (form.text[0] != '\0')
        verdict_fail(v, "%s", form.text);
    free_expected(&e);
}

/* ---------- Any job ---------- */

/* What is left is told last, when all cooks have ended. */
static void judge_last_lines(
    const struct kitchen *k, const struct run *run, struct verdict *v) {
    size_t last = (size_t)k->shelves + 1;

    for (size_t i = 0; i + last < run->count; i++)
        if (strncmp(run->lines[i].text, "cook ", 5) != 0)
            verdict_fail(v,
                "\"%s\" was printed before the cooks were done; expected: the "
                "shelves and the dishes at the end",
                run->lines[i].text);
}

static void judge_portions(
    struct grading *g, struct finding *f, struct kitchen *k) {
    char summary[60];

    cook(g, f, k);
    judge_run_end(&k->run, 0, &f->verdict);
    if (f->verdict.text[0] == '\0')
        judge_kitchen(k, k->run.lines, k->run.count, &f->verdict);
    judge_last_lines(k, &k->run, &f->verdict);
    snprintf(summary, sizeof summary, "%ld dishes asked of %ld cooks",
        k->cooks * k->dishes, k->cooks);
    judge_err_line(&k->run, summary, "", &f->verdict);
    run_free(&k->run);
}

/* With two shelves everybody needs both, so one takes at a time. */
void check_pantry_one_at_a_shelf(struct grading *g, struct finding *f) {
    long cooks = grade_random(g, 2, 4), dishes = grade_random(g, 1, 4);
    struct kitchen k =
        plan(cooks, 2, cooks * dishes, dishes, grade_random(g, 5, 50));

    cook(g, f, &k);
    judge_run_end(&k.run, 0, &f->verdict);
    if (work_ns(&k.run) != cooks * dishes * k.ms * MS)
        verdict_fail(&f->verdict,
            "%ld cooks at the same two shelves took %.3f s for %ld dishes of "
            "%ld ms each; expected: %.3f s, one dish at a time",
            cooks, (double)work_ns(&k.run) / 1e9, cooks * dishes, k.ms,
            (double)(cooks * dishes * k.ms) / 1e3);
    run_free(&k.run);
}

/* ---------- Every order ---------- */

static void judge_lines_of(const struct line *lines, size_t count,
    const void *kitchen, struct verdict *v) {
    judge_kitchen(kitchen, lines, count, v);
}

static void judge_every_order(
    struct grading *g, struct finding *f, struct kitchen k, const char *bound) {
    say_words(&k);
    judge_orders(g, f, &k.words, bound, judge_lines_of, &k);
}

/* Small jobs in every order. What holds in all of them may yet go wrong where
 * there are more cooks, so large ones follow, in the order that comes. */
void check_pantry_every_order(struct grading *g, struct finding *f) {
    long portions = grade_random(g, 1, 2);

    judge_every_order(g, f, plan(2, 2, 1, 1, 0), "BOUND=2");
    judge_every_order(g, f, plan(3, 3, portions, 1, 0), "BOUND=2");
    judge_every_order(g, f, plan(2, 3, 2, 2, 0), "BOUND=2");
    for (int round = 0; round < 3 && f->verdict.text[0] == '\0'; round++) {
        long cooks = grade_random(g, 4, MOST_COOKS);
        long dishes = grade_random(g, 2, 6);
        /* Enough for all in the last. */
        struct kitchen k = plan(cooks, grade_random(g, 2, 6),
            round < 2 ? grade_random(g, 1, dishes) : cooks * dishes, dishes,
            round == 0 ? 0 : grade_random(g, 1, 9));
        judge_portions(g, f, &k);
    }
}

/* One cook alone; and several, but one after another (no preemption), so that
 * this says nothing of what they do to each other. */
void check_pantry_portions(struct grading *g, struct finding *f) {
    for (int round = 0; round < 3 && f->verdict.text[0] == '\0'; round++) {
        long dishes = grade_random(g, 2, 8);
        long portions =
            round == 1 ? grade_random(g, 1, dishes - 1) : dishes + round;
        struct kitchen k = plan(1, grade_random(g, 2, 6), portions, dishes,
            round == 0 ? 0 : grade_random(g, 1, 9));
        judge_portions(g, f, &k);
    }
    judge_every_order(g, f, plan(4, 3, 1, 1, 0), "BOUND=0");
    judge_every_order(g, f, plan(3, 4, 2, 1, 0), "BOUND=0");
}

/* ---------- At once ---------- */

/* The shortest time that a job took in any order of its threads; -1: it has
 * none. */
static long shortest(struct grading *g, struct finding *f, struct kitchen k) {
    long best = -1;
    struct run run;

    say_words(&k);
    if (!explore(g, f, &k.words, "BOUND=1", &run))
        return -1;
    for (size_t i = 0; i < run.count; i++) {
        const char *outcome = outcome_of(run.lines[i].text);
        bool well = outcome && strncmp(outcome, "exit 0: ", 8) == 0;
        const char *at = well ? explored_time(g, outcome) : NULL;
        long took = at ? strtol(at, NULL, 10) : -1;
        if (took != -1 && (best == -1 || took < best))
            best = took;
    }
    run_free(&run);
    return best;
}

/* Cooks 1 and 3 share no shelf, cook 2 shares one with each: in the best order
 * two take at the same time, and all is done in one dish's time more than a
 * single dish by a single cook. */
void check_pantry_concurrent(struct grading *g, struct finding *f) {
    long ms = grade_random(g, 5, 50), shelves = grade_random(g, 4, 5);
    long one = shortest(g, f, plan(1, shelves, 9, 1, ms));
    long best = shortest(g, f, plan(3, shelves, 9, 1, ms));

    if (best == -1 || one == -1)
        verdict_fail(&f->verdict, "in no order of its threads did it end "
                                  "well; expected: it does in every order");
    else if (one < ms)
        verdict_fail(&f->verdict,
            "a dish of %ld ms took %ld ms by the clock of explore; expected: "
            "a sleep by nanosleep() or its like",
            ms, one);
    else if (best > one + ms)
        verdict_fail(&f->verdict,
            "cooks at different shelves wait for each other: in no order of "
            "its threads did 3 dishes of %ld ms take less than %ld ms; "
            "expected: %ld ms, as cooks 1 and 3 share no shelf",
            ms, best - one + ms, 2 * ms);
}

/* ---------- Clean, and bad input ---------- */

/* Explore finds races that need one order; the sanitizer has the last word on
 * what explore does not see. */
void check_pantry_races(struct grading *g, struct finding *f) {
    struct kitchen small = plan(2, 2, 1, 1, 0), k = plan(4, 3, 30, 20, 0);
    struct run run;

    say_words(&small);
    if (explore(g, f, &small.words, "BOUND=2", &run)) {
        for (size_t i = 0; i < run.count; i++)
            if (strncmp(run.lines[i].text, "data race in ", 13) == 0)
                verdict_fail(&f->verdict, "%.400s; expected: no data race",
                    run.lines[i].text);
        run_free(&run);
    }
    say_words(&k);
    judge_races(g, f, &k.program);
}

void check_pantry_memory(struct grading *g, struct finding *f) {
    struct kitchen k = plan(4, 3, 5, 4, 0);

    say_words(&k);
    judge_leaks(g, f, &k.program);
}

void check_pantry_input(struct grading *g, struct finding *f) {
    judge_refusals(g, f, "csndm",
        (struct refusal[]){{"-c", "0"}, {"-s", "0"}, {"-s", "1"}, {"-d", "0"},
            {NULL, "stray"}, {NULL, NULL}});
}
