/*
 * beside.h - a program that runs beside the test and prints to files
 *
 * So it never waits for a reader, however much it prints; that of by_hand.h
 * prints into a pipe or to a terminal, as its test is about just that. It dies
 * with the harness (PR_SET_PDEATHSIG) and is killed by its pid, never by
 * another.
 */
#ifndef BESIDE_H
#define BESIDE_H

#include <stdbool.h>
#include <sys/types.h>

struct beside {
    pid_t pid;
    int out;       /* its stdout, a file */
    char err[140]; /* the path of its stderr */
};

/* Starts a program, found in PATH; its files go into the directory. stdin: a
 * path, or NULL for nothing. argv ends with NULL. */
void beside_start(struct beside *, const char *dir, const char *stdin_path,
    const char *const *argv);

/* Has it printed these words by now? */
bool beside_has(const struct beside *, const char *words);

/* Waits until it has printed these words. False: it ended first, or they have
 * not come for very long. */
bool beside_printed(const struct beside *, const char *words);

/* What is on its stderr so far; lives until the next call. */
const char *beside_said(const struct beside *);

/* Has it ended? It is still to be waited for. */
bool beside_ended(const struct beside *);

/* Waits for its end; if that does not come for very long, kills it; and kills
 * what is left of its process group. Returns the
 * exit status, or minus the signal; what it printed is in *text, which the
 * caller frees, unless text is NULL. */
int beside_end(struct beside *, char **text);

/* Kills it and waits. */
void beside_kill(struct beside *);

/* Sends a signal, to a program that was not waited for. */
void beside_signal(const struct beside *, int signal);

/* Stops it (SIGSTOP), and waits until all its threads stand still. */
void beside_stop(const struct beside *);

#endif
