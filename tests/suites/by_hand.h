/*
 * by_hand.h - a program that the test drives itself
 *
 * program_run() waits for the end of a program and kills what is left of it.
 * Here the test sends the signals, and looks at the orphans instead. Waiting
 * is always for a fact, in real time, up to a bound that only a program which
 * is broken reaches.
 */
#ifndef BY_HAND_H
#define BY_HAND_H

#include "judge/events.h"
#include "run/program.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct hand {
    const char *program;
    pid_t pid;
    int fd, pidfd; /* its stdout and stderr; its end */
    char text[1 << 16];
    size_t length;
};

/* In a child: becomes the program argv[0], found in PATH, with these three
 * descriptors and no other, in a process group of its own: Ctrl-C is for the
 * harness alone. It dies with its parent, whose id this is. */
_Noreturn void hand_become(
    const char *const *argv, pid_t parent, int in, int out, int error);

/* Starts the program argv[0], a path, in a process group of its own. It dies
 * with the harness. argv ends with NULL; argv[0] must live until hand_end(). */
void hand_start(struct hand *, const char *const *argv);

/* The same with a limit, as a user of this number (needs root; 0: as is). */
void hand_start_limited(
    struct hand *, const char *const *argv, const struct limit *, uid_t uid);

/* The same on a terminal of so many columns: what comes of it ends its lines as
 * a terminal does, with "\r\n". False: no terminal is to be had (/dev/pts is
 * not mounted), nothing runs. */
bool hand_start_on_terminal(
    struct hand *, const char *const *argv, unsigned short columns);

/* The same, but it stops before its first instruction, and this process is its
 * tracer, as of ptrace(). False: tracing is forbidden here, nothing runs. */
bool hand_start_traced(struct hand *, const char *const *argv);

/* Lets it go on until it has begun or ended so many system calls, then lets it
 * run free with that signal: sent to its group as Ctrl-C does, or to it alone.
 * False: it ended by itself before, and hand_wait() has nothing to wait for. */
bool hand_stop_at(struct hand *, long moment, int number, bool group);

/* Reads until the words have come (NULL: to the end). False at the end, or
 * when they have not come for very long. The words must be part of what one
 * write() says: stderr writes a line in pieces, and others write between. */
bool hand_read(struct hand *, const char *words);

/* Waits until it has so many children. Returns the last of these, or 0. */
pid_t hand_child(const struct hand *, int wanted);

/* Kills its child of that number, from 1, if it comes to have it. */
bool hand_kill(const struct hand *, int number);

/* Waits for the end of the program itself. Returns its status as of wait();
 * -1 if it did not come, and the program was killed. */
int hand_wait(struct hand *);

/* After hand_wait(): fails if an orphan of it goes on, or if it has left a
 * name in the kernel; ends the one, removes the other. */
void hand_end(struct hand *, struct verdict *);

#endif
