/*
 * quotes.c - the two exercise_quotes, 01 and 04: what they print and return
 */
#define _GNU_SOURCE /* strcasestr */
#include "grader/checks/quotes.h"
#include "grader/checks/exercises.h"
#include "grader/checks/sanitizers.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

void open_asking(struct grading *g, struct asking *a, long count, long most) {
    memset(a, 0, sizeof *a);
    a->count = count;
    a->gate.all = count;
    a->gate.most = most;
    a->gate.options.quote_salt = (unsigned)grade_random(g, 1, 1000000000);
    random_names(g, a->names, (size_t)count);
}

/* -w is left out when w is 0. */
static void say_words(struct asking *a, long w) {
    add_word(&a->words, "-s");
    add_word(&a->words, "%s", a->gate.base);
    if (w > 0) {
        add_word(&a->words, "-w");
        add_word(&a->words, "%ld", w);
    }
    for (long i = 0; i < a->count; i++)
        add_word(&a->words, "%s", a->names[i]);
}

void start_asking(struct asking *a, long w) {
    gate_open(&a->gate);
    gate_watch(&a->gate, &a->program);
    say_words(a, w);
    a->program.argv = a->words.argv;
}

void ask_sites(struct grading *g, struct finding *f, struct asking *a, long w) {
    start_asking(a, w);
    grade_run(g, &a->program, &a->run, f);
    gate_close(&a->gate, &a->last);
}

static void expect_quote(struct expected *e, const struct asking *a, long i) {
    char quote[64];

    expect_line(e, "%s: asking ...", a->names[i]);
    expect_line(e, "%s: %s", a->names[i],
        sites_quote(
            a->gate.options.quote_salt, a->names[i], quote, sizeof quote));
}

static void judge_requests(const struct asking *a, struct verdict *v) {
    if (a->last.requests != a->count)
        verdict_fail(v,
            "the site had %ld request%s for %ld symbol%s; expected: one each",
            a->last.requests, a->last.requests == 1 ? "" : "s", a->count,
            a->count == 1 ? "" : "s");
}

/* From the line that asks to the quote is the latency, if each line is printed
 * when it is true. */
static void judge_lasting(const struct asking *a, struct verdict *v) {
    for (long i = 0; i < a->count && v->text[0] == '\0'; i++) {
        struct piece p = whole_piece(&a->run, a->names[i], v);
        int64_t took = p.end ? p.end->at_ns - p.begin->at_ns : -1;
        if (took < a->gate.latency_ms * MS)
            verdict_fail(v,
                "the two lines of %s came %.3f s apart; expected: at least "
                "%.3f s, what the site takes, each line written at once",
                a->names[i], (double)took / 1e9,
                (double)a->gate.latency_ms / 1e3);
    }
}

/* ---------- All come ---------- */

/* What the last line says, also when one has failed. */
static void judge_told(
    struct grading *g, struct finding *f, long count, long w) {
    char form[40];

    for (long failed = 0; failed < 2 && f->verdict.text[0] == '\0'; failed++) {
        struct asking a;
        open_asking(g, &a, count, w == 0 ? 1 : w);
        a.gate.latency_ms = grade_random(g, 10, 90) * 10;
        if (failed)
            a.gate.options.broken_symbol = a.names[1];
        ask_sites(g, f, &a, w);
        snprintf(form, sizeof form, "%ld quotes in #.2 s", count - failed);
        judge_summary(&a.run, form, 1e9, &f->verdict);
        run_free(&a.run);
    }
}

static void judge_quotes(
    struct grading *g, struct finding *f, long count, long w, bool twice) {
    struct asking a;
    struct expected e = {.count = 0};

    open_asking(g, &a, count, w == 0 ? 1 : w);
    if (twice) /* it is asked for as often as it is named */
        memcpy(a.names[count - 1], a.names[0], sizeof a.names[0]);
    a.gate.latency_ms = grade_random(g, 10, 90) * 10;
    a.gate.at_once = LONG_MAX;
    ask_sites(g, f, &a, w);
    for (long i = 0; i < count; i++)
        expect_quote(&e, &a, i);
    judge_run_end(&a.run, 0, &f->verdict);
    if (twice)
        judge_present(a.run.lines, a.run.count, &e, &f->verdict);
    else
        judge_lines(&a.run, 0, &e, &f->verdict);
    if (!twice)
        judge_lasting(&a, &f->verdict);
    judge_requests(&a, &f->verdict);
    free_expected(&e);
    run_free(&a.run);
}

void check_quotes_in_turn(struct grading *g, struct finding *f) {
    judge_quotes(g, f, grade_random(g, 3, 7), 0, false);
    judge_quotes(g, f, grade_random(g, 3, 7), 0, true);
}

void check_quotes_at_once(struct grading *g, struct finding *f) {
    judge_quotes(g, f, grade_random(g, 4, 9), grade_random(g, 2, 5), false);
    judge_quotes(g, f, grade_random(g, 4, 9), grade_random(g, 2, 5), true);
    judge_told(g, f, grade_random(g, 4, 9), 3);
}

/* ---------- Some fail ---------- */

/* A line of stderr names the symbol and one of these reasons after it. */
static void judge_reason(const struct run *run, const char *symbol,
    const char *reason, const char *also, struct verdict *v) {
    char mark[NAME_BYTES + 4], line[300];

    snprintf(mark, sizeof mark, "%s: ", symbol);
    const char *at = strstr(run->err_text, mark);
    snprintf(line, sizeof line, "%.*s", at ? (int)strcspn(at, "\n") : 0,
        at ? at : "");
    if (strcasestr(line, reason) == NULL && strcasestr(line, also) == NULL)
        verdict_fail(v,
            "stderr is \"%.300s\"; expected: a line \"exercise_quotes: %s: "
            "%s\"",
            run->err_text, symbol, reason);
}

/* Three of them fail, each in another way: order[] is which. */
static void let_fail(
    struct grading *g, struct finding *f, struct asking *a, long order[3]) {
    long offset = grade_random(g, 0, a->count - 4);

    for (long i = 0; i < 3; i++)
        order[i] = i;
    for (long i = 0; i < 3; i++) {
        long other = grade_random(g, i, 2), kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
    for (long i = 0; i < 3; i++)
        order[i] += offset;
    a->gate.options.cut_symbol = a->names[order[0]];
    a->gate.options.broken_symbol = a->names[order[1]];
    char *unknown = a->names[order[2]];
    for (char *c = unknown; *c != '\0'; c++)
        *c = (char)(*c - 'A' + 'a'); /* the site knows capital letters only */
    a->gate.latency_ms = grade_random(g, 10, 90);
    grade_where(f,
        "the site cuts the answer for %s short, has status 500 for %s, and "
        "404 for %s",
        a->names[order[0]], a->names[order[1]], unknown);
}

static void judge_failures(
    struct grading *g, struct finding *f, long count, long w) {
    struct asking a;
    struct expected e = {.count = 0};
    long order[3];

    open_asking(g, &a, count, w == 0 ? 1 : w);
    let_fail(g, f, &a, order);
    const char *cut = a.names[order[0]], *broken = a.names[order[1]],
               *unknown = a.names[order[2]];
    ask_sites(g, f, &a, w);
    for (long i = 0; i < count; i++)
        if (i == order[0] || i == order[1] || i == order[2]) {
            expect_line(&e, "%s: asking ...", a.names[i]);
            expect_line(&e, "%s: no quote", a.names[i]);
        } else {
            expect_quote(&e, &a, i);
        }
    judge_run_end(&a.run, 1, &f->verdict);
    judge_present(a.run.lines, a.run.count, &e, &f->verdict);
    judge_requests(&a, &f->verdict);
    judge_reason(
        &a.run, cut, "Transferred a partial file", "closed", &f->verdict);
    judge_reason(&a.run, broken, "HTTP response code said error",
        "returned error", &f->verdict);
    judge_reason(&a.run, unknown, "HTTP response code said error",
        "returned error", &f->verdict);
    free_expected(&e);
    run_free(&a.run);
}

void check_failures_in_turn(struct grading *g, struct finding *f) {
    judge_failures(g, f, grade_random(g, 5, 8), 0);
}

void check_failures_at_once(struct grading *g, struct finding *f) {
    judge_failures(g, f, grade_random(g, 6, 10), grade_random(g, 1, 4));
}

void check_told_in_turn(struct grading *g, struct finding *f) {
    judge_told(g, f, grade_random(g, 3, 6), 0);
}

/* ---------- How much of it was waiting ---------- */

/* What the kernel says of CPU time is what this check wants it to say. */
static void judge_waiting(
    struct grading *g, struct finding *f, int cpu_permille) {
    struct asking a;
    char form[120];
    long count = grade_random(g, 2, 6);

    open_asking(g, &a, count, 1);
    a.gate.latency_ms = grade_random(g, 20, 90) * 10;
    a.program.cpu_permille = cpu_permille;
    ask_sites(g, f, &a, 0);
    judge_run_end(&a.run, 0, &f->verdict);
    snprintf(form, sizeof form,
        "%ld quotes in #.2 s, %.0f %% of it waiting: %s-bound", count,
        100 - cpu_permille / 10.0, cpu_permille <= 500 ? "I/O" : "CPU");
    judge_summary(&a.run, form, 1e9, &f->verdict);
    if (f->verdict.text[0] != '\0' && a.run.end == EXITED) {
        size_t used = strlen(f->verdict.text);
        snprintf(f->verdict.text + used, sizeof f->verdict.text - used,
            ", as %.1f %% of the time was CPU time", cpu_permille / 10.0);
    }
    run_free(&a.run);
}

void check_waiting(struct grading *g, struct finding *f) {
    /* Nothing that is rounded by a hair: 0.3, or 0.7, never 0.5. */
    int few = (int)grade_random(g, 2, 40) * 10,
        many = (int)grade_random(g, 60, 97) * 10;

    judge_waiting(g, f, few + 3);
    if (f->verdict.text[0] == '\0')
        judge_waiting(g, f, many + 7);
    if (f->verdict.text[0] == '\0')
        judge_waiting(g, f, few + 7);
    if (f->verdict.text[0] == '\0')
        judge_waiting(g, f, many + 3);
}

/* ---------- Memory, and bad input ---------- */

static void judge_memory(struct grading *g, struct finding *f, long w) {
    struct asking a;

    open_asking(g, &a, 6, 1);
    a.gate.options.cut_symbol = a.names[2];
    a.gate.options.broken_symbol = a.names[3];
    a.gate.sites =
        start_sites(&a.gate.options, a.gate.base, sizeof a.gate.base);
    say_words(&a, w);
    a.program.argv = a.words.argv;
    a.program.outside = sites_will;
    a.program.arg = a.gate.sites;
    judge_leaks(g, f, &a.program);
    sites_stop(a.gate.sites, NULL);
}

void check_memory_in_turn(struct grading *g, struct finding *f) {
    judge_memory(g, f, 0);
}

void check_memory_at_once(struct grading *g, struct finding *f) {
    judge_memory(g, f, 3);
}

void check_input_in_turn(struct grading *g, struct finding *f) {
    judge_refusals(g, f, "", (struct refusal[]){{"-s", NULL}, {NULL, NULL}});
}

void check_input_at_once(struct grading *g, struct finding *f) {
    judge_refusals(g, f, "w",
        (struct refusal[]){
            {"-s", NULL}, {"-w", "0"}, {"-w", "1001"}, {NULL, NULL}});
}
