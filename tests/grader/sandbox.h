/*
 * sandbox.h - where a submission is built and run
 *
 * Three levels, the first that works here is taken: bubblewrap; another user
 * id, for root; limits, own session and subreaper, for one's own code. A
 * launcher (launcher.c) is the parent of the program at every level, so that
 * nothing stands between the harness and the program's own end.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include "run/program.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum sandbox_level { SANDBOX_BWRAP, SANDBOX_USER, SANDBOX_LIMITS };

/* What one run sees: made by sandbox_at(), for .box of a program. */
struct sandbox {
    struct box box;  /* the first: a run's box is part of its sandbox */
    const char *dir; /* a directory, read-only: what argv[0] lies in */
    const char *out; /* NULL, or a directory it may write: then it starts in
                        dir, else in an empty directory that it may write */
};

/*
 * Looks for the best level that works, by trying it, from `first` on. Puts the
 * launcher and the shim where the sandbox can see them, in work/kit. It shares
 * our network: with one of its own all it can reach is the kit's own sites. No
 * other grader has the number: the sandboxed user's follows from it.
 */
void sandbox_open(
    const char *work, enum sandbox_level first, bool own_network, pid_t number);
void sandbox_close(void);

enum sandbox_level sandbox_level(void);

/* What a run in the sandbox is to see; the paths must live as long. */
struct sandbox sandbox_at(const char *dir, const char *out);

/* The level, and what it does not do here, in a sentence without full stop. */
const char *sandbox_describe(void);

/* Makes a directory in `work` that the sandboxed user may write. */
void sandbox_own(const char *dir);

/* Removes all that is in it. */
void sandbox_empty(const char *dir);

/* What it sees of the kit: launcher, shim, and what builds for explore. */
const char *sandbox_kit(void);

/* The path of a file of sandbox->dir or ->out as the program sees it. */
const char *sandbox_path(
    const struct sandbox *, const char *path, char *buf, size_t size);

/* Kills what a check that broke has left running. */
void sandbox_sweep(void);

#endif
