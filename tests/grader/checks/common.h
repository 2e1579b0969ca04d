/*
 * check_common.h - what the checks of many exercises share
 *
 * A check is a judge: it runs the submitted program with inputs from
 * grade_random() and leaves the first fault it finds in the verdict, as "what
 * was seen; expected: what". Most functions here do nothing once a fault is
 * there.
 */
#ifndef CHECK_COMMON_H
#define CHECK_COMMON_H

#include "grader/build.h"
#include "grader/trial.h"
#include "judge/events.h"
#include "run/proc.h"
#include "sites/sites.h"

enum { MOST_WORDS = 40, WORD_BYTES = 64, NAME_BYTES = 9, MOST_EXPECTED = 200 };

#define MS INT64_C(1000000)
#define SECOND (1000 * MS)

/* The words of a command line; .argv[0] stands for the program under test. */
struct words {
    const char *argv[MOST_WORDS + 2];
    char text[MOST_WORDS][WORD_BYTES];
    size_t count;
};

__attribute__((format(printf, 2, 3))) void add_word(
    struct words *, const char *format, ...);

/* Lines that a program is expected to print. */
struct expected {
    char *lines[MOST_EXPECTED];
    size_t count;
};

__attribute__((format(printf, 2, 3))) void expect_line(
    struct expected *, const char *format, ...);
void free_expected(struct expected *);

/* Fills names with so many different ones of 3 to 8 capital letters. */
void random_names(struct grading *, char (*names)[NAME_BYTES], size_t count);

/* Faults unless the program ended by itself with this status, left nothing
 * behind, and slept only where the clock sees it. */
void judge_run_end(const struct run *, int status, struct verdict *);

/* judge_run_end(), and the lines of stdout: all of these and no others, each
 * lane in order. */
void judge_lines(
    const struct run *, int status, const struct expected *, struct verdict *);

/* Faults unless stderr has a line that begins and ends so. Other lines may be
 * there. */
void judge_err_line(
    const struct run *, const char *begin, const char *end, struct verdict *);

/* How long it worked by virtual time: from its first line to its end. What it
 * did before is its own affair. */
int64_t work_ns(const struct run *);

/* Faults unless stderr has a line of this form, in which "#.2" stands for that
 * time (or that since its start) in this unit with two digits. */
void judge_summary(
    const struct run *, const char *form, double unit_ns, struct verdict *);

/* The lane's first line that begins work and the line after it in that lane;
 * .end is NULL when there is none. */
struct piece piece_of(const struct run *, const char *lane);

/* Is the lane `name`? */
bool in_lane(const struct line *, const char *name);

/* Compiles with all warnings as errors: the check "build" of every exercise. */
void check_build(struct grading *, struct finding *);

/* A command line that is to be refused: NAME=x, or an option and a value. */
struct refusal {
    const char *option; /* "-w", or NULL: a word */
    const char *value;  /* NULL: the option's argument is missing */
};

/* Faults unless -h works and every one of these (the last has neither) is
 * refused, and numbers that are out of any range for these options. */
void judge_refusals(struct grading *, struct finding *, const char *options,
    const struct refusal *);

/* Runs the program, built once more with a sanitizer, in real time. Faults with
 * its report. Where it cannot work here, f->skipped says so. */
void judge_races(struct grading *, struct finding *, struct program *);
void judge_leaks(struct grading *, struct finding *, struct program *);

/* ---------- check_inject.c: rare things happen ---------- */

/* Does the source hold one of these names? The last is NULL. */
bool uses(const struct grading *, const char *const *names);

/* Builds it once more so that every other wait at a condition variable ends
 * without a signal, and that stdio in a signal handler is told. NULL when it
 * cannot be built so. */
const char *build_injected(struct grading *, struct finding *);

/* Builds it once more with these flags, C11 threads as the POSIX threads that
 * they are in glibc: ThreadSanitizer knows those only, and crashes else. */
const char *build_sanitized(
    struct grading *, const char *flags, struct finding *);

/* Runs it so; faults when a signal handler calls stdio. Does nothing to a
 * program that has no handler. */
void judge_handlers(struct grading *, struct finding *, struct program *);

/* ---------- check_orders.c: every order of the threads ---------- */

/* Explores the program with these words; true when there is a report in *run,
 * which the caller frees. The run time is added to what it prints. */
bool explore(struct grading *, struct finding *, const struct words *,
    const char *bound, struct run *);

/* The outcome in a line of explore's table, or NULL; and how long that run took
 * by explore's clock, as a text that begins with the milliseconds, or NULL. */
const char *outcome_of(const char *line);
const char *explored_time(const struct grading *, const char *outcome);

/* Explores, and judges the lines of every outcome; a deadlock, a crash and any
 * other exit status than 0 are faults. */
void judge_orders(struct grading *, struct finding *, const struct words *,
    const char *bound,
    void (*judge)(const struct line *, size_t, const void *, struct verdict *),
    const void *arg);

/* ---------- What other processes do, as /proc shows it ---------- */

/* A look at the processes of the program under test that have no children. */
struct workers {
    struct pids before; /* children of ours that are not of the program; they
                           last as long as the check's own process */
    int most_ready;     /* of them, could run at the same moment, at most */
    int looks;          /* that found at least one */
    long kill_after_ms; /* of CPU time: then it is killed; 0: never */
    pid_t killed;       /* 0: none */
    long parent_ms;     /* the most CPU time of a process that has children */
    pid_t zombie;       /* not waited for, its parent asleep; 0: none */
    pid_t ended;        /* a zombie as well, since this CPU time of */
    long ended_ms;      /* the busiest */
    pid_t busiest;      /* the one with the most CPU time so far, */
    long busiest_ms;
    int64_t busiest_seen_ns; /* and when it was last seen at work */
    int64_t start_ns;
};

/* A zombie that is there while another process uses so much CPU time. */
enum { ZOMBIE_MS = 100 };

/* Before the run. */
void watch_workers(struct workers *);

/* For .outside, with the workers as .arg. */
enum outside look_at_workers(void *workers);

#endif
