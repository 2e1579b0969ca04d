/*
 * stories.h - is the program of a lesson right? One judge for each story
 *
 * Each runs the program with several sizes of its story, one after the other,
 * until it has found a fault.
 */
#ifndef STORIES_H
#define STORIES_H

#include "judge/evidence.h"

void messages_judge(const struct lesson *, struct verdict *);
void download_judge(const struct lesson *, struct verdict *);
void increment_judge(const struct lesson *, struct verdict *);
void cooking_judge(const struct lesson *, struct verdict *);

/* Parts of download_judge(): 90 pages at the gate, so many at once; pages that
 * fail, and two that do not. */
void download_judge_flight(
    const struct lesson *, long workers, struct verdict *);
void download_judge_failures(const struct lesson *, struct verdict *);

/* A part of increment_judge(): 100 tasks of so many increments, whether one
 * after the other or not. */
void increment_judge_sums(
    const struct lesson *, long increments, struct verdict *);

#endif
