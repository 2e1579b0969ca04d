/*
 * launcher.h - what the launcher in the sandbox tells the harness
 */
#ifndef LAUNCHER_H
#define LAUNCHER_H

#include <sys/resource.h>

enum launch_event { LAUNCH_STARTED, LAUNCH_ENDED };

/* Written whole, each by one write, to a pipe the program never has. */
struct launch_report {
    enum launch_event event;
    int value;         /* STARTED: 0 or the errno; ENDED: as wait's status */
    struct rusage use; /* ENDED */
    char left[120];    /* ENDED: queues and the like of System V, or empty */
};

#endif
