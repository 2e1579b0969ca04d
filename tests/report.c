/*
 * report.c - the reports for machines, and the feedback in one shape
 */
#define _GNU_SOURCE
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double report_score(const struct report *report, double *max) {
    double score = 0;

    *max = 0;
    for (size_t i = 0; i < report->count; i++) {
        const struct result *r = &report->results[i];
        if (r->outcome == UNMEASURED)
            continue;
        score += r->score;
        *max += r->points;
    }
    return score;
}

const char *report_word(enum outcome outcome) {
    static const char *const words[] = {
        [NOT_RUN] = "not run",
        [PASSED] = "passed",
        [FAILED] = "failed",
        [NOT_GIVEN] = "missing",
        [DEPENDS] = "depends",
        [UNMEASURED] = "skipped",
        [BROKEN] = "error",
    };

    return words[outcome];
}

/* Appends to a buffer of this size, as much as fits. */
__attribute__((format(printf, 3, 4))) static void add(
    char *buf, size_t size, const char *format, ...) {
    size_t used = strlen(buf);
    va_list args;

    va_start(args, format);
    vsnprintf(buf + used, size - used, format, args);
    va_end(args);
}

/* A field: its first line after the label, the others below it. */
static void add_field(char *buf, size_t size, const char *indent,
    const char *label, const char *text) {
    const char *at = label;

    while (text[0] != '\0') {
        size_t length = strcspn(text, "\n");
        add(buf, size, "%s%-10s%.*s\n", indent, at, (int)length, text);
        text += length + (text[length] == '\n');
        at = "";
    }
}

const char *report_feedback(
    const struct result *r, const char *indent, char *buf, size_t size) {
    static const char mark[] = "; expected: ";
    const struct finding *f = &r->finding;
    char seen[sizeof f->verdict.text];
    const char *expected = strstr(f->verdict.text, mark);

    buf[0] = '\0';
    snprintf(seen, sizeof seen, "%.*s",
        expected ? (int)(expected - f->verdict.text)
                 : (int)strlen(f->verdict.text),
        f->verdict.text);
    if (r->outcome == FAILED || r->outcome == BROKEN)
        add_field(buf, size, indent, "run:", f->command);
    add_field(buf, size, indent, "seen:", seen);
    if (r->outcome == FAILED)
        add_field(buf, size, indent, "", f->timeline);
    if (expected != NULL)
        add_field(buf, size, indent, "expected:", expected + sizeof mark - 1);
    if (r->outcome == FAILED && r->check->cause != NULL)
        add_field(buf, size, indent, "cause:", r->check->cause);
    if (r->outcome == FAILED && r->check->read != NULL)
        add_field(buf, size, indent, "read:", r->check->read);
    add_field(buf, size, indent, "skipped:", f->skipped);
    return buf;
}

void report_write(const struct report *report) {
    (void)report;
}
