/*
 * explore.h - run a pthread program under every schedule: the shared words
 *
 * Design. The reader's program is compiled with -fsanitize=thread, so the
 * compiler announces every access to memory, and linked with these files
 * instead of the sanitizer's library. They are two halves.
 *   The parent (main.c, search.c, run.c, outcome.c, words.c, report.c, play.c;
 *     parent.h) forks a child per schedule, looks at what the child did, and
 *     prescribes the next schedule.
 *   The child (common.c, schedule.c, spin.c, places.c, arena.c, checks.c,
 *     table.c, situation.c, hooks_*.c; child.h). The program's own threads run
 *     in it, one at a time: a thread says what it will do next, and waits until
 *     it is chosen. So a run is a list of choices, and can be repeated.
 * The halves talk through one shared mapping, struct shared. names.awk puts
 * names into the report in the place of addresses.
 */
#ifndef EXPLORE_H
#define EXPLORE_H

#include <stdbool.h>
#include <stdint.h>

enum { MOST_THREADS = 64 }; /* alive, or ended and not joined yet */
enum { MOST_STEPS = 100000, MOST_LEARNED = 8192 };
enum { MOST_STATES = 1 << 20, MOST_TABLE = 1 << 24, MOST_TEXT = 600 };
enum { PATIENCE_S = 10 }; /* of CPU time, for a run */
enum { ALL = 200 };       /* as a bound: none */
enum {
    SPURIOUS = MOST_THREADS
}; /* choice SPURIOUS + t: t's wait needs no signal */

/* For names.awk, which fills in what is between \1 and \1. */
#define NAME "\1N%lu %lu %lx\1" /* of what is at an address: sum */
#define LINE "\1L%lx\1"         /* file.c:37 */
#define TEXT "\1T%lx\1"         /* 37 sum = seen + 1; */
#define LINE_TEXT "\1W%lx\1"    /* file.c:37: sum = seen + 1; */
#define TO_STDERR "\5"          /* a line's begin: it goes there */
/* pc is where the call returns. */
#define LINE_OF(pc) (((unsigned long)(pc)) - 1)

/* How a run ended, but by itself. UNFIT: it cannot be explored. SEEN: from here
   on it would go as in a run before. PAUSE: the player is to choose. */
enum fault { NONE, STUCK, MISUSE, UNFIT, SEEN, PAUSE };

/* A prescribed choice: at a step, a thread or SPURIOUS + thread. */
struct given {
    int step, choice;
    uint32_t check; /* the state there, 0: not known */
};

/* A choice that was made, and what there was to choose from. */
struct step {
    uint64_t enabled, spurious; /* bits: the threads that could go on */
    uint64_t key;               /* of all that follows; 0: none */
    uint32_t state;             /* see places.c */
    uint8_t choice, usual;      /* usual: if not prescribed */
    int8_t stay;                /* the thread that others preempt, -1: none */
    uint8_t cost;               /* preemptions before this step */
};

/* A place that threads share. */
struct learned {
    uintptr_t at, size;
    bool sync;
    int level;
};

struct shared {
    /* To the child. */
    int ngiven, bound, search, pause_at; /* a step, -1: none */
    bool reduce, quiet; /* quiet: what is printed in which order is no matter */
    bool shown, debugger; /* shown: this run makes a table */
    int uses_learned;     /* so many of what was learned are places to choose */
    /* From the child. */
    int nsteps, nthreads, cost; /* cost: preemptions in all */
    int running, running_tid;   /* who ended the run, */
    void *pc;                   /* and how far it had got */
    enum fault fault;
    char text[MOST_TEXT]; /* of the fault */
    char race[MOST_TEXT]; /* the first data race, in words */
    int status, ender;    /* the program's exit status, and who ended it */
    long kept;            /* bytes of its output, -1: all */
    int lost_by;          /* who was to print more then, -1: nobody */
    int used;             /* of the table: what was done, who waits */
    int situation;        /* where in the table begins what the player sees */
    char table[MOST_TABLE];
    struct step steps[MOST_STEPS];
    struct given given[MOST_STEPS];
    /* For the runs to come. news: there are more places to choose at. */
    bool news;
    int nlearned;
    struct learned learned[MOST_LEARNED];
    uint64_t *seen; /* keys, MOST_STATES of them; the parent's, children read */
};

extern struct shared *sh;

/* The name in REPLAY and reports: main, A to Z without M, AA, AB, ... It lives
   until the eighth next call. */
const char *thread_name(int thread);
int cost_of(const struct step *, int choice); /* in preemptions */
void memory_reserve(void); /* in the parent: addresses for all runs to come */
/* In the child: runs the program from its main(), never comes back. */
_Noreturn void run_begin(int argc, char *argv[]);

#endif
