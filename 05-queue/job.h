/*
 * job.h - jobs in a worker's hands: read them, run them, report them
 *
 * Redis decides, in scripts, what must happen together. The result of a job is
 * stored by whoever acknowledges its entry, and an entry can be acknowledged
 * only once: however often a job has run, it has one result.
 */
#ifndef JOB_H
#define JOB_H

#include "link.h"

enum { MOST_ENTRIES = 32, MOST_PLACE = 48 }; /* of a block; bytes */

struct job {
    const char *argument;
    char *text; /* the result, or why there is none; NULL: not run */
    bool done;
};

/* What the stream hands out at once: a job, or a bundle of a few that differ in
 * the argument. The texts are in the answer it came in, which must live as
 * long. */
struct entry {
    const char *place, *id, *task;
    size_t batch; /* bytes of the id before the dot */
    long first;   /* the number of the first job; 0: nobody to tell */
    long tries;   /* the one now included */
    bool dead;    /* never to be tried again */
    size_t count;
    struct job jobs[MOST_BUNDLE];
};

/* Reads an entry of the stream, handed out so many times, this one included. */
void entry_accept(struct entry *, const redisReply *, long times);

/* Runs the jobs, if they can be run. */
void entry_run(struct entry *);

/* Frees what accepting and running took. */
void entry_forget(struct entry *);

/* Makes what is not there: the stream, the group, the script; forgets workers
 * that hold nothing and have not been seen for a lease. False: trouble. */
bool jobs_prepare(struct link *, long lease_ms);

/* Sends what became of the entries of the worker `me`; a job that failed counts
 * as untouched for `idle_ms`, so that somebody takes it over soon. Returns how
 * many answers will come. To send it all again does no harm. */
int jobs_report(struct link *, const struct entry *, size_t count,
    const char *me, long idle_ms);

#endif
