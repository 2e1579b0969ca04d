/*
 * moments.h - what the quiet moments of a run show
 *
 * A program that waits well is quiet between two things that happen. What it
 * holds then is a fact: open descriptors, threads and processes. One that
 * looks now and then instead of waiting is quiet far more often than anything
 * happens.
 */
#ifndef MOMENTS_H
#define MOMENTS_H

#include "grader/checks/common.h"

struct moments {
    long quiet;      /* moments so far, */
    long since_line; /* and since a line was printed */
    long most_looks; /* so many of those end the run; 0: 3,000 */
    long first_open; /* descriptors at the first moment with a line, */
    long last_open;  /* and at the last one; -1: not to be seen */
    size_t seen;     /* lines at the last moment */
    bool looks;      /* it was ended for looking */
    size_t kill_at;  /* kill one of its children at the first moment with so
                         many lines; 0: none */
    pid_t killed;    /* that one */
};

/* grade_run() in virtual time. A program that wakes again and again although
 * nothing has happened is ended as TIMED_OUT, and .why says so. */
void run_moments(struct grading *, struct finding *, struct program *,
    struct run *, struct moments *);

/* The same without what was seen. */
void run_virtual(
    struct grading *, struct finding *, struct program *, struct run *);

/* Faults when the descriptors have grown by half of these jobs or more. */
void judge_descriptors(const struct moments *, long jobs, struct verdict *);

/* Faults when the program has left processes, or things with a name in the
 * kernel, behind. */
void judge_left(const struct run *, struct verdict *);

/* How many descriptors these processes have open; -1: not to be seen. */
long open_descriptors(const pid_t *pids, size_t count);

#endif
