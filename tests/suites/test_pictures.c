/*
 * test_pictures.c - pictures of runs: exact in virtual time, whole in a file
 *
 * The programs that draw are run as any reader runs them; what is compared is
 * what they print and the files they leave in BUILD_DIR/timeline.
 */
#define _GNU_SOURCE /* asprintf */
#include "suites/suite.h"

#include <err.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORDS = 16 };

/* Runs `timeline` with these arguments, which are given in one text. "%" stands
 * for the build directory. */
static void draw(struct run *run, const char *arguments) {
    char *copy = strdup(arguments);
    const char *argv[WORDS + 1] = {built("tests/timeline")};
    struct program program = {.argv = argv, .output_bytes = 64 << 20};
    size_t count = 1;

    if (copy == NULL)
        err(EXIT_FAILURE, "strdup");
    for (char *word = strtok(copy, " "); word != NULL && count < WORDS;
         word = strtok(NULL, " "))
        argv[count++] = strcmp(word, "%") == 0 ? built(".") : word;
    program_run(&program, run);
    free(copy);
}

/* The first line that begins so, NULL if there is none. */
static const char *line_of(const struct run *run, const char *begin) {
    for (size_t i = 0; i < run->count; i++)
        if (strncmp(run->lines[i].text, begin, strlen(begin)) == 0)
            return run->lines[i].text;
    return NULL;
}

static void expect_line(const struct run *run, size_t at, const char *text) {
    const char *seen = at < run->count ? run->lines[at].text : "(no line)";

    expect(strcmp(seen, text) == 0, "line %zu is \"%s\"; expected: \"%s\"",
        at + 1, seen, text);
}

static void expect_end(const struct run *run, int code, const char *words) {
    char how[300];

    expect(run->end == EXITED && run->code == code && run->left_behind == 0 &&
               strstr(run->err_text, words) != NULL,
        "it %s, and stderr is \"%.300s\"; expected: status %d and \"%s\"",
        run_describe(run, how, sizeof how), run->err_text, code, words);
}

/* ---------- In virtual time ---------- */

static void test_messages(void) {
    static const char *const lines[] = {
        "01-sequential/messages: 12.00 s",
        "Alice |....................                                        |",
        "Bob   |                    ....................                    |",
        "Carol |                                        ....................|",
        "      +----+----+----+----+----+----+----+----+----+----+----+----+",
        "      0    1    2    3    4    5    6    7    8    9    10   11   "
        "12 s",
        "",
        "02-threads/messages: 4.00 s",
        "Alice |....................|",
        "Bob   |....................|",
        "Carol |....................|",
    };
    struct run run;

    draw(&run, "-t virtual % 01-sequential/messages 02-threads/messages");
    expect_end(&run, 0, "");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        expect_line(&run, i, lines[i]);
    run_free(&run);
}

/* One chef with a cooker per plate, whatever the tool: 212 minutes of 10 ms,
 * and each plate boils while the next is prepared. */
static void test_cooking(void) {
    struct run run;

    draw(&run, "-t virtual % 02-threads/cooking 04-async/cooking");
    expect_end(&run, 0, "");
    expect_line(&run, 0, "02-threads/cooking: 2.12 s");
    expect_line(&run, 1,
        "plate 1  |..............                                        .     "
        "    |");
    expect_line(&run, 10,
        "plate 10 |                                                 "
        "...............|");
    for (size_t i = 1; i <= 12; i++)
        expect_line(&run, 14 + i, run.lines[i].text);
    run_free(&run);
}

/* 90 pages of 50 ms, 5 at a time, are 18 times 50 ms. */
static void test_download(void) {
    struct run run;
    size_t rows = 0;

    draw(&run, "-t virtual % 02-threads/download");
    expect_end(&run, 0, "");
    expect_line(&run, 0, "02-threads/download: 900 ms");
    for (size_t i = 0; i < run.count; i++)
        rows += strncmp(run.lines[i].text, "page ", 5) == 0;
    expect(rows == 40 && line_of(&run, "50 more |") != NULL,
        "%zu pages have a row; expected: 40, and one row for 50 more", rows);
    run_free(&run);
}

/* ---------- The files ---------- */

/* The number of events of the trace with this phase whose name is the line
 * without its lane. */
static size_t count_events(json_t *trace, const char *phase, const char *name) {
    json_t *events = json_object_get(trace, "traceEvents"), *event;
    size_t i, found = 0;

    json_array_foreach(events, i, event) {
        const char *own = json_string_value(json_object_get(event, "ph"));
        const char *text = json_string_value(json_object_get(event, "name"));
        found += own != NULL && strcmp(own, phase) == 0 && text != NULL &&
                 strcmp(text, name) == 0;
    }
    return found;
}

static void expect_xml(const char *path) {
    const char *argv[] = {"/usr/bin/xmllint", "--noout", path, NULL};
    struct program program = {.argv = argv};
    struct run run;

    program_run(&program, &run);
    expect_end(&run, 0, "");
    run_free(&run);
}

/* Every message of every customer is one piece in the trace, and lasts its
 * second. */
static void test_files(void) {
    const char *name = "timeline/03-processes-messages+05-queue-messages";
    char path[300], message[60];
    json_error_t error;
    struct run run;

    draw(&run, "-t virtual % 03-processes/messages 05-queue/messages");
    expect_end(&run, 0, "");
    run_free(&run);
    snprintf(path, sizeof path, "%s.svg", built(name));
    expect_xml(path);
    snprintf(path, sizeof path, "%s.json", built(name));
    json_t *trace = json_load_file(path, 0, &error);
    if (!expect(trace != NULL, "%s: %s", path, error.text))
        return;
    for (int i = 1; i <= 4; i++) {
        snprintf(message, sizeof message, "sending message %d of 4 ...", i);
        size_t found = count_events(trace, "X", message);
        expect(found == 6,
            "\"%s\" is there %zu times; expected: 6, by two "
            "programs to three customers",
            message, found);
    }
    json_decref(trace);
}

CU_TestInfo pictures_tests[] = {
    {"messages in virtual time are exact", test_messages},
    {"cooking in virtual time is exact", test_cooking},
    {"downloads in virtual time take their latencies", test_download},
    {"the SVG is XML, the trace has every piece of work", test_files},
    CU_TEST_INFO_NULL,
};
