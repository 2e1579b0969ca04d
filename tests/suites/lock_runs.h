/*
 * lock_runs.h - runs of programs of 06-locks, with ThreadSanitizer or without
 */
#ifndef LOCK_RUNS_H
#define LOCK_RUNS_H

#include "run/program.h"

#include <stdbool.h>

/* No reports; and no sleep of its own, past the clock, before it exits. */
#define TSAN_QUIET "TSAN_OPTIONS=report_bugs=0:atexit_sleep_ms=0"

/* The path of a program of the folder; lives as long as that of built(). */
const char *path_of(const char *name);

/* Runs it with two arguments, or fewer (NULL). A data race is judged by what it
 * does; what the sanitizer says of it is a test of its own. */
void run_with(struct run *, const char *path, const char *one, const char *two,
    bool virtual_time);

/* Whether a line of stdout has the words. */
bool printed(const struct run *, const char *words);

#endif
