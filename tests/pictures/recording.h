/*
 * recording.h - runs a program and says who printed each line, and when
 *
 * In real time stdout_shim.so, which lies beside the harness, tells for each
 * line the thread and its clocks. In virtual time it is not needed: computing
 * takes no time there, and program_run() knows exactly when a line came.
 */
#ifndef RECORDING_H
#define RECORDING_H

#include "run/program.h"

/* Of the thread that printed a line, at that moment. All 0: not known. */
struct clocks {
    pid_t pid, tid;
    int64_t ran_ns;     /* its CPU time, */
    int64_t ready_ns;   /* the time it was ready and had no CPU, */
    int64_t process_ns; /* and the CPU time of its whole process, but for what
                           the program used before it began */
};

/* A run whose lines have times since the program began. */
struct recording {
    struct run run;
    struct clocks *clocks; /* run.count of them, one a line */
    size_t known;          /* how many lines have clocks */
    int64_t end_ns;        /* when the program ended, or was stopped */
    bool virtual_time;
};

/* Runs the program to its end; recording_free() gives back what it fills.
 * program->env must be NULL. Ends this process by err() only when the harness
 * itself cannot work. */
void record_run(const struct program *program, struct recording *);
void recording_free(struct recording *);

#endif
