/*
 * check_inject.c - a submission in which rare things happen: see inject.h
 */
#include "grader/checks/common.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char *content(const char *path) {
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "re");

    if (file == NULL || getdelim(&text, &size, '\0', file) == -1)
        err(EXIT_FAILURE, "%s", path);
    fclose(file);
    return text;
}

bool uses(const struct grading *g, const char *const *names) {
    char *text = content(g->source);
    bool found = false;

    for (; *names != NULL && !found; names++)
        found = strstr(text, *names) != NULL;
    free(text);
    return found;
}

/* Where a changed copy of the source goes: a directory of its own, laid out as
 * the submission. */
static void place_copy(
    const struct grading *g, const char *name, char *path, size_t size) {
    size_t top = strlen(g->source) - strlen(g->path) - 2;

    snprintf(path, size, "%.*s%s", (int)top, g->source, name);
    mkdir(path, 0755);
    snprintf(path, size, "%.*s%s/%.*s", (int)top, g->source, name,
        (int)strcspn(g->path, "/"), g->path);
    mkdir(path, 0755);
    snprintf(path, size, "%.*s%s/%s.c", (int)top, g->source, name, g->path);
}

/* The source with these texts before and behind it. */
static void write_copy(const struct grading *g, const char *path,
    const char *before, const char *behind) {
    char *text = content(g->source);
    FILE *file = fopen(path, "we");

    if (file == NULL)
        err(EXIT_FAILURE, "%s", path);
    fprintf(file, "%s#line 1 \"%s.c\"\n%s\n#define KIT_BEHIND\n%s", before,
        g->path, text, behind);
    if (fclose(file) == EOF)
        err(EXIT_FAILURE, "%s", path);
    free(text);
}

const char *build_injected(struct grading *g, struct finding *f) {
    struct grading other = *g;
    char path[600];

    if (f->verdict.text[0] != '\0')
        return NULL;
    char *inject = content("tests/grader/checks/rare_around.h");
    place_copy(g, "injected", path, sizeof path);
    write_copy(g, path, inject, inject);
    free(inject);
    other.source = path;
    const char *built = grade_build(&other, "-O1 -w -DKIT_INJECTED", f);
    if (built == NULL) /* nothing can be said then */
        f->verdict.text[0] = '\0';
    return built;
}

const char *build_sanitized(
    struct grading *g, const char *flags, struct finding *f) {
    static const char *const c11[] = {"threads.h", NULL};
    struct grading other = *g;
    char path[600], all[200];

    if (!uses(g, c11))
        return grade_build(g, flags, f);
    char *threads = content("tests/grader/checks/c11_threads.h");
    place_copy(g, "c11", path, sizeof path);
    write_copy(g, path, threads, "");
    free(threads);
    other.source = path;
    snprintf(all, sizeof all, "%s -DKIT_C11", flags);
    return grade_build(&other, all, f);
}

void judge_handlers(
    struct grading *g, struct finding *f, struct program *program) {
    static const char *const names[] = {"signal(", "sigaction(", NULL};
    static const char mark[] = "kit: ";
    const char **argv = (const char **)program->argv, *built;
    struct run run;

    if (!uses(g, names) || (built = build_injected(g, f)) == NULL)
        return;
    argv[0] = built;
    grade_run(g, program, &run, f);
    argv[0] = "";
    const char *said = strstr(run.err_text, mark);
    if (said != NULL) {
        said += sizeof mark - 1;
        verdict_fail(&f->verdict,
            "it called %.*s; expected: only what is async-signal-safe there",
            (int)strcspn(said, "\n"), said);
    }
    run_free(&run);
}
