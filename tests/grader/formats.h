/*
 * formats.h - the report in each of its forms, and all of them in a directory
 */
#ifndef FORMATS_H
#define FORMATS_H

#include "grader/report.h"

#include <stdio.h>

/* Each writes a whole report, and ends this process by err() if it cannot. */
void report_as_json(const struct report *, FILE *); /* for Gradescope */
void report_as_xml(const struct report *, FILE *);  /* JUnit */
void report_as_page(const struct report *, FILE *); /* HTML, to hand back */
/* A line a check, for scripts: exercise, check, outcome, score, points, seed
 * and kit, with a tab between. */
void report_as_lines(const struct report *, FILE *);

/*
 * Writes results.json, .xml, .html and .tsv in the report's directory, if it
 * has one. They are complete and valid at every moment, also when the grader is
 * killed half-way: each is written whole beside itself and then renamed.
 */
void report_write(const struct report *);

#endif
