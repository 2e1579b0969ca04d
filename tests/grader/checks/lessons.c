/*
 * check_lessons.c - the lessons' own programs as exercises
 *
 * A submission may replace a lesson: it is judged by the judges of the suites.
 * Lessons that are not handed in, or as they came, are no part of the table.
 */
#include "grader/checks/common.h"
#include "suites/suite.h"

#include <stdio.h>
#include <string.h>

/* The grading under way: a check has a process of its own. */
static struct grading *grading;
static struct finding *finding;

static void run_submitted(const struct program *program, struct run *run) {
    struct program copy = *program;

    grade_run(grading, &copy, run, finding);
}

/* Starts a judge: which tool is it? */
static const char *begin(struct grading *g, struct finding *f) {
    static char tool[32];

    grading = g;
    finding = f;
    run_lesson = run_submitted;
    snprintf(tool, sizeof tool, "%.*s", (int)strcspn(g->path, "/"), g->path);
    return tool;
}

static void messages(struct grading *g, struct finding *f) {
    messages_judge(begin(g, f), g->binary, &f->verdict);
}

static void download(struct grading *g, struct finding *f) {
    download_judge(begin(g, f), g->binary, &f->verdict);
}

static void increment(struct grading *g, struct finding *f) {
    increment_judge(begin(g, f), g->binary, &f->verdict);
}

static void cooking(struct grading *g, struct finding *f) {
    cooking_judge(begin(g, f), g->binary, &f->verdict);
}

#define STORY(name)                                                         \
    static const struct check name##_checks[] = {                           \
        {"build", "build", 2, NULL,                                         \
            "A warning is the compiler's guess at a mistake.", "README.md", \
            check_build},                                                   \
        {"story", "correct", 18, NULL,                                      \
            "It does not do what the lesson of this folder does.",          \
            "README.md", name},                                             \
        {NULL, NULL, 0, NULL, NULL, NULL, NULL},                            \
    };
STORY(messages)
STORY(download)
STORY(increment)
STORY(cooking)

#define TOOL(folder)                               \
    {folder "/messages", messages_checks},         \
        {folder "/download", download_checks},     \
        {folder "/increment", increment_checks}, { \
        folder "/cooking", cooking_checks          \
    }

const struct exercise lessons[] = {
    TOOL("01-sequential"),
    TOOL("02-threads"),
    TOOL("03-processes"),
    TOOL("04-async"),
    TOOL("05-queue"),
    {NULL, NULL},
};
