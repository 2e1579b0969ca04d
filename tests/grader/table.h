/*
 * table.h - what the grader says on the terminal
 */
#ifndef TABLE_H
#define TABLE_H

#include "grader/report.h"

/* A row for a check, with its feedback where points were lost. */
void table_result(const struct report *, const struct result *);

/* One row for all checks of an exercise, which ended alike. */
void table_alike(const struct report *, const struct exercise *);

/* For programs: a line a check: name, outcome, finding, with a tab between. */
void table_lines(const struct report *);

/* How far it is, on stderr where that is a terminal. */
void table_progress(const struct report *);
void table_clear_progress(void);

#endif
