/*
 * program.h - run a program under test and gather the evidence
 *
 * program_run starts one program, waits for its end and kills whatever is
 * left of it. One run at a time in a process. The program is always a separate
 * process in a group of its own; the tree under test is every descendant of
 * the harness that was not its child before the run began, whatever group,
 * session or parent it has since.
 *
 * Quiet: nothing of the tree, and no other thread of the harness, runs or can
 * run until something from outside, or the clock, wakes it. It is proved from
 * /proc, never assumed after a delay (see tree.c), so a busy machine delays
 * a verdict and never changes it.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* A line of stdout without its newline; a NUL byte in it shows as '?'. */
struct line {
    int64_t at_ns; /* when it was written by virtual time; else when it was
                      read, since the start */
    char *text;
};

struct limit {
    int resource; /* RLIMIT_... */
    rlim_t value; /* both limits are set to it */
};

/* The moment at which every task is asleep, shown to at_quiet. */
struct quiet {
    int64_t now_ns;           /* virtual time; else time since the start */
    const pid_t *pids;        /* every process of the tree, zombies too, */
    size_t processes;         /* pids[0] is the program itself */
    const struct line *lines; /* what it has printed so far */
    size_t count;
    const char *past_clock; /* as in struct run, so far */
};

/* What someone outside the tree, such as the practice sites, will do. */
enum outside {
    OUTSIDE_IDLE,  /* nothing: the tree is on its own */
    OUTSIDE_BUSY,  /* act by itself in real time: there is no quiet before */
    OUTSIDE_HOLDS, /* hold something the tree waits for until at_quiet */
};

struct program;

/* A place where a program is run instead of as it is: a sandbox fills it. In
 * it a launcher (launcher.h) starts the program and reports how it ended. */
struct box {
    /* The words of a command that runs the program there, and a NULL; each and
     * the array are malloc()ed. clock_env: more variables of the program, ends
     * with NULL. The descriptors stay open in it; clock_fd may be -1. */
    char **(*command)(const struct program *, const char *const *clock_env,
        int report_fd, int clock_fd);
    const char *shim; /* the path of clock_shim.so, as the program sees it */
    int depth;        /* processes between us and the program: 1 or 2 */
    uid_t uid;        /* the user it runs as; 0: as we */
    /* Writes what it has left in shared memory and message queues, by name,
     * into buf, of size bytes; the launcher still waits. */
    void (*left)(pid_t launcher, char *buf, size_t size);
    bool (*overfull)(void);       /* has it written more than it may? */
    void (*kill)(pid_t launcher); /* and all that can be reached at once */
    void (*clean)(void);          /* removes what can outlive a run */
};

/* What to run. Zero means the default everywhere. */
struct program {
    const struct box *box;      /* where; default: as is */
    const char *const *argv;    /* argv[0] is a path; ends with NULL */
    const char *const *env;     /* more "NAME=value"; ends with NULL */
    const struct limit *limits; /* set before the program starts */
    size_t limit_count;
    uid_t uid;               /* run as this user; needs root. 0: as is */
    int64_t deadline_ms;     /* a safety net only: 60 s of real time, in which
                                it was not kept from the CPU by others */
    int64_t busy_cpu_ms;     /* CPU time that proves a busy wait: 1 s */
    size_t output_bytes;     /* cap on stdout and on stderr each: 1 MiB */
    long memory_kib;         /* cap on the memory of all processes: none */
    bool forks;              /* in a box: any number of processes, one after
                                another */
    bool virtual_time;       /* needs clock_shim.so beside the harness */
    int cpu_permille;        /* in virtual time: the CPU time that the program
                                is shown, as a share of the time passed; 0:
                                what it has used */
    const char *stdin_path;  /* default: /dev/null */
    const char *stdout_path; /* e.g. /dev/full; default: captured */
    bool stdout_broken;      /* a pipe that nobody reads (EPIPE) */

    /* Called at quiet before the clock is moved. Returns true when it did
     * something (opened a gate, sent a signal): the clock then stays. */
    bool (*at_quiet)(const struct quiet *, void *arg);
    /* Called often. Default: OUTSIDE_IDLE. */
    enum outside (*outside)(void *arg);
    /* For at_quiet in virtual time: when it wants to be called at the latest,
     * -1: whenever. The clock stops there, though no task wakes then. */
    int64_t (*due)(void *arg);
    void *arg;
};

enum program_end {
    EXITED,    /* by itself: .code is the exit status */
    SIGNALLED, /* killed by the signal .code, which the harness did not send */
    NOT_STARTED, /* .code is the errno */
    TIMED_OUT,   /* still running at the real deadline */
    FLOODED,     /* printed more than the cap */
    GREEDY,      /* used more memory, files or processes than it may */
    DEADLOCK,    /* asleep, and nobody to wake it: .why says where */
    BUSY_WAIT,   /* runs without end while the clock cannot move: .why */
    INTERRUPTED  /* the harness itself got the signal .code */
};

/* What happened. */
struct run {
    enum program_end end;
    int code;
    char why[600];

    struct line *lines; /* stdout */
    size_t count;
    bool unfinished; /* the last line had no newline */
    char *err_text;  /* stderr, never NULL */

    int64_t virtual_ns; /* where the clock stood at the end; 0 without it */
    int64_t wall_ns;    /* real time from start to end */
    int64_t cpu_ns;     /* of the program and the children it waited for */
    long peak_kib;      /* most memory of one process (VmHWM), as seen */

    /* Seen alive at once, in any look at the tree: never more than there
     * were. Exact where each lives until a quiet moment. Helper threads and
     * processes of a sanitizer runtime are not counted. */
    int most_tasks; /* threads of all processes */
    int most_processes;
    int most_zombies; /* at a quiet moment */
    /* Had work at the same moment, as seen: tasks that computed, and did not
     * wait, through the same stretch of time. It says what could run in
     * parallel, on however many CPUs the machine had to give just then. Tasks
     * that confine themselves to fewer CPUs than the harness has count as so
     * many. */
    int most_parallel;

    /* By the shim; 0 without virtual time. */
    int64_t sleeps;         /* calls that only sleep */
    int64_t looks;          /* readings of a clock */
    const char *past_clock; /* the call by which it waited past the virtual
                               clock, whose times then mean nothing; or NULL */
    bool clock_changed;     /* it wrote into the clock that it is shown */

    int left_behind;        /* descendants when the program had ended */
    char left_names[200];   /* e.g. "sleep (pid 12), job (pid 13, not waited
                             for)"; all of them were killed */
    char left_objects[200]; /* in a box: shared memory and queues */
};

/* Runs the program to its end and fills *run, which run_free gives back.
 * Ends this process by err() only when the harness itself cannot work.
 * While it runs, SIGINT, SIGTERM, SIGHUP and SIGALRM end it as INTERRUPTED. */
void program_run(const struct program *, struct run *);
void run_free(struct run *);

/* From now on all runs together have so much time, counted as for a deadline;
 * then each is TIMED_OUT. */
void program_budget(int64_t ms);

/* Has a run TIMED_OUT since then, here or in a process forked from this? */
bool program_timed_out(void);

/* The signal that ended the last run as INTERRUPTED, else 0: who ran the
 * program should stop as well. */
int program_interrupted(void);

/* Writes how the run ended, such as "was killed by signal 11 (Segmentation
 * fault)", and returns buf. Where the program left something behind, that is
 * said too. A sentence without its subject and its full stop. */
const char *run_describe(const struct run *, char *buf, size_t size);

#endif
