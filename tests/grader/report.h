/*
 * report.h - what became of every check, in words
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
    const char *sandbox;   /* the level, in a sentence */
    const char *problem;   /* why nothing could be graded, or NULL */
    const char *directory; /* of the files (formats.h); NULL: none */
};

/* The sum of the scores, and of the points that could be had. */
double report_score(const struct report *, double *max);

/* Of the kit, in every report; built in by the Makefile. */
extern const char kit_version[];

/* "passed", "failed", ... */
const char *report_word(enum outcome);

/* The likely cause in one or two sentences, or "". */
void report_cause(const struct result *, char *buf, size_t size);

/* The feedback as text: what was run, seen and expected, what the system said,
 * the likely cause, what to read. Each line begins with `indent`. Returns buf.
 */
const char *report_feedback(const struct report *, const struct result *,
    const char *indent, char *buf, size_t size);

/* Drops, in place, what is no UTF-8, no character of XML, or one that a
 * terminal obeys. Returns text. */
char *report_clean(char *text);

/* The first line of what is to be said, and all of it, both clean. */
struct report_words {
    char summary[1200], all[16384];
};

void report_words(
    const struct report *, const struct result *, struct report_words *);

#endif
