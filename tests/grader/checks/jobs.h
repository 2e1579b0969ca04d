/*
 * jobs.h - named pieces of work that sleep, for workers who take the next
 *
 * What 02-threads/exercise_tables and 05-queue/exercise_wedding have in common:
 * the words of the command line, and when each piece must begin.
 */
#ifndef JOBS_H
#define JOBS_H

#include "grader/checks/moments.h"

/* A piece may last so much longer than asked, and begin so much later for each
 * piece that was begun before it: the exercises say so. */
enum { SLACK_MS = 10, MOST_TIMED = 64 };

struct jobs {
    const char **names;
    long *units; /* how long each takes: seconds or hours, of .ms each */
    long *order; /* the pieces as they are to be begun */
    long count, workers, ms;
    struct words words;
    struct program program;
    struct moments moments;
    struct run run;
};

/* So many pieces, of 1 to most units each, to be begun as given. The memory is
 * that of the check. */
void plan_jobs(struct grading *, struct jobs *, long count, long workers,
    long ms, long most);

/* The command line: .program is ready to be run then. */
void say_jobs(struct jobs *);

/* say_jobs(), and runs it in virtual time. */
void run_jobs(struct grading *, struct finding *, struct jobs *);

/* Faults when a piece is shorter or longer than asked. */
void judge_lengths(const struct jobs *, const struct run *, struct verdict *);

/* Faults when a piece, in .order, is not begun as soon as a worker is free for
 * it; no more than MOST_TIMED pieces. */
void judge_begins(const struct jobs *, const struct run *, struct verdict *);

/* Faults when more are in progress than workers, or there are fewer threads
 * and processes than pieces in progress, or more than workers and helpers. */
void judge_workers(
    const struct jobs *, const struct run *, int helpers, struct verdict *);

/* Faults when all went well and nothing was ever done at once: then there is no
 * order of anything to look at. */
void judge_some_overlap(const struct jobs *, struct verdict *);

#endif
