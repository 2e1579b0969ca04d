/*
 * messages.c - is a program of the story "messages" right?
 *
 * Virtual time makes the run exact: every message lasts one interval, and the
 * whole lasts as long as the slowest lane.
 */
#define _GNU_SOURCE /* asprintf */
#include "judge/events.h"
#include "judge/evidence.h"
#include "judge/stories.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct story {
    long customers, messages, interval_ms;
    size_t overlap; /* how many conversations at once are expected */
    int64_t total_ns;
    int tasks, processes; /* threads and processes in all; 0: any number */
};

static const long sizes[][3] = {{3, 4, 1000}, {1, 1, 1}, {5, 3, 770}};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

/* The numbers of a tool; a queue has three workers unless told otherwise. */
static struct story expected_of(const char *tool, const long size[3]) {
    struct story story = {size[0], size[1], size[2], (size_t)size[0], 0, 1, 1};
    int64_t conversation = (int64_t)story.messages * story.interval_ms;
    int64_t rounds = 1;

    if (strcmp(tool, "01-sequential") == 0) {
        story.overlap = 1;
        rounds = story.customers;
    } else if (strcmp(tool, "05-queue") == 0 && story.customers > 3) {
        story.overlap = 3;
        rounds = (story.customers + 2) / 3;
    }
    if (strcmp(tool, "02-threads") == 0)
        story.tasks = (int)story.customers + 1;
    else if (strcmp(tool, "03-processes") == 0)
        story.tasks = story.processes = (int)story.customers + 1;
    else if (strcmp(tool, "05-queue") == 0)
        story.tasks = story.processes = 0;
    story.total_ns = conversation * rounds * 1000000;
    return story;
}

/* Every line the story prints, in an order that is right in each lane. The
 * caller frees each line and the array. */
static char **lines_of(const struct story *story, size_t *count) {
    static const char *const names[] = {"Alice", "Bob", "Carol"};
    size_t n = 0;
    char **lines =
        calloc((size_t)(story->customers * story->messages) * 2, sizeof *lines);
    char name[40];

    for (long c = 0; c < story->customers; c++) {
        snprintf(name, sizeof name, "Customer %ld", c + 1);
        for (long m = 1; m <= story->messages; m++) {
            const char *lane = c < 3 ? names[c] : name;
            if (asprintf(&lines[n++], "%s: sending message %ld of %ld ...",
                    lane, m, story->messages) == -1 ||
                asprintf(&lines[n++], "%s: sent message %ld of %ld", lane, m,
                    story->messages) == -1)
                err(EXIT_FAILURE, "asprintf");
        }
    }
    *count = n;
    return lines;
}

static void judge_run(
    const struct run *run, const struct story *story, struct verdict *v) {
    char summary[100];
    size_t count, overlap = events_overlap(run->lines, run->count);
    char **lines = lines_of(story, &count);
    int64_t total = story->total_ns;

    judge_end(run, 0, v);
    events_compare(
        run->lines, run->count, (const char *const *)lines, count, v);
    events_last(run->lines, run->count, ": sending",
        (int64_t)story->interval_ms * 1000000, v);
    if (run->virtual_ns != total)
        verdict_fail(v,
            "it took %.3f s, and %zu of %ld customers were served "
            "at once; expected: %.3f s and %zu at once",
            (double)run->virtual_ns / 1e9, overlap, story->customers,
            (double)total / 1e9, story->overlap);
    if (story->tasks > 0 && (run->most_tasks != story->tasks ||
                                run->most_processes != story->processes))
        verdict_fail(v, "it ran %d threads in %d processes; expected: %d in %d",
            run->most_tasks, run->most_processes, story->tasks,
            story->processes);
    if (overlap != story->overlap)
        verdict_fail(v,
            "%zu of %ld customers were served at once; expected: "
            "%zu",
            overlap, story->customers, story->overlap);
    snprintf(summary, sizeof summary,
        "%ld messages to %ld customers in "
        "%.2f s\n",
        story->customers * story->messages, story->customers,
        (double)total / 1e9);
    if (strcmp(run->err_text, summary) != 0)
        verdict_fail(v, "stderr is \"%.200s\"; expected: \"%s\"", run->err_text,
            summary);
    for (size_t i = 0; i < count; i++)
        free(lines[i]);
    free(lines);
}

/* Runs the program with a story of this size and judges it. */
static void judge(const struct lesson *lesson, const struct story *story,
    struct verdict *verdict) {
    char c[24], m[24], i[24];
    const char *argv[] = {lesson->path, "-c", c, "-m", m, "-i", i, NULL};
    struct program program = {.argv = argv, .virtual_time = true};
    struct verdict found = {0};
    struct run run;

    snprintf(c, sizeof c, "%ld", story->customers);
    snprintf(m, sizeof m, "%ld", story->messages);
    snprintf(i, sizeof i, "%ld", story->interval_ms);
    lesson_run(lesson, &program, &run);
    judge_run(&run, story, &found);
    if (found.text[0] != '\0')
        verdict_fail(verdict, "with -c %s -m %s -i %s %s", c, m, i, found.text);
    run_free(&run);
}

void messages_judge(const struct lesson *lesson, struct verdict *verdict) {
    for (size_t s = 0; s < SIZES && verdict->text[0] == '\0'; s++) {
        struct story story = expected_of(lesson->tool, sizes[s]);
        judge(lesson, &story, verdict);
    }
}
