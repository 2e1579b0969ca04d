/*
 * check_gate.c - programs that ask the practice sites, at the gate
 *
 * The sites hold every answer until the program sleeps, so how many requests
 * are in flight is a fact that the server knows. An answer is let go after a
 * latency of virtual time, so how long a program takes is exact as well.
 */
#include "grader/checks/common.h"
#include "suites/suite.h"

#include <signal.h>

static enum outside ask_sites(void *arg) {
    return sites_will(((struct gate *)arg)->sites);
}

static int64_t next_due(void *arg) {
    return ((struct gate *)arg)->due_ns;
}

/* What is held now, against what should be. */
static void note_held(struct gate *gate, long held, long expected) {
    if (held < expected && gate->least_seen == -1) {
        gate->least_seen = held;
        gate->least_after = gate->released;
    }
    if (held > expected && held > gate->most_seen) {
        gate->most_seen = held;
        gate->most_after = gate->released;
    }
}

/* The program sleeps: note what waits at the gate, let go what is due. */
static bool look_at_gate(const struct quiet *quiet, void *arg) {
    struct gate *gate = arg;
    struct sites_counts now;
    long left = gate->all - gate->released;
    long expected = gate->most < left ? gate->most : left;

    sites_count(gate->sites, &now);
    if (now.held == 0 && quiet->now_ns > 3600 * SECOND && !gate->gave_up)
        return gate->gave_up = kill(quiet->pids[0], SIGKILL) == 0;
    if (now.held == 0)
        return false;
    if (gate->due_ns == -1) {
        if (now.held < expected && look_again(&gate->looks))
            return true;
        gate->looks = 0;
        note_held(gate, now.held, expected);
        gate->due_ns = quiet->now_ns + gate->latency_ms * MS;
    }
    if (quiet->now_ns < gate->due_ns)
        return false;
    gate->due_ns = -1;
    gate->released += sites_release(gate->sites, gate->waves ? now.held : 1);
    return true;
}

void open_gate(struct gate *gate) {
    gate->options.gate = true;
    gate->due_ns = gate->least_seen = gate->most_seen = -1;
    gate->sites = start_sites(&gate->options, gate->base, sizeof gate->base);
}

void run_at_gate(struct grading *g, struct finding *f, struct gate *gate,
    struct words *words, struct program *program, struct run *run,
    struct sites_counts *last) {
    program->argv = words->argv;
    program->virtual_time = true;
    program->at_quiet = look_at_gate;
    program->outside = ask_sites;
    program->due = next_due;
    program->arg = gate;
    grade_run(g, program, run, f);
    sites_stop(gate->sites, last);
}
