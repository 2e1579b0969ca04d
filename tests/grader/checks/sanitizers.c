/*
 * sanitizers.c - what the compilers' sanitizers say of a submission
 */
#include "grader/checks/sanitizers.h"
#include "grader/cause.h"
#include "grader/checks/rare.h"

#include <stdio.h>
#include <string.h>

/* The first place in the submission that is named, "NAME.c:LINE", or NULL. */
static const char *first_place(const char *report) {
    const char *at = report;

    while ((at = strstr(at, "exercise_")) != NULL) {
        size_t length = strcspn(at, " :\n)");
        if (length > 2 && strncmp(at + length - 2, ".c:", 3) == 0)
            return at;
        at += length;
    }
    return NULL;
}

/* What the sanitizer says, from these words on. */
static void tell_report(
    const char *report, const char *expected, struct verdict *v) {
    const char *place = first_place(report);
    int length = (int)strcspn(report, "(\n");
    char where[300] = "";

    while (length > 0 && report[length - 1] == ' ')
        length--;
    if (place != NULL)
        snprintf(where, sizeof where, " (first at %.*s)",
            (int)strcspn(place, " \n)"), place);
    verdict_fault(v, cause_of_report(report), "%.*s%s; expected: %s", length,
        report, where, expected);
}

/* Runs the program built with these flags. False when there is no report that
 * could be looked for. */
static bool run_sanitized(struct grading *g, struct finding *f,
    const char *flags, struct program *program, struct run *run) {
    const char *built;
    const char **argv = (const char **)program->argv;

    if (f->verdict.text[0] != '\0' ||
        (built = build_sanitized(g, flags, f)) == NULL)
        return false;
    argv[0] = built;
    if (program->deadline_ms == 0)
        program->deadline_ms = 100000; /* a safety net */
    grade_run(g, program, run, f);
    argv[0] = "";
    /* One that cannot start lets the program print nothing. */
    bool unable = run->count == 0 && run->code != 0 &&
                  (strstr(run->err_text, "unexpected memory mapping") ||
                      strstr(run->err_text, "encountered a fatal error"));
    if (!unable)
        return true;
    snprintf(f->skipped, sizeof f->skipped,
        "the sanitizer cannot start on this machine: %.200s", run->err_text);
    run_free(run);
    return false;
}

void judge_races(
    struct grading *g, struct finding *f, struct program *program) {
    static const char *const found[] = {"data race", "heap-use-after-free",
        "unlock of an unlocked mutex", "double lock of a mutex",
        "destroy of a locked mutex", "use of an invalid mutex", NULL};
    struct run run;

    if (!run_sanitized(
            g, f, "-g -O1 -fsanitize=thread -D__NO_INLINE__", program, &run))
        return;
    for (size_t i = 0; found[i] != NULL; i++) {
        char words[80];
        snprintf(words, sizeof words, "ThreadSanitizer: %s", found[i]);
        const char *report = strstr(run.err_text, words);
        if (report != NULL)
            tell_report(report, "no report", &f->verdict);
    }
    /* Whether it ends well is for others to say: with a race it may not. */
    run_free(&run);
}

/* A pointer that is left in a register of main()'s last call is no use. */
void judge_leaks(
    struct grading *g, struct finding *f, struct program *program) {
    static const char *const env[] = {"LSAN_OPTIONS=use_registers=0", NULL};
    struct run run;

    program->env = env;
    if (!run_sanitized(
            g, f, "-g -O0 -fsanitize=address,undefined", program, &run))
        return;
    const char *report = strstr(run.err_text, "AddressSanitizer: ");
    const char *leak = strstr(run.err_text, "LeakSanitizer: ");
    const char *error = strstr(run.err_text, "runtime error: ");
    if (report != NULL && (leak == NULL || report < leak))
        tell_report(report, "no report", &f->verdict);
    if (error != NULL)
        tell_report(error, "nothing undefined", &f->verdict);
    if (leak != NULL)
        tell_report(leak, "all memory given back", &f->verdict);
    if (run.end != EXITED || run.left_behind > 0)
        judge_run_end(&run, 0, &f->verdict);
    run_free(&run);
}
