/*
 * report.c - what became of every check, and the feedback in one shape
 */
#define _GNU_SOURCE
#include "grader/report.h"
#include "grader/cause.h"

#include <libxml/chvalid.h>
#include <libxml/parserInternals.h>
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

/* ---------- What may stand in a report ---------- */

/* The bytes of the character at `at`, 0 if it may not stand there: invalid
 * UTF-8, no character of XML, or one that a terminal obeys. */
static size_t character(const unsigned char *at) {
    int length = (int)strnlen((const char *)at, 4);
    int code = xmlGetUTF8Char(at, &length);
    int shortest = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    if (code == -1 || !xmlIsCharQ(code) || code == '\r' ||
        (code >= 0x7f && code < 0xa0) || length != shortest)
        return 0;
    return (size_t)length;
}

char *report_clean(char *text) {
    const unsigned char *from = (const unsigned char *)text;
    char *to = text;

    while (*from != '\0') {
        size_t length = character(from);
        memmove(to, from, length);
        to += length;
        from += length > 0 ? length : 1;
    }
    *to = '\0';
    return text;
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
        add(buf, size, "%s%-14s%.*s\n", indent, at, (int)length, text);
        text += length + (text[length] == '\n');
        at = "";
    }
}

/* What was said ends in a newline, which is no part of the sentence. */
static void join_quotes(char *text) {
    char *at;

    while ((at = strstr(text, "\n\"")) != NULL)
        memmove(at, at + 1, strlen(at));
}

/* What the fault was found with. */
static void add_run(char *buf, size_t size, const char *indent,
    const struct report *report, const struct result *r) {
    const struct finding *f = &r->finding;
    char again[300];

    snprintf(again, sizeof again, "make check EXERCISE=%s SEED=%lu",
        r->exercise->path, report->seed);
    add_field(buf, size, indent, "again:", again);
    add_field(buf, size, indent, "run:", f->command);
    add_field(buf, size, indent, "built with:", f->flags);
    add_field(buf, size, indent, "where:", f->where);
}

void report_cause(const struct result *r, char *buf, size_t size) {
    const char *cause = cause_words(r->finding.verdict.fault, r->check);

    snprintf(buf, size, "%s", cause != NULL ? cause : "");
    if (cause != NULL && r->finding.thing[0] != '\0')
        add(buf, size, " Here it is about %s.", r->finding.thing);
}

/* What an earlier check has found costs no second look. */
static void add_cause(char *buf, size_t size, const char *indent,
    const struct report *report, const struct result *r) {
    const char *read = cause_read(r->finding.verdict.fault, r->check);
    char cause[600], same[200];

    report_cause(r, cause, sizeof cause);
    add_field(buf, size, indent, "likely cause:", cause);
    add_field(buf, size, indent, "read:", read ? read : "");
    for (const struct result *o = report->results; o < r; o++) {
        if (o->exercise != r->exercise || o->outcome != FAILED || o->hidden ||
            !cause_is_same(r->finding.verdict.fault, o->finding.verdict.fault))
            continue;
        snprintf(same, sizeof same,
            "most likely the same fault as in \"%s\": mend that one first",
            o->check->name);
        add_field(buf, size, indent, "once more:", same);
        return;
    }
}

const char *report_feedback(const struct report *report, const struct result *r,
    const char *indent, char *buf, size_t size) {
    static const char mark[] = "; expected: ";
    const struct finding *f = &r->finding;
    char seen[sizeof f->verdict.text];
    const char *expected = strstr(f->verdict.text, mark);

    buf[0] = '\0';
    snprintf(seen, sizeof seen, "%.*s",
        expected ? (int)(expected - f->verdict.text)
                 : (int)strlen(f->verdict.text),
        f->verdict.text);
    join_quotes(seen);
    if (r->outcome == FAILED || r->outcome == BROKEN)
        add_run(buf, size, indent, report, r);
    add_field(buf, size, indent, "seen:", seen);
    if (expected != NULL)
        add_field(buf, size, indent, "expected:", expected + sizeof mark - 1);
    if (r->outcome == FAILED) {
        add_field(buf, size, indent, "picture:", f->picture);
        add_field(buf, size, indent, "stderr:", f->said);
        add_cause(buf, size, indent, report, r);
    }
    add_field(buf, size, indent, "skipped:", f->skipped);
    return report_clean(buf);
}

void report_words(const struct report *report, const struct result *r,
    struct report_words *words) {
    const char *text =
        r->outcome == UNMEASURED ? r->finding.skipped : r->finding.verdict.text;

    snprintf(words->summary, sizeof words->summary, "%s",
        text[0] ? text : report_word(r->outcome));
    report_clean(words->summary);
    report_feedback(report, r, "", words->all, sizeof words->all);
}
