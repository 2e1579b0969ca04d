/*
 * test_pictures.c - pictures of runs: exact in virtual time, whole in a file
 *
 * The programs that draw are run as any reader runs them; what is compared is
 * what they print and the files they leave.
 */
#define _GNU_SOURCE /* asprintf */
#include "suites/by_hand.h"
#include "suites/suite.h"

#include <err.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 16 };

/* Runs `timeline` with these arguments, which are given in one text. "%" stands
 * for the build directory; the files go to one that no other suite uses. */
static void draw(struct run *run, const char *arguments) {
    char *copy = strdup(arguments);
    const char *argv[WORDS + 1] = {built("tests/timeline"), "-o", scratch()};
    struct program program = {.argv = argv, .output_bytes = 64 << 20};
    size_t count = 3;

    if (copy == NULL)
        err(EXIT_FAILURE, "strdup");
    char *word = strtok(copy, " ");
    while (word != NULL && count < WORDS) {
        argv[count++] = strcmp(word, "%") == 0 ? built(".") : word;
        word = strtok(NULL, " ");
    }
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
        ("      0    1    2    3    4    5    6    7    8    9    10   11   "
         "12 s"),
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

/* ---------- A program of our own ---------- */

/* A program for `timeline`, in a directory of its own that stands for the build
 * directory. */
struct odd {
    char dir[80], path[100];
};

static void make_odd(struct odd *odd, const char *script) {
    snprintf(odd->dir, sizeof odd->dir, "%s/pictures-XXXXXX", scratch());
    if (mkdtemp(odd->dir) == NULL)
        err(EXIT_FAILURE, "mkdtemp");
    snprintf(odd->path, sizeof odd->path, "%s/odd", odd->dir);
    FILE *file = fopen(odd->path, "w");
    if (file == NULL || fprintf(file, "#!/bin/sh\n%s\n", script) < 0 ||
        fclose(file) != 0 || chmod(odd->path, 0700) == -1)
        err(EXIT_FAILURE, "%s", odd->path);
}

static void remove_odd(const struct odd *odd) {
    expect(remove(odd->path) == 0 && remove(odd->dir) == 0,
        "%s: something is left", odd->dir);
}

/* Draws the script as `timeline OPTIONS DIR odd`. */
static void draw_odd(
    struct run *run, const struct odd *odd, const char *options) {
    char *arguments;

    if (asprintf(&arguments, "%s %s odd", options, odd->dir) == -1)
        err(EXIT_FAILURE, "asprintf");
    draw(run, arguments);
    free(arguments);
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

/* Every message of every customer is one piece in the trace, and lasts its
 * second. */
static void test_files(void) {
    const char *name = "03-processes-messages+05-queue-messages";
    char path[300], message[60];
    json_error_t error;
    struct run run;

    draw(&run, "-t virtual % 03-processes/messages 05-queue/messages");
    expect_end(&run, 0, "");
    run_free(&run);
    snprintf(path, sizeof path, "%s/%s.svg", scratch(), name);
    expect_xml(path);
    snprintf(path, sizeof path, "%s/%s.json", scratch(), name);
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

/* Does a line begin a piece of the trace, or end one, or stand by itself? */
static bool is_told(json_t *trace, const char *line) {
    json_t *events = json_object_get(trace, "traceEvents"), *event;
    const char *colon = strstr(line, ": ");
    const char *text = colon != NULL ? colon + 2 : line;
    size_t i;

    json_array_foreach(events, i, event) {
        json_t *args = json_object_get(event, "args");
        const char *name = json_string_value(json_object_get(event, "name"));
        const char *end = json_string_value(json_object_get(args, "end"));
        if (strcmp(name, text) == 0 || (end != NULL && strcmp(end, text) == 0))
            return true;
    }
    return false;
}

/* However busy the machine is: of what is done one after another, no piece of
 * work begins in the one before, and the rows stand in that order. */
static void expect_order(const struct run *run, json_t *trace, int lanes) {
    json_t *events = json_object_get(trace, "traceEvents"), *event;
    double end_us = 0;
    int pieces = 0;
    size_t i;

    json_array_foreach(events, i, event) {
        double at = json_number_value(json_object_get(event, "ts"));
        double length = json_number_value(json_object_get(event, "dur"));
        if (strcmp(json_string_value(json_object_get(event, "ph")), "X") != 0)
            continue;
        expect(at >= end_us - 1,
            "piece %d begins at %.0f us, in the one before", pieces + 1, at);
        end_us = at + length;
        pieces++;
    }
    expect(pieces == lanes, "%d pieces of work; expected: %d", pieces, lanes);
    for (int lane = 1; lane <= lanes; lane++) {
        const char *row = lane < (int)run->count ? run->lines[lane].text : "";
        int named = 0;
        expect(sscanf(row, "%*s %d |", &named) == 1 && named == lane,
            "row %d is \"%s\"", lane, row);
    }
    expect(line_of(run, "CPUs busy") != NULL, "no row of the CPUs");
}

static void test_real_time(void) {
    static const struct {
        const char *tool, *story, *arguments;
        int lanes;
    } runs[] = {{"01-sequential", "download", "-n 2", 6},
        {"02-threads", "download", "-n 2 -w 1", 6},
        {"01-sequential", "increment", "-t 5 -n 100000", 5},
        {"02-threads", "increment", "-t 5 -n 100000 -w 1", 5}};

    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        char arguments[100], path[300];
        json_error_t error;
        struct run run;

        snprintf(arguments, sizeof arguments, "%% %s/%s -- %s", runs[i].tool,
            runs[i].story, runs[i].arguments);
        snprintf(path, sizeof path, "%s/%s-%s.json", scratch(), runs[i].tool,
            runs[i].story);
        draw(&run, arguments);
        expect_end(&run, 0, "");
        json_t *trace = json_load_file(path, 0, &error);
        expect_order(&run, trace, runs[i].lanes);
        json_decref(trace);
        run_free(&run);
    }
}

/* A program with lines of every sort; the trace has each of them. */
static void test_every_line(void) {
    static const char *const lines[] = {"Alice: sending 1 ...", "nobody's line",
        "Bob: working ...", "Alice: sent 1", "Alice: alone", "Bob: worked",
        "Carol: never ends ...", "the end"};
    enum { LINES = sizeof lines / sizeof *lines };
    char script[500] = "", path[100];
    json_error_t error;
    struct odd odd;
    struct run run;

    for (size_t i = 0, used = 0; i < LINES; i++)
        used += (size_t)snprintf(
            script + used, sizeof script - used, "echo \"%s\"\n", lines[i]);
    make_odd(&odd, script);
    draw_odd(&run, &odd, "");
    expect_end(&run, 0, "");
    run_free(&run);
    snprintf(path, sizeof path, "%s/odd.json", scratch());
    json_t *trace = json_load_file(path, 0, &error);
    for (size_t i = 0; i < LINES && expect(trace != NULL, "no trace"); i++)
        expect(
            is_told(trace, lines[i]), "\"%s\" is not in the trace", lines[i]);
    json_decref(trace);
    remove_odd(&odd);
}

/* explore's table: of two increments one is lost, and red. */
static void test_explored(void) {
    char *script, *text = NULL;
    size_t size = 0;
    struct run run;

    if (asprintf(&script,
            "MAKEFLAGS= make -s B=%s explore PROGRAM=06-locks/increment_race "
            "ARGS='-t 2 -w 2 -n 1 -q' SVG=1",
            built(".")) == -1)
        err(EXIT_FAILURE, "asprintf");
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    struct program program = {.argv = argv};
    program_run(&program, &run);
    expect(line_of(&run, "Picture: ") != NULL, "no picture: %s", run.err_text);
    run_free(&run);
    free(script);
    const char *path = built("explore/06-locks-increment_race.svg");
    expect_xml(path);
    FILE *file = fopen(path, "r");
    bool whole = file != NULL && getdelim(&text, &size, 0, file) > 0;
    const char *lost = whole ? strstr(text, "sum: write 1 (lost)") : NULL;
    const char *third = whole ? strstr(text, ">3</text>") : NULL;
    const char *fourth = whole ? strstr(text, ">4</text>") : NULL;
    expect(lost != NULL && third != NULL && third < lost && lost < fourth &&
               strstr(fourth, "(lost)") == NULL,
        "%s: the third of four steps is not the one that is lost", path);
    if (file != NULL)
        fclose(file);
    free(text);
}

/* ---------- What is no picture, or a strange one ---------- */

static void test_no_lanes(void) {
    struct odd odd;
    struct run run;

    make_odd(&odd, "echo 100 tasks");
    draw_odd(&run, &odd, "");
    expect_end(&run, 1, "odd: nothing to draw");
    expect(run.count == 0, "it drew %zu lines; expected: none", run.count);
    run_free(&run);
    remove_odd(&odd);
}

/* What has begun is drawn up to the end. */
static void test_hangs(void) {
    struct odd odd;
    struct run run;

    make_odd(&odd, "echo 'Alice: working ...'; exec sleep 1000");
    draw_odd(&run, &odd, "-l 1 -c 60");
    expect_end(&run, 1, "odd did not end within 1 s");
    const char *row = line_of(&run, "Alice |");
    expect(row != NULL && strstr(row, "=|") != NULL,
        "its row is \"%s\"; expected: Alice at work to the end",
        row == NULL ? "" : row);
    run_free(&run);
    remove_odd(&odd);
}

static void test_names(void) {
    char path[100];
    json_error_t error;
    struct odd odd;
    struct run run;

    make_odd(&odd, "printf 'a<b&\"c\\033[31m\\377: <w>&\\001 ...\\n'\n"
                   "printf 'a<b&\"c\\033[31m\\377: ]]>\\n'");
    draw_odd(&run, &odd, "");
    expect_end(&run, 0, "");
    expect(line_of(&run, "a<b&\"c?[31m? |") != NULL,
        "no row is of \"a<b&\"c?[31m?\"");
    run_free(&run);
    snprintf(path, sizeof path, "%s/odd.svg", scratch());
    expect_xml(path);
    snprintf(path, sizeof path, "%s/odd.json", scratch());
    json_t *trace = json_load_file(path, 0, &error);
    expect(trace != NULL && count_events(trace, "X", "<w>&? ...") == 1,
        "%s: no piece of work \"<w>&? ...\" %s", path, error.text);
    json_decref(trace);
    remove_odd(&odd);
}

static void test_many_lanes(void) {
    struct run run;

    draw(&run, "-t virtual % 04-async/messages -- -c 100000 -m 1");
    expect_end(&run, 0, "");
    expect_line(&run, 0, "04-async/messages: 1.00 s");
    expect(line_of(&run, "99960 more") != NULL,
        "no row is of the 99,960 that have none of their own");
    run_free(&run);
}

/* Draws on a terminal of so many columns; how it ended is expected. */
static bool draw_on_terminal(
    struct hand *hand, unsigned short columns, int code) {
    const char *argv[] = {built("tests/timeline"), "-o", scratch(), "-t",
        "virtual", built("."), "02-threads/messages", NULL};
    struct verdict verdict = {0};

    if (!hand_start_on_terminal(hand, argv, columns)) {
        skip("there is no terminal to be had");
        return false;
    }
    hand_read(hand, NULL);
    int status = hand_wait(hand);
    hand_end(hand, &verdict);
    expect_right(&verdict);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == code,
        "%d columns: wait status %d; expected: exit status %d", columns, status,
        code);
    return true;
}

static void test_terminal(void) {
    struct hand hand;

    if (!draw_on_terminal(&hand, 20, 0))
        return;
    expect(strstr(hand.text, "Alice |\033[34m..........\033[0m|") != NULL,
        "20 columns: no row of Alice with 10 marks in their colour: %s",
        hand.text);
    draw_on_terminal(&hand, 5, 1);
    expect(strstr(hand.text, "5 columns are too few") != NULL,
        "5 columns: it says \"%s\"", hand.text);
}

CU_TestInfo pictures_tests[] = {
    {"messages in virtual time are exact", test_messages},
    {"cooking in virtual time is exact", test_cooking},
    {"downloads in virtual time take their latencies", test_download},
    {"in real time: the lanes and their order", test_real_time},
    {"the SVG is XML, the trace has every piece of work", test_files},
    {"the trace has every line of a run", test_every_line},
    {"explore's table as SVG shows the lost write", test_explored},
    {"a program without lanes: a clear line", test_no_lanes},
    {"a program that hangs: the picture up to then", test_hangs},
    {"names with markup and control characters", test_names},
    {"100,000 lanes: 40 and a sum", test_many_lanes},
    {"a terminal of 20 columns, and of 5", test_terminal},
    CU_TEST_INFO_NULL,
};
