/*
 * cause.h - the likely cause of a fault, and what to read about it
 */
#ifndef CAUSE_H
#define CAUSE_H

#include "grader/check.h"
#include "run/program.h"

/* How the run ended, as a sort of fault: FAULT_NONE when it exited with status
 * 0 and left nothing behind. */
enum fault cause_of_end(const struct run *);

/* What the compiler or the linker complains of, in the first line. */
enum fault cause_of_words(const char *compiler_words);

/* What a sanitizer's report is about, by its first line. */
enum fault cause_of_report(const char *report);

/* What explore has found in some order of the threads: FAULT_BETWEEN where that
 * is just a wrong result. */
enum fault cause_of_order(const char *found);

/* The fault of a run whose threads or processes came in some other order: a
 * wrong line is what came of that. */
enum fault cause_in_order(enum fault);

/* The likely cause in a sentence or two, and the file to read, or NULL: of a
 * FAULT_OWN the check's. */
const char *cause_words(enum fault, const struct check *);
const char *cause_read(enum fault, const struct check *);

/* Are two faults of one submission most likely one and the same? */
bool cause_is_same(enum fault, enum fault);

#endif
