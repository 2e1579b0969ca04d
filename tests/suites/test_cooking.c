/*
 * test_cooking.c - the suite of the story "cooking", for every tool
 *
 * In virtual time the simulated minutes are exact. The order of the event
 * lines shows how many chefs worked at once: all steps but the boiling need
 * one.
 */
#define _GNU_SOURCE /* asprintf */
#include "suites/suite.h"

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
                abort();
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
        story->plates, story->minutes, story->chefs);
    if (strcmp(run->err_text, summary) != 0)
        verdict_fail(v, "stderr is \"%.200s\"; expected: \"%s\"", run->err_text,
            summary);
}

static void judge(
    const char *path, const struct story *story, struct verdict *verdict) {
    char p[24], w[24];
    const char *argv[] = {path, "-p", p, "-w", w, NULL};
    struct program program = {.argv = argv, .virtual_time = true};
    struct run run;

    snprintf(p, sizeof p, "%ld", story->plates);
    snprintf(w, sizeof w, "%ld", story->chefs);
    run_lesson(&program, &run);
    judge_run(&run, story, verdict);
    run_free(&run);
}

static bool has_more_chefs(const char *tool) {
    return strcmp(tool, tools[2]) == 0 || strcmp(tool, tools[4]) == 0;
}

void cooking_judge(
    const char *tool, const char *path, struct verdict *verdict) {
    for (long chefs = 1; chefs <= (has_more_chefs(tool) ? 3 : 1); chefs++)
        for (long plates = 1; plates <= 10; plates += 9) {
            struct story story = expected_of(tool, plates, chefs);
            if (verdict->text[0] == '\0')
                judge(path, &story, verdict);
        }
}

static void test_tools(void) {
    static const long plates[] = {10, 1, 20};

    for (size_t t = 0; tools[t] != NULL; t++) {
        char name[64];
        bool many = has_more_chefs(tools[t]);
        snprintf(name, sizeof name, "%s/cooking", tools[t]);
        for (size_t i = 0; i < 3; i++)
            for (long chefs = 1; chefs <= (many ? 3 : 1); chefs++) {
                struct verdict verdict = {""};
                struct story story = expected_of(tools[t], plates[i], chefs);
                judge(built(name), &story, &verdict);
                expect(verdict.text[0] == '\0', "%s -p %ld -w %ld: %s", name,
                    plates[i], chefs, verdict.text);
            }
    }
}

static void test_wrong(void) {
    static const char *const wrong[] = {
        "cooking_serves_at_once", "cooking_two_places"};
    struct story story = expected_of("02-threads", 10, 1);

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct verdict verdict = {""};
        char name[64];
        snprintf(name, sizeof name, "tests/suites/wrong/%s", wrong[i]);
        judge(built(name), &story, &verdict);
        expect_rejected(&verdict, wrong[i]);
    }
}

CU_TestInfo cooking_tests[] = {
    {"every tool serves all plates in exactly its minutes", test_tools},
    {"wrong programs are rejected for their reason", test_wrong},
    CU_TEST_INFO_NULL,
};
