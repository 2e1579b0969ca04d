/*
 * json.c - the report as Gradescope reads it
 */
#include "grader/formats.h"

#include <err.h>
#include <jansson.h>
#include <stdlib.h>

static json_t *json_result(
    const struct report *report, const struct result *r, size_t number) {
    struct report_words words;
    char name[256], count[32];

    report_words(report, r, &words);
    snprintf(name, sizeof name, "%s: %s", r->exercise->path, r->check->name);
    snprintf(count, sizeof count, "%zu", number);
    return json_pack("{s:s, s:s, s:f, s:f, s:s, s:s, s:s, s:s, s:[s],"
                     " s:{s:s, s:s, s:f}}",
        "name", report_clean(name), "number", count, "score", r->score,
        "max_score", r->outcome == UNMEASURED ? 0.0 : r->points, "status",
        r->outcome == PASSED || r->outcome == UNMEASURED ? "passed" : "failed",
        "output", r->outcome == NOT_RUN ? "not run" : words.all,
        "output_format", "text", "visibility", r->hidden ? "hidden" : "visible",
        "tags", r->check->kind, "extra_data", "exercise", r->exercise->path,
        "outcome", report_word(r->outcome), "seconds", r->seconds);
}

void report_as_json(const struct report *report, FILE *file) {
    char text[1200];
    double max, score = report_score(report, &max);
    json_t *tests = json_array(), *root;

    for (size_t i = 0; i < report->count; i++)
        json_array_append_new(
            tests, json_result(report, &report->results[i], i + 1));
    snprintf(text, sizeof text, "%s%sSeed %lu. Sandbox: %s. Kit: %s.",
        report->problem ? report->problem : "", report->problem ? "\n" : "",
        report->seed, report->sandbox, kit_version);
    root = json_pack("{s:f, s:s, s:s, s:s, s:o, s:{s:f, s:I, s:s, s:s}}",
        "score", score, "output", report_clean(text), "output_format", "text",
        "visibility", "visible", "tests", tests, "extra_data", "max_score", max,
        "seed", (json_int_t)report->seed, "sandbox", report->sandbox, "kit",
        kit_version);
    if (root == NULL || json_dumpf(root, file, JSON_INDENT(2)) == -1)
        errx(EXIT_FAILURE, "the report cannot be written as JSON");
    json_decref(root);
}
