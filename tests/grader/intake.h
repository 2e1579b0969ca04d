/*
 * intake.h - takes a submission in
 *
 * The grader works on copies of its own in one work directory, which goes with
 * submission_close(). Nothing of the submission is ever written to.
 */
#ifndef INTAKE_H
#define INTAKE_H

#include "grader/check.h"

#include <stdbool.h>
#include <stddef.h>

struct submission {
    int dir;  /* the submission, or -1 */
    int lock; /* of the work directory: kept as long as somebody works there */
    char work[64];
};

/* Opens the directory and makes a work directory. Returns NULL, or why the
 * submission cannot be graded at all. */
const char *submission_open(struct submission *, const char *path);
void submission_close(struct submission *);

/*
 * Copies one exercise's source. Returns 1 when it is there, 0 when it was not
 * handed in, and -1, with the reason in the verdict, when it is there and is
 * not fit for grading. Fills g->source and g->binary, which submission_free()
 * gives back.
 */
int submission_take(const struct submission *, const char *path,
    struct grading *g, struct verdict *);
void submission_free(struct grading *);

/* Does it hold this file, other than the kit has it? */
bool submission_replaces(const struct submission *, const char *path);

#endif
