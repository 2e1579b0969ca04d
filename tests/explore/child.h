/*
 * child.h - what the files of the child share: threads, places, steps
 *
 * Exactly one thread runs, all others wait for their semaphore, so nothing
 * here needs a lock.
 */
#ifndef EXPLORE_CHILD_H
#define EXPLORE_CHILD_H

#include "explore/explore.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

enum { MOST_DEPTH = 64 }; /* of calls, whose variables get names */
enum { MOST_KEYS = 32 };

/* Where the threads' stacks are, main's first. */
#define STACKS ((char *)0x1000000000)
enum { STACK_SIZE = 8 << 20, STACK_DISTANCE = 2 * STACK_SIZE };

/* From LOCK on the place is a lock or its kin, no memory. LOCK: takes or gives
   back, or looks. CHANGE: others may go on for it. WAIT: falls asleep, and
   gives up the mutex; WAKE: the rest of it. QUICK and JOIN are done as soon as
   they can be: no other thread's step comes out differently for it. */
enum kind { READ, WRITE, UPDATE, LOCK, CHANGE, WAIT, WAKE, EXIT, QUICK, JOIN };

/* What a thread does next. */
struct op {
    enum kind kind;
    const char *name; /* for the report */
    uintptr_t at, size;
    void *pc;            /* the return address in the reader's code */
    bool atomic, try;    /* try: fails instead of waiting */
    bool later;          /* it is done together with the next one */
    int need;            /* waits until the place has so many tokens, */
    unsigned round;      /* and has come to this round */
    struct place *mutex; /* of WAIT and WAKE */
};

struct access {
    unsigned when; /* by its thread's clock; 0: never */
    int thread;
    bool atomic;
    void *pc;
};

struct reader { /* the last read by one thread */
    struct reader *next;
    struct access access;
};

/* MET: by two threads, ordered by locks at most. CHOICE: the order matters. */
enum level { OWN, MET, CHOICE };

/* What is known of a place: a variable, or a lock and its kin. */
struct place {
    struct place *next; /* in its bucket */
    uintptr_t at, size;
    bool sync, shared; /* sync: a lock or its kin; shared: in any run so far */
    enum level level, known; /* level: what it had when the run began */
    struct access write;
    struct reader *readers;
    unsigned *clock;  /* what an acquire here gets to know; NULL: nothing */
    int tokens, full; /* full: how many there are in all */
    int type, depth, waiting;
    unsigned round, arrived;
    bool tried, done;
    struct thread *owner;
    void *pc; /* where it was taken; a signal that came when nobody waited */
};

struct thread {
    int id, creator, held;                     /* held: how many locks */
    bool used, alive, begun, detached, joined; /* begun: was chosen */
    bool timed_out, spurious, yielded, failed;
    sem_t go;
    struct op next;
    struct place *place;
    int64_t deadline;            /* virtual ns, 0: none */
    unsigned hb[MOST_THREADS];   /* its clock: what happened before */
    unsigned life[MOST_THREADS]; /* the same by create and join alone */
    uint64_t state;
    bool settled, shown;          /* its last step */
    uint64_t before;              /* what was there */
    uintptr_t base, low, sp;      /* where its stack begins, ends now, and ended
                              when the program called us */
    uint64_t parked, marked, lap; /* see repeats() */
    uint64_t own;                 /* changes that only others may wait for */
    int least;
    bool around, tired, lets_others; /* tired: see look() */
    bool rested;                     /* time has passed since its last look */
    struct op looked; /* the last look at what others may change */
    uint64_t made;    /* changes in all, by writes */
    uint64_t turns;
    int depth; /* of the calls, and for each the stack pointer and code */
    struct frame {
        uintptr_t sp;
        void *pc;
    } frames[MOST_DEPTH];
    int tid;
    pthread_t handle;
    void *(*start)(void *);
    void *arg, *result;
    jmp_buf end;                     /* in its first function */
    __pthread_unwind_buf_t *cleanup; /* pthread_cleanup_push's, the last */
    void *specific[MOST_KEYS];       /* values of pthread_key_create's keys */
};

extern _Thread_local struct thread *self; /* NULL in the parent */
extern struct thread threads[MOST_THREADS];
extern int64_t now;      /* virtual ns */
extern uint64_t state;   /* see places.c */
extern uint64_t changes; /* counts what others may wait for, */
extern uint64_t passes;  /* of these: that time passed */
extern uint64_t turns;   /* in all */
extern bool asked;       /* for the time or so, since time passed */
extern int alive;
/* By the linker: where the program begins, and where its variables. */
extern const char __executable_start[], __data_start[];
extern const char freeing[]; /* the name of free's steps */
extern char strtok_memory;   /* stands for what strtok has of its own */
extern bool over;            /* the last words: nothing is chosen any more */
extern bool ended;           /* the others go on, to see what the end cut off */

/* Where the program called us; how deep its stack was then is kept. */
#define PC (called_at(__builtin_dwarf_cfa()), __builtin_return_address(0))
static inline void called_at(const void *stack_pointer);
#define LENGTH(array) (int)(sizeof(array) / sizeof *(array))
/* The compiler and the linker call the hooks: nobody declares them. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
/* The operation of the hook that it stands in: __tsan_NAME or __wrap_NAME. */
#define OP(kind, p)                                               \
    (struct op) {                                                 \
        kind, &__func__[7], (uintptr_t)(p), sizeof *(p), .pc = PC \
    }
/* What the linker sends here instead of to the libraries. */
#define WRAP(type, name, params, result) \
    type __wrap_##name params {          \
        return result;                   \
    }
/* The library's function, after something else. */
#define FIRST(what, type, name, params, args) \
    type __wrap_##name params {               \
        what;                                 \
        return name args;                     \
    }

/* common.c */

static inline void called_at(const void *stack_pointer) {
    if (self != NULL)
        self->sp = (uintptr_t)stack_pointer;
}
bool ready(const struct thread *);  /* has what it waits for come? */
bool parked(const struct thread *); /* it spins, nobody has changed anything */
char *another_text(size_t *size);   /* it lives until the eighth next call */

/* schedule.c */

/* Comes back when the operation can be done, and what follows is done alone. */
struct place *turn(struct op);
void leave_to_others(void); /* self has ended */
/* A new thread goes on up to where there is something to choose. */
void begin_at_once(struct thread *);
void settle(uintptr_t low); /* its last step is done: what was written */
void scrub(void); /* what our calls left on the stack must make no difference */
uintptr_t stack_pointer(void);

/* checks.c: end the run if memory is used that is gone */

/* A variable on the stack of another thread, whose function has returned? */
void check_stack(const struct op *, const struct place *);
void check_block(const struct op *); /* no block that lives? */
void lend(uintptr_t at); /* others than the stack's thread have used it, ever */
bool is_lent(uintptr_t *from, uintptr_t *to); /* of self's stack: which part? */

/* spin.c */

/* Will the thread, with its stack down to low, come by here for ever unless
   others change something? */
bool repeats(struct thread *, uintptr_t low);
/* It does its next operation. True: then let others go first. */
bool look(struct thread *);
bool goes_round(void); /* Do all come by here for ever, as time passes? */

/* places.c */

struct place *find_place(uintptr_t at, uintptr_t size, bool sync);
struct place *first_place(uintptr_t at); /* of those in the same 8 bytes */
const struct place *next_place(const struct place *); /* NULL: the first */
void forget(const void *block, unsigned long bytes);
void touch(struct place *, bool was_choice);
void leaving(void); /* whoever ends the program cuts off all others */
void choose_at(struct place *); /* what comes first there is a choice */
void recall_learned(void);
void join_clock(unsigned *clock, const unsigned *other);
void acquire(const struct place *); /* self gets to know what was released */
void release(struct place *);
uint64_t mix(uint64_t, uint64_t);
/* Was the hash put there before? A full table forgets: that loses nothing. */
bool known(uint64_t *table, uint64_t size, uint64_t hash);

/* table.c */

/* Ends the run; the text as printf. */
_Noreturn void end_run(enum fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void say_value(uintptr_t at, uintptr_t size, uint64_t value);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_step(const struct thread *, uint64_t value);
void say_why(const struct thread *); /* it cannot go on */
/* What it looks at again and again; it lives until the eighth next text. */
const char *looking(const struct thread *);
/* What names.awk makes a name of; it lives until the eighth next call. */
const char *place_name(uintptr_t at, uintptr_t size);
/* Of a variable whose function has returned; that had the code at pc in it. */
const char *dead_name(uintptr_t at, uintptr_t size, const void *pc);

/* situation.c */

void say_situation(const struct step *); /* for the player */

/* hooks_memory.c, hooks_threads.c, hooks_locks.c, hooks_system.c */

/* Steps of self's that read; for the code at pc. */
void read_bytes(const void *, unsigned long size, void *pc);
void read_text(const char *, void *pc);
void read_format(const char *format, va_list, void *pc);
void time_out(int64_t then); /* until when the next wait lasts, by any clock */
int64_t nanoseconds(const struct timespec *);
/* So that what was printed is shown, or what took so long. */
void catch_crashes(void);

#endif
