/*
 * check.h - what a check is: it decides one thing about one submitted program
 *
 * A check runs the program as often as it likes (trial.h), built as it likes
 * (build.h), and tells the first fault it finds as one sentence.
 */
#ifndef CHECK_H
#define CHECK_H

#include "judge/verdict.h"

#include <stdbool.h>

/* One submitted program. The strings are the grader's. */
struct grading {
    const char *path;          /* "02-threads/exercise_tables" */
    const char *source;        /* the submitted file, a copy of our own */
    const char *binary;        /* built from it with the kit's flags */
    const struct check *check; /* the one that runs */
    unsigned long seed;        /* of this submission's random inputs */
    unsigned long random;      /* the state of grade_random() */
};

/* What a check found. Zero before the check runs. Of the run that showed the
 * fault grade_run() keeps the rest. */
struct finding {
    struct verdict verdict; /* "what was seen; expected: what"; or empty */
    double share;           /* of the points if the verdict is not empty: 0 */
    char skipped[512];      /* why it could not be measured, or empty */
    char command[2048];     /* what was run, for a shell */
    char flags[300];        /* it was built with, if in a way of its own */
    char where[400];        /* what else was special, by grade_where() */
    bool where_is_new;      /* it is of the run that comes next */
    char said[1200];        /* what the system said, on stderr */
    char picture[4096];     /* its lanes, or a schedule */
    char thing[64];         /* what the threads have in common: "next" */
};

struct check {
    const char *name;  /* unique in its exercise; mutants name it */
    const char *kind;  /* build, output, tool, robust, clean */
    int points;        /* full marks */
    const char *needs; /* the name of a check that must have passed, or NULL */
    const char *cause; /* the usual cause, in one sentence */
    const char *read;  /* where to read: "02-threads/README.md" */
    void (*judge)(struct grading *, struct finding *);
    bool slow; /* left for the end, and out of a quick look */
};

struct exercise {
    const char *path;
    const struct check *checks; /* ends with a NULL name */
};

/* Every exercise, and every lesson that a submission may replace; each ends
 * with a NULL path. main() has the one it is linked with, and passes it on. */
struct course {
    const struct exercise *exercises, *lessons;
    /* Faults when nothing of the exercise has been begun, and says what is to
     * be written first; NULL: nobody asks. */
    void (*begun)(struct grading *, struct finding *);
};
extern const struct course course;

/* The exercise or lesson of this path, or NULL. */
const struct exercise *exercise_find(const struct course *, const char *path);

/* The exercise's check of this name, or NULL. */
const struct check *check_find(const struct exercise *, const char *name);

#endif
