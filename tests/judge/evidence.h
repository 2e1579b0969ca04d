/*
 * evidence.h - what every judge of a run asks first, and the sites beside it
 */
#ifndef EVIDENCE_H
#define EVIDENCE_H

#include "judge/verdict.h"
#include "run/program.h"
#include "sites/sites.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The first thing every judge asks: did the run end by itself, with this exit
 * status, with no sanitizer's report, and did it leave nothing behind? If not,
 * the sentence is in the verdict.
 */
void judge_end(const struct run *, int status, struct verdict *);

/*
 * Starts practice sites and writes their URL, "http://127.0.0.1:PORT", into
 * base, of size bytes. Ends this process by errx() if they cannot start.
 * sites_stop() ends them.
 */
struct sites *start_sites(
    const struct sites_options *, char *base, size_t size);

/* For .outside of a program that talks to the sites, which are its .arg: what
 * they will do. */
enum outside sites_will(void *sites);

/* A program that tells a story with a tool. */
struct lesson {
    const char *tool; /* "02-threads": what is expected depends on it */
    const char *path; /* of the program */
    /* Runs it; default: program_run(). */
    void (*run)(const struct program *, struct run *, void *arg);
    void *arg;
};

/* What the judges run the program by. */
void lesson_run(const struct lesson *, const struct program *, struct run *);

#endif
