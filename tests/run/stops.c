/*
 * stops.c - the signals that end a run: see stops.h
 */
#define _GNU_SOURCE
#include "run/stops.h"

#include <stddef.h>

static const int stops[STOPS] = {SIGINT, SIGTERM, SIGHUP, SIGALRM};

static volatile sig_atomic_t interrupted;

static void note_interrupt(int number) {
    interrupted = number;
}

void stops_catch(struct sigaction old[STOPS]) {
    static const struct sigaction note = {.sa_handler = note_interrupt};

    interrupted = 0;
    for (int i = 0; i < STOPS; i++) {
        sigaction(stops[i], &note, &old[i]);
        if (old[i].sa_handler == SIG_IGN)
            sigaction(stops[i], &old[i], NULL);
    }
}

void stops_restore(const struct sigaction old[STOPS]) {
    for (int i = 0; i < STOPS; i++)
        sigaction(stops[i], &old[i], NULL);
}

int stops_number(void) {
    return interrupted;
}
