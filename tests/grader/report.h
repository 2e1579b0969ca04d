/*
 * report.h - what became of every check, and the reports for machines
 *
 * Two files: results.json as Gradescope wants it, results.xml as JUnit. Both
 * are complete and valid at every moment, also when the grader is killed
 * half-way: each is written whole beside itself and then renamed.
 */
#ifndef REPORT_H
#define REPORT_H

#include "grader/check.h"

#include <stdbool.h>
#include <stddef.h>

enum outcome {
    NOT_RUN,    /* not yet, or the grader was stopped before */
    PASSED,     /* full marks */
    FAILED,     /* no marks, or a share of them */
    NOT_GIVEN,  /* nothing was handed in */
    DEPENDS,    /* on a check that failed */
    UNMEASURED, /* could not be had on this machine: counts neither way */
    BROKEN      /* the grader's own fault */
};

/* One check of one exercise. */
struct result {
    const struct exercise *exercise;
    const struct check *check;
    double points; /* full marks, as weighed */
    enum outcome outcome;
    double score;
    bool hidden; /* the student sees neither inputs nor findings */
    double seconds;
    struct finding finding;
};

struct report {
    struct result *results;
    size_t count;
    unsigned long seed;
    const char *sandbox;    /* the level, in a sentence */
    const char *problem;    /* why nothing could be graded, or NULL */
    const char *json, *xml; /* the paths; NULL: none */
};

/* The sum of the scores, and of the points that could be had. */
double report_score(const struct report *, double *max);

/* Of the kit, in every report; built in by the Makefile. */
extern const char kit_version[];

/* "passed", "failed", ... */
const char *report_word(enum outcome);

/* The feedback as text: what was run, seen and expected, what the system said,
 * the likely cause, what to read. Each line begins with `indent`. Returns buf. */
const char *report_feedback(const struct report *, const struct result *,
    const char *indent, char *buf, size_t size);

/* Writes both files. Ends this process by err() when it cannot. */
void report_write(const struct report *);

#endif
