/*
 * page.h - the demo as one page: its table, its timelines, its speedups
 */
#ifndef PAGE_H
#define PAGE_H

#include "pictures/lanes.h"

#include <stdbool.h>
#include <stddef.h>

/* A program of a story: what it took, and what it could have taken. */
struct row {
    const char *tool;
    long workers;
    double time_s, ideal_s, speedup;
    double cpus;   /* busy on average, by the program, */
    double others; /* and by all other processes of the machine */
    bool good;     /* it did its work; else only the tool and the note count */
    char note[200];
    struct recording recording;
    struct picture picture; /* without lanes if there is none */
};

struct page_story {
    const char *name, *work;
    struct row *rows;
    size_t count;
};

/* Of the possible, in percent. */
double row_percent(const struct row *);

/* Writes the page, which needs nothing else to be seen. Returns false, with
 * errno set, if it cannot be written. */
bool page_write(
    const char *path, const struct page_story *, size_t count, long cpus);

#endif
