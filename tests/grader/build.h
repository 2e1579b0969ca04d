/*
 * build.h - builds what was submitted, as the kit does or in a check's own way
 *
 * A path that these return lives until the next call, the file as long as the
 * grading.
 */
#ifndef BUILD_H
#define BUILD_H

#include "grader/check.h"

/* Builds g->binary as the kit does. When that fails, the compiler's words are
 * in the verdict. */
void grade_build_usual(struct grading *, struct finding *);

/*
 * Builds the submitted source once more with these flags instead of the usual
 * optimisation, e.g. "-g -fsanitize=thread". Returns the binary's path, or NULL
 * with the compiler's words in the verdict.
 */
const char *grade_build(struct grading *, const char *flags, struct finding *);

/*
 * Builds it for every order of its threads (explore.sh). grade_run() with this
 * path runs it so, with BOUND and OUTCOMES in the environment (never those of
 * the submission's header), and leaves in the run's lines what explore reports
 * and nothing that the program itself may have written.
 */
const char *grade_build_explore(struct grading *, struct finding *);

/* Does the program call one of these functions? By the undefined symbols of
 * its object, not by words of its source. The last name is NULL. */
bool calls(struct grading *, const char *const *names);

#endif
