/*
 * pantry.h - a job for 06-locks/exercise_pantry
 */
#ifndef PANTRY_H
#define PANTRY_H

#include "grader/checks/moments.h"

/* A dish may last so much longer than asked, and whoever waits for a shelf may
 * come so much later: the exercise says so. */
enum { SLACK_MS = 10 };

struct kitchen {
    long cooks, shelves, portions, dishes, ms;
    struct words words;
    struct program program;
    struct moments moments;
    struct run run;
};

struct kitchen plan_kitchen(
    long cooks, long shelves, long portions, long dishes, long ms);

/* The command line: .program is ready to be run then, in virtual time. */
void say_kitchen(struct kitchen *);

/* say_kitchen(), and runs it. */
void run_kitchen(struct grading *, struct finding *, struct kitchen *);

/* Faults when the run did not end well or a portion was lost, taken twice or
 * not to be had, by the run's own lines. */
void judge_kitchen_run(
    const struct run *, const void *kitchen, struct verdict *);

/* run_kitchen() and judge_kitchen_run(), unless there is a fault already. */
void judge_kitchen_job(struct grading *, struct finding *, struct kitchen);

#endif
