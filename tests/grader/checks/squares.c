/*
 * check_squares.c - the checks of 03-processes/exercise_squares
 *
 * Adding is work for the CPU, so there is no quiet moment: the evidence is
 * which processes are ready to run at once, in what order results come, and
 * how much CPU time was used.
 */
#include "grader/checks/exercises.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MOST_JOBS = 12, MODULUS = 1000000007 };

/* Adding a square takes a quarter of a cycle at least, with vector
 * instructions at 5 GHz. */
static const double FASTEST_NS = 0.05;
enum {
    MUCH = 400000000, /* to be added: so that a formula is told from adding */
    LONG_JOB = 200000000,
    KILL_AFTER_MS = 150,
    PARENT_MS = 50
};

struct summing {
    long n[MOST_JOBS], count, workers;
    struct words words;
    struct program program;
    struct workers watched;
    struct run run;
};

/* n (n + 1) (2 n + 1) / 6, modulo: the division comes first, while it is
 * exact. */
static long sum_of(long n) {
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

/* Adds so many jobs of about this size, no two alike. */
static void add_jobs(
    struct grading *g, struct summing *s, long count, long low, long high) {
    for (long i = 0; i < count; i++) {
        long n = grade_random(g, low, high);
        while (!is_new(s, n))
            n++;
        s->n[s->count++] = n;
    }
}

static void say_words(struct summing *s) {
    add_word(&s->words, "-w");
    add_word(&s->words, "%ld", s->workers);
    for (long i = 0; i < s->count; i++)
        add_word(&s->words, "%ld", s->n[i]);
    s->program.argv = s->words.argv;
}

static void add_up(struct grading *g, struct finding *f, struct summing *s) {
    say_words(s);
    s->program.outside = look_at_workers;
    s->program.arg = &s->watched;
    watch_workers(&s->watched);
    grade_run(g, &s->program, &s->run, f);
}

/* ---------- The sums ---------- */

/* Where a line is in the output; -1: it is not. */
static long place_of(const struct run *run, const char *text) {
    for (size_t i = 0; i < run->count; i++)
        if (strcmp(run->lines[i].text, text) == 0)
            return (long)i;
    return -1;
}

/* `killed`: the first job has no sum. */
static void judge_sums(
    const struct summing *s, bool killed, struct verdict *v) {
    struct expected e = {.count = 0};
    long total = 0;

    for (long i = 0; i < s->count; i++) {
        expect_line(&e, "%ld: summing ...", s->n[i]);
        if (killed && i == 0)
            expect_line(&e, "%ld: no sum", s->n[i]);
        else
            expect_line(&e, "%ld: %ld", s->n[i], sum_of(s->n[i]));
        total = (total + sum_of(s->n[i])) % MODULUS;
    }
    if (!killed)
        expect_line(&e, "total: %ld", total);
    judge_lines(&s->run, killed, &e, v);
    if (!killed && v->text[0] == '\0' &&
        place_of(&s->run, e.lines[e.count - 1]) + 1 != (long)s->run.count)
        verdict_fail(v, "the last line is \"%s\"; expected: \"%s\"",
            s->run.lines[s->run.count - 1].text, e.lines[e.count - 1]);
    free_expected(&e);
}

void check_squares_sums(struct grading *g, struct finding *f) {
    for (long round = 0; round < 3 && f->verdict.text[0] == '\0'; round++) {
        struct summing s = {.workers = round == 0 ? 1 : grade_random(g, 2, 4)};
        char begin[40];
        /* At least 5: their total is not below the modulus by chance. */
        add_jobs(g, &s, grade_random(g, 5, 7), 1, 2000000);
        add_jobs(g, &s, round, 1, 9);
        add_up(g, f, &s);
        judge_sums(&s, false, &f->verdict);
        snprintf(begin, sizeof begin, "%ld sums in ", s.count);
        judge_err_line(&s.run, begin, " s", &f->verdict);
        run_free(&s.run);
    }
}

/* It costs CPU time to add. */
void check_squares_adds(struct grading *g, struct finding *f) {
    struct summing little = {.workers = 1}, much = {.workers = 1};

    add_jobs(g, &little, 1, 1, 9);
    add_jobs(g, &much, 1, MUCH, MUCH + 1000000);
    add_up(g, f, &little);
    judge_sums(&little, false, &f->verdict);
    add_up(g, f, &much);
    judge_sums(&much, false, &f->verdict);
    double extra = (double)(much.run.cpu_ns - little.run.cpu_ns);
    double least = (double)much.n[0] * FASTEST_NS;
    if (extra < least)
        verdict_fail(&f->verdict,
            "it cannot have added: %ld squares took %.1f ms of CPU time more "
            "than %ld; expected: at least %.0f ms",
            much.n[0], extra / 1e6, little.n[0], least / 1e6);
    run_free(&little.run);
    run_free(&much.run);
}

/* ---------- A process that is killed ---------- */

void check_squares_killed(struct grading *g, struct finding *f) {
    struct summing s = {.workers = grade_random(g, 2, 3)};
    char name[24];

    add_jobs(g, &s, 1, 900000000, 1000000000);
    add_jobs(g, &s, grade_random(g, 3, 6), 1000, 300000);
    s.watched.kill_after_ms = KILL_AFTER_MS;
    add_up(g, f, &s);
    if (s.watched.killed == 0)
        verdict_fail(&f->verdict,
            "no process of it ever had %d ms of CPU time, so none could be "
            "killed; expected: %ld is added up by one",
            KILL_AFTER_MS, s.n[0]);
    judge_sums(&s, true, &f->verdict);
    snprintf(name, sizeof name, "%ld", s.n[0]);
    if (strstr(s.run.err_text, name) == NULL)
        verdict_fail(&f->verdict,
            "stderr is \"%.200s\"; expected: it names %ld, whose process was "
            "killed",
            s.run.err_text, s.n[0]);
    run_free(&s.run);
}

/* ---------- At once, and as they complete ---------- */

static void run_long_jobs(
    struct grading *g, struct finding *f, struct summing *s) {
    memset(s, 0, sizeof *s);
    s->workers = grade_random(g, 2, 3);
    add_jobs(g, s, 2 * s->workers + 1, LONG_JOB / 3, LONG_JOB / 2 - 1);
    add_up(g, f, s);
    judge_run_end(&s->run, 0, &f->verdict);
}

void check_squares_parallel(struct grading *g, struct finding *f) {
    struct summing s;

    run_long_jobs(g, f, &s);
    if (s.watched.most_ready < s.workers)
        verdict_fail(&f->verdict,
            "in %d looks at most %d of its processes computed at once; "
            "expected: %ld",
            s.watched.looks, s.watched.most_ready, s.workers);
    run_free(&s.run);
}

/* What only the parent should do: nothing. It sleeps until one has ended, and
 * then lets it go. One long job and short ones: the long one's CPU time says
 * how long that is. */
static void judge_parent(struct grading *g, struct finding *f) {
    struct summing s = {.workers = 2};

    add_jobs(g, &s, 1, LONG_JOB, LONG_JOB + 1000000);
    add_jobs(g, &s, grade_random(g, 3, 5), 1000, 100000);
    add_up(g, f, &s);
    judge_run_end(&s.run, 0, &f->verdict);
    if (s.watched.zombie != 0)
        verdict_fail(&f->verdict,
            "process %d had ended and was not waited for while another used "
            "%d ms of CPU time; expected: no zombie",
            (int)s.watched.zombie, ZOMBIE_MS);
    if (s.watched.parent_ms > PARENT_MS &&
        s.watched.parent_ms * 4 > s.watched.busiest_ms)
        verdict_fail(&f->verdict,
            "the parent used %ld ms of CPU time, the longest sum %ld ms; "
            "expected: it sleeps until a process has ended",
            s.watched.parent_ms, s.watched.busiest_ms);
    run_free(&s.run);
}

void check_squares_processes(struct grading *g, struct finding *f) {
    struct summing s;

    judge_parent(g, f);
    if (f->verdict.text[0] != '\0')
        return;
    run_long_jobs(g, f, &s);
    if (s.watched.most_ready > s.workers)
        verdict_fail(&f->verdict,
            "%d of its processes computed at once; expected: no more than -w "
            "%ld",
            s.watched.most_ready, s.workers);
    run_free(&s.run);
}

/* Not one more than the program itself. Where the limit does not hold, as for
 * root, all sums are to come. */
void check_squares_refused(struct grading *g, struct finding *f) {
    static const struct limit limits[] = {{RLIMIT_NPROC, 1}};
    struct summing s = {.workers = grade_random(g, 2, 4)};
    struct run *run = &s.run;
    char how[800];

    add_jobs(g, &s, 5, 100, 10000);
    s.program.limits = limits;
    s.program.limit_count = 1;
    add_up(g, f, &s);
    if (run->end == EXITED && run->code == 0)
        judge_sums(&s, false, &f->verdict);
    else if (run->end != EXITED || run->code != 1 || run->left_behind > 0 ||
             strstr(run->err_text, strerror(EAGAIN)) == NULL)
        verdict_fail(&f->verdict,
            "when the system refused another process it %s, stderr \"%.200s\"; "
            "expected: exit status 1 and the reason on stderr: \"%s\"",
            run_describe(run, how, sizeof how), run->err_text,
            strerror(EAGAIN));
    run_free(run);
}

/* The first is long, the others are short: their results come while the
 * process of the first is still at work. */
void check_squares_as_completed(struct grading *g, struct finding *f) {
    struct summing s = {.workers = 2};

    add_jobs(g, &s, 1, LONG_JOB, LONG_JOB + 1000000);
    add_jobs(g, &s, grade_random(g, 3, 5), 1000, 100000);
    add_up(g, f, &s);
    judge_run_end(&s.run, 0, &f->verdict);
    for (long i = 1; i < s.count && f->verdict.text[0] == '\0'; i++) {
        char text[60], first[60];
        snprintf(text, sizeof text, "%ld: %ld", s.n[i], sum_of(s.n[i]));
        snprintf(first, sizeof first, "%ld: %ld", s.n[0], sum_of(s.n[0]));
        long at = place_of(&s.run, text), before = place_of(&s.run, first);
        if (at == -1 || before == -1 || at > before)
            verdict_fail(&f->verdict,
                "the sum of %ld was printed after that of %ld, which takes far "
                "longer; expected: each as it completes",
                s.n[i], s.n[0]);
        else if (s.run.lines[at].at_ns > s.watched.busiest_seen_ns)
            verdict_fail(&f->verdict,
                "the sum of %ld was printed when that of %ld was ready as "
                "well; expected: each as it completes",
                s.n[i], s.n[0]);
    }
    run_free(&s.run);
}

/* ---------- Clean, and bad input ---------- */

void check_squares_memory(struct grading *g, struct finding *f) {
    struct summing s = {.workers = 2};

    add_jobs(g, &s, 5, 100, 10000);
    say_words(&s);
    judge_leaks(g, f, &s.program);
    judge_handlers(g, f, &s.program);
}

void check_squares_input(struct grading *g, struct finding *f) {
    judge_refusals(g, f, "w",
        (struct refusal[]){{"-w", "0"}, {NULL, "stray"}, {NULL, "0"},
            {NULL, "3x"}, {NULL, "99999999999999999999"}, {NULL, NULL}});
}
