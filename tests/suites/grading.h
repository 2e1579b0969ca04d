/*
 * grading.h - the grader as the program under test, for its suites
 *
 * What runs is grade_probe, whose exercises are those of grader/probe/probe.c.
 * The submission is grader/probe/attack.c with the attack written on top.
 */
#ifndef GRADING_H
#define GRADING_H

#include "suites/suite.h"

#include <stddef.h>

/* A directory of this test: the submission, the reports, the work directory. */
struct place {
    char root[64], submission[128], reports[96], tmp[96], source[256];
};

/* Makes one; the submission is an empty directory of this name. */
void open_place(struct place *, const char *name);
void close_place(struct place *);

/* Makes the folder of the one exercise. */
void make_folder(const struct place *);

/* Hands in attack.c, with this attack; it may ask for a server at this port. */
void hand_in(const struct place *, const char *attack, int port);

/* Hands in this text. */
void write_source(const struct place *, const char *text);

/* Expects that both reports are there and whole. Returns the score, and how
 * many tests they have. */
double read_reports(const struct place *, size_t *tests);

/*
 * Runs the grader with this sandbox; all it printed is in text. Expects this
 * exit status, these words, and nothing left behind. Returns the score.
 */
double grade(const struct place *, const char *level, int status,
    const char *words, char *text, size_t size);

/* The same at the best level, then closes the place. */
double grade_and_close(struct place *, int status, const char *words);

/* The levels that keep a submission from the grader; NULL ends them. Is this
 * one to be had here? The grader says what it took. */
extern const char *const levels[];
bool has_level(const char *level);

/* The best of them; NULL, and the test is skipped, where there is none. */
const char *best_level(void);

#endif
