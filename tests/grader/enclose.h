/*
 * enclose.h - a network and process numbers of the grader's own
 */
#ifndef ENCLOSE_H
#define ENCLOSE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Gives the caller, as far as the system allows, a network with nothing in it
 * but a loopback device, and makes it the first process of a namespace: when it
 * ends, however it ends, the kernel ends all that it has started. Returns in a
 * child, in which the handlers of signals are as they were. The process that
 * called waits for that child, passes on the signals that stop it, and ends as
 * it has ended. Call it before any thread runs.
 *
 * What is not to be had is left out; enclosed_network() says whether the
 * network was.
 */
void enclose(void);
bool enclosed_network(void);

/* The number of the process that called: no other grader has it. */
pid_t enclosed_number(void);

#endif
