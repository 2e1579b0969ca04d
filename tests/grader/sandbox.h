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

/* What one run sees. */
struct sandbox {
    const char *dir; /* a directory, read-only: what argv[0] lies in */
    const char *out; /* NULL, or a directory it may write: then it starts in
                        dir, else in an empty directory that it may write */
};

/*
 * Looks for the best level that works, by trying it, from `first` on. Puts the
 * launcher and the shim where the sandbox can see them, in work/kit, and gives
 * this process a network of its own where it may: the sandbox shares that one,
 * so all it can reach is the kit's own sites. Call it before any thread runs.
 */
void sandbox_open(const char *work, enum sandbox_level first);
void sandbox_close(void);

/* Was a network of its own to be had? (For sandbox_open, once.) */
enum sandbox_level sandbox_level(void);

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

/* ---------- For program.c ---------- */

/* The command that runs the program in the sandbox: to be freed by
 * sandbox_free(). The descriptors stay open in it; clock_fd may be -1. */
char **sandbox_command(const struct program *, const char *const *clock_env,
    int report_fd, int clock_fd);
void sandbox_free(char **command);

/* The shim as the sandbox sees it. */
const char *sandbox_shim(void);

/* How many processes there are above the program: 1 or 2. */
int sandbox_depth(void);

/* The user it runs as; 0: as the harness. */
uid_t sandbox_uid(void);

/* What the program has left in shared memory and message queues, by name, into
 * buf; the launcher, which still waits, knows where to look. */
void sandbox_left(pid_t launcher, char *buf, size_t size);

/* Kills what a check that broke has left running. */
void sandbox_sweep(void);

/* Has it written more files than it may? bubblewrap sees to that itself. */
bool sandbox_overfull(void);

/* Kills the launcher and all it can reach at once. */
void sandbox_kill(pid_t launcher);

/* Removes what can outlive a run. */
void sandbox_clean(void);

#endif
