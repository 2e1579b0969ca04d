/*
 * quotes_flight.c - the two exercise_quotes: how many requests at once, by whom
 */
#include "grader/checks/exercises.h"
#include "grader/checks/quotes.h"
#include "grader/checks/rare.h"

/* A thread or process that it does not ask for may be refused. */
static void judge_none_asked(struct grading *g, struct finding *f, long count,
    long w, enum refused what) {
    struct asking a;
    struct run run;

    open_asking(g, &a, count, w == 0 ? 1 : w);
    start_asking(&a, w);
    bool asked = run_refused(g, f, &a.program, what, 1, &run);
    gate_close(&a.gate, &a.last);
    if (!asked)
        return;
    verdict_fail(&f->verdict,
        "it asked the system for another %s; expected: one thread, no child",
        what == THREAD ? "thread" : "process");
    run_free(&run);
}

static void judge_alone(
    struct grading *g, struct finding *f, long count, long w, int most_tasks) {
    struct asking a;

    open_asking(g, &a, count, w == 0 ? 1 : w);
    ask_sites(g, f, &a, w);
    if (a.run.most_tasks > most_tasks || a.run.most_processes > 1)
        verdict_fail(&f->verdict,
            "it had %d thread%s in %d process%s; "
            "expected: one thread, no child",
            a.run.most_tasks, a.run.most_tasks == 1 ? "" : "s",
            a.run.most_processes, a.run.most_processes == 1 ? "" : "es");
    run_free(&a.run);
    if (most_tasks == 1)
        judge_none_asked(g, f, count, w, THREAD);
    judge_none_asked(g, f, count, w, PROCESS);
}

/* One at a time, in the order asked, and the next at once. */
void check_one_in_flight(struct grading *g, struct finding *f) {
    struct asking a;
    long count = grade_random(g, 3, 7), begun = 0;

    open_asking(g, &a, count, 1);
    a.gate.latency_ms = grade_random(g, 20, 90) * 10;
    ask_sites(g, f, &a, 0);
    gate_judge_most(&a.gate, &f->verdict);
    for (size_t at = 0; at < a.run.count && begun < count; at++)
        if (a.run.lines[at].text[0] != '\0' &&
            !in_lane(&a.run.lines[at], a.names[begun]))
            verdict_fail(&f->verdict,
                "line %zu is \"%.60s\"; expected: one of %s, the symbol that "
                "comes next",
                at + 1, a.run.lines[at].text, a.names[begun]);
        else
            begun += piece_of(&a.run, a.names[begun]).end == &a.run.lines[at];
    if (begun < count)
        verdict_fail(&f->verdict,
            "%ld of %ld symbols were asked for and told; "
            "expected: all",
            begun, count);
    if (work_ns(&a.run) > count * (a.gate.latency_ms + 10) * MS)
        verdict_fail(&f->verdict,
            "it took %.3f s for %ld answers of %.3f s; expected: the next is "
            "asked for as soon as the last has come",
            (double)work_ns(&a.run) / 1e9, count,
            (double)a.gate.latency_ms / 1e3);
    run_free(&a.run);
    if (f->verdict.text[0] == '\0')
        judge_alone(g, f, count, 0, 2); /* one that only waits */
}

static void run_in_flight(
    struct grading *g, struct finding *f, struct asking *a) {
    long w = grade_random(g, 2, 6);

    open_asking(g, a, grade_random(g, 2 * w + 1, 3 * w + 3), w);
    ask_sites(g, f, a, w);
}

/* One that fails makes room for the next as well. */
static void judge_after_failures(struct grading *g, struct finding *f, long w) {
    struct asking a;

    open_asking(g, &a, 2 * w + 4, w);
    a.gate.options.broken_symbol = a.names[0];
    a.gate.options.cut_symbol = a.names[1];
    grade_where(f,
        "the site has status 500 for %s, and cuts the answer for %s short",
        a.names[0], a.names[1]);
    ask_sites(g, f, &a, w);
    gate_judge_least(&a.gate, &f->verdict);
    run_free(&a.run);
}

void check_in_flight(struct grading *g, struct finding *f) {
    struct asking a;
    long many = grade_random(g, 33, 48);

    run_in_flight(g, f, &a);
    gate_judge_least(&a.gate, &f->verdict);
    run_free(&a.run);
    if (f->verdict.text[0] != '\0')
        return;
    open_asking(g, &a, many + 10, many); /* no array of a fixed size */
    a.gate.at_once = 8;
    ask_sites(g, f, &a, many);
    gate_judge_least(&a.gate, &f->verdict);
    run_free(&a.run);
    if (f->verdict.text[0] == '\0')
        judge_after_failures(g, f, grade_random(g, 2, 4));
}

void check_flight_limit(struct grading *g, struct finding *f) {
    struct asking a;

    run_in_flight(g, f, &a);
    gate_judge_most(&a.gate, &f->verdict);
    size_t told = events_overlap(a.run.lines, a.run.count);
    if (told > (size_t)a.gate.most)
        verdict_fail(&f->verdict,
            "%zu symbols were \"asking\" at once; expected: no more than -w "
            "%ld, each told when it is asked for",
            told, a.gate.most);
    run_free(&a.run);
}

void check_alone_at_once(struct grading *g, struct finding *f) {
    judge_alone(g, f, grade_random(g, 4, 9), grade_random(g, 2, 5), 1);
}
