/*
 * stops.h - the signals that end a run: Ctrl-C and its kin
 */
#ifndef STOPS_H
#define STOPS_H

#include <signal.h>

enum { STOPS = 4 };

/* From now on SIGINT, SIGTERM, SIGHUP and SIGALRM are only noted; one that is
 * ignored stays so (nohup). *old is for stops_restore(). */
void stops_catch(struct sigaction old[STOPS]);
void stops_restore(const struct sigaction old[STOPS]);

/* The signal that came since stops_catch(); 0: none. */
int stops_number(void);

#endif
