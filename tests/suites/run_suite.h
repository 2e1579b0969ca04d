/*
 * run_suite.h - runs one suite, in a process of its own
 */
#ifndef RUN_SUITE_H
#define RUN_SUITE_H

#include "suites/suite.h"

#include <stdbool.h>

/* How the tests of a suite ended. */
struct counts {
    bool
        to_the_end; /* else a test has ended the process: it may call exit(0) */
    int passed, failed, skipped;
};

/* Runs the tests, prints a line a test, and the sentences of what failed below
 * it. The counts are those of this process's memory or of shared memory. Ends
 * by errx() if CUnit cannot work. */
void run_suite(const struct suite *, struct counts *);

#endif
