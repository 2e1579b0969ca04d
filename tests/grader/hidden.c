/*
 * hidden.c - checks and weights from a file of the instructor's own
 */
#define _GNU_SOURCE
#include "grader/hidden.h"
#include "grader/trial.h"
#include "judge/events.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 128, MOST_LINES = 200, MOST_WORDS = 60, MOST_AGAIN = 20 };

/* A section: a check of the kit weighed anew, or a new one. */
struct section {
    struct check check; /* a new one's; its .points is 0: not said */
    const char *exercise;
    const struct check *known; /* of the kit, or NULL */
    const char *words[MOST_WORDS];
    const char *lines[MOST_LINES];
    size_t word_count, line_count;
    long points, status, overlap; /* points, overlap: -1: not said */
    double seconds;               /* of virtual time; -1: not said */
};

static struct section *sections;
static size_t count;

/* ---------- The judge of a new check ---------- */

/* The section whose check this is. */
static const struct section *section_of(const struct check *check) {
    for (size_t i = 0; i < count; i++)
        if (&sections[i].check == check)
            return &sections[i];
    errx(EXIT_FAILURE, "%s: no check of the file", check->name);
}

static void judge(struct grading *g, struct finding *f) {
    const struct section *s = section_of(g->check);
    const char *argv[MOST_WORDS + 2] = {""};
    struct program program = {.argv = argv, .virtual_time = true};
    struct verdict *v = &f->verdict;
    struct run run;
    char how[1024];

    memcpy(argv + 1, s->words, s->word_count * sizeof argv[0]);
    grade_run(g, &program, &run, f);
    if (run.end != EXITED || run.code != s->status || run.left_behind > 0)
        verdict_fail(v, "it %s; expected: exit status %ld and nothing left",
            run_describe(&run, how, sizeof how), s->status);
    if (s->line_count > 0)
        events_compare(run.lines, run.count, s->lines, s->line_count, v);
    if (s->seconds >= 0 &&
        run.virtual_ns != (int64_t)(s->seconds * 1000 + 0.5) * 1000000)
        verdict_fail(v, "it took %.3f s; expected: %.3f s",
            (double)run.virtual_ns / 1e9, s->seconds);
    if (s->overlap >= 0 &&
        events_overlap(run.lines, run.count) != (size_t)s->overlap)
        verdict_fail(v,
            "so many pieces of work were under way at once: %zu; expected: "
            "%ld",
            events_overlap(run.lines, run.count), s->overlap);
    run_free(&run);
}

/* ---------- Reading ---------- */

struct reader {
    const struct course *course;
    const char *path;
    int line;
};

static char *copy(const char *text, size_t length) {
    char *made = strndup(text, length);

    if (made == NULL)
        err(EXIT_FAILURE, "strndup");
    return made;
}

static struct section *add_section(const struct reader *r) {
    if (count == MOST)
        errx(2, "%s:%d: too many sections", r->path, r->line);
    sections[count] = (struct section){.points = -1,
        .overlap = -1,
        .seconds = -1,
        .check = {.kind = "correct", .judge = judge}};
    return &sections[count++];
}

/* "[EXERCISE CHECK]" */
static struct section *begin_section(const struct reader *r, const char *text) {
    size_t exercise = strcspn(text + 1, " ]"), name;
    struct section *s = add_section(r);
    const char *at = text + 1 + exercise;

    at += strspn(at, " ");
    name = strcspn(at, "]");
    s->exercise = copy(text + 1, exercise);
    s->check.name = copy(at, name);
    if (name == 0 || strcmp(at + name, "]") != 0)
        errx(2, "%s:%d: expected \"[EXERCISE CHECK]\"", r->path, r->line);
    const struct exercise *of = exercise_find(r->course, s->exercise);
    if (of == NULL)
        errx(2, "%s:%d: %s: no such exercise", r->path, r->line, s->exercise);
    s->known = check_find(of, s->check.name);
    return s;
}

static double number(const struct reader *r, const char *key, const char *text,
    double low, double high) {
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end != '\0' || !(value >= low && value <= high))
        errx(2, "%s:%d: %s = %s: expected a number from %g to %g", r->path,
            r->line, key, text, low, high);
    return value;
}

/* Once more, with inputs of its own: they follow from the name. */
static void run_again(
    const struct reader *r, const struct section *of, long times) {
    for (long i = 1; i <= times; i++) {
        struct section *s = add_section(r);
        char name[128];
        s->check = *of->known;
        s->exercise = of->exercise;
        s->points = of->points;
        snprintf(name, sizeof name, "%s again %ld", of->check.name, i);
        s->check.name = copy(name, strlen(name));
    }
}

static void set_words(struct section *s, const char *value) {
    char *rest = NULL, *text = copy(value, strlen(value));

    char *word = strtok_r(text, " ", &rest);
    while (word != NULL && s->word_count < MOST_WORDS) {
        s->words[s->word_count++] = word;
        word = strtok_r(NULL, " ", &rest);
    }
}

static void set(
    const struct reader *r, struct section *s, char *key, const char *value) {
    if (strcmp(key, "points") == 0)
        s->points = (long)number(r, key, value, 0, 1000);
    else if (s->known != NULL && strcmp(key, "again") == 0)
        run_again(r, s, (long)number(r, key, value, 1, MOST_AGAIN));
    else if (s->known != NULL)
        errx(2, "%s:%d: %s: a check of the kit has only points and again",
            r->path, r->line, key);
    else if (strcmp(key, "kind") == 0)
        s->check.kind = copy(value, strlen(value));
    else if (strcmp(key, "arguments") == 0)
        set_words(s, value);
    else if (strcmp(key, "status") == 0)
        s->status = (long)number(r, key, value, 0, 255);
    else if (strcmp(key, "seconds") == 0)
        s->seconds = number(r, key, value, 0, 1e6);
    else if (strcmp(key, "overlap") == 0)
        s->overlap = (long)number(r, key, value, 0, 1000);
    else if (strcmp(key, "line") == 0 && s->line_count < MOST_LINES)
        s->lines[s->line_count++] = copy(value, strlen(value));
    else
        errx(2, "%s:%d: %s: no such key", r->path, r->line, key);
}

static char *trim(char *text) {
    char *end = text + strlen(text);

    while (end > text && strchr(" \t\r\n", end[-1]) != NULL)
        *--end = '\0';
    return text + strspn(text, " \t");
}

void hidden_read(const char *path, const struct course *of) {
    struct reader reader = {of, path, 0};
    FILE *file = fopen(path, "re");
    struct section *section = NULL;
    char row[1024], *text, *equals;

    sections = calloc(MOST, sizeof *sections);
    if (file == NULL || sections == NULL)
        err(2, "%s", path);
    while (fgets(row, sizeof row, file) != NULL) {
        reader.line++;
        text = trim(row);
        if (*text == '\0' || *text == '#')
            continue;
        if (*text == '[') {
            section = begin_section(&reader, text);
            continue;
        }
        equals = strchr(text, '=');
        if (section == NULL || equals == NULL)
            errx(2, "%s:%d: expected \"[EXERCISE CHECK]\" or \"KEY = VALUE\"",
                path, reader.line);
        *equals = '\0';
        set(&reader, section, trim(text), trim(equals + 1));
    }
    fclose(file);
}

/* ---------- What it says ---------- */

double hidden_points(const char *exercise, const struct check *check) {
    for (size_t i = 0; i < count; i++) {
        const struct section *s = &sections[i];
        if (s->points >= 0 && strcmp(s->exercise, exercise) == 0 &&
            strcmp(s->check.name, check->name) == 0)
            return (double)s->points;
    }
    return check->points;
}

const struct check *hidden_check(const char *exercise, size_t n) {
    for (size_t i = 0; i < count; i++)
        if (sections[i].known == NULL &&
            strcmp(sections[i].exercise, exercise) == 0 && n-- == 0)
            return &sections[i].check;
    return NULL;
}
