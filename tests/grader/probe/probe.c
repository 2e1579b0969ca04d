/*
 * probe.c - the exercises of the grader that test_grade.c tests
 *
 * Linked instead of the real ones. The submission is an attack (attack.c),
 * which says on a line of its own what it could do that it must not. The last
 * check shows that what came before did not hurt.
 */
#include "grader/cause.h"
#include "grader/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void judge_words(const struct run *run, struct verdict *v) {
    char how[1024];

    for (size_t i = 0; i < run->count; i++)
        if (strncmp(run->lines[i].text, "could ", 6) == 0)
            verdict_fail(
                v, "it %.400s; expected: that it cannot", run->lines[i].text);
    if (run->end != EXITED || run->code != 0 || run->left_behind > 0 ||
        run->left_objects[0] != '\0')
        verdict_fault(v, cause_of_end(run),
            "it %s; expected: exit status 0 and nothing left",
            run_describe(run, how, sizeof how));
}

static void attack(struct grading *g, struct finding *f) {
    const char *argv[] = {"", "attack", NULL};
    struct program program = {
        .argv = argv, .virtual_time = true, .deadline_ms = 3000};
    struct run run;

    program.memory_kib = 64 << 10;
    grade_run(g, &program, &run, f);
    judge_words(&run, &f->verdict);
    run_free(&run);
}

static void peace(struct grading *g, struct finding *f) {
    char text[64];
    const char *argv[] = {"", "peace", text, NULL};
    struct program program = {.argv = argv, .virtual_time = true};
    struct run run;

    snprintf(text, sizeof text, "it's %ld", grade_random(g, 1, 1000000));
    grade_run(g, &program, &run, f);
    judge_words(&run, &f->verdict);
    if (run.count != 1 || strcmp(run.lines[0].text, text) != 0)
        verdict_fail(
            &f->verdict, "it printed %zu lines; expected: %s", run.count, text);
    run_free(&run);
}

static void broken(struct grading *g, struct finding *f) {
    (void)g;
    (void)f;
    __builtin_trap();
}

static void never(struct grading *g, struct finding *f) {
    (void)g;
    (void)f;
}

/* Tells the number it draws, after as many others as PROBE_DRAWS says if it is
 * the first check. */
static void draw(struct grading *g, struct finding *f) {
    const char *draws = getenv("PROBE_DRAWS");
    long others = draws != NULL && strcmp(g->check->name, "first") == 0
                      ? strtol(draws, NULL, 10)
                      : 0;

    while (others-- > 0)
        grade_random(g, 0, 1);
    verdict_fail(&f->verdict, "it drew %ld; expected: a number of its own",
        grade_random(g, 0, 1000000000));
}

static const struct check draws[] = {
    {.name = "first", .kind = "output", .points = 1, .judge = draw},
    {.name = "second", .kind = "output", .points = 1, .judge = draw},
    {.name = NULL},
};
static const struct check checks[] = {
    {"attack", "clean", 4, NULL, "It attacks.", "tests/README.md", attack,
        false},
    {"peace", "correct", 6, NULL, "It was hurt.", "tests/README.md", peace,
        false},
    {"next", "correct", 6, "attack", "Never shown.", "tests/README.md", peace,
        false},
    {.name = NULL},
};
static const struct check faults[] = {
    {"broken", "correct", 1, NULL, NULL, NULL, broken, false},
    {"never", "correct", 1, "broken", NULL, NULL, never, false},
    {.name = NULL},
};

static const struct exercise lessons[] = {{NULL, NULL}};
static const struct exercise exercises[] = {
    {"02-threads/messages", checks},
    {"02-threads/cooking", faults},
    {"02-threads/increment", draws},
    {NULL, NULL},
};
const struct course course = {exercises, lessons, NULL};
