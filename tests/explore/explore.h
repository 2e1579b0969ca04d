/*
 * explore.h - run a pthread program under every schedule: the shared words
 *
 * Design. The reader's program is compiled with -fsanitize=thread, so the
 * compiler announces every access to memory, and linked with these files
 * instead of the sanitizer's library. They are two halves.
 *   explore.c: the parent. It forks a child per schedule, looks at what the
 *     child did, and prescribes the next schedule.
 *   explore_run.c: the child. The program's own threads run in it, one at a
 *     time: a thread says what it will do next, and waits until it is chosen.
 *     So a run is a list of choices, and can be repeated.
 * The halves talk through one shared mapping, struct shared. explore.awk puts
 * names into the report in the place of addresses.
 */
#ifndef EXPLORE_H
#define EXPLORE_H

#include <stdbool.h>
#include <stdint.h>

enum { MOST_THREADS = 16, MOST_STEPS = 4000, MOST_LEARNED = 2048 };
enum { MOST_STATES = 1 << 20, MOST_TABLE = 1 << 19 };
enum { ALL = 1000000 }; /* as a bound: none */
enum { SPURIOUS = 16 }; /* choice SPURIOUS + t: t's wait needs no signal */

/* Threads and choices in REPLAY; M is main. */
#define LETTERS "MABCDEFGHIJKLNOPmabcdefghijklnop"

/* For explore.awk, which fills in what is between \1 and \1. */
#define NAME "\1N%lu %lu %lx\1" /* of what is at an address: sum */
#define NAME_OF(p) (p)->at, (p)->size, (p)->at
#define LINE "\1L%lx\1"                     /* file.c:37 */
#define TEXT "\1T%lx\1"                     /* 37 sum = seen + 1; */
#define LINE_OF(pc) ((unsigned long)(pc)-1) /* pc is where the call returns */

/* How a run ended, but by itself. NEWS: there are more places to choose at than
   was known. SEEN: from here on it would go as in a run before. */
enum fault { NONE, STUCK, MISUSE, ENDLESS, UNFIT, NEWS, SEEN };

/* A choice, and what there was to choose from. */
struct step {
    int choice, usual; /* a thread, or SPURIOUS + thread; if not prescribed */
    int stay;          /* the thread that others preempt, -1: none */
    int cost;          /* preemptions before this step */
    unsigned enabled, done; /* bits: the choices there were, and the tried */
    uint64_t state;         /* see explore_run.c */
};

/* A place that threads share. */
struct learned {
    uintptr_t at, size;
    bool sync;
    int level;
};

struct shared {
    /* To the child: steps[0 .. prefix - 1].choice are prescribed. */
    int prefix, bound, search;
    bool reduce, any_order; /* any_order: of the lines of output */
    const char *replay;     /* NULL, or a schedule to run */
    /* From the child. */
    int nsteps, nthreads, cost; /* cost: preemptions in all */
    int running;                /* who ended the run, */
    void *pc;                   /* and how far it had got */
    enum fault fault;
    const char *text;       /* of the fault */
    char race[500];         /* the first data race, in words */
    char table[MOST_TABLE]; /* of a replay: what was done, who waits for whom */
    struct step steps[MOST_STEPS];
    /* For the runs to come. */
    int nlearned;
    struct learned learned[MOST_LEARNED];
    uint64_t *seen; /* MOST_STATES of them */
};

extern struct shared *sh;

const char *thread_name(int thread);
int cost_of(const struct step *, int choice); /* in preemptions */
void run_begin(void);                         /* the caller becomes thread 0 */

#endif
