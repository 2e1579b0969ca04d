/*
 * squares.h - a job for 03-processes/exercise_squares
 */
#ifndef SQUARES_H
#define SQUARES_H

#include "grader/checks/common.h"
#include "grader/checks/computing.h"

enum {
    MOST_SUMS = 320,
    MODULUS = 1000000007,
    LONG_JOB = 100000000 /* half a second of work, or so */
};

struct summing {
    long n[MOST_SUMS], count;
    long workers; /* 0: not said */
    long killed;  /* the N whose child was killed; 0: none */
    struct words words;
    struct program program;
    struct workers watched;
    struct run run;
};

/* The sum of the squares from 1 to n, modulo MODULUS. */
long sum_of_squares(long n);

/* Adds so many jobs of about this size, no two alike. */
void add_squares(
    struct grading *, struct summing *, long count, long low, long high);

/* The command line: .program is ready to be run then. */
void say_squares(struct summing *);

/* say_squares(), and runs it in real time, with a look at its processes. */
void sum_squares(struct grading *, struct finding *, struct summing *);

/* Where a line is in the output; -1: it is not. */
long place_of(const struct run *, const char *text);

/* Faults unless every sum, and the total if none was killed, is told. */
void judge_sums(const struct run *, const void *summing, struct verdict *);

#endif
