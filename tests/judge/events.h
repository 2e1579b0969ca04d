/*
 * events.h - reads the event lines of a program: order, overlap, durations
 *
 * An event line is "LANE: text". One that ends in " ..." begins a piece of
 * work in its lane; the lane's next line ends it. Lines of any other form are
 * not events and belong to no lane; events_compare compares them all the same.
 *
 * All lines come from program.h and stay the run's: nothing here copies or
 * frees them. Faults are told as a sentence in a verdict; where several are
 * there, the one told depends on the lines alone, not on their luck.
 */
#ifndef EVENTS_H
#define EVENTS_H

#include "judge/verdict.h"
#include "run/program.h"

#include <stddef.h>
#include <stdint.h>

/* A piece of work: `end` is NULL when it was never ended. */
struct piece {
    const struct line *begin, *end;
};

/* The length of the line's lane in bytes, 0 when it is no event. */
size_t events_lane(const char *text);

/* Finds the pieces of work, in the order they began; the caller frees them. */
struct piece *events_pieces(const struct line *, size_t count, size_t *found);

/* The most lanes at work at once, by the order of the lines alone: what the
 * program showed of its concurrency. 1 is sequential, 0 no work at all. */
size_t events_overlap(const struct line *, size_t count);

/* Which sort of fault it is that the lines are not these: one came twice, a
 * piece of work was not ended or not begun, or another line is there. */
enum fault events_sort(const struct line *, size_t count,
    const char *const *expected, size_t expected_count);

/* Fails with the first of: a line that is not expected, that came too often,
 * that is missing; a lane whose lines do not come in the order of `expected`.
 * Order between lanes is free. */
void events_compare(const struct line *, size_t count,
    const char *const *expected, size_t expected_count, struct verdict *);

/* Fails unless every piece whose first line contains `what` was ended and
 * lasted exactly `ns`, and at least one is there. For virtual time. */
void events_last(const struct line *, size_t count, const char *what,
    int64_t ns, struct verdict *);

/* Draws a row a lane that works, '.' from the line that begins its work to the
 * one that ends it (in virtual time work is waiting), at most 60 columns wide
 * and 12 rows, from time 0 to the last line. Returns buf, which it ends with a
 * newline. */
const char *events_timeline(
    const struct line *, size_t count, char *buf, size_t size);

#endif
