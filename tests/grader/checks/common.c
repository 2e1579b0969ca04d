/*
 * check_common.c - what the checks of many exercises share
 */
#define _GNU_SOURCE /* vasprintf, strcasestr */
#include "grader/checks/common.h"
#include "grader/cause.h"

#include <ctype.h>
#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------- Command lines and names ---------- */

void add_word(struct words *words, const char *format, ...) {
    va_list args;

    if (words->count == 0)
        words->argv[words->count++] = "";
    if (words->count > MOST_WORDS)
        errx(EXIT_FAILURE, "more than %d words", MOST_WORDS);
    char *text = words->text[words->count - 1];
    va_start(args, format);
    vsnprintf(text, WORD_BYTES, format, args);
    va_end(args);
    words->argv[words->count++] = text;
}

void expect_line(struct expected *expected, const char *format, ...) {
    va_list args;

    if (expected->count == MOST_EXPECTED)
        errx(EXIT_FAILURE, "more than %d lines", MOST_EXPECTED);
    va_start(args, format);
    if (vasprintf(&expected->lines[expected->count++], format, args) == -1)
        err(EXIT_FAILURE, "vasprintf");
    va_end(args);
}

void free_expected(struct expected *expected) {
    for (size_t i = 0; i < expected->count; i++)
        free(expected->lines[i]);
    expected->count = 0;
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
            "it %s%s%s; expected: exit status %d, nothing left behind",
            run->end == BUSY_WAIT ? "was in a " : "",
            run_describe(run, how, sizeof how),
            first_words(run, words, sizeof words), status);
    if (run->unfinished)
        verdict_fault(v, FAULT_NEWLINE,
            "its last line has no newline; expected: whole lines");
    if (run->slept_past_clock)
        verdict_fault(v, FAULT_PAST_CLOCK,
            run->unknown_timer
                ? "it has a timer with SIGEV_THREAD, which virtual time does "
                  "not know; expected: another way to wait"
                : "it slept by a way that the clock does not see; expected: "
                  "nanosleep() or its like");
}

void judge_lines(const struct run *run, int status,
    const struct expected *expected, struct verdict *v) {
    judge_run_end(run, status, v);
    if (v->text[0] == '\0')
        events_compare(run->lines, run->count,
            (const char *const *)expected->lines, expected->count, v);
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
    char work[120], all[120];

    write_summary(work, sizeof work, form, (double)work_ns(run) / unit_ns);
    write_summary(all, sizeof all, form, (double)run->virtual_ns / unit_ns);
    if (!has_line(run->err_text, all, ""))
        judge_err_line(run, work, "", v);
}

bool in_lane(const struct line *line, const char *name) {
    size_t length = strlen(name);

    return events_lane(line->text) == length &&
           strncmp(line->text, name, length) == 0;
}

struct piece piece_of(const struct run *run, const char *lane) {
    struct piece piece = {NULL, NULL};

    for (size_t i = 0; i < run->count && piece.end == NULL; i++) {
        const struct line *line = &run->lines[i];
        size_t length = strlen(line->text);
        if (!in_lane(line, lane))
            continue;
        if (piece.begin != NULL)
            piece.end = line;
        else if (length > 4 && strcmp(line->text + length - 4, " ...") == 0)
            piece.begin = line;
    }
    return piece;
}

/* ---------- Building, and bad input ---------- */

void check_build(struct grading *g, struct finding *f) {
    grade_build(g, "-O2 -Wall -Wextra -Werror", f);
}

/* Is there a number in the line besides those of the value? */
static bool names_range(const char *line, const char *value) {
    const char *at = value[0] != '\0' ? strstr(line, value) : NULL;

    for (const char *c = line; *c != '\0' && *c != '\n'; c++) {
        if (c == at)
            c += strlen(value);
        if (isdigit((unsigned char)*c))
            return true;
    }
    return false;
}

static void judge_refused(const struct run *run, const struct words *words,
    const struct refusal *bad, struct verdict *v) {
    char name[40], what[200] = "";
    const char *value = bad->value ? bad->value : "", *text = run->err_text;
    bool named = strstr(text, value) != NULL &&
                 (bad->option == NULL || strchr(text, bad->option[1]));

    snprintf(name, sizeof name, "%s%s%s", bad->option ? bad->option : "",
        bad->option && bad->value ? " " : "", value);
    for (size_t i = 1; i < words->count; i++)
        snprintf(what + strlen(what), sizeof what - strlen(what), "%s\"%s\"",
            i > 1 ? " " : "", words->argv[i]);
    if (run->end != EXITED || run->code != 2 || run->left_behind > 0)
        verdict_fail(
            v, "with %s it %s; expected: exit status 2", what, run->why);
    if (run->count > 0)
        verdict_fail(v,
            "with %s it printed \"%.100s\" on stdout; expected: nothing", what,
            run->lines[0].text);
    if (!named)
        verdict_fail(v,
            "with %s stderr is \"%.200s\"; expected: a line that names \"%s\"",
            what, text, name);
    bool number = bad->option != NULL || strchr(value, '=') != NULL ||
                  isdigit((unsigned char)value[0]);
    if (bad->value != NULL && number && !names_range(text, value))
        verdict_fail(v,
            "with %s stderr is \"%.200s\"; expected: a line that names the "
            "range that is allowed",
            what, text);
}

static void refuse(
    struct grading *g, struct finding *f, const struct refusal *bad) {
    struct words words = {.count = 0};
    struct program program = {.argv = words.argv, .virtual_time = true};
    struct run run;

    if (f->verdict.text[0] != '\0')
        return;
    if (bad->option != NULL)
        add_word(&words, "%s", bad->option);
    if (bad->value != NULL)
        add_word(&words, "%s", bad->value);
    grade_run(g, &program, &run, f);
    judge_refused(&run, &words, bad, &f->verdict);
    run_free(&run);
}

static void judge_help(struct grading *g, struct finding *f) {
    struct words words = {.count = 0};
    struct program program = {.argv = words.argv, .virtual_time = true};
    struct run run;

    add_word(&words, "-h");
    grade_run(g, &program, &run, f);
    if (run.end != EXITED || run.code != 0 || run.count == 0 ||
        strcasestr(run.lines[0].text, "usage") == NULL)
        verdict_fail(&f->verdict,
            "with -h it %s and printed \"%.100s\"; expected: exit status 0 and "
            "\"usage: ...\" on stdout",
            run.why, run.count > 0 ? run.lines[0].text : "");
    run_free(&run);
}

void judge_refusals(struct grading *g, struct finding *f, const char *options,
    const struct refusal *more) {
    judge_help(g, f);
    for (; *options != '\0'; options++) {
        char option[] = {'-', *options, '\0'}, large[24], word[24];
        snprintf(
            large, sizeof large, "%ld", grade_random(g, 10, 99) * 10000000000);
        snprintf(word, sizeof word, "%c%ld", (char)grade_random(g, 'a', 'z'),
            grade_random(g, 1, 9));
        const char *values[] = {
            "-1", "3x", "", large, word, "99999999999999999999", NULL};
        for (size_t i = 0; values[i] != NULL; i++)
            refuse(g, f, &(struct refusal){option, values[i]});
        refuse(g, f, &(struct refusal){option, NULL});
    }
    refuse(g, f, &(struct refusal){"-Z", NULL});
    for (; more->option != NULL || more->value != NULL; more++)
        refuse(g, f, more);
}

/* ---------- The sanitizers ---------- */

/* The first place in the submission that is named, "NAME.c:LINE", or NULL. */
static const char *first_place(const char *report) {
    const char *at = report;

    while ((at = strstr(at, "exercise_")) != NULL) {
        size_t length = strcspn(at, " :\n)");
        if (length > 2 && strncmp(at + length - 2, ".c:", 3) == 0)
            return at;
        at += length;
    }
    return NULL;
}

/* What the sanitizer says, from these words on. */
static void tell_report(
    const char *report, const char *expected, struct verdict *v) {
    char words[300];
    const char *place = first_place(report);

    snprintf(words, sizeof words, "%.*s", (int)strcspn(report, "(\n"), report);
    if (place != NULL)
        verdict_fault(v, cause_of_report(report),
            "%s(first at %.*s); expected: %s", words,
            (int)strcspn(place, " \n)"), place, expected);
    else
        verdict_fault(
            v, cause_of_report(report), "%s; expected: %s", words, expected);
}

/* Runs the program built with these flags. False when there is no report that
 * could be looked for. */
static bool run_sanitized(struct grading *g, struct finding *f,
    const char *flags, struct program *program, struct run *run) {
    const char *built;
    const char **argv = (const char **)program->argv;

    if (f->verdict.text[0] != '\0' ||
        (built = build_sanitized(g, flags, f)) == NULL)
        return false;
    argv[0] = built;
    if (program->deadline_ms == 0)
        program->deadline_ms = 100000; /* a safety net */
    grade_run(g, program, run, f);
    argv[0] = "";
    /* One that cannot start lets the program print nothing. */
    bool unable = run->count == 0 && run->code != 0 &&
                  (strstr(run->err_text, "unexpected memory mapping") ||
                      strstr(run->err_text, "encountered a fatal error"));
    if (run->end == TIMED_OUT)
        verdict_fault(&f->verdict, FAULT_TIMEOUT,
            "built with a sanitizer it %s; expected: it ends as without",
            run->why);
    if (!unable)
        return true;
    snprintf(f->skipped, sizeof f->skipped,
        "the sanitizer cannot start on this machine: %.200s", run->err_text);
    run_free(run);
    return false;
}

void judge_races(
    struct grading *g, struct finding *f, struct program *program) {
    static const char *const found[] = {"data race", "heap-use-after-free",
        "unlock of an unlocked mutex", "double lock of a mutex",
        "destroy of a locked mutex", "use of an invalid mutex", NULL};
    struct run run;

    if (!run_sanitized(
            g, f, "-g -O1 -fsanitize=thread -D__NO_INLINE__", program, &run))
        return;
    for (size_t i = 0; found[i] != NULL; i++) {
        char words[80];
        snprintf(words, sizeof words, "ThreadSanitizer: %s", found[i]);
        const char *report = strstr(run.err_text, words);
        if (report != NULL)
            tell_report(report, "no report", &f->verdict);
    }
    /* Whether it ends well is for others to say: with a race it may not. */
    run_free(&run);
}

/* A pointer that is left in a register of main()'s last call is no use. */
void judge_leaks(
    struct grading *g, struct finding *f, struct program *program) {
    static const char *const env[] = {"LSAN_OPTIONS=use_registers=0", NULL};
    struct run run;

    program->env = env;
    if (!run_sanitized(
            g, f, "-g -O0 -fsanitize=address,undefined", program, &run))
        return;
    const char *report = strstr(run.err_text, "AddressSanitizer: ");
    const char *leak = strstr(run.err_text, "LeakSanitizer: ");
    const char *error = strstr(run.err_text, "runtime error: ");
    if (report != NULL && (leak == NULL || report < leak))
        tell_report(report, "no report", &f->verdict);
    if (error != NULL)
        tell_report(error, "nothing undefined", &f->verdict);
    if (leak != NULL)
        tell_report(leak, "all memory given back", &f->verdict);
    if (run.left_objects[0] != '\0')
        verdict_fault(&f->verdict, FAULT_LEFT_OBJECT,
            "it left %s behind; expected: nothing is left when it has ended",
            run.left_objects);
    if (run.end != EXITED || run.left_behind > 0)
        judge_run_end(&run, 0, &f->verdict);
    run_free(&run);
}
