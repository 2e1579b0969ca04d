/*
 * peer.h - a web site that does what a script says, by the virtual clock
 *
 * The site is no thread and no process: it acts at the quiet moments of the
 * program under test, when that has sent all it has to send and sleeps. So each
 * piece of an answer arrives at an exact moment of virtual time, and hours of
 * waiting cost nothing.
 */
#ifndef PEER_H
#define PEER_H

#include "run/program.h"

enum { MOST_REPLIES = 40, MOST_PIECES = 64 };

/* A piece of an answer, so long after the piece before it, or the request. */
struct sent {
    long after_ms;
    char text[200];
};

/* The answer to whoever asks for /quote/SYMBOL. */
struct reply {
    char symbol[100];
    struct sent pieces[MOST_PIECES];
    int count;
    bool close; /* then the connection is closed, else it stays */
    bool mute;  /* nothing more comes, ever */
    int requests;
    int64_t asked_ns; /* when it was asked for last; -1: never */
};

struct peer {
    struct reply replies[MOST_REPLIES];
    int count;
    int listener;
    char base[64];       /* its URL */
    struct line_in *ins; /* the connections: peer.c */
    int in_count;
    long in_flight, most_in_flight; /* asked and not yet answered whole */
    long looks;      /* quiet moments at which there was nothing to do, and */
    long most_looks; /* so many are too many; 0: 20,000 */
    bool looked;     /* it was killed for that */
    bool gave_up;    /* it still waited after ten minutes: it was killed */
};

/* A reply without pieces for this symbol. */
struct reply *peer_reply(struct peer *, const char *symbol);

/* One more piece of it. */
__attribute__((format(printf, 3, 4))) void peer_piece(
    struct reply *, long after_ms, const char *format, ...);

/* Listens on 127.0.0.1; ends this process by err() if it cannot. */
void peer_open(struct peer *);

/* Makes the program ask this site, in virtual time. */
void peer_watch(struct peer *, struct program *);

void peer_close(struct peer *);

#endif
