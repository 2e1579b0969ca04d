/*
 * hidden.h - checks and weights from a file of the instructor's own
 *
 * The file is read before anything is run and never enters the sandbox. See
 * tests/grader/README.md for its form.
 */
#ifndef HIDDEN_H
#define HIDDEN_H

#include "grader/check.h"

#include <stddef.h>

/* Reads a file about these exercises. Ends this process by errx(), naming the
 * line, if it is not right. */
void hidden_read(const char *path, const struct course *);

/* The points of a check of this exercise, as weighed there. */
double hidden_points(const char *exercise, const struct check *);

/* The n-th check (from 0) that the file adds to this exercise, or NULL. */
const struct check *hidden_check(const char *exercise, size_t n);

#endif
