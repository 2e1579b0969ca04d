/*
 * jobs.c - named pieces of work that sleep, for workers who take the next
 */
#include "grader/checks/jobs.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef char name[NAME_BYTES];

void plan_jobs(struct grading *g, struct jobs *j, long count, long workers,
    long ms, long most) {
    size_t n = (size_t)count;
    name *names = calloc(n, sizeof *names);

    *j = (struct jobs){.count = count, .workers = workers, .ms = ms};
    j->names = calloc(n, sizeof *j->names);
    j->units = calloc(n, sizeof *j->units);
    j->order = calloc(n, sizeof *j->order);
    if (names == NULL || j->names == NULL || j->units == NULL ||
        j->order == NULL)
        err(EXIT_FAILURE, "calloc");
    random_names(g, names, n);
    for (long i = 0; i < count; i++) {
        j->units[i] = grade_random(g, 1, most);
        j->order[i] = i;
        j->names[i] = names[i];
    }
}

void say_jobs(struct jobs *j) {
    add_word(&j->words, "-w");
    add_word(&j->words, "%ld", j->workers);
    add_word(&j->words, "-m");
    add_word(&j->words, "%ld", j->ms);
    for (long i = 0; i < j->count; i++)
        add_word(&j->words, "%s=%ld", j->names[i], j->units[i]);
    j->program.argv = j->words.argv;
}

void run_jobs(struct grading *g, struct finding *f, struct jobs *j) {
    say_jobs(j);
    run_moments(g, f, &j->program, &j->run, &j->moments);
}

/* Only then it is known which of its lines belong together. */
static bool is_only(const struct jobs *j, long i) {
    for (long other = 0; other < j->count; other++)
        if (other != i && strcmp(j->names[other], j->names[i]) == 0)
            return false;
    return true;
}

static int64_t length_of(const struct jobs *j, long i) {
    return j->units[i] * j->ms * MS;
}

void judge_lengths(
    const struct jobs *j, const struct run *run, struct verdict *v) {
    for (long i = 0; i < j->count && v->text[0] == '\0'; i++) {
        if (!is_only(j, i))
            continue;
        struct piece p = whole_piece(run, j->names[i], v);
        int64_t took = p.end ? p.end->at_ns - p.begin->at_ns : -1;
        if (took < length_of(j, i) || took > length_of(j, i) + SLACK_MS * MS)
            verdict_fail(v, "%s took %.3f s; expected: %ld x %ld ms = %.3f s",
                j->names[i], (double)took / 1e9, j->units[i], j->ms,
                (double)length_of(j, i) / 1e9);
    }
}

/* When each piece must be begun. Returns when all are done. */
static int64_t simulate(const struct jobs *j, int64_t *begins) {
    int64_t is_free[MOST_TIMED] = {0}, end = 0;

    for (long i = 0; i < j->count; i++) {
        long first = 0, piece = j->order[i];
        for (long w = 1; w < j->workers && w < j->count; w++)
            if (is_free[w] < is_free[first])
                first = w;
        begins[piece] = is_free[first];
        is_free[first] += length_of(j, piece);
        end = is_free[first] > end ? is_free[first] : end;
    }
    return end;
}

/* Too early with more than -w at once, or else: just what is looked for. */
static enum fault sort_of_begin(
    const struct jobs *j, const struct run *run, int64_t begun, int64_t right) {
    return begun < right &&
                   events_overlap(run->lines, run->count) > (size_t)j->workers
               ? FAULT_EACH_ONE
               : FAULT_OWN;
}

void judge_begins(
    const struct jobs *j, const struct run *run, struct verdict *v) {
    int64_t begins[MOST_TIMED], end = simulate(j, begins);
    int64_t start = run->virtual_ns - work_ns(run);

    if (events_overlap(run->lines, run->count) <= 1 && run->count > 2)
        verdict_fault(v, FAULT_IN_TURN,
            "nothing overlapped, %ld pieces took %.3f s one after another; "
            "expected: %ld at once and %.3f s",
            j->count, (double)work_ns(run) / 1e9, j->workers,
            (double)end / 1e9);
    for (long i = 0; i < j->count && v->text[0] == '\0'; i++) {
        long piece = j->order[i];
        struct piece p = piece_of(run, j->names[piece]);
        if (p.begin == NULL)
            whole_piece(run, j->names[piece], v);
        int64_t begun = p.begin ? p.begin->at_ns - start : -1;
        if (begun < begins[piece] ||
            begun > begins[piece] + (i + 1) * SLACK_MS * MS)
            verdict_fault(v, sort_of_begin(j, run, begun, begins[piece]),
                "%s, number %ld, was begun at %.3f s; expected: at %.3f s, "
                "when the next of %ld workers was free",
                j->names[piece], i + 1, (double)begun / 1e9,
                (double)begins[piece] / 1e9, j->workers);
    }
    if (work_ns(run) > end + j->count * SLACK_MS * MS)
        verdict_fail(v, "it took %.3f s; expected: %.3f s",
            (double)work_ns(run) / 1e9, (double)end / 1e9);
}

void judge_workers(const struct jobs *j, const struct run *run, int helpers,
    struct verdict *v) {
    long pool = j->workers < j->count ? j->workers : j->count;
    size_t overlap = events_overlap(run->lines, run->count);

    if (overlap > (size_t)j->workers)
        verdict_fault(v, FAULT_EACH_ONE,
            "%zu were begun at once; expected: no more than -w %ld", overlap,
            j->workers);
    if (run->most_tasks > pool + 1 + helpers)
        verdict_fault(v, j->workers > j->count ? FAULT_SPARE : FAULT_EACH_ONE,
            "it had %d threads and processes at once for %ld pieces of work "
            "and -w %ld; expected: %ld workers and main",
            run->most_tasks, j->count, j->workers, pool);
    if ((size_t)run->most_tasks < overlap)
        verdict_fail(v,
            "%zu were in progress at once, but there was only %d thread; "
            "expected: a worker for each",
            overlap, run->most_tasks);
}

void judge_some_overlap(const struct jobs *j, struct verdict *v) {
    if (j->run.end == EXITED && j->run.code == 0 &&
        events_overlap(j->run.lines, j->run.count) <= 1)
        verdict_fault(v, FAULT_IN_TURN,
            "nothing overlapped, so there is no order to look at; expected: "
            "%ld at once",
            j->workers);
}
