/*
 * lessons.c - the lessons' own programs as exercises
 *
 * A submission may replace a lesson: it is judged by the judges of the stories.
 * Lessons that are not handed in, or as they came, are no part of the table.
 */
#include "grader/checks/exercises.h"
#include "judge/stories.h"

#include <stdio.h>
#include <string.h>

/* What a check was given. */
struct given {
    struct grading *grading;
    struct finding *finding;
};

static void run_submitted(
    const struct program *program, struct run *run, void *arg) {
    struct given *given = arg;
    struct program copy = *program;

    grade_run(given->grading, &copy, run, given->finding);
}

static void judge(struct grading *g, struct finding *f,
    void (*judge_story)(const struct lesson *, struct verdict *)) {
    struct given given = {g, f};
    char tool[32];
    struct lesson lesson = {tool, g->binary, run_submitted, &given};

    snprintf(tool, sizeof tool, "%.*s", (int)strcspn(g->path, "/"), g->path);
    judge_story(&lesson, &f->verdict);
}

static void messages(struct grading *g, struct finding *f) {
    judge(g, f, messages_judge);
}

static void download(struct grading *g, struct finding *f) {
    judge(g, f, download_judge);
}

static void increment(struct grading *g, struct finding *f) {
    judge(g, f, increment_judge);
}

static void cooking(struct grading *g, struct finding *f) {
    judge(g, f, cooking_judge);
}

#define STORY(story)                                                        \
    static const struct check story##_checks[] = {                          \
        {.name = "build",                                                   \
            .kind = "build",                                                \
            .points = 2,                                                    \
            .cause = "A warning is the compiler's guess at a mistake.",     \
            .read = "README.md",                                            \
            .judge = check_build},                                          \
        {.name = "story",                                                   \
            .kind = "output",                                               \
            .points = 18,                                                   \
            .cause = "It does not do what the lesson of this folder does.", \
            .read = "README.md",                                            \
            .judge = story},                                                \
        {.name = NULL},                                                     \
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
