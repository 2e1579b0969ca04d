/*
 * trial.h - what a check may ask of the grader: runs and random numbers
 */
#ifndef TRIAL_H
#define TRIAL_H

#include "grader/check.h"
#include "run/program.h"

/*
 * program_run() in the sandbox: argv[0] is replaced by the program under test,
 * unless it is a path from build.h. Until there is a fault, keeps for the
 * feedback what was run and what it showed. The caller calls run_free().
 */
void grade_run(
    struct grading *, struct program *, struct run *, struct finding *);

/* Says what was special about the runs to come, beside their command: "the
 * site cuts ABC short". */
__attribute__((format(printf, 2, 3))) void grade_where(
    struct finding *, const char *format, ...);

/* A number from low to high, both included, the same for the same seed. */
long grade_random(struct grading *, long low, long high);

/* The exit status of a check's process for which the machine was too busy. */
enum { TRIAL_TOO_SLOW = 142 };

/* Ends a check's process if its last run was ended by a signal to the grader.
 */
void trial_end_if_stopped(void);

#endif
