/*
 * explore.h - run a pthread program under every schedule: the shared words
 *
 * Design. The reader's program is compiled with -fsanitize=thread, so the
 * compiler announces every access to memory, and linked with these files
 * instead of the sanitizer's library. They are two halves.
 *   explore.c: the parent. It forks a child per schedule, looks at what the
 *     child did, and prescribes the next schedule.
 *   explore_run.c, explore_hooks.c: the child. The program's own threads run
 *     in it, one at a time: a thread says what it will do next, and waits
 *     until it is chosen. So a run is a list of steps, and can be repeated.
 * The halves talk through one shared mapping, struct shared. explore.awk puts
 * names into the report in the place of addresses.
 */
#ifndef EXPLORE_H
#define EXPLORE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    MOST_THREADS = 16,
    MOST_STEPS = 4000,
    MOST_LEARNED = 4096, /* a power of 2 */
    SPURIOUS = 16        /* choice SPURIOUS + t: t's wait needs no signal */
};

/* Threads and choices in REPLAY; M is main. */
#define LETTERS "MABCDEFGHIJKLNOPmabcdefghijklnop"

enum kind {
    READ,
    WRITE,
    UPDATE,
    /* From here on the place is a lock or its kin, no memory. */
    LOCK,
    READ_LOCK,
    UNLOCK,
    WAIT, /* falls asleep, and gives up the mutex */
    WAKE, /* the rest of it: takes the mutex again */
    SIGNAL,
    BROADCAST,
    DOWN,
    POST,
    LOOK,
    ARRIVE,
    PRINT,
    EXIT,
    /* From here on it is done as soon as it can be: no other thread's step
       comes out differently for it, so it is no choice. */
    CREATE,
    START,
    PASS,
    JOIN,
    END,
    SLEEP
};

struct op {
    enum kind kind;
    const char *name; /* for the report */
    uintptr_t at, size;
    uintptr_t also;   /* of WAIT and WAKE: the mutex */
    bool atomic, try; /* try: fails instead of waiting */
    void *pc;         /* the return address in the reader's code */
};

enum fault { NONE, DEADLOCK, SPIN, ENDLESS, BAD_UNLOCK, HANGS, UNFIT, NEWS };

/* One step of a run. The child writes the first half, the parent the rest. */
struct step {
    struct op op;
    int choice;       /* a thread, or SPURIOUS + thread */
    int last;         /* who did the choice before, -1: nobody */
    bool free;        /* last gave way: leaving it is no preemption */
    unsigned enabled; /* bits of the choices there were; 0: it was none */
    uint64_t value;   /* read, written, or non-zero: a try failed */

    unsigned todo, done; /* choices to try and tried */
    int cost;            /* preemptions before this step */
    unsigned index;      /* the how-manieth step of its thread, from 1 */
    unsigned clock[MOST_THREADS]; /* steps of each thread it depends on */
};

/* What a thread was about to do when the run was over. */
struct pending {
    bool alive, parked;
    struct op op;
    int holder;      /* the thread it waits for, -1: none */
    void *holder_pc; /* where that took the lock */
    void *lost_pc;   /* a signal that came when nobody waited */
};

struct shared {
    /* To the child: steps[0 .. prefix - 1].choice are prescribed. */
    int prefix;
    bool reduce, any_order; /* any_order: of the lines of output */
    const char *replay;     /* NULL, or a schedule to run */
    /* From the child. */
    int nsteps, nthreads, running; /* running: who ended the run */
    enum fault fault;
    const char *text; /* why it is unfit */
    bool raced;
    struct op race[2];
    int racer[2];
    struct pending pending[MOST_THREADS];
    unsigned news; /* grows with each place learned */
    struct {
        uintptr_t at;
        bool choice;
    } learned[MOST_LEARNED];
    struct step steps[MOST_STEPS];
};

extern struct shared *sh;

struct access {
    unsigned when; /* by its thread's clock; 0: never */
    int thread;
    bool atomic;
    void *pc;
};

/* What the child knows of a place: a variable, or a lock and its kin. */
struct place {
    struct place *next; /* in its bucket */
    uintptr_t at, size;
    bool sync, met, choice; /* met: by two threads; choice: worth one */
    int visitor;            /* who came last, plus 1 */
    struct access write, read[MOST_THREADS];
    unsigned clock[MOST_THREADS]; /* what an acquire here gets to know */
    bool done;                    /* a once: done; a semaphore: count is set */
    int type, depth, count, waiting, tokens;
    unsigned generation;
    struct thread *owner;
    void *owner_pc, *lost_pc;
};

struct thread {
    int id, go, held; /* held: how many locks */
    bool alive, detached, timed_out, spurious, yielded;
    struct op next;
    struct place *place, *also;
    struct thread *joining;
    int64_t deadline; /* virtual ns, 0: none */
    unsigned generation, events, hb[MOST_THREADS];
    struct step *step; /* its last access, NULL: was no step */
    bool wrote;
    uint64_t before; /* what was there */
    uintptr_t base;  /* where its stack begins */
    /* See repeats() */
    bool parked, marked;
    void *mark_pc;
    uint64_t mark;
    int mark_held, age, limit;
    uintptr_t handle; /* pthread_t */
    void *(*start)(void *);
    void *arg, *result;
};

/* explore_run.c */
extern _Thread_local struct thread *self; /* NULL in the parent */
extern int64_t now;                       /* virtual ns */

/* Announces op, waits until it is chosen, checks it for a data race. Returns
   its place; the caller then has the effect, alone until its next turn. */
struct place *turn(struct op op);
struct place *find_place(uintptr_t at, uintptr_t size, bool sync);
/* Other threads that spin may now see something new. */
void change(void);
/* Forgets all about a block that is freed or made anew. */
void forget(const void *block, unsigned long bytes);
void join_clock(unsigned *clock, const unsigned *other);
void release(struct place *place);
struct thread *thread_new(void);
struct thread *thread_of(uintptr_t handle);
_Noreturn void thread_main(struct thread *thread);
_Noreturn void thread_end(void *result);
_Noreturn void end_run(enum fault fault, const char *text);
void run_begin(void); /* the caller becomes thread 0 */
void run_leave(void); /* its last step, before exit */
/* Does the order of the two matter? */
bool dependent(const struct op *a, const struct op *b);

#endif
