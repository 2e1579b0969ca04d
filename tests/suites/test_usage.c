/*
 * test_usage.c - wrong usage of every program, and output that cannot be
 * written
 *
 * The options are read from each program's own -h line: "[-c customers]" is an
 * option that takes a number. What takes a text is in a table.
 */
#include "suites/suite.h"

#include <ctype.h>
#include <err.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Options whose value is a text, so that no value is wrong in form; and
 * whether the program takes words besides its options. */
static const struct {
    const char *program, *text_options;
    bool words, for_ever; /* it works until it is told to stop */
} kinds[] = {
    {"download", "s", true, false},
    {"contention", "p", false, false},
    {"client", "ri", true, true},
    {"worker", "r", false, true},
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

static const char *const bad_numbers[] = {
    "x", "0", "-1", "99999999999", "99999999999999999999", "3x", ""};

static size_t kind_of(const char *program) {
    size_t i = 0;

    while (i < KINDS && strcmp(kinds[i].program, program) != 0)
        i++;
    return i;
}

static const char *text_options_of(const char *program) {
    size_t kind = kind_of(program);
    return kind < KINDS ? kinds[kind].text_options : "";
}

static bool takes_words(const char *program) {
    size_t kind = kind_of(program);
    return kind < KINDS && kinds[kind].words;
}

static void run_with(
    struct run *run, const char *path, const char *one, const char *two) {
    const char *argv[] = {path, one, two, NULL};
    struct program program = {.argv = argv, .virtual_time = true};

    program_run(&program, run);
}

/* One line on stderr that holds the words, nothing on stdout, exit 2. */
static void expect_refused(const char *path, const char *one, const char *two,
    const char *word, const char *range) {
    struct run run;

    run_with(&run, path, one, two);
    const char *newline = strchr(run.err_text, '\n');
    bool one_line = newline != NULL && newline[1] == '\0';
    expect(run.end == EXITED && run.code == 2 && run.count == 0 && one_line &&
               strstr(run.err_text, word) != NULL &&
               strstr(run.err_text, range) != NULL,
        "%s %s %s: exit %d, %zu lines on stdout, stderr \"%.200s\"; expected: "
        "exit 2, nothing on stdout, one line with \"%s\" and \"%s\"",
        path, one, two == NULL ? "" : two, run.code, run.count, run.err_text,
        word, range);
    run_free(&run);
}

/* Calls the check for every program of the lessons. The exercises are
 * skeletons, which do not work yet: make grade judges what is made of them. */
static void each_program(void (*check)(const char *path, const char *name)) {
    glob_t found;

    if (glob(built("0[1-6]-*/*"), 0, NULL, &found) != 0)
        errx(EXIT_FAILURE, "no programs in %s", built(""));
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *name = strrchr(found.gl_pathv[i], '/') + 1;
        if (strncmp(name, "exercise_", 9) != 0)
            check(found.gl_pathv[i], name);
    }
    globfree(&found);
}

static void check_numbers(const char *path, const char *name) {
    struct run help;
    size_t options = 0;

    run_with(&help, path, "-h", NULL);
    expect(help.end == EXITED && help.code == 0 && help.err_text[0] == '\0' &&
               help.count > 0 && strncmp(help.lines[0].text, "usage: ", 7) == 0,
        "%s -h: exit %d, stderr \"%.200s\"; expected: exit 0 and \"usage: "
        "...\" on stdout",
        path, help.code, help.err_text);
    for (size_t l = 0; l < help.count; l++)
        for (const char *c = help.lines[l].text; (c = strstr(c, "[-")); c++) {
            char option[3] = {'-', c[2], '\0'};
            bool number = isalnum((unsigned char)c[2]) && c[3] == ' ' &&
                          !strchr(text_options_of(name), c[2]);
            if (!number)
                continue;
            options++;
            for (size_t i = 0; i < sizeof bad_numbers / sizeof *bad_numbers;
                 i++) {
                char range[] = " from 1 to ";
                char value[40];
                snprintf(value, sizeof value, "%s %s", option, bad_numbers[i]);
                expect_refused(path, option, bad_numbers[i], value, range);
            }
            expect_refused(path, option, NULL, &option[1], "argument");
        }
    run_free(&help);
}

static void test_numbers(void) {
    each_program(check_numbers);
}

static void check_unknown(const char *path, const char *name) {
    expect_refused(path, "-Z", NULL, "Z", "");
    if (!takes_words(name))
        expect_refused(path, "stray", NULL, "stray", "");
}

static void test_unknown(void) {
    each_program(check_unknown);
}

/* The exit status of an error: 1, or the thread sanitizer's own where it says
 * that it has found a data race, as it must in wrong programs of 06-locks. */
static bool failed_properly(const struct run *run) {
    bool race = strstr(run->err_text, "ThreadSanitizer: data race") != NULL;

    return run->end == EXITED && run->code == (race ? 66 : 1);
}

static void check_output(const char *path, const char *name) {
    const char *argv[] = {path, "-h", NULL};
    struct program full = {.argv = argv, .stdout_path = "/dev/full"};
    struct program broken = {.argv = argv, .stdout_broken = true};
    struct run run;
    char how[700];

    size_t kind = kind_of(name);
    bool ends = kind == KINDS || !kinds[kind].for_ever;
    /* With -h, then doing its work. */
    for (int i = 0; i < (ends ? 2 : 1); i++, argv[1] = NULL) {
        full.virtual_time = broken.virtual_time = true;
        program_run(&full, &run);
        expect(failed_properly(&run), "%s > /dev/full %s; expected: exit 1",
            path, run_describe(&run, how, sizeof how));
        expect(run.left_behind == 0, "%s > /dev/full left %s", path,
            run.left_names);
        run_free(&run);
        program_run(&broken, &run);
        expect(run.end == SIGNALLED || failed_properly(&run),
            "%s into a closed pipe %s; expected: exit 1, or SIGPIPE", path,
            run_describe(&run, how, sizeof how));
        expect(run.left_behind == 0, "%s into a closed pipe left %s", path,
            run.left_names);
        run_free(&run);
    }
}

static void test_output(void) {
    each_program(check_output);
}

CU_TestInfo usage_tests[] = {
    {"a wrong number is refused with option, value and range", test_numbers},
    {"unknown options and stray words are refused", test_unknown},
    {"a full disk or a closed pipe is an error", test_output},
    CU_TEST_INFO_NULL,
};
