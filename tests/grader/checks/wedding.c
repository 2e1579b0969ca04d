/*
 * check_wedding.c - the checks of 05-queue/exercise_wedding
 *
 * A task is a sleep, so virtual time makes every moment exact: a task is begun
 * the moment a friend is free, the longest first.
 */
#include "grader/checks/exercises.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { MOST_TASKS = 24 };

struct party {
    char names[MOST_TASKS][NAME_BYTES];
    long hours[MOST_TASKS], count, friends, ms;
    long order[MOST_TASKS]; /* the tasks as they are to be begun */
    struct words words;
    struct program program;
    struct run run;
};

static int64_t length_of(const struct party *p, long i) {
    return p->hours[i] * p->ms * MS;
}

/* The longest first, equals as given: a stable insertion sort. */
static void sort(struct party *p) {
    for (long i = 0; i < p->count; i++) {
        long at = i;
        for (; at > 0 && p->hours[p->order[at - 1]] < p->hours[i]; at--)
            p->order[at] = p->order[at - 1];
        p->order[at] = i;
    }
}

static void plan(struct grading *g, struct party *p, long count, long friends,
    long most_hours) {
    memset(p, 0, sizeof *p);
    p->count = count;
    p->friends = friends;
    p->ms = grade_random(g, 20, 300);
    random_names(g, p->names, (size_t)count);
    for (long i = 0; i < count; i++)
        p->hours[i] = grade_random(g, 1, most_hours);
    sort(p);
}

static void say_words(struct party *p) {
    add_word(&p->words, "-w");
    add_word(&p->words, "%ld", p->friends);
    add_word(&p->words, "-m");
    add_word(&p->words, "%ld", p->ms);
    for (long i = 0; i < p->count; i++)
        add_word(&p->words, "%s=%ld", p->names[i], p->hours[i]);
    p->program.argv = p->words.argv;
}

static void celebrate(struct grading *g, struct finding *f, struct party *p) {
    say_words(p);
    p->program.virtual_time = true;
    grade_run(g, &p->program, &p->run, f);
}

/* ---------- The tasks ---------- */

static void judge_all_done(const struct party *p, struct verdict *v) {
    struct expected e = {.count = 0};

    for (long i = 0; i < p->count; i++) {
        expect_line(&e, "%s: %ld h ...", p->names[i], p->hours[i]);
        expect_line(&e, "%s: done", p->names[i]);
    }
    judge_lines(&p->run, 0, &e, v);
    free_expected(&e);
}

static void judge_tasks(const struct party *p, struct verdict *v) {
    char form[80];

    judge_all_done(p, v);
    for (long i = 0; i < p->count; i++) {
        struct piece piece = piece_of(&p->run, p->names[i]);
        int64_t took = piece.end ? piece.end->at_ns - piece.begin->at_ns : -1;
        if (took != length_of(p, i))
            verdict_fail(v, "%s took %.3f s; expected: %ld x %ld ms = %.3f s",
                p->names[i], (double)took / 1e9, p->hours[i], p->ms,
                (double)length_of(p, i) / 1e9);
    }
    snprintf(form, sizeof form, "%ld tasks by %ld friends in # h", p->count,
        p->friends);
    judge_summary(&p->run, form, (double)(p->ms * MS), v);
}

void check_wedding_tasks(struct grading *g, struct finding *f) {
    struct party p;

    /* More than the kernel's queue holds at once; and one so long that the
     * others must wait for it in the end. */
    plan(g, &p, grade_random(g, 14, 20), grade_random(g, 2, 4), 9);
    for (long i = 1; i < p.count; i++)
        p.hours[0] += p.hours[i];
    sort(&p);
    celebrate(g, f, &p);
    judge_tasks(&p, &f->verdict);
    run_free(&p.run);
}

/* ---------- The longest first ---------- */

/* One friend: the order of the lines is the order of the queue. */
static void judge_order(const struct party *p, struct verdict *v) {
    judge_run_end(&p->run, 0, v);
    for (long i = 0; i < p->count && v->text[0] == '\0'; i++) {
        size_t at = 2 * (size_t)i;
        long task = p->order[i];
        const char *seen =
            at < p->run.count ? p->run.lines[at].text : "nothing";
        char begin[60];
        snprintf(begin, sizeof begin, "%s: %ld h ...", p->names[task],
            p->hours[task]);
        if (strcmp(seen, begin) != 0)
            verdict_fail(v,
                "task %ld to be begun was \"%.60s\"; expected: \"%s\", as the "
                "longest comes first, equals as given",
                i + 1, seen, begin);
    }
}

void check_wedding_order(struct grading *g, struct finding *f) {
    struct party p;

    /* Few different lengths, so that there are equals; more than 10, as many
     * as the kernel's queue takes. */
    plan(g, &p, grade_random(g, 14, 20), 1, 5);
    celebrate(g, f, &p);
    judge_order(&p, &f->verdict);
    run_free(&p.run);
}

/* ---------- Nobody idle ---------- */

/* When each task must be begun. Returns when all are done. */
static int64_t simulate(const struct party *p, int64_t *begins) {
    int64_t is_free[MOST_TASKS] = {0}, end = 0;

    for (long i = 0; i < p->count; i++) {
        long first = 0;
        for (long w = 1; w < p->friends && w < p->count; w++)
            if (is_free[w] < is_free[first])
                first = w;
        begins[p->order[i]] = is_free[first];
        is_free[first] += length_of(p, p->order[i]);
        end = is_free[first] > end ? is_free[first] : end;
    }
    return end;
}

/* The tasks as they were begun: that it was the wrong order is told elsewhere,
 * here it only counts that nobody was idle. */
static void find_order(struct party *p) {
    long order[MOST_TASKS], found = 0;

    for (size_t i = 0; i < p->run.count; i++)
        for (long t = 0; t < p->count && found < p->count; t++)
            if (piece_of(&p->run, p->names[t]).begin == &p->run.lines[i])
                order[found++] = t;
    if (found == p->count)
        memcpy(p->order, order, sizeof order);
}

static void judge_busy(struct party *p, struct verdict *v) {
    int64_t begins[MOST_TASKS], end;

    find_order(p);
    end = simulate(p, begins);
    int64_t start = p->run.virtual_ns - work_ns(&p->run);

    judge_run_end(&p->run, 0, v);
    if (events_overlap(p->run.lines, p->run.count) <= 1)
        verdict_fail(v,
            "nothing overlapped, %ld tasks took %.3f s one after another; "
            "expected: %ld at once and %.3f s",
            p->count, (double)work_ns(&p->run) / 1e9, p->friends,
            (double)end / 1e9);
    for (long i = 0; i < p->count && v->text[0] == '\0'; i++) {
        long task = p->order[i];
        struct piece piece = piece_of(&p->run, p->names[task]);
        if (piece.begin == NULL || piece.begin->at_ns - start != begins[task])
            verdict_fail(v,
                "%s, %ld h, was begun at %.3f s; expected: at %.3f s, when one "
                "of %ld friends was free for it",
                p->names[task], p->hours[task],
                piece.begin ? (double)(piece.begin->at_ns - start) / 1e9 : -1,
                (double)begins[task] / 1e9, p->friends);
    }
    if (work_ns(&p->run) != end)
        verdict_fail(v, "it took %.3f s; expected: %.3f s",
            (double)work_ns(&p->run) / 1e9, (double)end / 1e9);
}

void check_wedding_busy(struct grading *g, struct finding *f) {
    struct party p;

    for (int i = 0; i < 2 && f->verdict.text[0] == '\0'; i++) {
        plan(g, &p, grade_random(g, 11, 18), grade_random(g, 3, 5), 12);
        celebrate(g, f, &p);
        judge_busy(&p, &f->verdict);
        run_free(&p.run);
    }
}

/* ---------- Limits ---------- */

/* A producer and a few helpers are no friends. */
void check_wedding_friends(struct grading *g, struct finding *f) {
    struct party p;

    plan(g, &p, grade_random(g, 18, 24), grade_random(g, 2, 4), 9);
    celebrate(g, f, &p);
    size_t overlap = events_overlap(p.run.lines, p.run.count);
    judge_run_end(&p.run, 0, &f->verdict);
    if (overlap > (size_t)p.friends)
        verdict_fail(&f->verdict,
            "%zu tasks were done at once; expected: no more than -w %ld",
            overlap, p.friends);
    if (p.run.most_tasks > p.friends + 1 + 4)
        verdict_fail(&f->verdict,
            "it had %d threads and processes at once for -w %ld; expected: one "
            "for each friend, and main",
            p.run.most_tasks, p.friends);
    run_free(&p.run);
}

/* No room for the stacks of so many threads. Whoever can do all tasks with
 * fewer may; nobody may say that all went well when it did not. */
void check_wedding_refused(struct grading *g, struct finding *f) {
    static const struct limit limits[] = {
        {RLIMIT_STACK, 64 << 20}, {RLIMIT_AS, 600 << 20}};
    struct party p;
    char how[800];

    plan(g, &p, grade_random(g, 18, 24), 30, 9);
    p.program.limits = limits;
    p.program.limit_count = 2;
    celebrate(g, f, &p);
    if (p.run.end == EXITED && p.run.code == 0)
        judge_tasks(&p, &f->verdict);
    else if (p.run.end != EXITED || p.run.code != 1 ||
             p.run.err_text[0] == '\0' || p.run.left_behind > 0)
        verdict_fail(&f->verdict,
            "when the system refused another thread it %s, stderr \"%.100s\"; "
            "expected: exit status 1 and the reason on stderr",
            run_describe(&p.run, how, sizeof how), p.run.err_text);
    run_free(&p.run);
}

/* ---------- Woken up for nothing ---------- */

static void judge_two_tasks(const struct line *lines, size_t count,
    const void *unused, struct verdict *v) {
    static const char *const expected[] = {
        "A: 2 h ...", "A: done", "B: 1 h ...", "B: done"};

    (void)unused;
    events_compare(lines, count, expected, 4, v);
}

/* Whether a friend comes to wait before there is a task, and is woken for
 * nothing, is luck; explore tries it. */
static void judge_every_order(struct grading *g, struct finding *f) {
    struct words words = {.count = 0};
    const char *const all[] = {"-w", "2", "-m", "1", "A=2", "B=1"};

    for (int i = 0; i < 6; i++)
        add_word(&words, "%s", all[i]);
    judge_orders(g, f, &words, "BOUND=1", judge_two_tasks, NULL);
}

/* POSIX lets a wait at a condition variable end without a signal. */
void check_wedding_woken(struct grading *g, struct finding *f) {
    static const char *const waits[] = {"cond_wait", "cnd_wait", NULL};
    struct party p;

    if (!uses(g, waits))
        return;
    judge_every_order(g, f);
    const char *built = build_injected(g, f);
    for (int i = 0; i < 2 && built != NULL; i++) {
        plan(g, &p, grade_random(g, 8, 14), grade_random(g, 2, 4), 9);
        say_words(&p);
        p.words.argv[0] = built;
        p.program.virtual_time = true;
        grade_run(g, &p.program, &p.run, f);
        judge_all_done(&p, &f->verdict);
        run_free(&p.run);
    }
    if (f->verdict.text[0] != '\0') {
        size_t used = strlen(f->verdict.text);
        snprintf(f->verdict.text + used, sizeof f->verdict.text - used,
            ", also when a wait at a condition variable ends without a signal");
    }
}

/* ---------- Clean, and bad input ---------- */

static void plan_short(struct grading *g, struct party *p) {
    plan(g, p, 14, 3, 5);
    p->ms = 1;
    say_words(p);
}

void check_wedding_races(struct grading *g, struct finding *f) {
    struct party p;

    plan_short(g, &p);
    judge_races(g, f, &p.program);
}

void check_wedding_memory(struct grading *g, struct finding *f) {
    struct party p;

    plan_short(g, &p);
    judge_leaks(g, f, &p.program);
    plan(g, &p, 8, 3, 5);
    say_words(&p);
    p.program.virtual_time = true;
    judge_handlers(g, f, &p.program);
}

void check_wedding_input(struct grading *g, struct finding *f) {
    judge_refusals(g, f, "wm",
        (struct refusal[]){{"-w", "0"}, {"-m", "0"}, {NULL, "stray"},
            {NULL, "cake=0"}, {NULL, "cake=-1"}, {NULL, "cake=x"},
            {NULL, "cake="}, {NULL, "=3"}, {NULL, "cake=3x"},
            {NULL, "cake=99999999999999999999"}, {NULL, NULL}});
}
