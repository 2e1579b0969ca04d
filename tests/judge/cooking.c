/*
 * cooking.c - is a program of the story "cooking" right?
 *
 * In virtual time the simulated minutes are exact. The order of the event
 * lines shows how many chefs worked at once: all steps but the boiling need
 * one.
 */
#define _GNU_SOURCE /* asprintf */
#include "judge/events.h"
#include "judge/evidence.h"
#include "judge/stories.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *doing, *done;
    int minutes;
} steps[] = {{"washing", "washed", 5}, {"cutting", "cut", 13},
    {"boiling", "boiled", 30}, {"serving", "served", 2}};

struct story {
    long plates, chefs, minutes;
    bool overlap; /* boiling goes on while a chef does something else */
};

/* One chef who feeds the cookers first: nothing is shorter. */
static long one_chef(long plates) {
    long boiled_last = 18 * plates + 30 + 2;
    return boiled_last > 20 * plates ? boiled_last : 20 * plates;
}

static struct story expected_of(const char *tool, long plates, long chefs) {
    struct story story = {plates, chefs, 0, false};

    if (strcmp(tool, "01-sequential") == 0) {
        story.minutes = 50 * plates;
    } else if (strcmp(tool, "03-processes") == 0 ||
               strcmp(tool, "05-queue") == 0) {
        story.minutes = 50 * ((plates + chefs - 1) / chefs);
    } else {
        story.minutes = one_chef(plates);
        story.overlap = plates > 1;
    }
    return story;
}

/* How many steps that need a chef were under way at once. */
static long chefs_at_work(const struct line *lines, size_t count) {
    long now = 0, most = 0;

    for (size_t i = 0; i < count; i++) {
        const char *text = lines[i].text + events_lane(lines[i].text);
        for (size_t s = 0; s < 4; s++) {
            if (s == 2)
                continue;
            if (strncmp(text + 2, steps[s].doing, strlen(steps[s].doing)) == 0)
                now++;
            else if (strcmp(text + 2, steps[s].done) == 0)
                now--;
        }
        most = now > most ? now : most;
    }
    return most;
}

static void judge_lines(
    const struct run *run, long plates, struct verdict *verdict) {
    size_t count = 0;
    char **lines = calloc((size_t)plates * 8, sizeof *lines);

    for (long p = 1; p <= plates; p++)
        for (size_t s = 0; s < 4; s++)
            if (asprintf(&lines[count++], "plate %ld: %s ...", p,
                    steps[s].doing) == -1 ||
                asprintf(&lines[count++], "plate %ld: %s", p, steps[s].done) ==
                    -1)
                err(EXIT_FAILURE, "asprintf");
    events_compare(
        run->lines, run->count, (const char *const *)lines, count, verdict);
    for (size_t i = 0; i < count; i++)
        free(lines[i]);
    free(lines);
}

static void judge_run(
    const struct run *run, const struct story *story, struct verdict *v) {
    char summary[100];
    long chefs = chefs_at_work(run->lines, run->count);
    double minutes = (double)run->virtual_ns / 1e7;

    judge_end(run, 0, v);
    judge_lines(run, story->plates, v);
    for (size_t s = 0; s < 4; s++)
        events_last(run->lines, run->count, steps[s].doing,
            steps[s].minutes * (int64_t)10000000, v);
    if (chefs > story->chefs)
        verdict_fail(v,
            "%ld steps that need a chef ran at the same time; "
            "expected: at most %ld",
            chefs, story->chefs);
    if (run->virtual_ns != story->minutes * (int64_t)10000000)
        verdict_fail(v,
            "it took %.3f minutes; expected: %ld, with %ld at "
            "work at once",
            minutes, story->minutes, story->chefs);
    snprintf(summary, sizeof summary, "%ld plates in %ld minutes, chefs: %ld\n",
        story->plates, story->minutes,
        story->chefs < story->plates ? story->chefs : story->plates);
    if (strcmp(run->err_text, summary) != 0)
        verdict_fail(v, "stderr is \"%.200s\"; expected: \"%s\"", run->err_text,
            summary);
}

static void judge(const struct lesson *lesson, const struct story *story,
    struct verdict *verdict) {
    char p[24], w[24];
    const char *argv[] = {lesson->path, "-p", p, "-w", w, NULL};
    struct program program = {.argv = argv, .virtual_time = true};
    struct verdict found = {0};
    struct run run;

    snprintf(p, sizeof p, "%ld", story->plates);
    snprintf(w, sizeof w, "%ld", story->chefs);
    lesson_run(lesson, &program, &run);
    judge_run(&run, story, &found);
    if (found.text[0] != '\0')
        verdict_fail(verdict, "with -p %s -w %s %s", p, w, found.text);
    run_free(&run);
}

void cooking_judge(const struct lesson *lesson, struct verdict *verdict) {
    static const long plates[] = {10, 1, 20};
    bool more_chefs = strcmp(lesson->tool, "03-processes") == 0 ||
                      strcmp(lesson->tool, "05-queue") == 0;

    for (size_t i = 0; i < sizeof plates / sizeof plates[0]; i++)
        for (long chefs = 1; chefs <= (more_chefs ? 3 : 1); chefs++) {
            struct story story = expected_of(lesson->tool, plates[i], chefs);
            if (verdict->text[0] == '\0')
                judge(lesson, &story, verdict);
        }
}
