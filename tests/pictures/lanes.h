/*
 * lanes.h - a recorded run as lanes: what was under way when, and how
 *
 * A lane is who or what a piece of work belongs to (judge/events.h). Within a
 * piece only shares are known: how long its thread computed, how long it was
 * ready and had no CPU; the rest it was asleep in the kernel. Where a thread
 * has pieces of several lanes under way at once, as an event loop has, its
 * clocks say nothing about one of them: then the thread has a lane of its own,
 * with its shares from line to line, and the pieces are of unknown kind.
 */
#ifndef LANES_H
#define LANES_H

#include "pictures/recording.h"

enum share { COMPUTING, READY, WAITING, SHARES };

struct piece_of_work {
    int64_t from_ns, to_ns;
    bool known; /* whether the shares are: they fill it */
    int64_t share_ns[SHARES];
    const char *begin, *end; /* the lines without the lane; the run's own. NULL:
                                none, or never ended */
    pid_t tid;               /* of the thread that began it; 0: not known */
};

struct lane {
    char *name;  /* in characters that any terminal and any XML can show */
    bool thread; /* the lane of a thread that several lanes share */
    struct piece_of_work *pieces; /* in the order of their beginnings */
    size_t count;
};

/* CPU time that was used within a stretch of time, spread evenly over it. */
struct used {
    int64_t from_ns, to_ns, cpu_ns;
};

struct picture {
    char *title;
    const struct recording *recording;
    int64_t end_ns;
    struct lane *lanes; /* in the order of their beginnings */
    size_t count;
    struct used *used; /* none if it is not known */
    size_t used_count;
};

/* Fills the picture, which picture_free() gives back. The recording stays the
 * caller's and must live as long. Titles and names are copied. */
void picture_make(
    const char *title, const struct recording *, struct picture *);
void picture_free(struct picture *);

/* A copy in which what is not a printable character of UTF-8 is '?'; the
 * caller frees it. */
char *printable(const char *text, size_t length);

/* How many CPUs were busy on average in each of `count` equal parts of the
 * time from 0 to `until_ns`. */
void picture_cpus(
    const struct picture *, int64_t until_ns, size_t count, double *cpus);

/* The same of the lanes from `first` to before `last`: how many were under
 * way. */
void picture_under_way(const struct picture *, size_t first, size_t last,
    int64_t until_ns, size_t count, double *lanes);

#endif
