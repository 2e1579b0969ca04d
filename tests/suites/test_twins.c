/*
 * test_twins.c - two programs side by side differ only in what the tool changes
 *
 * The story and the run of a program are, byte for byte, those of its twin in
 * 01-sequential; those of the four channels of 03 are each other's. Reads the
 * sources, so it runs at the top of the source tree.
 */
#include "suites/suite.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_HUNKS = 10, LEAST_UNCHANGED = 60 };

static const char story_banner[] =
    "/* ---------- The story: the same in every lesson ---------- */\n";
static const char tool_banner[] = "/* ---------- The tool: ";
static const char run_banner[] =
    "/* ---------- The run: the same in every lesson";

/* The programs of one exchange, whose banners say "channel" for "lesson". */
static const char *const channels[] = {"03-processes/pipe.c",
    "03-processes/message_queue.c", "03-processes/shared_memory.c",
    "03-processes/manager.c"};
static const char channels_story[] =
    "/* ---------- The story: the same for every channel ---------- */\n";
static const char channels_run[] =
    "/* ---------- The run: the same for every channel ---------- */\n";

static const char *const stories[] = {
    "messages", "download", "increment", "cooking"};

/* Where the run (or the story) must differ from the twin's, and why. */
static const struct {
    const char *path, *section, *why;
} exceptions[] = {
    {"05-queue/messages.c", "run",
        "-w: a queue has as many workers as you like, not one a customer"},
};

/* The whole file; the caller frees it. NULL when it is not there. */
static char *content(const char *path) {
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "r");

    if (file == NULL)
        return NULL;
    if (getdelim(&text, &size, '\0', file) == -1)
        err(EXIT_FAILURE, "%s", path);
    fclose(file);
    return text;
}

/* The text from one banner to the next, or to its end, as a copy; NULL when
 * a banner is not there. */
static char *section(const char *text, const char *from, const char *to) {
    const char *start = strstr(text, from);

    if (start == NULL || to == NULL)
        return start == NULL ? NULL : strdup(start);
    const char *end = strstr(start, to);
    return end == NULL ? NULL : strndup(start, (size_t)(end - start));
}

static bool is_exception(const char *path, const char *name) {
    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++)
        if (strcmp(exceptions[i].path, path) == 0 &&
            strcmp(exceptions[i].section, name) == 0)
            return true;
    return false;
}

static void compare(const char *path, const char *name, const char *twin,
    const char *text, const char *from, const char *to) {
    char *expected = section(twin, from, to);
    char *seen = section(text, from, to);
    size_t same = 0;

    if (expect(seen != NULL && expected != NULL,
            "%s has no section \"The %s\" where it is expected", path, name)) {
        while (seen[same] != '\0' && seen[same] == expected[same])
            same++;
        expect(strcmp(seen, expected) == 0 || is_exception(path, name),
            "%s: the %s differs from the twin's at: \"%.60s\"; expected: "
            "\"%.60s\"",
            path, name, seen + same, expected + same);
    }
    free(expected);
    free(seen);
}

/* For each story, calls the check for each tool's program and its twin. */
static void each_twin(void (*check)(const char *path, const char *twin_path,
    const char *text, const char *twin)) {
    for (size_t s = 0; s < sizeof stories / sizeof stories[0]; s++) {
        char twin_path[64], path[64];
        snprintf(twin_path, sizeof twin_path, "01-sequential/%s.c", stories[s]);
        char *twin = content(twin_path);
        if (!expect(twin != NULL, "%s is missing", twin_path))
            continue;
        for (size_t t = 0; tools[t] != NULL; t++) {
            snprintf(path, sizeof path, "%s/%s.c", tools[t], stories[s]);
            char *text = content(path);
            if (expect(text != NULL, "%s is missing", path))
                check(path, twin_path, text, twin);
            free(text);
        }
        free(twin);
    }
}

static void check_same(const char *path, const char *twin_path,
    const char *text, const char *twin) {
    (void)twin_path;
    compare(path, "story", twin, text, story_banner, tool_banner);
    compare(path, "run", twin, text, run_banner, NULL);
}

static void test_same(void) {
    each_twin(check_same);
}

static void test_channels(void) {
    char *twin = content(channels[0]);

    for (size_t i = 1; i < sizeof channels / sizeof channels[0]; i++) {
        char *text = content(channels[i]);
        if (expect(twin != NULL && text != NULL, "%s or %s is missing",
                channels[0], channels[i])) {
            compare(
                channels[i], "story", twin, text, channels_story, tool_banner);
            compare(channels[i], "run", twin, text, channels_run, NULL);
        }
        free(text);
    }
    free(twin);
}

static long lines_in(const char *text) {
    long lines = 0;

    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

static void check_diff(const char *path, const char *twin_path,
    const char *text, const char *twin) {
    const char *argv[] = {"/usr/bin/diff", twin_path, path, NULL};
    struct program program = {.argv = argv};
    struct run run;
    long hunks = 0, gone = 0, all = lines_in(twin);

    (void)text;
    program_run(&program, &run);
    expect(run.end == EXITED && run.code <= 1, "diff: %s", run.err_text);
    for (size_t i = 0; i < run.count; i++) {
        hunks += run.lines[i].text[0] >= '0' && run.lines[i].text[0] <= '9';
        gone += run.lines[i].text[0] == '<';
    }
    run_free(&run);
    expect(hunks <= MOST_HUNKS, "diff %s %s: %ld hunks; expected: at most %d",
        twin_path, path, hunks, MOST_HUNKS);
    expect((all - gone) * 100 >= LEAST_UNCHANGED * all,
        "diff %s %s: %ld %% of the lines unchanged; expected: at least %d %%",
        twin_path, path, (all - gone) * 100 / all, LEAST_UNCHANGED);
}

static void test_diff(void) {
    each_twin(check_diff);
}

/* An edit of a lesson or a solution may leave behind the wrong submissions that
 * are patches of it. */
static void test_patches(void) {
    const char *argv[] = {"tests/grader/known/mutant.sh", "check", NULL};
    struct program program = {.argv = argv, .forks = true}; /* a few each */
    struct run run;
    char how[1024];

    if (access(argv[0], X_OK) == -1) {
        skip("this kit was handed out: it has no wrong submissions");
        return;
    }
    program_run(&program, &run);
    expect(run.end == EXITED && run.code == 0, "%s check: it %s: %s", argv[0],
        run_describe(&run, how, sizeof how), run.err_text);
    run_free(&run);
}

CU_TestInfo twins_tests[] = {
    {"the story and the run are the same in every tool", test_same},
    {"the four channels of 03 are one exchange", test_channels},
    {"a diff to the sequential twin is short", test_diff},
    {"each wrong submission is a patch that applies", test_patches},
    CU_TEST_INFO_NULL,
};
