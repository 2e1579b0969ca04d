/*
 * test_plots.c - make plots, with few points: its data, its SVG, its text
 *
 * Slow: it runs when it is named, and needs gnuplot. The points are measured in
 * real time, so what is judged is which there are, that they agree with each
 * other, and that they are drawn; not how high they lie.
 */
#define _GNU_SOURCE /* strsep */
#include "run/remove.h"
#include "suites/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIELDS = 6 };

/* Runs plots.sh into DIR with 2 workers, and 100 customers who wait. */
static void plot(struct run *run, const char *dir, const char *rounds) {
    const char *argv[] = {
        "/bin/bash", "tests/pictures/plots.sh", built(""), dir, NULL};
    const char *env[] = {rounds, "MOST=2", "WAITING=100", NULL};
    struct program program = {.argv = argv, .env = env, .deadline_ms = 600000};

    program_run(&program, run);
}

/* A whole file, to be freed; empty if it is not there. */
static char *text_of(const char *dir, const char *name) {
    char path[300], *text = NULL;
    size_t size = 0;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "r");
    bool read = file != NULL && getdelim(&text, &size, 0, file) > 0;
    expect(read, "%s: not there, or empty", path);
    if (file != NULL)
        fclose(file);
    if (!read) {
        free(text);
        text = strdup("");
    }
    return text;
}

/* Of a line of a table: what it costs is above 0, and the median, where there
 * is one, lies between the least and the most, which end the line. */
static void judge_line(const char *name, const char *line) {
    double value[FIELDS] = {0};
    char *copy = strdup(line), *rest = copy, *field;
    size_t count = 0;

    while ((field = strsep(&rest, "\t")) != NULL && count < FIELDS)
        value[count++] = strtod(field, NULL);
    bool good = strcmp(name, "waiting.tsv") == 0
                    ? count == 4 && value[2] > 0
                    : count >= 5 && value[count - 2] > 0 &&
                          value[count - 2] <= value[count - 3] &&
                          value[count - 3] <= value[count - 1];
    expect(good, "%s: \"%s\"", name, line);
    free(copy);
}

/* Judges a table with this first line. Returns the number of lines below it
 * that begin so. */
static size_t count_lines(
    const char *dir, const char *name, const char *head, const char *begin) {
    char *text = text_of(dir, name), *rest = text;
    const char *line = strsep(&rest, "\n");
    size_t count = 0;

    expect(strcmp(line, head) == 0, "%s begins \"%s\"; expected: \"%s\"", name,
        line, head);
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        judge_line(name, line);
        count += strncmp(line, begin, strlen(begin)) == 0;
    }
    free(text);
    return count;
}

static const char waiting[] = "tool\twaiting\tKiB\tCPU s";

static void test_data(const char *dir) {
    static const char *const heads[] = {
        "story\ttool\tworkers\tspeedup\tleast\tmost", waiting,
        "way\tthreads\tns\tleast\tmost"};
    static const struct {
        const char *file, *begin;
        int head;
        size_t lines;
    } tables[] = {
        {"speedup.tsv", "messages\t01-sequential\t1\t1\t1\t1", 0, 1},
        {"speedup.tsv", "messages\t05-queue\t", 0, 2},
        {"speedup.tsv", "download\t04-async\t", 0, 2},
        {"speedup.tsv", "increment\t02-threads\t", 0, 2},
        {"speedup.tsv", "cooking\t03-processes\t", 0, 2},
        {"waiting.tsv", "02-threads\t100\t", 1, 1},
        {"waiting.tsv", "04-async\t100\t", 1, 1},
        {"locks.tsv", "mutex\t", 2, 2},
        {"locks.tsv", "atomic add\t", 2, 2},
    };

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        size_t lines = count_lines(
            dir, tables[i].file, heads[tables[i].head], tables[i].begin);
        expect(lines == tables[i].lines,
            "%s: %zu lines begin \"%s\"; expected: %zu", tables[i].file, lines,
            tables[i].begin, tables[i].lines);
    }
}

/* Each picture names its curves, in the SVG and in the text. */
static void test_drawn(const char *dir) {
    static const struct {
        const char *name, *title, *curve;
    } pictures[] = {
        {"speedup-messages", "messages: speedup against workers", "05-queue"},
        {"speedup-download", "download: speedup against workers", "04-async"},
        {"speedup-increment", "increment: speedup against", "02-threads"},
        {"speedup-cooking", "cooking: speedup against", "03-processes"},
        {"waiting-memory", "memory of N customers who wait", "04-async"},
        {"waiting-cpu", "CPU time of N customers who wait", "02-threads"},
        {"locks", "one increment by all threads together", "compare-and-swap"},
    };
    static const char *const kinds[] = {"svg", "txt"};

    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++)
        for (size_t k = 0; k < 2; k++) {
            char name[60], path[300];
            snprintf(name, sizeof name, "%s.%s", pictures[i].name, kinds[k]);
            char *text = text_of(dir, name);
            expect(strstr(text, pictures[i].title) != NULL &&
                       strstr(text, pictures[i].curve) != NULL,
                "%s does not show \"%s\" and %s", name, pictures[i].title,
                pictures[i].curve);
            free(text);
            snprintf(path, sizeof path, "%s/%s", dir, name);
            if (k == 0)
                expect_xml(path);
        }
}

static void test_all(void) {
    char dir[200], how[300];
    struct run run;

    if (access("/usr/bin/gnuplot", X_OK) != 0) {
        skip("gnuplot is not installed: make setup plots");
        return;
    }
    snprintf(dir, sizeof dir, "%s/plots", scratch());
    plot(&run, dir, "ROUNDS=1");
    expect(run.end == EXITED && run.code == 0 && run.left_behind == 0,
        "it %s: %s", run_describe(&run, how, sizeof how), run.err_text);
    /* A busy machine may be late with the last of them; then it says so. */
    expect(
        count_lines(dir, "waiting.tsv", waiting, "03-processes\t100\t") == 1 ||
            strstr(run.err_text, "03-processes: no 100 at once") != NULL,
        "waiting.tsv: nothing of 03-processes");
    run_free(&run);
    test_data(dir);
    test_drawn(dir);
    remove_tree(dir);
}

static void test_no_rounds(void) {
    char dir[200];
    struct run run;

    snprintf(dir, sizeof dir, "%s/plots", scratch());
    plot(&run, dir, "ROUNDS=0");
    expect(run.end == EXITED && run.code == 2 && access(dir, F_OK) == -1 &&
               strstr(run.err_text, "ROUNDS=0") != NULL,
        "ROUNDS=0: exit %d, \"%s\"; expected: 2, and its name", run.code,
        run.err_text);
    run_free(&run);
}

CU_TestInfo plots_tests[] = {
    {"curves: their data, as SVG and as text", test_all},
    {"no rounds: a clear line", test_no_rounds},
    CU_TEST_INFO_NULL,
};
