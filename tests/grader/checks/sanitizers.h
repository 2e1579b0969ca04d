/*
 * sanitizers.h - what the compilers' sanitizers say of a submission
 */
#ifndef SANITIZERS_H
#define SANITIZERS_H

#include "grader/checks/common.h"

/* Runs the program, built once more with a sanitizer, in real time. Faults with
 * its report. Where it cannot work here, f->skipped says so. */
void judge_races(struct grading *, struct finding *, struct program *);
void judge_leaks(struct grading *, struct finding *, struct program *);

#endif
