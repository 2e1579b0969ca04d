/*
 * gate.c - a program that asks the practice sites, held at their gate
 */
#include "judge/gate.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>

#define MS INT64_C(1000000)
#define HOUR (3600 * 1000 * MS)

enum { LOOKS = 5, PAUSE_MS = 20 };

/* Fewer are held than expected, although all sleep: the kernel may not have
 * delivered one yet. True: look again. What is decided is a fact, if a late
 * one: a request that is missing now is missing for ever. */
static bool look_again(struct gate *gate) {
    if (++gate->looks > LOOKS)
        return false;
    poll(NULL, 0, PAUSE_MS);
    return true;
}

#define TIMER_NS (10 * MS)

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
    if (gate->look != NULL && gate->look(quiet, now.held, gate->arg))
        return true;
    if (now.held == 0 && quiet->now_ns > HOUR && !gate->gave_up)
        return gate->gave_up = kill(quiet->pids[0], SIGKILL) == 0;
    if (now.held == 0)
        return false;
    if (gate->due_ns == -1) {
        if (now.held < expected && gate->least_seen == -1 && look_again(gate))
            return true;
        /* A timer of the program's own, such as curl's of a millisecond, may
         * begin the next. */
        if (now.held < expected && gate->least_seen == -1) {
            if (gate->wait_ns == -1)
                gate->wait_ns = quiet->now_ns + TIMER_NS;
            if (quiet->now_ns < gate->wait_ns)
                return false;
        }
        gate->wait_ns = -1;
        gate->looks = 0;
        note_held(gate, now.held, expected);
        gate->due_ns = quiet->now_ns + gate->latency_ms * MS;
    }
    if (quiet->now_ns < gate->due_ns)
        return false;
    gate->due_ns = -1;
    gate->released +=
        sites_release(gate->sites, gate->at_once > 0 ? gate->at_once : 1);
    return true;
}

static enum outside ask_sites(void *arg) {
    return sites_will(((struct gate *)arg)->sites);
}

static int64_t next_due(void *arg) {
    const struct gate *gate = arg;

    return gate->due_ns != -1 ? gate->due_ns : gate->wait_ns;
}

void gate_open(struct gate *gate) {
    gate->options.gate = true;
    gate->due_ns = gate->wait_ns = -1;
    gate->least_seen = gate->most_seen = -1;
    gate->sites = start_sites(&gate->options, gate->base, sizeof gate->base);
}

void gate_watch(struct gate *gate, struct program *program) {
    program->virtual_time = true;
    program->at_quiet = look_at_gate;
    program->outside = ask_sites;
    program->due = next_due;
    program->arg = gate;
}

void gate_close(struct gate *gate, struct sites_counts *last) {
    sites_stop(gate->sites, last);
}

void gate_judge_least(const struct gate *gate, struct verdict *v) {
    long left = gate->all - gate->least_after;

    if (gate->least_seen != -1)
        verdict_fail(v,
            "it had %ld request%s in flight after %ld of %ld answers; "
            "expected: %ld",
            gate->least_seen, gate->least_seen == 1 ? "" : "s",
            gate->least_after, gate->all,
            gate->most < left ? gate->most : left);
}

void gate_judge_most(const struct gate *gate, struct verdict *v) {
    if (gate->most_seen != -1)
        verdict_fail(v,
            "it had %ld requests in flight after %ld of %ld answers; expected: "
            "no more than %ld",
            gate->most_seen, gate->most_after, gate->all, gate->most);
}
