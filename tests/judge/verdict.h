/*
 * verdict.h - what a judge says of a run
 */
#ifndef VERDICT_H
#define VERDICT_H

/* What sort of fault was seen: the grader has the usual cause of each. */
enum fault {
    FAULT_OWN,  /* just what this judge is there to find */
    FAULT_NONE, /* no usual cause is known */
    FAULT_COMPILE,
    FAULT_WARNING,
    FAULT_LINK,
    FAULT_EXIT,           /* another exit status */
    FAULT_SIGNAL,         /* killed by a signal */
    FAULT_ABORT,          /* abort(): glibc or an assertion found a fault */
    FAULT_SEGV,           /* an access outside all memory */
    FAULT_SIGPIPE,        /* wrote where nobody reads */
    FAULT_TIMEOUT,        /* still running */
    FAULT_FLOOD,          /* printed without end */
    FAULT_GREEDY,         /* memory, processes or files without end */
    FAULT_TOO_MANY,       /* more threads or processes than there may be */
    FAULT_BUSY_WAIT,      /* computes while it waits */
    FAULT_POLL,           /* wakes again and again to look */
    FAULT_DEADLOCK,       /* all wait, in a way not named here: */
    FAULT_DEADLOCK_FUTEX, /* for a lock, a condition or a thread's end */
    FAULT_DEADLOCK_READ,  /* for data, or the end of it */
    FAULT_DEADLOCK_CHILD, /* for a child's end */
    FAULT_DEADLOCK_QUEUE, /* for a message, or room for one */
    FAULT_LOCK_ORDER,     /* two wait for each other's lock */
    FAULT_LOCK_KEPT,      /* waits for a lock that is not given back */
    FAULT_LOST_WAKEUP,    /* waits for a signal that has been given */
    FAULT_LEFT_PROCESS,
    FAULT_LEFT_ZOMBIE,
    FAULT_LEFT_OBJECT, /* shared memory, a queue, a semaphore */
    FAULT_LEFT_OPEN,   /* descriptors */
    FAULT_NEWLINE,     /* the last line is not ended */
    FAULT_TWICE,       /* a line came twice */
    FAULT_TAKEN_TWICE, /* two threads did the same piece */
    FAULT_LINE,        /* a line is missing, or is another one */
    FAULT_NUMBER,      /* a line has another number */
    FAULT_NO_LINES,    /* nothing was printed at all */
    FAULT_NOT_BEGUN,   /* nobody did this piece at all */
    FAULT_NOT_ENDED,   /* it was gone before its work was done */
    FAULT_IN_TURN,     /* one after the other, where more are asked for */
    FAULT_EACH_ONE,    /* more at once than asked for */
    FAULT_SPARE,       /* more threads than there is work for */
    FAULT_ORDER,       /* lines in another order */
    FAULT_PAST_CLOCK,  /* sleeps by a way that the clock does not see */
    FAULT_RACE,
    FAULT_BETWEEN,  /* no race, but one came in between */
    FAULT_GONE,     /* a thread uses what another has freed */
    FAULT_LOCK_USE, /* unlocked twice, destroyed while locked ... */
    FAULT_MEMORY,   /* an access outside an object, or after free() */
    FAULT_LEAK,
    FAULT_OVERFLOW,
    FAULT_UNDEFINED, /* other undefined behaviour */
    FAULT_WOKEN,     /* a wait that ends for nothing is taken for a signal */
    FAULT_INPUT,     /* bad input is not refused as asked */
    FAULT_ERRNO,     /* the reason that is told is no reason */
    FAULT_UNWRITTEN, /* nobody looked whether printing worked */
    FAULTS
};

/* Empty text: nothing wrong. */
struct verdict {
    char text[1024];
    enum fault fault;
};

/* Keeps the sentence, unless one is there already: the first fault counts. The
 * fault is FAULT_OWN. */
__attribute__((format(printf, 2, 3))) void verdict_fail(
    struct verdict *, const char *format, ...);

/* The same for a fault of another sort. */
__attribute__((format(printf, 3, 4))) void verdict_fault(
    struct verdict *, enum fault, const char *format, ...);

#endif
