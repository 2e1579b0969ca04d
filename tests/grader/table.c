/*
 * table.c - what the grader says on the terminal
 */
#include "grader/table.h"

#include <stdio.h>
#include <unistd.h>

enum { FEEDBACK_BYTES = 16384 };

static void print_feedback(
    const struct report *report, const struct result *r) {
    char text[FEEDBACK_BYTES];

    fputs(report_feedback(report, r, "           ", text, sizeof text), stdout);
}

void table_result(const struct report *report, const struct result *r) {
    printf("  %-8s %-24s %5.4g of %g\n", report_word(r->outcome),
        r->check->name, r->score, r->points);
    if (r->outcome != PASSED && !r->hidden)
        print_feedback(report, r);
}

void table_alike(const struct report *report, const struct exercise *e) {
    const struct result *first = NULL;
    double points = 0;
    char name[40];
    int count = 0;

    for (size_t i = 0; i < report->count; i++) {
        const struct result *r = &report->results[i];
        if (r->exercise != e)
            continue;
        first = first ? first : r;
        points += r->points;
        count++;
    }
    if (first == NULL)
        return;
    snprintf(name, sizeof name, "all %d checks", count);
    printf("  %-8s %-24s %5d of %g\n", report_word(first->outcome), name, 0,
        points);
    print_feedback(report, first);
}

void table_lines(const struct report *report) {
    for (size_t i = 0; i < report->count; i++) {
        const struct result *r = &report->results[i];
        const char *text = r->outcome == UNMEASURED ? r->finding.skipped
                                                    : r->finding.verdict.text;
        char cause[600];
        printf("%s\t%s\t", r->check->name, report_word(r->outcome));
        for (; *text != '\0'; text++)
            putchar((unsigned char)*text < ' ' ? ' ' : *text);
        if (r->outcome == FAILED)
            report_cause(r, cause, sizeof cause);
        printf("\t%s\n", r->outcome == FAILED ? cause : "");
    }
}

void table_progress(const struct report *report) {
    size_t done = 0;

    if (!isatty(STDERR_FILENO))
        return;
    for (size_t i = 0; i < report->count; i++)
        done += report->results[i].outcome != NOT_RUN;
    fprintf(stderr, "\r[%.*s%*s] %zu of %zu checks\r",
        (int)(done * 30 / report->count), "##############################",
        (int)(30 - done * 30 / report->count), "", done, report->count);
}

void table_clear_progress(void) {
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}
