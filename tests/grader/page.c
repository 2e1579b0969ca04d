/*
 * page.c - the report as a plain page of HTML, to hand back to a student
 *
 * It needs nothing beside it, and no script. Of hidden checks it says only
 * whether they passed.
 */
#include "grader/formats.h"

#include <stdio.h>

static void text(FILE *file, const char *words) {
    for (; *words != '\0'; words++)
        switch (*words) {
        case '<': fputs("&lt;", file); break;
        case '>': fputs("&gt;", file); break;
        case '&': fputs("&amp;", file); break;
        case '"': fputs("&quot;", file); break;
        default: putc(*words, file);
        }
}

static void row(
    const struct report *report, const struct result *r, FILE *file) {
    char clean[512];

    snprintf(clean, sizeof clean, "%s", r->check->name);
    fprintf(file, "<tr class=\"%s\"><td>", report_word(r->outcome));
    text(file, report_clean(clean));
    fprintf(file, "</td><td>%s</td><td>%g of %g</td></tr>\n",
        report_word(r->outcome), r->score, r->points);
    if (r->outcome == PASSED || r->outcome == NOT_RUN || r->hidden)
        return;
    struct report_words words;
    report_words(report, r, &words);
    fputs("<tr><td colspan=\"3\"><pre>", file);
    text(file, words.all);
    fputs("</pre></td></tr>\n", file);
}

static void exercise(
    const struct report *report, const struct exercise *e, FILE *file) {
    double score = 0, points = 0;

    for (size_t i = 0; i < report->count; i++) {
        const struct result *r = &report->results[i];
        if (r->exercise != e || r->outcome == UNMEASURED)
            continue;
        score += r->score;
        points += r->points;
    }
    fprintf(file, "<h2>%s: %g of %g points</h2>\n<table>\n", e->path, score,
        points);
    for (size_t i = 0; i < report->count; i++)
        if (report->results[i].exercise == e)
            row(report, &report->results[i], file);
    fputs("</table>\n", file);
}

void report_as_page(const struct report *report, FILE *file) {
    double max, score = report_score(report, &max);
    char problem[1024];

    fprintf(file,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
        "<title>%g of %g points</title>\n<style>\n"
        "body { font-family: sans-serif; max-width: 60em; margin: 2em auto }\n"
        "td { padding: 0.2em 1em 0.2em 0; vertical-align: top }\n"
        "pre { white-space: pre-wrap; margin: 0 0 1em 2em }\n"
        ".failed, .missing, .depends, .error { font-weight: bold }\n"
        "</style>\n<h1>%g of %g points</h1>\n",
        score, max, score, max);
    fputs("<p>Kit ", file);
    text(file, kit_version);
    fprintf(
        file, ", seed %lu, sandbox: %s.</p>\n", report->seed, report->sandbox);
    if (report->problem != NULL) {
        snprintf(problem, sizeof problem, "%s", report->problem);
        fputs("<p>", file);
        text(file, report_clean(problem));
        fputs("</p>\n", file);
    }
    for (size_t i = 0; i < report->count; i++)
        if (i == 0 ||
            report->results[i].exercise != report->results[i - 1].exercise)
            exercise(report, report->results[i].exercise, file);
    fputs("</html>\n", file);
}
