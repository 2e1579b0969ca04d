/*
 * started.c - has a submission been begun, or is it the kit's own skeleton?
 *
 * The skeleton's first function says that it is not written yet, and ends the
 * program. Only that is asked, so whatever else was changed counts as nothing.
 */
#include "grader/checks/exercises.h"
#include "grader/checks/moments.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *path, *function;
} first[] = {
    {"01-sequential/exercise_quotes", "ask_all"},
    {"02-threads/exercise_tables", "load_all"},
    {"03-processes/exercise_squares", "sum_all"},
    {"04-async/exercise_quotes", "ask_all"},
    {"05-queue/exercise_wedding", "do_all"},
    {"06-locks/exercise_pantry", "cook_all"},
};

void judge_begun(struct grading *g, struct finding *f) {
    const char *function = NULL, *argv[] = {"", NULL};
    struct program program = {.argv = argv};
    char words[60];
    struct run run;

    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
        if (strcmp(first[i].path, g->path) == 0)
            function = first[i].function;
    if (function == NULL)
        return; /* a lesson */
    snprintf(words, sizeof words, "%s() is not written yet", function);
    run_virtual(g, f, &program, &run);
    if (run.end == EXITED && run.code == 1 && run.count == 0 &&
        strstr(run.err_text, words) != NULL)
        verdict_fault(&f->verdict, FAULT_NONE,
            "not started yet: %s() is still the kit's; expected: it is the "
            "first function to write",
            function);
    run_free(&run);
}
