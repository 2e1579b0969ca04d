/*
 * scale.h - an axis of time: round ticks, and how they are written
 */
#ifndef SCALE_H
#define SCALE_H

#include <stddef.h>
#include <stdint.h>

struct scale {
    int64_t tick_ns;
    size_t step;  /* the width of a tick, in the caller's columns */
    size_t width; /* of all the time, in columns; a part of one counts */
};

/* The finest scale on which a tick is 1, 2 or 5 times a power of ten, a whole
 * number of columns wide, and at least `least`, and all the time fits into
 * `room` columns. */
struct scale scale_for(int64_t end_ns, size_t room, size_t least);

/* The column in which this moment lies, rounded to the nearest edge. */
size_t scale_column(const struct scale *, int64_t at_ns);

/* Writes the label of a tick, such as "0.5" or, with its unit, "2 s". The unit
 * is that of the whole axis. Returns buf. */
const char *scale_label(
    int64_t at_ns, int64_t end_ns, int with_unit, char *buf, size_t size);

/* "4.00 s", "31.2 ms": a length of time. Returns buf. */
const char *scale_time(int64_t ns, char *buf, size_t size);

#endif
