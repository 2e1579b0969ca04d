/*
 * check_inject.c - a submission in which rare things happen: see inject.h
 */
#include "check_common.h"

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

/* The source between the halves of inject.h, beside the submitted one. */
static void write_injected(const struct grading *g, const char *path) {
    char *text = content(g->source), *inject = content("tests/inject.h");
    FILE *file = fopen(path, "we");

    if (file == NULL)
        err(EXIT_FAILURE, "%s", path);
    fprintf(file, "%s#line 1 \"%s.c\"\n%s\n#define KIT_BEHIND\n%s", inject,
        g->path, text, inject);
    if (fclose(file) == EOF)
        err(EXIT_FAILURE, "%s", path);
    free(text);
    free(inject);
}

const char *build_injected(struct grading *g, struct finding *f) {
    struct grading other = *g;
    size_t top = strlen(g->source) - strlen(g->path) - 2;
    char path[600];

    if (f->verdict.text[0] != '\0')
        return NULL;
    snprintf(path, sizeof path, "%.*sinjected", (int)top, g->source);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%.*sinjected/%.*s", (int)top, g->source,
        (int)strcspn(g->path, "/"), g->path);
    mkdir(path, 0755);
    snprintf(
        path, sizeof path, "%.*sinjected/%s.c", (int)top, g->source, g->path);
    write_injected(g, path);
    other.source = path;
    const char *built = grade_build(&other, "-O1 -w -DKIT_INJECTED", f);
    if (built == NULL) /* nothing can be said then */
        f->verdict.text[0] = '\0';
    return built;
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
