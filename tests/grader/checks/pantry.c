/*
 * pantry.c - the checks of 06-locks/exercise_pantry
 *
 * What must hold at the end of every run follows from its own lines: what is
 * left on a shelf and what was taken from it are what was there at first, and
 * who went without had an empty shelf. Explore shows every order of the
 * threads on a small job, pauses in virtual time show other orders on larger
 * ones. That cooks at different shelves go on at the same time is asked of the
 * best of several orders.
 */
#include "grader/checks/pantry.h"
#include "grader/cause.h"
#include "grader/checks/exercises.h"
#include "grader/checks/orders.h"
#include "grader/checks/rare.h"
#include "grader/checks/sanitizers.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kitchen plan_kitchen(
    long cooks, long shelves, long portions, long dishes, long ms) {
    return (struct kitchen){cooks, shelves, portions, dishes, ms,
        .moments = {.most_looks = 100000}};
}

void say_kitchen(struct kitchen *k) {
    const char *const letters[] = {"-c", "-s", "-n", "-d", "-m"};
    const long values[] = {k->cooks, k->shelves, k->portions, k->dishes, k->ms};

    for (int i = 0; i < 5; i++) {
        add_word(&k->words, "%s", letters[i]);
        add_word(&k->words, "%ld", values[i]);
    }
    k->program.argv = k->words.argv;
    k->program.virtual_time = true;
}

void run_kitchen(struct grading *g, struct finding *f, struct kitchen *k) {
    say_kitchen(k);
    run_moments(g, f, &k->program, &k->run, &k->moments);
}

/* ---------- What must hold of the lines of any run ---------- */

/* Who did which dish, by the cooks' own lines, and what that leaves. */
struct tally {
    bool *done; /* [cook * dishes + dish] */
    long *left; /* [shelf] */
    long all_done;
};

static void *zeros(long count, size_t size) {
    void *memory = calloc((size_t)count, size);

    if (memory == NULL)
        err(EXIT_FAILURE, "calloc");
    return memory;
}

static struct tally tally_of(
    const struct kitchen *k, const struct line *lines, size_t count) {
    struct tally t = {zeros(k->cooks * k->dishes, sizeof(bool)),
        zeros(k->shelves, sizeof(long)), 0};

    for (long s = 0; s < k->shelves; s++)
        t.left[s] = k->portions;
    for (size_t i = 0; i < count; i++) {
        long c, d;
        char word[8];
        if (sscanf(lines[i].text, "cook %ld: dish %ld %7s", &c, &d, word) !=
                3 ||
            strcmp(word, "done") != 0 || c < 1 || c > k->cooks || d < 1 ||
            d > k->dishes || t.done[(c - 1) * k->dishes + d - 1])
            continue;
        t.done[(c - 1) * k->dishes + d - 1] = true;
        t.left[(c - 1) % k->shelves]--;
        t.left[c % k->shelves]--;
        t.all_done++;
    }
    return t;
}

static void free_tally(struct tally *t) {
    free(t->done);
    free(t->left);
}

/* Nothing lost, nothing twice, nothing below zero. */
static void judge_shelves(const struct kitchen *k, const struct tally *t,
    const struct line *lines, size_t count, struct verdict *v) {
    for (size_t i = 0; i < count; i++) {
        long s, seen;
        if (sscanf(lines[i].text, "shelf %ld: %ld", &s, &seen) != 2 || s < 1 ||
            s > k->shelves)
            continue;
        if (t->left[s - 1] < 0 || seen < 0)
            verdict_fail(v,
                "%ld portions were taken from shelf %ld, which had %ld; "
                "expected: never below zero",
                k->portions - t->left[s - 1], s, k->portions);
        if (seen != t->left[s - 1])
            verdict_fail(v,
                "shelf %ld has %ld of %ld left after %ld dish%s; "
                "expected: %ld, no portion lost or taken twice",
                s, seen, k->portions, k->portions - t->left[s - 1],
                k->portions - t->left[s - 1] == 1 ? "" : "es", t->left[s - 1]);
    }
}

/* A shelf that is not empty at the end was never empty. */
static void judge_missed(
    const struct kitchen *k, const struct tally *t, struct verdict *v) {
    for (long c = 0; c < k->cooks; c++)
        for (long d = 0; d < k->dishes; d++) {
            long one = c % k->shelves, other = (c + 1) % k->shelves;
            if (!t->done[c * k->dishes + d] && t->left[one] > 0 &&
                t->left[other] > 0)
                verdict_fail(v,
                    "cook %ld missed dish %ld, though shelf %ld has %ld left "
                    "and shelf %ld has %ld; expected: done",
                    c + 1, d + 1, one + 1, t->left[one], other + 1,
                    t->left[other]);
        }
}

static struct expected lines_of(
    const struct kitchen *k, const struct tally *t) {
    struct expected e = {.count = 0};

    for (long c = 1; c <= k->cooks; c++)
        for (long d = 1; d <= k->dishes; d++) {
            expect_line(
                &e, "cook %ld: cooking dish %ld of %ld ...", c, d, k->dishes);
            expect_line(&e, "cook %ld: dish %ld %s", c, d,
                t->done[(c - 1) * k->dishes + d - 1] ? "done" : "missed");
        }
    for (long s = 0; s < k->shelves; s++)
        expect_line(
            &e, "shelf %ld: %ld of %ld left", s + 1, t->left[s], k->portions);
    expect_line(&e, "dishes: %ld done, %ld missed", t->all_done,
        k->cooks * k->dishes - t->all_done);
    return e;
}

/* What holds of the portions, whatever else is printed. */
static void judge_kitchen(const struct kitchen *k, const struct line *lines,
    size_t count, struct verdict *v) {
    struct tally t = tally_of(k, lines, count);
    struct expected e = lines_of(k, &t);

    judge_shelves(k, &t, lines, count, v);
    judge_missed(k, &t, v);
    judge_present(lines, count, &e, v);
    free_expected(&e);
    free_tally(&t);
}

/* The numbers that the run itself tells: whether they are right is another
 * question. */
static void take_left(
    const struct kitchen *k, const struct run *run, struct tally *t) {
    for (size_t i = 0; i < run->count; i++) {
        long s, left;
        if (sscanf(run->lines[i].text, "shelf %ld: %ld", &s, &left) == 2 &&
            s >= 1 && s <= k->shelves)
            t->left[s - 1] = left;
    }
}

/* To the letter: each cook's lines in order, and nothing else. */
static void judge_output(const struct kitchen *k, struct verdict *v) {
    const struct run *run = &k->run;
    struct tally t = tally_of(k, run->lines, run->count);

    if (k->cooks > 1)
        take_left(k, run, &t);
    struct expected e = lines_of(k, &t);
    judge_lines(run, 0, &e, v);
    free_expected(&e);
    free_tally(&t);
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

void judge_kitchen_run(
    const struct run *run, const void *kitchen, struct verdict *v) {
    const struct kitchen *k = kitchen;

    judge_run_end(run, 0, v);
    if (v->text[0] == '\0')
        judge_kitchen(k, run->lines, run->count, v);
}

void judge_kitchen_job(struct grading *g, struct finding *f, struct kitchen k) {
    if (f->verdict.text[0] != '\0')
        return;
    run_kitchen(g, f, &k);
    judge_kitchen_run(&k.run, &k, &f->verdict);
    run_free(&k.run);
}

static void judge_printed(
    struct grading *g, struct finding *f, struct kitchen k) {
    if (f->verdict.text[0] != '\0')
        return;
    run_kitchen(g, f, &k);
    if (k.cooks == 1 || k.run.end != BUSY_WAIT) { /* "waits" tells */
        judge_output(&k, &f->verdict);
        judge_last_lines(&k, &k.run, &f->verdict);
    }
    if (k.cooks == 1)
        judge_kitchen_run(&k.run, &k, &f->verdict);
    run_free(&k.run);
}

/* One cook alone; and two, who are in each other's way at one shelf at most,
 * so that this says little of what they do to each other. */
void check_pantry_portions(struct grading *g, struct finding *f) {
    for (int round = 0; round < 3; round++) {
        long dishes = grade_random(g, 2, 8);
        long portions =
            round == 1 ? grade_random(g, 1, dishes - 1) : dishes + round;
        judge_printed(g, f,
            plan_kitchen(1, grade_random(g, 2, 6), portions, dishes,
                round == 0 ? 0 : grade_random(g, 1, 9)));
    }
    judge_printed(g, f, plan_kitchen(2, grade_random(g, 3, 6), 9, 2, 5));
}

/* With two shelves everybody needs both, so one takes at a time. */
void check_pantry_one_at_a_shelf(struct grading *g, struct finding *f) {
    long cooks = grade_random(g, 2, 4), dishes = grade_random(g, 2, 4);
    long ms = grade_random(g, 15, 30), all = cooks * dishes;
    struct kitchen k = plan_kitchen(cooks, 2, all, dishes, ms);

    run_kitchen(g, f, &k);
    if (k.run.end == DEADLOCK)
        snprintf(f->skipped, sizeof f->skipped,
            "it deadlocked before all dishes were done, so how long they take "
            "cannot be seen; \"every_order\" says why");
    else if (k.run.end != EXITED)
        judge_run_end(&k.run, 0, &f->verdict);
    else if (work_ns(&k.run) < all * ms * MS ||
             work_ns(&k.run) > all * (ms + SLACK_MS) * MS)
        verdict_fail(&f->verdict,
            "%ld cooks at the same two shelves took %.3f s for %ld dishes of "
            "%ld ms each; expected: %.3f s, one dish at a time",
            cooks, (double)work_ns(&k.run) / 1e9, all, ms,
            (double)(all * ms) / 1e3);
    run_free(&k.run);
}

/* ---------- Every order ---------- */

static void judge_lines_of(const struct line *lines, size_t count,
    const void *kitchen, struct verdict *v) {
    judge_kitchen(kitchen, lines, count, v);
}

static void explore_kitchen(
    struct grading *g, struct finding *f, struct kitchen k, const char *bound) {
    say_kitchen(&k);
    judge_orders(g, f, &k.words, bound, judge_lines_of, &k);
}

static void judge_shaken_run(
    const struct run *run, const void *kitchen, struct verdict *v) {
    struct verdict own = {0};

    judge_kitchen_run(run, kitchen, &own);
    if (own.text[0] != '\0')
        verdict_fault(v, cause_in_order(own.fault),
            "in some order of its threads: %s", own.text);
}

static void shake_kitchen(
    struct grading *g, struct finding *f, struct kitchen k, int runs) {
    say_kitchen(&k);
    judge_shaken(g, f, &k.program, runs, NULL, judge_shaken_run, &k);
}

/* Without a thread for each cook there is no order to look at. */
static void judge_threads(struct grading *g, struct finding *f) {
    struct kitchen k = plan_kitchen(4, 9, 9, 2, 20);

    if (f->verdict.text[0] != '\0')
        return;
    run_kitchen(g, f, &k);
    if (k.run.end == EXITED && k.run.code == 0 && k.run.most_tasks < k.cooks)
        verdict_fail(&f->verdict,
            "%ld cooks had %d thread%s at once; expected: each has one of its "
            "own",
            k.cooks, k.run.most_tasks, k.run.most_tasks == 1 ? "" : "s");
    run_free(&k.run);
}

/* Small jobs in every order. What holds in all of them may yet go wrong where
 * there are more cooks, so larger ones follow, in some orders. */
void check_pantry_every_order(struct grading *g, struct finding *f) {
    struct kitchen k = plan_kitchen(5, 4, 30, 20, 0);

    explore_kitchen(g, f, plan_kitchen(2, 2, 1, 1, 0), "BOUND=2");
    explore_kitchen(
        g, f, plan_kitchen(3, 3, grade_random(g, 1, 2), 1, 0), "BOUND=2");
    explore_kitchen(g, f, plan_kitchen(4, 3, 9, 1, 0), "BOUND=1");
    explore_kitchen(g, f, plan_kitchen(2, 4, 2, 2, 0), "BOUND=2");
    /* Two who share no shelf, and so no lock. */
    explore_kitchen(g, f, plan_kitchen(3, 4, 2, 1, 0), "BOUND=1");
    say_kitchen(&k);
    k.program.virtual_time = false;
    judge_races(g, f, &k.program);
    shake_kitchen(g, f, plan_kitchen(3, 2, 2, 2, 0), 4);
    for (int round = 0; round < 4; round++) {
        long cooks = grade_random(g, 4, 8), dishes = grade_random(g, 2, 4);
        /* Enough for all in the last. */
        shake_kitchen(g, f,
            plan_kitchen(cooks, grade_random(g, 3, 6),
                round < 3 ? grade_random(g, 1, dishes) : cooks * dishes, dishes,
                round == 0 ? 0 : grade_random(g, 1, 3)),
            2);
    }
    judge_threads(g, f);
}

/* ---------- Clean, and bad input ---------- */

void check_pantry_memory(struct grading *g, struct finding *f) {
    struct kitchen k = plan_kitchen(14, 13, 5, 4, 0);

    say_kitchen(&k);
    k.program.virtual_time = false;
    judge_leaks(g, f, &k.program);
}

void check_pantry_left(struct grading *g, struct finding *f) {
    struct kitchen k = plan_kitchen(2, 3, 20, 15, 5),
                   short_one = plan_kitchen(2, 2, 3, 2, 1);

    run_kitchen(g, f, &k);
    judge_descriptors(&k.moments, k.cooks * k.dishes, &f->verdict);
    judge_left(&k.run, &f->verdict);
    run_free(&k.run);
    say_kitchen(&short_one);
    judge_handlers(g, f, &short_one.program);
}

/* Naps are sleeping, but asking without end is not. */
void check_pantry_waits(struct grading *g, struct finding *f) {
    struct kitchen k = plan_kitchen(3, 3, 9, 1, 100);

    run_kitchen(g, f, &k);
    if (k.run.end == BUSY_WAIT)
        judge_run_end(&k.run, 0, &f->verdict);
    run_free(&k.run);
}

void check_pantry_input(struct grading *g, struct finding *f) {
    judge_refusals(g, f, "csndm",
        (struct refusal[]){{"-c", "0"}, {"-c", "1001"}, {"-s", "0"},
            {"-s", "1"}, {"-d", "0"}, {"-n", "0"}, {"-m", "60001"},
            {NULL, "stray"}, {NULL, NULL}});
}
