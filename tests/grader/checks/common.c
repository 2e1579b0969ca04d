/*
 * common.c - what the checks of many exercises share
 */
#define _GNU_SOURCE /* vasprintf */
#include "grader/checks/common.h"
#include "grader/cause.h"
#include "grader/checks/rare.h"

#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------- Command lines and names ---------- */

/* Room for one more pointer and a NULL; doubled when it is used up. */
static void *grow(void *list, size_t count) {
    if (count >= 8 && (count & (count - 1)) != 0)
        return list;
    list = realloc(list, (count < 8 ? 10 : 2 * count + 2) * sizeof(char *));
    if (list == NULL)
        err(EXIT_FAILURE, "realloc");
    return list;
}

void add_word(struct words *words, const char *format, ...) {
    va_list args;
    char *text;

    va_start(args, format);
    if (vasprintf(&text, format, args) == -1)
        err(EXIT_FAILURE, "vasprintf");
    va_end(args);
    if (words->count == 0) {
        words->argv = grow(words->argv, 0);
        words->argv[words->count++] = "";
    }
    words->argv = grow(words->argv, words->count);
    words->argv[words->count++] = text;
    words->argv[words->count] = NULL;
}

void expect_line(struct expected *expected, const char *format, ...) {
    va_list args;

    expected->lines = grow(expected->lines, expected->count);
    va_start(args, format);
    if (vasprintf(&expected->lines[expected->count++], format, args) == -1)
        err(EXIT_FAILURE, "vasprintf");
    va_end(args);
}

void free_expected(struct expected *expected) {
    for (size_t i = 0; i < expected->count; i++)
        free(expected->lines[i]);
    free(expected->lines);
    *expected = (struct expected){NULL, 0};
}

static bool is_new(char (*names)[NAME_BYTES], size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], names[count]) == 0)
            return false;
    return true;
}

void random_names(struct grading *g, char (*names)[NAME_BYTES], size_t count) {
    for (size_t i = 0; i < count; i++)
        do {
            long length = grade_random(g, 3, NAME_BYTES - 1);
            for (long c = 0; c < length; c++)
                names[i][c] = (char)grade_random(g, 'A', 'Z');
            names[i][length] = '\0';
        } while (!is_new(names, i));
}

/* ---------- What a run has shown ---------- */

/* The first line of stderr, for a sentence. */
static const char *first_words(const struct run *run, char *buf, size_t size) {
    int length = (int)strcspn(run->err_text, "\n");

    buf[0] = '\0';
    if (length > 0)
        snprintf(buf, size, ", saying \"%.*s\"", length, run->err_text);
    return buf;
}

void judge_run_end(const struct run *run, int status, struct verdict *v) {
    char how[800], words[200];

    if (run->end != EXITED || run->code != status || run->left_behind > 0)
        verdict_fault(v, cause_of_end(run),
            "it %s%s; expected: exit status %d, nothing left behind",
            run_describe(run, how, sizeof how),
            first_words(run, words, sizeof words), status);
    if (run->unfinished)
        verdict_fault(v, FAULT_NEWLINE,
            "its last line has no newline; expected: whole lines");
    if (run->clock_changed)
        verdict_fault(v, FAULT_NONE,
            "it wrote into the clock that it is shown; expected: it leaves its "
            "surroundings alone");
    if (run->past_clock != NULL)
        verdict_fault(v, FAULT_PAST_CLOCK,
            "it waited by %s, a way that the clock does not see: this is not "
            "supported here; expected: nanosleep() or its like",
            run->past_clock);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t alike(char *const *texts, size_t count) {
    size_t same = 0;

    while (same < count && strcmp(texts[same], texts[0]) == 0)
        same++;
    return same;
}

/* A line of the same lane that nobody has asked for, or NULL. */
static const char *instead(const struct line *lines, size_t count,
    const struct expected *expected, const char *wanted) {
    size_t lane = events_lane(wanted);

    for (size_t i = 0; i < count && lane > 0; i++) {
        bool asked_for = events_lane(lines[i].text) != lane ||
                         strncmp(lines[i].text, wanted, lane) != 0;
        for (size_t k = 0; k < expected->count && !asked_for; k++)
            asked_for = strcmp(lines[i].text, expected->lines[k]) == 0;
        if (!asked_for)
            return lines[i].text;
    }
    return NULL;
}

/* Are they the same but for their digits? */
static bool differ_in_number(const char *a, const char *b) {
    while (*a != '\0' || *b != '\0') {
        size_t m = strspn(a, "0123456789"), n = strspn(b, "0123456789");
        if ((m == 0) != (n == 0) || (m == 0 && *a != *b))
            return false;
        a += m > 0 ? m : 1;
        b += n > 0 ? n : 1;
    }
    return true;
}

/* A line that is right but for its number is no matter of spelling. */
static void tell_number(const struct line *lines, size_t count,
    const struct expected *expected, struct verdict *v) {
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < expected->count; k++) {
            const char *seen = lines[i].text, *wanted = expected->lines[k];
            size_t lane = events_lane(seen);
            if (lane > 0 && lane == events_lane(wanted) &&
                strncmp(seen, wanted, lane + 1) == 0 &&
                strcmp(seen, wanted) != 0 && strstr(v->text, seen) &&
                differ_in_number(seen + lane, wanted + lane)) {
                size_t used = strlen(v->text);
                snprintf(v->text + used, sizeof v->text - used,
                    "; expected: \"%s\"", wanted);
                v->fault = FAULT_NUMBER;
                return;
            }
        }
}

void judge_lines(const struct run *run, int status,
    const struct expected *expected, struct verdict *v) {
    judge_run_end(run, status, v);
    if (v->text[0] != '\0')
        return;
    events_compare(run->lines, run->count, (const char *const *)expected->lines,
        expected->count, v);
    if (v->fault == FAULT_LINE)
        tell_number(run->lines, run->count, expected, v);
}

/* "not printed", "printed once", "printed twice", ... */
static const char *times(size_t number, char buf[32]) {
    static const char *const words[] = {"", "once", "twice"};

    if (number == 1 || number == 2)
        snprintf(buf, 32, "%s", words[number]);
    else
        snprintf(buf, 32, "%zu times", number);
    return buf;
}

void judge_present(const struct line *lines, size_t count,
    const struct expected *expected, struct verdict *v) {
    char **seen = calloc(count + 1, sizeof *seen);
    char **wanted = calloc(expected->count + 1, sizeof *wanted);
    size_t at = 0, all;

    if (seen == NULL || wanted == NULL)
        err(EXIT_FAILURE, "calloc");
    for (size_t i = 0; i < count; i++)
        seen[i] = lines[i].text;
    for (size_t i = 0; i < expected->count; i++)
        wanted[i] = expected->lines[i];
    qsort(seen, count, sizeof *seen, by_text);
    qsort(wanted, expected->count, sizeof *wanted, by_text);
    for (size_t i = 0; i < expected->count; i += all) {
        all = alike(wanted + i, expected->count - i);
        while (at < count && strcmp(seen[at], wanted[i]) < 0)
            at++;
        size_t found = at < count && strcmp(seen[at], wanted[i]) == 0
                           ? alike(seen + at, count - at)
                           : 0;
        if (found != all) {
            char also[200] = "", often[32], once[32];
            enum fault sort = events_sort(lines, count,
                (const char *const *)expected->lines, expected->count);
            const char *other =
                found == 0 ? instead(lines, count, expected, wanted[i]) : NULL;
            if (other != NULL)
                snprintf(also, sizeof also, ", but \"%.130s\" was", other);
            if (sort == FAULT_LINE && other &&
                differ_in_number(other, wanted[i]))
                sort = FAULT_NUMBER;
            verdict_fault(v, sort,
                "the line \"%s\" was %sprinted%s%s%s; expected: %s", wanted[i],
                found == 0 ? "not " : "", found == 0 ? "" : " ",
                found == 0 ? "" : times(found, often), also, times(all, once));
        }
    }
    free(seen);
    free(wanted);
}

/* Is there a line in text that begins and ends so? */
static bool has_line(const char *text, const char *begin, const char *end) {
    size_t before = strlen(begin), after = strlen(end);

    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        if (length >= before + after && strncmp(text, begin, before) == 0 &&
            strncmp(text + length - after, end, after) == 0)
            return true;
        text += length + (text[length] == '\n');
    }
    return false;
}

void judge_err_line(const struct run *run, const char *begin, const char *end,
    struct verdict *v) {
    if (!has_line(run->err_text, begin, end))
        verdict_fail(v, "stderr is \"%.300s\"; expected: a line \"%s%s%s\"",
            run->err_text, begin, end[0] ? "..." : "", end);
}

/* Puts the number in the place of the "#" of the form: "3 tables in #.2 s". */
static void write_summary(
    char *buf, size_t size, const char *form, double number) {
    const char *place = strchr(form, '#');
    int digits = place[1] == '.' ? place[2] - '0' : 0;

    snprintf(buf, size, "%.*s%.*f%s", (int)(place - form), form, digits, number,
        place + (place[1] == '.' ? 3 : 1));
}

int64_t work_ns(const struct run *run) {
    return run->virtual_ns - (run->count > 0 ? run->lines[0].at_ns : 0);
}

void judge_summary(const struct run *run, const char *form, double unit_ns,
    struct verdict *v) {
    const double times[] = {
        (double)work_ns(run) / unit_ns, (double)run->virtual_ns / unit_ns};
    char text[120];

    /* With digits it may be as late as the rest of the run may be. */
    for (int late = -2; late <= 2; late++)
        for (int i = 0; i < 2 && (late == 0 || strstr(form, "#.2")); i++) {
            write_summary(text, sizeof text, form, times[i] + late / 100.0);
            if (has_line(run->err_text, text, ""))
                return;
        }
    if (run->end != EXITED) /* there is none for that reason */
        judge_run_end(run, 0, v);
    write_summary(text, sizeof text, form, times[0]);
    judge_err_line(run, text, "", v);
}

bool in_lane(const struct line *line, const char *name) {
    size_t length = strlen(name);

    return events_lane(line->text) == length &&
           strncmp(line->text, name, length) == 0;
}

static bool begins_work(const struct line *line) {
    size_t length = strlen(line->text);

    return length > 4 && strcmp(line->text + length - 4, " ...") == 0;
}

struct piece piece_of(const struct run *run, const char *lane) {
    struct piece piece = {NULL, NULL};

    for (size_t i = 0; i < run->count && piece.end == NULL; i++) {
        const struct line *line = &run->lines[i];
        if (!in_lane(line, lane))
            continue;
        if (piece.begin != NULL)
            piece.end = line;
        else if (begins_work(line))
            piece.begin = line;
    }
    return piece;
}

/* Is there a line that begins work and comes once more? */
static bool begun_twice(const struct run *run) {
    for (size_t i = 0; i < run->count; i++)
        for (size_t k = 0; k < i; k++)
            if (begins_work(&run->lines[i]) &&
                strcmp(run->lines[i].text, run->lines[k].text) == 0)
                return true;
    return false;
}

static bool has_any(const struct run *run, const char *lane) {
    for (size_t i = 0; i < run->count; i++)
        if (in_lane(&run->lines[i], lane))
            return true;
    return false;
}

struct piece whole_piece(
    const struct run *run, const char *lane, struct verdict *v) {
    struct piece piece = piece_of(run, lane);

    if (piece.begin == NULL)
        verdict_fault(v,
            begun_twice(run)     ? FAULT_TWICE
            : has_any(run, lane) ? FAULT_LINE
                                 : FAULT_NOT_BEGUN,
            "%s was not begun: no line of it ends in \" ...\"; expected: two "
            "lines, when it begins and when it ends",
            lane);
    else if (piece.end == NULL)
        verdict_fault(v, FAULT_NOT_ENDED,
            "no line came after \"%s\"; expected: one when it ends",
            piece.begin->text);
    else if (begins_work(piece.end))
        verdict_fault(v,
            strcmp(piece.begin->text, piece.end->text) == 0 ? FAULT_TWICE
                                                            : FAULT_LINE,
            "\"%s\" was followed by \"%s\"; expected: the line that ends it",
            piece.begin->text, piece.end->text);
    return piece;
}

/* ---------- Building ---------- */

/* In place: each becomes a space. */
static void strip_comments(char *text) {
    char *to = text;

    for (const char *at = text; *at != '\0';) {
        char quote = *at;
        if (strncmp(at, "/*", 2) == 0 && strstr(at + 2, "*/") != NULL) {
            at = strstr(at + 2, "*/") + 2;
            *to++ = ' ';
        } else if (strncmp(at, "//", 2) == 0) {
            at += strcspn(at, "\n");
        } else {
            *to++ = *at++;
            if (quote != '"' && quote != '\'')
                continue;
            while (*at != '\0' && *at != quote && *at != '\n') {
                if (*at == '\\' && at[1] != '\0')
                    *to++ = *at++;
                *to++ = *at++;
            }
            if (*at == quote)
                *to++ = *at++;
        }
    }
    *to = '\0';
}

/* A pragma of its own shall not switch warnings off. (Those of the headers,
 * curl's among them, may.) */
static void judge_pragmas(const char *source, struct verdict *v) {
    char *text = content(source);
    strip_comments(text);
    const char *at = strstr(text, "ragma");

    while (at != NULL && v->text[0] == '\0') {
        char line[100];
        snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
        if (strstr(line, "diagnostic") || strstr(line, "system_header"))
            verdict_fault(v, FAULT_WARNING,
                "\"p%s\" switches warnings off; expected: the code gives no "
                "cause for one",
                line);
        at = strstr(at + 1, "ragma");
    }
    if (strstr(text, "_Pragma") && strstr(text, "diagnostic"))
        verdict_fault(v, FAULT_WARNING,
            "_Pragma() switches warnings off, by way of a macro; expected: the "
            "code gives no cause for one");
    free(text);
}

void check_build(struct grading *g, struct finding *f) {
    if (grade_build(g, "-O2 -Wall -Wextra -Werror", f) != NULL)
        judge_pragmas(g->source, &f->verdict);
}
