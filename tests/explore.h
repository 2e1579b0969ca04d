/*
 * explore.h - run a pthread program under every schedule: the shared words
 *
 * Design. The reader's program is compiled with -fsanitize=thread, so the
 * compiler announces every access to memory, and linked with these files
 * instead of the sanitizer's library. They are two halves.
 *   explore.c, explore_report.c: the parent. It forks a child per schedule,
 *     reads what the child did, and prescribes the next schedule.
 *   explore_run.c, explore_hooks.c: the child. The program's own threads run
 *     in it, one at a time: a thread says what it will do next, and waits
 *     until it is chosen. So a run is a list of steps, and can be repeated.
 * The halves talk through one shared mapping, struct shared.
 *
 * Only places that two threads touch in either order, one of them writing,
 * are worth a choice. Runs find these places; a run that finds a new one
 * makes the search begin again.
 */
#ifndef EXPLORE_H
#define EXPLORE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    MOST_THREADS = 16,
    MOST_STEPS = 4000,
    MOST_SHARED = 4096,    /* words that threads share; a power of 2 */
    MOST_OUTPUT = 1 << 20, /* bytes */
    SPURIOUS = 16 /* choice SPURIOUS + t: t's wait will need no signal */
};

enum kind {
    READ,
    WRITE,
    UPDATE,
    COMPARE,
    LOCK,
    UNLOCK,
    READ_LOCK,
    WRITE_LOCK,
    RW_UNLOCK,
    WAIT,
    WAKE,
    SIGNAL,
    BROADCAST,
    DOWN,
    POST,
    VALUE,
    ARRIVE,
    PASS,
    ONCE,
    ONCE_DONE,
    PRINT,
    EXIT,
    /* These are no steps: they are done as soon as they can be, because
       they commute with whatever other threads do. */
    CREATE,
    JOIN,
    SLEEP
};

struct op {
    enum kind kind;
    bool atomic, try; /* try: fails instead of waiting */
    unsigned size;    /* bytes, at most 8, within an aligned word */
    uintptr_t at;
    void *pc; /* the return address in the reader's code */
};

enum fault {
    NONE,
    /* the program's */
    DEADLOCK,
    SPIN,
    ENDLESS,
    BAD_UNLOCK,
    HANGS,
    /* the search's: a sleep set, no determinism, what cannot be explored */
    CUT,
    DIVERGED,
    UNFIT
};

/* One step of a run. The child writes the first half, the parent the rest. */
struct step {
    struct op op;
    int choice;           /* a thread, or SPURIOUS + thread */
    int last;             /* who did the step before, -1: nobody */
    bool free;            /* last gave way: leaving it is no preemption */
    unsigned enabled;     /* bits of the choices there were */
    unsigned sleep;       /* choices that need not be tried here */
    unsigned long parked; /* accesses last had made when it stopped */
    uint64_t value;       /* read, written, or non-zero: a try failed */
    unsigned before[MOST_THREADS]; /* steps ordered before by create, join */

    unsigned todo, done; /* choices to try and tried */
    int cost;            /* preemptions before this step */
    unsigned index;      /* the how-manieth step of its thread, from 1 */
    unsigned clock[MOST_THREADS]; /* steps of each thread it depends on */
};

/* A thread that had not ended when the run was over, and why. */
struct stuck {
    bool alive;
    struct op op;
    int holder;      /* the thread that holds op.at, -1: none */
    void *holder_pc; /* where it took it */
    void *lost_pc;   /* a signal that came when nobody waited */
};

struct race {
    struct op op[2];
    int thread[2];
};

struct shared {
    /* To the child: steps[0 .. prefix - 1].choice are prescribed. */
    int prefix;
    unsigned sleep;            /* the sleep set where the prefix ends */
    bool any_order, use_sleep; /* order of lines is free; sleep sets */
    const char *replay;        /* NULL, or a schedule to run */
    /* From the child. */
    int nsteps, nthreads, running; /* running: who ended the run */
    enum fault fault;
    const char *text; /* why it is unfit */
    bool raced;
    struct race race;
    struct stuck stuck[MOST_THREADS];
    unsigned nlearned; /* shared places, in all runs so far */
    struct {
        uintptr_t word;
        unsigned mask;
    } learned[MOST_SHARED];
    struct step steps[MOST_STEPS];
};

extern struct shared *sh;

/* What explore_run.c knows of a place: a variable, or a mutex and its kin. */
struct place {
    struct place *next; /* in its bucket */
    uintptr_t at;
    unsigned size;
    bool sync, shared;
    struct touch *touches;
    unsigned clock[MOST_THREADS]; /* what an acquire here gets to know */
    bool known;                   /* a semaphore: count is its value */
    int type, count, waiting, tokens;
    unsigned generation;
    struct thread *owner;
    void *owner_pc, *lost_pc;
};

struct thread {
    int id, go, held; /* held: locks it holds */
    bool alive, detached, timed_out, spurious, parked, yielded;
    struct op next;
    struct place *place;
    struct thread *joining;
    int64_t deadline; /* virtual ns, 0: none */
    unsigned generation;
    unsigned long events;
    unsigned hb[MOST_THREADS];    /* happens-before: clocks of the threads */
    unsigned order[MOST_THREADS]; /* the same by create and join alone */
    unsigned steps, before[MOST_THREADS];
    struct step *step, *fill; /* its step; one whose value is yet to come */
    uintptr_t base;           /* where its stack begins */
    void *mark_pc;            /* see repeats() */
    uint64_t mark_hash;
    int mark_held, age, limit, nloop;
    uintptr_t loop[8];
    uintptr_t handle; /* pthread_t */
    void *(*start)(void *);
    void *arg, *result;
};

/* explore_run.c; for explore_hooks.c, and the parent where said. */
extern _Thread_local struct thread *self; /* NULL in the parent */
extern int64_t now;                       /* virtual ns */

/* Announces op, waits until it is chosen, checks it for a data race. Returns
   its place; the caller then has the effect, alone until its next turn. */
struct place *turn(struct op op);
struct place *find_place(const struct op *op);
/* Tells threads that spin that the place has changed. */
void effect(struct place *place, bool mine);
/* Forgets all about a block that is freed or made anew. */
void forget(const void *block, unsigned long bytes);
void join_clock(unsigned *clock, const unsigned *other);
void acquire(const struct place *place);
void release(struct place *place, bool keep);
struct thread *thread_new(void);
struct thread *thread_of(uintptr_t handle);
void thread_give(struct thread *thread); /* lets a new thread go first */
_Noreturn void thread_main(struct thread *thread);
_Noreturn void thread_end(void *result);
/* Ends the run. text is a literal. */
_Noreturn void end_run(enum fault fault, const char *text);
void run_over(void); /* no more choices: this thread ends the process */
/* For the child's begin: makes the caller thread 0. */
void run_begin(void);
/* Both halves. dependent: does the order of the two matter? */
bool dependent(const struct op *a, const struct op *b);
/* Of a letter in REPLAY; too much if it is none, -1 at the end. */
int thread_number(char letter);

/* explore_report.c, in the parent. */
struct outcome {
    enum fault fault;
    int status;    /* as of waitpid */
    uint64_t hash; /* of standard output */
    long count;
    bool wrong;
    char out[400], err[200];
};
struct failure { /* the first wrong schedule */
    bool found;
    int cost, nsteps, nthreads, running;
    struct outcome outcome;
    struct race race;
    struct stuck stuck[MOST_THREADS];
    struct step steps[MOST_STEPS];
};
void describe(const struct outcome *outcome, char *text, unsigned long size);
void report_race(const struct race *race, long runs, long schedules);
void report_failure(const struct failure *failure);

#endif
