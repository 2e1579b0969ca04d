/*
 * trace.h - pictures as a trace that Perfetto and chrome://tracing open
 */
#ifndef TRACE_H
#define TRACE_H

#include "pictures/lanes.h"

#include <stdbool.h>

/* Writes the pictures in the Trace Event Format: a process for a program, a
 * thread for a lane, times in us. A piece of work is a complete event (X) whose
 * args have its last line and its shares; any other line is an instant (i) of
 * its lane, or of thread 0 if it has none; CPUs busy is a counter (C). Returns
 * false, with errno set, if the file cannot be written. */
bool trace_write(const char *path, const struct picture *, size_t count);

#endif
