/*
 * check_tables.c - the checks of 02-threads/exercise_tables
 *
 * Loading is sleeping, so virtual time makes every moment exact. Which worker
 * takes which table is free, when it is begun is not: the next table in the
 * order given is begun when the first worker is free.
 */
#include "grader/checks/exercises.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { MOST_TABLES = 30 };

struct loading {
    char names[MOST_TABLES][NAME_BYTES];
    long seconds[MOST_TABLES], count, workers, ms;
    struct words words;
    struct program program;
    struct run run;
};

static int64_t length_of(const struct loading *l, long i) {
    return l->seconds[i] * l->ms * MS;
}

static void plan(struct grading *g, struct loading *l, long count, long workers,
    long most_seconds) {
    memset(l, 0, sizeof *l);
    l->count = count;
    l->workers = workers;
    l->ms = grade_random(g, 10, 150) * 10;
    random_names(g, l->names, (size_t)count);
    for (long i = 0; i < count; i++)
        l->seconds[i] = grade_random(g, 1, most_seconds);
}

static void say_words(struct loading *l) {
    add_word(&l->words, "-w");
    add_word(&l->words, "%ld", l->workers);
    add_word(&l->words, "-m");
    add_word(&l->words, "%ld", l->ms);
    for (long i = 0; i < l->count; i++)
        add_word(&l->words, "%s=%ld", l->names[i], l->seconds[i]);
    l->program.argv = l->words.argv;
}

static void load(struct grading *g, struct finding *f, struct loading *l) {
    say_words(l);
    l->program.virtual_time = true;
    grade_run(g, &l->program, &l->run, f);
}

/* ---------- What is printed ---------- */

static void judge_results(
    const struct loading *l, const struct run *run, struct verdict *v) {
    size_t first = run->count - (size_t)l->count;

    for (long i = 0; i < l->count && v->text[0] == '\0'; i++) {
        char expected[80];
        const char *seen = run->lines[first + (size_t)i].text;
        snprintf(expected, sizeof expected, "result %ld: %s has %ld rows",
            i + 1, l->names[i], l->seconds[i] * 100);
        if (strcmp(seen, expected) != 0)
            verdict_fail(v,
                "of the last %ld lines, number %ld is \"%s\"; expected: \"%s\""
                ", "
                "all results in the order asked, when all are loaded",
                l->count, i + 1, seen, expected);
    }
}

static void judge_loading(
    const struct loading *l, const struct run *run, struct verdict *v) {
    struct expected e = {.count = 0};

    for (long i = 0; i < l->count; i++) {
        expect_line(&e, "%s: loading %ld s ...", l->names[i], l->seconds[i]);
        expect_line(&e, "%s: loaded", l->names[i]);
        expect_line(&e, "result %ld: %s has %ld rows", i + 1, l->names[i],
            l->seconds[i] * 100);
    }
    judge_lines(run, 0, &e, v);
    if (v->text[0] == '\0')
        judge_results(l, run, v);
    free_expected(&e);
}

void check_tables_results(struct grading *g, struct finding *f) {
    struct loading l;

    /* The first is the last to be loaded, so that order asked and order of
     * loading differ. */
    plan(g, &l, grade_random(g, 4, 8), grade_random(g, 2, 4), 6);
    l.seconds[0] = grade_random(g, 60, 90);
    load(g, f, &l);
    judge_loading(&l, &l.run, &f->verdict);
    run_free(&l.run);
    if (f->verdict.text[0] != '\0')
        return;
    plan(g, &l, grade_random(g, 3, 5), 1, 9);
    load(g, f, &l);
    judge_loading(&l, &l.run, &f->verdict);
    run_free(&l.run);
}

void check_tables_times(struct grading *g, struct finding *f) {
    struct loading l;
    char form[60];

    plan(g, &l, grade_random(g, 4, 8), grade_random(g, 2, 4), 40);
    load(g, f, &l);
    judge_run_end(&l.run, 0, &f->verdict);
    for (long i = 0; i < l.count; i++) {
        struct piece p = piece_of(&l.run, l.names[i]);
        int64_t took = p.end ? p.end->at_ns - p.begin->at_ns : -1;
        if (took != length_of(&l, i))
            verdict_fail(&f->verdict,
                "%s took %.3f s; expected: %ld x %ld ms = %.3f s", l.names[i],
                (double)took / 1e9, l.seconds[i], l.ms,
                (double)length_of(&l, i) / 1e9);
    }
    snprintf(form, sizeof form, "%ld tables in #.2 s", l.count);
    judge_summary(&l.run, form, 1e9, &f->verdict);
    run_free(&l.run);
}

/* ---------- The pool ---------- */

/* When the pool must begin each table. Returns when the last is loaded. */
static int64_t simulate(const struct loading *l, int64_t *begins) {
    int64_t is_free[MOST_TABLES] = {0}, end = 0;
    long workers = l->workers < l->count ? l->workers : l->count;

    for (long i = 0; i < l->count; i++) {
        long first = 0;
        for (long w = 1; w < workers; w++)
            if (is_free[w] < is_free[first])
                first = w;
        begins[i] = is_free[first];
        is_free[first] += length_of(l, i);
        end = is_free[first] > end ? is_free[first] : end;
    }
    return end;
}

static void judge_pool(
    const struct loading *l, const struct run *run, struct verdict *v) {
    int64_t begins[MOST_TABLES], end = simulate(l, begins);
    int64_t start = run->virtual_ns - work_ns(run);
    size_t overlap = events_overlap(run->lines, run->count);

    judge_run_end(run, 0, v);
    if (overlap <= 1)
        verdict_fail(v,
            "nothing overlapped, %ld tables took %.3f s one after another; "
            "expected: %ld at once and %.3f s",
            l->count, (double)work_ns(run) / 1e9, l->workers,
            (double)end / 1e9);
    for (long i = 0; i < l->count && v->text[0] == '\0'; i++) {
        struct piece p = piece_of(run, l->names[i]);
        if (p.begin == NULL || p.begin->at_ns - start != begins[i])
            verdict_fail(v,
                "table %ld, %s, was begun at %.3f s; expected: at %.3f s, when "
                "the next of %ld workers was free",
                i + 1, l->names[i],
                p.begin ? (double)(p.begin->at_ns - start) / 1e9 : -1,
                (double)begins[i] / 1e9, l->workers);
    }
    if (work_ns(run) != end)
        verdict_fail(v, "it took %.3f s; expected: %.3f s",
            (double)work_ns(run) / 1e9, (double)end / 1e9);
}

void check_tables_pool(struct grading *g, struct finding *f) {
    struct loading l;

    /* Long and short ones mixed: rounds and lists dealt out are seen. */
    plan(g, &l, grade_random(g, 8, 14), grade_random(g, 3, 4), 9);
    l.seconds[grade_random(g, 0, 1)] = grade_random(g, 20, 30);
    load(g, f, &l);
    judge_pool(&l, &l.run, &f->verdict);
    run_free(&l.run);
    if (f->verdict.text[0] != '\0')
        return;
    plan(g, &l, grade_random(g, 4, 6), grade_random(g, 6, 9), 9);
    load(g, f, &l); /* a worker for each table, and some to spare */
    judge_pool(&l, &l.run, &f->verdict);
    run_free(&l.run);
}

/* ---------- Limits ---------- */

/* Two threads more than needed may do something else, such as signals. */
static void judge_workers(
    const struct loading *l, const struct run *run, struct verdict *v) {
    long pool = l->workers < l->count ? l->workers : l->count;
    size_t overlap = events_overlap(run->lines, run->count);

    judge_run_end(run, 0, v);
    if (overlap > (size_t)l->workers)
        verdict_fail(v,
            "%zu tables were loaded at once; expected: no more than -w %ld",
            overlap, l->workers);
    if (run->most_tasks > pool + 1 + 2)
        verdict_fail(v,
            "it had %d threads at once for %ld tables and -w %ld; expected: a "
            "pool of %ld and main",
            run->most_tasks, l->count, l->workers, pool);
}

void check_tables_workers(struct grading *g, struct finding *f) {
    struct loading l;

    plan(g, &l, grade_random(g, 14, 20), grade_random(g, 2, 4), 9);
    load(g, f, &l);
    judge_workers(&l, &l.run, &f->verdict);
    run_free(&l.run);
    if (f->verdict.text[0] != '\0')
        return;
    plan(g, &l, grade_random(g, 2, 3), grade_random(g, 20, 40), 9);
    load(g, f, &l);
    judge_workers(&l, &l.run, &f->verdict);
    run_free(&l.run);
}

/* No room for the stacks of so many threads. Whoever can load all tables with
 * fewer may; nobody may say that all went well when it did not. */
static void judge_no_threads(struct grading *g, struct finding *f) {
    static const struct limit limits[] = {
        {RLIMIT_STACK, 64 << 20}, {RLIMIT_AS, 600 << 20}};
    struct loading l;
    char how[800];

    plan(g, &l, grade_random(g, 26, 30), 30, 9);
    l.program.limits = limits;
    l.program.limit_count = 2;
    load(g, f, &l);
    struct run *run = &l.run;
    if (run->end == EXITED && run->code == 0)
        judge_loading(&l, run, &f->verdict);
    else if (run->end != EXITED || run->code != 1 || run->err_text[0] == '\0' ||
             run->left_behind > 0)
        verdict_fail(&f->verdict,
            "when the system refused another thread it %s, stderr \"%.100s\"; "
            "expected: exit status 1 and the reason on stderr",
            run_describe(run, how, sizeof how), run->err_text);
    run_free(run);
}

/* All tables are loaded, and yet it has failed: nobody can read about it. */
static void judge_full_disk(struct grading *g, struct finding *f) {
    struct loading l;

    plan(g, &l, 3, 2, 9);
    l.program.stdout_path = "/dev/full";
    load(g, f, &l);
    if (l.run.end != EXITED || l.run.code != 1 || l.run.err_text[0] == '\0')
        verdict_fail(&f->verdict,
            "when stdout was full it %s, stderr \"%.100s\"; expected: exit "
            "status 1 and the reason on stderr",
            l.run.why, l.run.err_text);
    run_free(&l.run);
}

void check_tables_refused(struct grading *g, struct finding *f) {
    judge_no_threads(g, f);
    if (f->verdict.text[0] == '\0')
        judge_full_disk(g, f);
}

/* ---------- Clean, and bad input ---------- */

static void plan_short(struct grading *g, struct loading *l) {
    plan(g, l, 9, 4, 5);
    l->ms = 1;
    say_words(l);
}

void check_tables_races(struct grading *g, struct finding *f) {
    struct loading l;

    plan_short(g, &l);
    judge_races(g, f, &l.program);
}

void check_tables_memory(struct grading *g, struct finding *f) {
    struct loading l;

    plan_short(g, &l);
    judge_leaks(g, f, &l.program);
    plan(g, &l, 6, 2, 5);
    say_words(&l);
    l.program.virtual_time = true;
    judge_handlers(g, f, &l.program);
}

void check_tables_input(struct grading *g, struct finding *f) {
    judge_refusals(g, f, "wm",
        (struct refusal[]){{"-w", "0"}, {"-m", "0"}, {"-m", "60001"},
            {NULL, "stray"}, {NULL, "A=0"}, {NULL, "A=-1"}, {NULL, "A=x"},
            {NULL, "A="}, {NULL, "=3"}, {NULL, "A=3x"},
            {NULL, "A=99999999999999999999"}, {NULL, NULL}});
}
