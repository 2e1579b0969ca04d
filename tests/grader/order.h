/*
 * order.h - runs one check in a process of its own, and scores it
 */
#ifndef ORDER_H
#define ORDER_H

#include "grader/report.h"

/* From now on SIGINT, SIGTERM and SIGHUP stop the check that runs, and then
 * the grader: order_stopped() is the signal, or 0. */
void order_catch_stops(void);
int order_stopped(void);

/*
 * Calls the function in a process of its own, with a time limit; the finding
 * is in shared memory. Returns false when that process broke, which is the
 * grader's own fault.
 */
bool order_apart(void (*)(struct grading *, struct finding *), struct grading *,
    struct finding *);

/* Runs the result's check, unless one that it needs has failed, and scores it:
 * all but "not run" of *r is filled in. The report's results are in shared
 * memory. */
void order_run(const struct report *, struct grading *, struct result *r);

#endif
