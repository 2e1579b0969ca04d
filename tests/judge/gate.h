/*
 * gate.h - a program that asks the practice sites, held at their gate
 *
 * The sites hold every answer until the program sleeps, so how many requests
 * are in flight is a fact that the server knows, not a matter of timing. An
 * answer is let go after a latency of virtual time, so how long the program
 * takes is exact as well.
 */
#ifndef GATE_H
#define GATE_H

#include "judge/evidence.h"

#include <stdbool.h>
#include <stdint.h>

/* Zero means the default everywhere. */
struct gate {
    struct sites_options options;
    long all, most;  /* expected: requests in all, and at once */
    long at_once;    /* let go together: the oldest so many; default: one */
    long latency_ms; /* of virtual time, from the moment all wait; 0: none */
    /* Called at quiet, before anything else, with what the sites hold. True:
     * it did something (killed a process), so the gate stays as it is. */
    bool (*look)(const struct quiet *, long held, void *arg);
    void *arg;

    /* What was seen. */
    struct sites *sites; /* from gate_open() to gate_close() */
    char base[64];       /* their URL */
    long released;       /* answers let go */
    long least_seen;     /* held, when it was first too few; -1: never; */
    long least_after;    /* after how many answers that was */
    long most_seen;      /* held at most, if it was ever too many; -1: never */
    long most_after;
    bool gave_up;    /* it had waited for an hour of virtual time: was killed */
    int64_t due_ns;  /* when the next is let go; -1: not decided */
    int64_t wait_ns; /* till then more may come, by a timer; -1: not asked */
    int looks;
};

/* Starts the sites. Ends this process by errx() if they cannot start. */
void gate_open(struct gate *);

/* Makes the program, which has its command line already, run at the gate, in
 * virtual time. Then run it; the gate must live as long. */
void gate_watch(struct gate *, struct program *);

/* Stops the sites; what they counted is in *last unless that is NULL. */
void gate_close(struct gate *, struct sites_counts *last);

/* Faults if there were ever fewer, or more, in flight than expected. */
void gate_judge_least(const struct gate *, struct verdict *);
void gate_judge_most(const struct gate *, struct verdict *);

#endif
