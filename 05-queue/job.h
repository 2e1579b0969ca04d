/*
 * job.h - a job in a worker's hands: read it, run it, report it
 *
 * Redis decides, in scripts, what must happen together. A job's result is
 * stored by whoever acknowledges its entry, and an entry can be acknowledged
 * only once: however often a job has run, it has one result.
 */
#ifndef JOB_H
#define JOB_H

#include "link.h"

enum { MOST_BLOCK = 256, MOST_ENTRY = 48 };

/* DONE: store the result. FAILED: to be tried again. DEAD: never again. */
enum outcome { DONE, FAILED, DEAD };

/* The texts are in the answer the job came in, which must live as long. */
struct job {
    const char *entry; /* its place in the stream */
    const char *id, *task, *argument;
    const char *number; /* in the id, after the batch; NULL: nobody to tell */
    long tries;         /* this one included */
    enum outcome outcome;
    char text[MOST_RESULT + 40]; /* the result, or why there is none */
};

/* Reads an entry of the stream, delivered for the so-manieth time. */
void job_accept(struct job *, const redisReply *entry, long tries);

/* Runs the task, unless the job is dead already. */
void job_run(struct job *);

/* Makes what is not there: the stream, the group, the script; forgets workers
 * that hold nothing and have not been seen for a lease. False: trouble. */
bool jobs_prepare(struct link *, long lease_ms);

/* Sends what became of the jobs of the worker `me`; one that failed counts as
 * untouched for `idle_ms`, so that somebody takes it over soon. With the last
 * ones, entries that are done are not left for later. Returns how many answers
 * will come. To send it all again does no harm. */
int jobs_report(struct link *, const struct job *, size_t count, const char *me,
    long idle_ms, bool last);

/* Reads so many answers. False: trouble. */
bool jobs_reported(struct link *, int answers);

#endif
