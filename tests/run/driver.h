/*
 * driver.h - one run under way: private to run/
 *
 * DESIGN. One loop (watch.c) reads the program's pipes and looks at its tree
 * in /proc until the program has ended or the harness has decided. Each file
 * uses only those above it: proc, output, tree, blocked, watch and start,
 * program.
 */
#ifndef DRIVER_H
#define DRIVER_H

#include "run/clock.h"
#include "run/proc.h"
#include "run/program.h"

#define MS INT64_C(1000000)

struct stream {
    int fd; /* -1 at end of file */
    char *text;
    size_t length, cap, line_start;
    bool flooded;
};

struct task {
    pid_t pid, tid;
    pid_t inner_pid, inner_tid; /* as it sees itself */
    char state;
    bool own;          /* a thread of the harness */
    bool shielded;     /* blocks every signal */
    bool helper;       /* of a sanitizer runtime, not of the program */
    uint64_t waits;    /* how often it stopped running to wait, */
    uint64_t switches; /* or was made to stop as well */
    int64_t ran_ns;    /* CPU time, of a task ready to run; else 0 */
    long call;         /* below 0: not in a system call, or not known */
    unsigned long args[6];
};

/* One look at the tree. */
struct look {
    struct task *tasks;
    size_t count;
    struct pids pids;
    bool still; /* all were asleep and could be read */
    int alive, zombies, processes;
    bool ready; /* one wants a CPU that was there in the look before as well */
    int64_t cpu_ms;
    long memory_kib;
};

struct driver {
    const struct program *program;
    struct run *run;
    pid_t pid; /* 0 once it is reaped */
    int pidfd;
    pid_t launcher;   /* in a box: the parent of the program; .pid is then the
                       outermost wrapper, .pidfd the launcher's reports */
    bool dismantling; /* the wrappers are to be seen, and killed, as well */
    struct stream out, err;
    struct clock clock;
    int64_t start, last, spent; /* .spent counts towards the deadline */
    int64_t budget;             /* for .spent, of all runs to come */
    int64_t cpu_last;           /* the tree's CPU time at the last turn */
    int64_t own_last;           /* and ours */
    size_t most_pids, seen;     /* processes in one look, and in all of them */
    struct pids known;          /* those of the last look */
    struct pids before; /* the harness's children that are not of the tree */
    struct look first, second, since;
    bool decided;
    int deadlocks; /* quiet moments in a row with nobody to wake anyone */
    int64_t cpu_base, looks_base, idles_base; /* when last not stuck */
};

/* ---------- output.c: what it prints, and what is decided ---------- */

int64_t real_now(void); /* ns, monotonic */

/* Room for one more element of this size in an array of count: call it before
 * each. Returns the array, which may have moved. */
void *grow(void *array, size_t count, size_t size);

/* The time of what happens now, in ns: virtual, or since the start. */
int64_t stamp(const struct driver *);

/* Keeps the first decision. The sentence goes to run->why. */
__attribute__((format(printf, 4, 5))) void decide(
    struct driver *, enum program_end, int code, const char *format, ...);

/* Reads all there is now. True when there was any. */
bool drain(struct driver *);

/* Decides that a stream has gone over its cap, if one has. */
void decide_flood(struct driver *);

/* To be called last: a line without its newline, and stderr. */
void end_output(struct driver *);

/* ---------- tree.c: a look at the process tree ---------- */

/* Adds the children that are of the tree. */
void tree_children(const struct driver *, pid_t pid, pid_t tid, struct pids *);

/* The children that are there before the run. */
void note_before(struct driver *);

void take_look(struct driver *, struct look *);

/* Whether nothing of the tree runs, or can run: looks twice. */
bool is_quiet(struct driver *);

/* After a look that was not still: how many tasks computed at the same moment,
 * since an earlier look that is kept for as long as two of them may have. */
void note_parallel(struct driver *);

/* What the program's outside will do. */
enum outside outside(const struct driver *);

/* Waits so many ns until a pipe or the program's end has something for us. */
bool wait_for(const struct driver *, int64_t ns);

/* Root without CAP_SYS_PTRACE, as in most containers, may look closely only at
 * processes of the user it acts as: begins, or ends, to do so. */
void look_as_user(const struct driver *, bool begin);

/* ---------- blocked.c: in which call a task waits ---------- */

/* The call from which the task will wake by itself in real time, or NULL. */
const char *real_sleep(const struct driver *, const struct task *);

/* The real timer that may wake the process, or NULL. */
const char *real_timer(const struct driver *, pid_t);

/* Writes the call that it sleeps in: "futex (a lock, ...)", "read of pipe". */
void describe_task(const struct task *, char *buf, size_t size);

/* ---------- watch.c, start.c ---------- */

/* Until it is decided how the run ends. */
void watch(struct driver *);

/* Starts the program with this environment, or decides why it cannot be. */
void start(struct driver *, const char *const *env);

/* The environment: ours, the run's own, the clock's; what comes later
 * replaces. The array is to be freed, the strings are not. */
const char **make_environment(const struct program *, const char *const *clock);

/* Writes the path of the shim, as the program sees it. */
void find_shim(const struct program *, char *path, size_t size);

#endif
