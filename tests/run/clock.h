/*
 * clock.h - virtual time: what the harness and the preloaded shim share
 *
 * The harness makes a page of shared memory (a memfd) that every program
 * under test inherits. The shim (clock_shim.c) stands in for the sleeping
 * calls there: a sleeper enters its thread id and its deadline in a slot and
 * blocks. Only the harness moves the clock (clock_advance), and only when it
 * has seen that every task is asleep; time stands still while anything runs.
 *
 * All times are in nanoseconds of virtual time since the run began, which is
 * 0. CLOCK_REALTIME and CLOCK_MONOTONIC show that time added to what the two
 * clocks showed at the start.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define CLOCK_VARIABLE "KIT_CLOCK_FD" /* names the descriptor, in decimal */
#define CLOCK_MAGIC 0x6b636f6c63746976
#define CLOCK_SLOTS 16384 /* a power of two */
#define CLOCK_PROBES 16   /* slots tried for one id */
#define CLOCK_TIMERS 128  /* timerfds in all */
/* The C library keeps signals 32 and 33 for itself: a program under test can
 * neither block 33 nor see it in a mask, so nothing it does gets in the way. */
#define CLOCK_SIGNAL 33

enum slot_state {
    SLOT_IDLE,     /* taken, nothing pending */
    SLOT_SLEEPING, /* a pure sleep: blocked in a futex on .state */
    SLOT_WOKEN,    /* the harness ended the sleep, the task has not left yet */
    SLOT_WAITING,  /* waits for something else, with a time-out */
    SLOT_DUE,      /* the harness ended the wait by CLOCK_SIGNAL */
    SLOT_ALARM     /* alarm() or setitimer(): sends SIGALRM to the process */
};

/* A task's slot has its thread id, a process's alarm the negated process id;
 * 0 is free. Whoever has the id owns the slot; the harness changes .state,
 * .limit and an alarm's .wake_at, only while the owner is asleep. */
struct slot {
    _Atomic int32_t id;
    _Atomic uint32_t state;
    _Atomic int64_t wake_at;
    _Atomic int64_t interval; /* of an alarm; 0: once */
    struct timespec limit;    /* the real time-out of a SLOT_WAITING task */
};

/* A timerfd, which is an eventfd to which the harness adds 1 when it is due, or
 * a timer of timer_create() that sends a signal. */
struct clock_timer {
    _Atomic int32_t pid;      /* whose it is, as it sees itself; 0: free */
    int32_t fd;               /* -1: none, a signal instead */
    int32_t number;           /* of the signal; 0: none is sent */
    int32_t tid;              /* to this thread, as it sees itself; 0: any */
    void *value;              /* that comes with it */
    int64_t start;            /* what its clock showed at 0 */
    _Atomic int64_t wake_at;  /* INT64_MAX: not set */
    _Atomic int64_t interval; /* 0: once */
};

struct clock_page {
    uint64_t magic;
    int64_t real_start, mono_start; /* of the two clocks, ns */
    int64_t cpu_permille; /* of .now, as CPU time to be shown; 0: the real */
    _Atomic int64_t now;
    _Atomic int64_t looks;  /* clock readings */
    _Atomic int64_t idles;  /* yields, zero sleeps, time-outs of zero */
    _Atomic int64_t sleeps; /* pure sleeps begun */
    bool timers;            /* may the harness write to a program's eventfd? */
    struct clock_timer timer[CLOCK_TIMERS];
    struct slot slots[CLOCK_SLOTS];
};

static inline struct slot *clock_slot(
    struct clock_page *page, int32_t id, unsigned probe) {
    return &page->slots[((uint32_t)id + probe) % CLOCK_SLOTS];
}

/* ---------- The harness side ---------- */

struct clock {
    struct clock_page *page;
    int64_t now; /* the page only shows it: a program can write there */
    int64_t real_start, mono_start;
    int fd; /* 200 or above, close-on-exec: the child clears that */
};

/* A task, and the numbers that it has itself, in a pid namespace of its own. */
struct clock_task {
    pid_t pid, tid, inner_pid, inner_tid;
};

/* Makes a clock at 0. Returns 0, or -1 with errno set. */
int clock_open(struct clock *);

/* Gives the memory and the descriptor back. */
void clock_close(struct clock *);

/* Does the page still say what clock_open() wrote? No program that minds its
 * own business changes it. */
bool clock_is_intact(const struct clock *);

/* Where the clock stands, in ns. */
int64_t clock_now(const struct clock *);

/* What the shim knows of a task; SLOT_IDLE when it knows nothing. */
enum slot_state clock_state(const struct clock *, pid_t inner_tid);

/* Whether timerfds can be virtual for a program of this user, which is 0 when
 * it is ours: the harness must get at their descriptors (pidfd_getfd). */
bool clock_timers(uid_t uid);

/* The earliest deadline of these tasks and of their processes' timers, in ns,
 * or -1 when none has one. A deadline that has passed is not before now. */
int64_t clock_next(const struct clock *, const struct clock_task *, size_t n);

/* Moves the clock to `to` and wakes every task of the list that is due. All of
 * them must be asleep. */
void clock_advance(
    struct clock *, int64_t to, const struct clock_task *, size_t n);

#endif
