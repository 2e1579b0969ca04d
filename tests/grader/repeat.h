/*
 * repeat.h - what whoever reads a finding needs to see it again
 */
#ifndef REPEAT_H
#define REPEAT_H

#include "grader/check.h"
#include "run/program.h"

#include <stddef.h>

/* The command of the run, for a shell at the top of the kit: how it is built,
 * with these flags besides or "", its limits, environment, words and where its
 * output went; for one that was explored, make explore. A site is that of "make
 * sites". Cut off with "..." where it does not fit. */
void repeat_command(const struct grading *, const struct program *,
    bool explored, const char *flags, char *buf, size_t size);

/* What it has on stderr: a sanitizer's report from its beginning, else the last
 * lines. */
void repeat_words(const struct run *, char *buf, size_t size);

/* The first schedule that explore says goes wrong: its steps, who waits for
 * whom, and the REPLAY line. */
void repeat_schedule(const struct run *, char *buf, size_t size);

#endif
