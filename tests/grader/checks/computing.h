/*
 * computing.h - processes that compute, as /proc shows them
 */
#ifndef COMPUTING_H
#define COMPUTING_H

#include "run/proc.h"
#include "run/program.h"

/* A look at the processes of the program under test that have no children. */
struct workers {
    struct pids before; /* children of ours that are not of the program; they
                           last as long as the check's own process */
    int most_ready;     /* of them, could run at the same moment, at most */
    int looks;          /* that found at least one */
    long kill_after_ms; /* of CPU time: then it is killed; 0: never */
    pid_t killed;       /* 0: none */
    long parent_ms;     /* the most CPU time of a process that has children */
    pid_t zombie;       /* not waited for, its parent asleep; 0: none */
    pid_t ended;        /* a zombie as well, since this CPU time of */
    long ended_ms;      /* the busiest */
    pid_t busiest;      /* the one with the most CPU time so far, */
    long busiest_ms;
    int64_t busiest_seen_ns; /* and when it was last seen at work */
    int64_t start_ns;
    int to_meet;   /* so often the parent is stopped until all of its children
                      have ended, two at least, and then goes on */
    int met;       /* how often it was */
    pid_t stopped; /* the parent, while it is */
};

/* A zombie that is there while another process uses so much CPU time. */
enum { ZOMBIE_MS = 100 };

/* Before the run. */
void watch_workers(struct workers *);

/* For .outside, with the workers as .arg. */
enum outside look_at_workers(void *workers);

#endif
