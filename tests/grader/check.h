/*
 * grade.h - what a check is, and what it may ask of the grader
 *
 * A check decides one thing about one submitted program, from evidence. It
 * runs the program by grade_run(), in the sandbox, as often as it likes, and
 * tells the first fault it finds as one sentence.
 */
#ifndef GRADE_H
#define GRADE_H

#include "judge/events.h"
#include "run/program.h"

#include <stdbool.h>

/* One submitted program. The strings are the grader's. */
struct grading {
    const char *path;     /* "02-threads/exercise_tables" */
    const char *source;   /* the submitted file, a copy of the grader's own */
    const char *binary;   /* built from it with the kit's flags */
    unsigned long seed;   /* of this submission's random inputs */
    unsigned long random; /* the state of grade_random() */
};

/* What a check found. Zero, with .share 1, before the check runs. */
struct finding {
    struct verdict verdict; /* "what was seen; expected: what"; or empty */
    double share;           /* of the points if the verdict is not empty: 0 */
    char skipped[512];      /* why it could not be measured, or empty */
    char command[1024];     /* repeats the last run; by grade_run() */
    char timeline[2048];    /* its lanes; by grade_run() */
};

struct check {
    const char *name;  /* unique in its exercise; mutants name it */
    const char *kind;  /* build, correct, concurrent, limits, clean, input */
    int points;        /* full marks */
    const char *needs; /* the name of a check that must have passed, or NULL */
    const char *cause; /* the usual cause, in one sentence */
    const char *read;  /* where to read: "02-threads/README.md" */
    void (*judge)(struct grading *, struct finding *);
};

struct exercise {
    const char *path;
    const struct check *checks; /* ends with a NULL name */
};

/* Every exercise, and every lesson that a submission may replace; each ends
 * with a NULL path. */
extern const struct exercise exercises[], lessons[];

/*
 * program_run() in the sandbox: argv[0] is replaced by the program under test.
 * Keeps the command and the timeline for the feedback. The caller calls
 * run_free().
 */
void grade_run(
    struct grading *, struct program *, struct run *, struct finding *);

/* A number from low to high, both included, the same for the same seed. */
long grade_random(struct grading *, long low, long high);

/*
 * Builds the submitted source once more with these flags instead of the usual
 * optimisation, e.g. "-g -fsanitize=thread". Returns the binary's path, which
 * lives as long as the grading, or NULL with the compiler's words in the
 * verdict.
 */
const char *grade_build(struct grading *, const char *flags, struct finding *);

/*
 * Builds it for every order of its threads (explore.sh). grade_run() with this
 * path runs it so, with BOUND and OUTCOMES in the environment (never those of
 * the submission's header), and leaves in the run's lines what explore reports
 * and nothing that the program itself may have written.
 */
const char *grade_build_explore(struct grading *, struct finding *);

#endif
