/*
 * websites.h - practice sites for a program that downloads
 *
 * In virtual time they hold every answer, and let it go when the clock has
 * moved by the latency: a download takes exactly as long as it should.
 */
#ifndef WEBSITES_H
#define WEBSITES_H

#include "run/program.h"

struct websites;

/* Whether the program is download and its arguments name no site. */
bool websites_wanted(const char *const *argv);

/* Starts practice sites for a run of the program and adds their URLs to argv,
 * which must have room for 4 more entries. Ends this process by errx() if they
 * cannot start. */
struct websites *websites_open(struct program *, const char **argv_end);

/* Stops them; NULL is allowed. */
void websites_close(struct websites *);

#endif
