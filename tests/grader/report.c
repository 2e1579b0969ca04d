/*
 * report.c - the reports for machines, and the feedback in one shape
 */
#define _GNU_SOURCE
#include "grader/report.h"
#include "grader/cause.h"

#include <err.h>
#include <jansson.h>
#include <libxml/chvalid.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlwriter.h>
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
    xmlChar shortest[8];

    if (code == -1 || !xmlIsCharQ(code) || code == '\r' ||
        (code >= 0x7f && code < 0xa0) ||
        xmlCopyCharMultiByte(shortest, code) != length)
        return 0;
    return (size_t)length;
}

/* Drops the rest, in place. Returns text. */
static char *clean(char *text) {
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
    if (r->outcome == FAILED || r->outcome == BROKEN)
        add_run(buf, size, indent, report, r);
    add_field(buf, size, indent, "seen:", seen);
    if (r->outcome == FAILED)
        add_field(buf, size, indent, "", f->picture);
    if (expected != NULL)
        add_field(buf, size, indent, "expected:", expected + sizeof mark - 1);
    if (r->outcome == FAILED) {
        const char *cause = cause_words(f->verdict.fault, r->check);
        const char *read = cause_read(f->verdict.fault, r->check);
        add_field(buf, size, indent, "stderr:", f->said);
        add_field(buf, size, indent, "likely cause:", cause ? cause : "");
        add_field(buf, size, indent, "read:", read ? read : "");
    }
    add_field(buf, size, indent, "skipped:", f->skipped);
    return clean(buf);
}

/* The first line of what is to be said, and all of it, both clean. */
struct words {
    char summary[1200], all[8192];
};

static void find_words(
    const struct report *report, const struct result *r, struct words *words) {
    const char *text =
        r->outcome == UNMEASURED ? r->finding.skipped : r->finding.verdict.text;

    snprintf(words->summary, sizeof words->summary, "%s",
        text[0] ? text : report_word(r->outcome));
    clean(words->summary);
    report_feedback(report, r, "", words->all, sizeof words->all);
}

/* Opens a file beside path, to be renamed by put(). */
static FILE *beside(const char *path, char *name, size_t size) {
    FILE *file;

    snprintf(name, size, "%s.new", path);
    file = fopen(name, "we");
    if (file == NULL)
        err(EXIT_FAILURE, "%s", name);
    return file;
}

static void put(FILE *file, const char *name, const char *path) {
    if (fclose(file) == EOF || rename(name, path) == -1)
        err(EXIT_FAILURE, "%s", path);
}

/* ---------- JSON, as Gradescope reads it ---------- */

static json_t *json_result(
    const struct report *report, const struct result *r, size_t number) {
    struct words words;
    char name[256], count[32];

    find_words(report, r, &words);
    snprintf(name, sizeof name, "%s: %s", r->exercise->path, r->check->name);
    snprintf(count, sizeof count, "%zu", number);
    return json_pack("{s:s, s:s, s:f, s:f, s:s, s:s, s:s, s:s, s:[s],"
                     " s:{s:s, s:s, s:f}}",
        "name", clean(name), "number", count, "score", r->score, "max_score",
        r->outcome == UNMEASURED ? 0.0 : r->points, "status",
        r->outcome == PASSED || r->outcome == UNMEASURED ? "passed" : "failed",
        "output", r->outcome == NOT_RUN ? "not run" : words.all,
        "output_format", "text", "visibility", r->hidden ? "hidden" : "visible",
        "tags", r->check->kind, "extra_data", "exercise", r->exercise->path,
        "outcome", report_word(r->outcome), "seconds", r->seconds);
}

static void write_json(const struct report *report) {
    char name[4096], text[1200];
    double max, score = report_score(report, &max);
    json_t *tests = json_array(), *root;
    FILE *file = beside(report->json, name, sizeof name);

    for (size_t i = 0; i < report->count; i++)
        json_array_append_new(
            tests, json_result(report, &report->results[i], i + 1));
    snprintf(text, sizeof text, "%s%sSeed %lu. Sandbox: %s. Kit: %s.",
        report->problem ? report->problem : "", report->problem ? "\n" : "",
        report->seed, report->sandbox, kit_version);
    root = json_pack("{s:f, s:s, s:s, s:s, s:o, s:{s:f, s:I, s:s, s:s}}",
        "score", score, "output", clean(text), "output_format", "text",
        "visibility", "visible", "tests", tests, "extra_data", "max_score", max,
        "seed", (json_int_t)report->seed, "sandbox", report->sandbox, "kit",
        kit_version);
    if (root == NULL || json_dumpf(root, file, JSON_INDENT(2)) == -1)
        errx(EXIT_FAILURE, "%s: cannot be written as JSON", report->json);
    json_decref(root);
    put(file, name, report->json);
}

/* ---------- XML, as JUnit's readers want it ---------- */

static void attribute(xmlTextWriterPtr xml, const char *name, const char *to) {
    if (xmlTextWriterWriteAttribute(xml, BAD_CAST name, BAD_CAST to) < 0)
        errx(EXIT_FAILURE, "xmlTextWriterWriteAttribute");
}

__attribute__((format(printf, 3, 4))) static void attribute_number(
    xmlTextWriterPtr xml, const char *name, const char *format, ...) {
    char text[64];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    attribute(xml, name, text);
}

static void begin(xmlTextWriterPtr xml, const char *name) {
    if (xmlTextWriterStartElement(xml, BAD_CAST name) < 0)
        errx(EXIT_FAILURE, "xmlTextWriterStartElement");
}

/* What the case was, or NULL when it passed. */
static const char *kind_of(const struct result *r) {
    if (r->outcome == PASSED)
        return NULL;
    if (r->outcome == BROKEN)
        return "error";
    return r->outcome == NOT_RUN || r->outcome == UNMEASURED ? "skipped"
                                                             : "failure";
}

static void xml_case(
    xmlTextWriterPtr xml, const struct report *report, const struct result *r) {
    const char *kind = kind_of(r);
    struct words words;
    char name[256];

    snprintf(name, sizeof name, "%s: %s", r->exercise->path, r->check->name);
    begin(xml, "testcase");
    attribute(xml, "classname", r->exercise->path);
    attribute(xml, "name", name);
    attribute_number(xml, "time", "%.3f", r->seconds);
    if (kind != NULL) {
        find_words(report, r, &words);
        if (r->hidden) /* whoever reads this file may be the student */
            words = (struct words){"a hidden check", ""};
        begin(xml, kind);
        attribute(xml, "message", words.summary);
        if (strcmp(kind, "skipped") != 0) {
            xmlTextWriterWriteFormatString(xml, "%s\n", words.summary);
            xmlTextWriterWriteString(xml, BAD_CAST words.all);
        }
        xmlTextWriterEndElement(xml);
    }
    xmlTextWriterEndElement(xml);
}

/* The sums of an exercise, or of all: NULL. */
static void xml_sums(xmlTextWriterPtr xml, const struct report *report,
    const struct exercise *e) {
    int tests = 0, failures = 0, errors = 0, skipped = 0;
    double seconds = 0;

    for (size_t i = 0; i < report->count; i++) {
        const struct result *r = &report->results[i];
        const char *kind = kind_of(r);
        if (e != NULL && r->exercise != e)
            continue;
        tests++;
        seconds += r->seconds;
        failures += kind != NULL && strcmp(kind, "failure") == 0;
        errors += kind != NULL && strcmp(kind, "error") == 0;
        skipped += kind != NULL && strcmp(kind, "skipped") == 0;
    }
    attribute_number(xml, "tests", "%d", tests);
    attribute_number(xml, "failures", "%d", failures);
    attribute_number(xml, "errors", "%d", errors);
    if (e != NULL) /* not an attribute of <testsuites> */
        attribute_number(xml, "skipped", "%d", skipped);
    attribute_number(xml, "time", "%.3f", seconds);
}

static void xml_property(
    xmlTextWriterPtr xml, const char *name, const char *value) {
    begin(xml, "property");
    attribute(xml, "name", name);
    attribute(xml, "value", value);
    xmlTextWriterEndElement(xml);
}

static void xml_suite(xmlTextWriterPtr xml, const struct report *report,
    const struct exercise *e) {
    char seed[32];

    snprintf(seed, sizeof seed, "%lu", report->seed);
    begin(xml, "testsuite");
    attribute(xml, "name", e->path);
    xml_sums(xml, report, e);
    begin(xml, "properties");
    xml_property(xml, "seed", seed);
    xml_property(xml, "sandbox", report->sandbox);
    xml_property(xml, "kit", kit_version);
    if (report->problem != NULL) {
        char text[1024];
        snprintf(text, sizeof text, "%s", report->problem);
        xml_property(xml, "problem", clean(text));
    }
    xmlTextWriterEndElement(xml);
    for (size_t i = 0; i < report->count; i++)
        if (report->results[i].exercise == e)
            xml_case(xml, report, &report->results[i]);
    xmlTextWriterEndElement(xml);
}

static void write_xml(const struct report *report) {
    char name[4096];
    FILE *file = beside(report->xml, name, sizeof name);
    xmlBufferPtr buffer = xmlBufferCreate();
    xmlTextWriterPtr xml = xmlNewTextWriterMemory(buffer, 0);

    if (xml == NULL)
        errx(EXIT_FAILURE, "xmlNewTextWriterMemory");
    xmlTextWriterSetIndent(xml, 1);
    xmlTextWriterStartDocument(xml, NULL, "UTF-8", NULL);
    begin(xml, "testsuites");
    attribute(xml, "name", "grade");
    xml_sums(xml, report, NULL);
    for (size_t i = 0; i < report->count; i++)
        if (i == 0 ||
            report->results[i].exercise != report->results[i - 1].exercise)
            xml_suite(xml, report, report->results[i].exercise);
    xmlTextWriterEndDocument(xml);
    xmlFreeTextWriter(xml);
    if (fwrite(xmlBufferContent(buffer), 1, (size_t)xmlBufferLength(buffer),
            file) != (size_t)xmlBufferLength(buffer))
        err(EXIT_FAILURE, "%s", name);
    xmlBufferFree(buffer);
    put(file, name, report->xml);
}

void report_write(const struct report *report) {
    if (report->json != NULL)
        write_json(report);
    if (report->xml != NULL)
        write_xml(report);
}
