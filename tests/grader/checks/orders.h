/*
 * orders.h - a submission under every order of its threads
 *
 * What explore cannot see, or not finish within its schedules, is undecided
 * and costs nothing: other evidence then decides alone.
 */
#ifndef ORDERS_H
#define ORDERS_H

#include "grader/checks/common.h"

/* Explores the program with these words, and judges the lines of every
 * outcome; a deadlock, a crash, a data race and any other exit status than 0
 * are faults. The bound is "BOUND=n": so many preemptions. */
void judge_orders(struct grading *, struct finding *, const struct words *,
    const char *bound,
    void (*judge)(const struct line *, size_t, const void *, struct verdict *),
    const void *arg);

/* The same, but the lines come as they were printed, and nothing else is
 * judged. */
void judge_lines_in_orders(struct grading *, struct finding *,
    const struct words *, const char *bound,
    void (*judge)(const struct line *, size_t, const void *, struct verdict *),
    const void *arg);

/* Another order each time, in virtual time, by pauses where threads and
 * processes meet: for every program, also for what explore cannot see. See
 * judge_shaken(). Then ThreadSanitizer has its word on the program as the
 * words have it. */

#endif
