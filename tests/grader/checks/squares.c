/*
 * squares.c - 03-processes/exercise_squares: sums, and how many compute at once
 *
 * Adding is work for the CPU, so there is no quiet moment: the evidence is
 * which processes are ready to run at once, in what order results come, and
 * how much CPU time was used.
 */
#include "grader/checks/squares.h"
#include "grader/checks/exercises.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Adding a square takes a quarter of a cycle at least, with vector
 * instructions at 5 GHz. */
static const double FASTEST_NS = 0.05;
enum { MUCH = 100000000 }; /* to be added: a formula is told from adding */

/* n (n + 1) (2 n + 1) / 6, modulo: the division comes first, while it is
 * exact. */
long sum_of_squares(long n) {
    uint64_t a = (uint64_t)n, b = a + 1, c = 2 * a + 1;

    if (a % 2 == 0)
        a /= 2;
    else
        b /= 2;
    if (a % 3 == 0)
        a /= 3;
    else if (b % 3 == 0)
        b /= 3;
    else
        c /= 3;
    return (
        long)(a % MODULUS * (b % MODULUS) % MODULUS * (c % MODULUS) % MODULUS);
}

static bool is_new(const struct summing *s, long n) {
    for (long i = 0; i < s->count; i++)
        if (s->n[i] == n)
            return false;
    return true;
}

void add_squares(
    struct grading *g, struct summing *s, long count, long low, long high) {
    for (long i = 0; i < count && s->count < MOST_SUMS; i++) {
        long n = grade_random(g, low, high);
        while (!is_new(s, n))
            n++;
        s->n[s->count++] = n;
    }
}

void say_squares(struct summing *s) {
    if (s->workers > 0) {
        add_word(&s->words, "-w");
        add_word(&s->words, "%ld", s->workers);
    }
    for (long i = 0; i < s->count; i++)
        add_word(&s->words, "%ld", s->n[i]);
    s->program.argv = s->words.argv;
}

void sum_squares(struct grading *g, struct finding *f, struct summing *s) {
    say_squares(s);
    s->program.outside = look_at_workers;
    s->program.arg = &s->watched;
    watch_workers(&s->watched);
    grade_run(g, &s->program, &s->run, f);
}

/* ---------- The sums ---------- */

long place_of(const struct run *run, const char *text) {
    for (size_t i = 0; i < run->count; i++)
        if (strcmp(run->lines[i].text, text) == 0)
            return (long)i;
    return -1;
}

static struct expected lines_of(const struct summing *s) {
    struct expected e = {.count = 0};
    long total = 0;

    for (long i = 0; i < s->count; i++) {
        expect_line(&e, "%ld: summing ...", s->n[i]);
        if (s->n[i] == s->killed)
            expect_line(&e, "%ld: no sum", s->n[i]);
        else
            expect_line(&e, "%ld: %ld", s->n[i], sum_of_squares(s->n[i]));
        total = (total + sum_of_squares(s->n[i])) % MODULUS;
    }
    if (s->killed == 0)
        expect_line(&e, "total: %ld", total);
    return e;
}

void judge_sums(const struct run *run, const void *summing, struct verdict *v) {
    const struct summing *s = summing;
    struct expected e = lines_of(s);

    judge_run_end(run, s->killed != 0, v);
    judge_present(run->lines, run->count, &e, v);
    free_expected(&e);
}

/* To the letter, each lane in order, and the total last. */
static void judge_output(const struct summing *s, struct verdict *v) {
    const struct run *run = &s->run;
    struct expected e = lines_of(s);

    judge_lines(run, 0, &e, v);
    if (v->text[0] == '\0' &&
        strcmp(run->lines[run->count - 1].text, e.lines[e.count - 1]) != 0)
        verdict_fault(v, FAULT_ORDER,
            "the last line is \"%s\"; expected: \"%s\"",
            run->lines[run->count - 1].text, e.lines[e.count - 1]);
    free_expected(&e);
}

void check_squares_sums(struct grading *g, struct finding *f) {
    for (long round = 0; round < 3 && f->verdict.text[0] == '\0'; round++) {
        struct summing s = {.workers = round == 0 ? 1 : grade_random(g, 2, 4)};
        char begin[40];
        /* At least 5: their total is not below the modulus by chance. */
        add_squares(g, &s, grade_random(g, 5, 7), 1, 2000000);
        add_squares(g, &s, round, 1, 9);
        sum_squares(g, f, &s);
        judge_output(&s, &f->verdict);
        snprintf(begin, sizeof begin, "%ld sums in ", s.count);
        judge_err_line(&s.run, begin, " s", &f->verdict);
        run_free(&s.run);
    }
}

/* It costs CPU time to add, of a child also where there is only one. */
void check_squares_adds(struct grading *g, struct finding *f) {
    struct summing little = {.workers = 1}, much = {.workers = 1};

    add_squares(g, &little, 1, 1, 9);
    add_squares(g, &much, 1, MUCH, MUCH + 1000000);
    sum_squares(g, f, &little);
    sum_squares(g, f, &much);
    judge_sums(&much.run, &much, &f->verdict);
    double extra = (double)(much.run.cpu_ns - little.run.cpu_ns);
    double least = (double)much.n[0] * FASTEST_NS;
    if (extra < least)
        verdict_fail(&f->verdict,
            "it cannot have added: %ld squares took %.1f ms of CPU time more "
            "than %ld; expected: at least %.0f ms",
            much.n[0], extra / 1e6, little.n[0], least / 1e6);
    if (much.run.most_processes < 2)
        verdict_fail(&f->verdict,
            "with -w 1 it had no child: the parent added; expected: a child "
            "does");
    run_free(&little.run);
    run_free(&much.run);
}

/* ---------- At once, and as they complete ---------- */

static void judge_ready(
    const struct summing *s, long workers, struct verdict *v) {
    size_t begun = events_overlap(s->run.lines, s->run.count);

    if (s->watched.most_ready < workers)
        verdict_fail(v,
            "in %d looks at most %d of its processes computed at once; "
            "expected: %ld",
            s->watched.looks, s->watched.most_ready, workers);
    if (s->watched.most_ready > workers)
        verdict_fail(v,
            "%d of its processes computed at once; expected: no more than %ld",
            s->watched.most_ready, workers);
    /* A child may begin the next before its parent has told of the last. */
    if (begun > (size_t)(2 * workers))
        verdict_fail(v,
            "%zu sums were \"summing\" at once; expected: no more than %ld, "
            "each told when it begins",
            begun, workers);
}

void check_squares_parallel(struct grading *g, struct finding *f) {
    struct summing s = {.workers = grade_random(g, 2, 3)};
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    add_squares(g, &s, 2 * s.workers + 1, LONG_JOB / 3, LONG_JOB / 2 - 1);
    sum_squares(g, f, &s);
    judge_ready(&s, s.workers, &f->verdict);
    run_free(&s.run);
    if (f->verdict.text[0] != '\0' || cpus > MOST_SUMS / 2)
        return;
    /* Without -w one for each CPU. */
    s = (struct summing){.workers = 0};
    add_squares(g, &s, 2 * cpus + 1, LONG_JOB / 8, LONG_JOB / 6);
    sum_squares(g, f, &s);
    judge_ready(&s, cpus, &f->verdict);
    run_free(&s.run);
}

/* The first is long, the others are short: their results come while the
 * process of the first is still at work. */
void check_squares_as_completed(struct grading *g, struct finding *f) {
    struct summing s = {.workers = 2};

    add_squares(g, &s, 1, LONG_JOB, LONG_JOB + 1000000);
    add_squares(g, &s, grade_random(g, 3, 5), 1000, 100000);
    sum_squares(g, f, &s);
    for (long i = 1; i < s.count && f->verdict.text[0] == '\0'; i++) {
        char lane[24];
        snprintf(lane, sizeof lane, "%ld", s.n[0]);
        struct piece first = whole_piece(&s.run, lane, &f->verdict);
        snprintf(lane, sizeof lane, "%ld", s.n[i]);
        struct piece later = whole_piece(&s.run, lane, &f->verdict);
        if (f->verdict.text[0] != '\0')
            break;
        if (later.end > first.end)
            verdict_fail(&f->verdict,
                "the sum of %ld was printed after that of %ld, which takes far "
                "longer; expected: each as it completes",
                s.n[i], s.n[0]);
        else if (later.end->at_ns > s.watched.busiest_seen_ns)
            verdict_fail(&f->verdict,
                "the sum of %ld was printed when that of %ld was ready as "
                "well; expected: each as it completes",
                s.n[i], s.n[0]);
    }
    run_free(&s.run);
}
