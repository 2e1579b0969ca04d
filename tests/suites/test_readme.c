/*
 * test_readme.c - what a README shows is what happens
 *
 * A transcript is a block fenced by ```console. A line "$ COMMAND" is run in
 * the README's folder, and the lines below it are its output, stdout before
 * stderr; "..." alone stands for any lines. Of a cc command it is checked that
 * it is the Build line of a source, of make that the target exists, but
 * make explore, timeline and play are run if their output is shown, and so is
 * the demo, in its short form; a program runs in virtual time, with the
 * practice sites where it wants them. The comment above the fence may say:
 *   <!-- any order -->       the order of the lines may vary
 *   <!-- times vary -->      every number may, as it is measured
 *   <!-- not run: reason --> why it is not run in a test
 * Any other command is run by the shell, in real time, beside the programs.
 */
#define _GNU_SOURCE /* asprintf */
#include "suites/suite.h"

#include <ctype.h>
#include <err.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 24, LINES = 400 };

#define PRACTICE \
    "127.0.0.1:8000" /* stands for the port of this run's sites \
                                   */

struct transcript {
    const char *readme;
    char folder[64]; /* with a slash at its end, or empty at the top */
    bool any_order, times_vary, not_run;
    char command[300];
    char *expected[LINES]; /* the output shown */
    size_t count;
};

/* A copy of the text in which every `from` is a `to`; the caller frees it. */
static char *replace(const char *text, const char *from, const char *to) {
    char *copy = strdup(text), *at;

    while (copy != NULL && (at = strstr(copy, from)) != NULL) {
        char *longer;
        if (asprintf(&longer, "%.*s%s%s", (int)(at - copy), copy, to,
                at + strlen(from)) == -1)
            longer = NULL;
        free(copy);
        copy = longer;
    }
    if (copy == NULL)
        err(EXIT_FAILURE, "out of memory");
    return copy;
}

/* Each number becomes N, runs of blanks one blank. In place. */
static void mask(char *text) {
    char *out = text;

    for (char *c = text; *c != '\0';) {
        if (isdigit((unsigned char)*c)) {
            c += strspn(c, "0123456789.,");
            *out++ = 'N';
        } else if (*c == ' ') {
            c += strspn(c, " ");
            *out++ = ' ';
        } else {
            *out++ = *c++;
        }
    }
    *out = '\0';
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Fails with the first line shown that the program did not print there. */
static void compare(struct transcript *t, char **seen, size_t count) {
    size_t at = 0;
    bool gap = false;

    if (t->times_vary) {
        for (size_t i = 0; i < count; i++)
            mask(seen[i]);
        for (size_t i = 0; i < t->count; i++)
            mask(t->expected[i]);
    }
    if (t->any_order) {
        qsort(seen, count, sizeof *seen, by_text);
        qsort(t->expected, t->count, sizeof *t->expected, by_text);
        gap = t->count > 0 && strcmp(t->expected[0], "...") == 0;
    }
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->expected[i], "...") == 0) {
            gap = true;
            continue;
        }
        while (gap && at < count && strcmp(seen[at], t->expected[i]) != 0)
            at++;
        if (!expect(at < count && strcmp(seen[at], t->expected[i]) == 0,
                "%s: $ %s: shows \"%s\"; printed was \"%s\"", t->readme,
                t->command, t->expected[i], at < count ? seen[at] : ""))
            return;
        at++;
        gap = gap && t->any_order;
    }
    expect(at == count || gap, "%s: $ %s: also printed \"%s\"", t->readme,
        t->command, at < count ? seen[at] : "");
}

/* Cuts the command into words; returns how many. */
static size_t words_of(char *command, const char **words) {
    char *word = strtok(command, " ");
    size_t count = 0;

    while (word != NULL && count < WORDS - 3) {
        words[count++] = word;
        word = strtok(NULL, " ");
    }
    words[count] = NULL;
    return count;
}

/* Runs the command and compares what it prints. 8000 is put for `port`, that of
 * the practice sites; 0: without them, and in real time. */
static void run_command(struct transcript *t, const char **argv, int port) {
    struct program program = {.argv = argv, .virtual_time = port != 0};
    struct run run;
    char *seen[LINES], here[40];
    size_t count = 0;

    snprintf(here, sizeof here, "127.0.0.1:%d", port);
    program_run(&program, &run);
    expect(run.end == EXITED && run.left_behind == 0, "%s: $ %s: it %s",
        t->readme, t->command, run_describe(&run, (char[300]){""}, 300));
    for (size_t i = 0; i < run.count && count < LINES; i++)
        seen[count++] = replace(run.lines[i].text, here, PRACTICE);
    char *line = strtok(run.err_text, "\n");
    while (line != NULL && count < LINES) {
        seen[count++] = replace(line, here, PRACTICE);
        line = strtok(NULL, "\n");
    }
    compare(t, seen, count);
    while (count > 0)
        free(seen[--count]);
    run_free(&run);
}

/* A program of this folder, with the practice sites where it downloads. */
static void run_program(struct transcript *t, char *command) {
    const char *argv[WORDS];
    size_t count = words_of(command, argv);
    struct sites_options options = {.port = 0};
    char name[200], base[60];
    struct sites *sites = start_sites(&options, base, sizeof base);
    const char *here = base + strlen("http://");

    snprintf(name, sizeof name, "%s%s", t->folder, argv[0] + 2);
    bool urls = false;
    for (size_t i = 1; i < count; i++) {
        urls = urls || strstr(argv[i], "://") != NULL;
        argv[i] = replace(argv[i], PRACTICE, here);
    }
    if (strcmp(argv[0], "./download") == 0 && !urls) {
        argv[count] = strdup("-s");
        argv[count + 1] = strdup(base);
        argv[count + 2] = NULL;
        count += 2;
    }
    argv[0] = built(name);
    if (expect(
            is_built(name), "%s: $ %s: no such program", t->readme, t->command))
        run_command(t, argv, sites_port(sites));
    for (size_t i = 1; i < count; i++)
        free((char *)argv[i]);
    sites_stop(sites, NULL);
}

static void run_diff(struct transcript *t, char *command) {
    const char *argv[WORDS];
    char paths[2][200];

    words_of(command, argv);
    argv[0] = "/usr/bin/diff";
    for (int i = 0; i < 2; i++) {
        bool up = strncmp(argv[i + 1], "../", 3) == 0;
        snprintf(paths[i], sizeof paths[i], "%s%s", up ? "" : t->folder,
            argv[i + 1] + (up ? 3 : 0));
        argv[i + 1] = paths[i];
    }
    struct program program = {.argv = argv};
    struct run run;
    program_run(&program, &run);
    expect(run.end == EXITED && run.code == 1, "%s: $ %s: exit %d", t->readme,
        t->command, run.code);
    char *seen[LINES];
    size_t count = 0;
    for (; count < run.count && count < LINES; count++)
        seen[count] = run.lines[count].text;
    compare(t, seen, count);
    run_free(&run);
}

/* Is it the Build line of a source of the folder? */
static void check_build(struct transcript *t) {
    char pattern[100], *line = NULL, *wanted;
    size_t size = 0;
    bool found = false;
    glob_t sources;

    snprintf(pattern, sizeof pattern, "%s*.c", t->folder);
    if (asprintf(&wanted, " * Build: %s\n", t->command) == -1)
        err(EXIT_FAILURE, "out of memory");
    if (glob(pattern, 0, NULL, &sources) == 0)
        for (size_t i = 0; i < sources.gl_pathc; i++) {
            FILE *file = fopen(sources.gl_pathv[i], "r");
            while (file != NULL && getline(&line, &size, file) != -1)
                found = found || strcmp(line, wanted) == 0;
            if (file != NULL)
                fclose(file);
        }
    globfree(&sources);
    free(line);
    free(wanted);
    expect(found && t->count == 0,
        "%s: $ %s: no source of this folder has that "
        "Build line",
        t->readme, t->command);
}

/* Anything else, by the shell, in real time, where the programs are. */
static void run_shell(struct transcript *t, const char *command) {
    char *script;
    if (asprintf(&script, "cd %s && %s", built(t->folder), command) == -1)
        err(EXIT_FAILURE, "out of memory");
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    run_command(t, argv, 0);
    free(script);
}

/* The targets exist: make would know what to do. */
static void check_make(struct transcript *t, char *command) {
    const char *argv[WORDS];
    size_t count = words_of(command, argv);
    struct run run;

    argv[0] = "/usr/bin/make";
    for (size_t i = 1; i < count; i++)
        if (strcmp(argv[i], "setup") == 0)
            argv[i] = "-s"; /* it would install even with -n */
    argv[count] = "-n";
    argv[count + 1] = NULL;
    struct program program = {.argv = argv};
    program_run(&program, &run);
    expect(run.end == EXITED && run.code == 0, "%s: $ %s: %s", t->readme,
        t->command, run.err_text);
    run_free(&run);
}

/* From the top, into this build; what is before "make" is kept. */
static void run_make(struct transcript *t) {
    const char *make = strstr(t->command, "make ");
    char *script;
    if (asprintf(&script, "%.*sMAKEFLAGS= make -s B=%s %s",
            (int)(make - t->command), t->command, built("."), make + 5) == -1)
        err(EXIT_FAILURE, "out of memory");
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    run_command(t, argv, 0);
    free(script);
}

/* The demo's table, made in seconds: shorter waits, the same lines. Without
 * what it says below a line if other programs took the CPU. */
static void run_demo(struct transcript *t) {
    char *script;
    if (asprintf(&script,
            "build=%s out=%s; MAKEFLAGS= make -s B=$build $build/tests/demo && "
            "$build/tests/demo -s -o $out/demo.html $build >$out/demo && "
            "grep -v '^ *\\^' $out/demo",
            built("."), scratch()) == -1)
        err(EXIT_FAILURE, "out of memory");
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    run_command(t, argv, 0);
    free(script);
}

static void check(struct transcript *t) {
    char command[sizeof t->command];

    memcpy(command, t->command, sizeof command);
    bool shown = strncmp(command, "make explore ", 13) == 0 ||
                 strncmp(command, "make timeline ", 14) == 0 ||
                 strstr(command, "| make play ") != NULL;
    if (shown && t->count > 0)
        run_make(t);
    else if (strcmp(command, "make setup demo") == 0 && t->count > 0)
        run_demo(t);
    else if (strncmp(command, "make ", 5) == 0)
        check_make(t, command);
    else if (strncmp(command, "cc ", 3) == 0)
        check_build(t);
    else if (!t->not_run && strncmp(command, "./", 2) == 0)
        run_program(t, command);
    else if (!t->not_run && strncmp(command, "diff ", 5) == 0)
        run_diff(t, command);
    else if (!t->not_run)
        run_shell(t, command);
    while (t->count > 0)
        free(t->expected[--t->count]);
}

/* Reads the README and checks each command in it. */
static void read_readme(const char *path) {
    struct transcript t = {.readme = path};
    char *line = NULL;
    size_t size = 0;
    bool inside = false;

    FILE *file = fopen(path, "r");

    if (file == NULL)
        err(EXIT_FAILURE, "%s", path);
    if (strchr(path, '/') != NULL)
        snprintf(t.folder, sizeof t.folder, "%.*s",
            (int)(strchr(path, '/') + 1 - path), path);
    for (long number = 1; getline(&line, &size, file) != -1; number++) {
        line[strcspn(line, "\n")] = '\0';
        bool fence = strncmp(line, "```", 3) == 0;
        expect(!fence || line[3] == '\0' || strcmp(line, "```console") == 0,
            "%s:%ld: a fence with text after it", path, number);
        bool command = inside && strncmp(line, "$ ", 2) == 0;
        if ((fence || command) && inside && t.command[0] != '\0')
            check(&t);
        if (fence) {
            inside = !inside && strcmp(line, "```console") == 0;
            t.command[0] = '\0';
        } else if (command) {
            snprintf(t.command, sizeof t.command, "%s", line + 2);
        } else if (inside && t.count < LINES) {
            t.expected[t.count++] = strdup(line);
        } else {
            bool comment = strncmp(line, "<!-- ", 5) == 0;
            t.any_order = comment && strstr(line, "any order") != NULL;
            t.times_vary = comment && strstr(line, "times vary") != NULL;
            t.not_run = comment && strstr(line, "not run: ") != NULL;
        }
    }
    free(line);
    fclose(file);
}

static void test_top(void) {
    read_readme("README.md");
}

static void test_lessons(void) {
    glob_t found;

    if (glob("0[1-6]-*/README.md", 0, NULL, &found) != 0)
        errx(EXIT_FAILURE, "no READMEs here: run me at the top of the tree");
    for (size_t i = 0; i < found.gl_pathc; i++) {
        read_readme(found.gl_pathv[i]);
    }
    globfree(&found);
}

/* ---------- What the grader tells to read ---------- */

/* Has the file a heading of these words? NULL: any will do. */
static bool has_heading(const char *path, const char *words) {
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    bool found = false;

    while (!found && file != NULL && getline(&line, &size, file) != -1) {
        line[strcspn(line, "\n")] = '\0';
        size_t level = strspn(line, "#");
        found = level > 0 && line[level] == ' ' &&
                (words == NULL || strcmp(line + level + 1, words) == 0);
    }
    free(line);
    if (file != NULL)
        fclose(file);
    return found;
}

/* Each string "NN-lesson/README.md, Heading" of a source: how many. */
static int check_readings(const char *source) {
    FILE *file = fopen(source, "re");
    char *line = NULL, *at, *end;
    size_t size = 0;
    int count = 0;

    if (file == NULL)
        err(EXIT_FAILURE, "%s", source);
    while (getline(&line, &size, file) != -1) {
        at = strstr(line, "\"0");
        if (at == NULL || strstr(at, "/README.md") == NULL ||
            (end = strchr(++at, '"')) == NULL)
            continue;
        *end = '\0';
        char *words = strstr(at, ", ");
        if (words != NULL) {
            *words = '\0';
            words += 2;
        }
        expect(has_heading(at, words), "%s: read: %s has no heading \"%s\"",
            source, at, words ? words : "of any kind");
        count++;
    }
    free(line);
    fclose(file);
    return count;
}

static void test_readings(void) {
    int causes = check_readings("tests/grader/cause.c");
    int checks = check_readings("tests/grader/checks/exercises.c");

    expect(causes > 10 && checks > 20, "%d and %d strings name a README",
        causes, checks);
}

CU_TestInfo readme_tests[] = {
    {"the commands of the README exist", test_top},
    {"the lessons' transcripts are what the programs print", test_lessons},
    {"what the grader tells to read is there", test_readings},
    CU_TEST_INFO_NULL,
};
