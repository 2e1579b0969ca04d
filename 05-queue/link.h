/*
 * link.h - what client and worker agree on: names, bounds and the connection
 *
 * DESIGN. All of it is in Redis, in four kinds of keys:
 *   jobs           a stream, an entry a job: id, task, argument; or a bundle of
 *                  a few jobs, with the id of the first and an argument each.
 *                  The group "workers" hands each entry to one worker and
 *                  remembers it as pending until it is acknowledged.
 *   asked:BATCH    how many of the batch are added. So a client that does
 *                  not know whether Redis heard it may simply ask again.
 *   results:BATCH  a stream of what came out: the numbers of jobs, from - to,
 *                  and for each a line of text
 *   jobs:dead      a stream of the jobs nobody could do, each with the reason
 * A job's id is BATCH.NUMBER. What must happen together (acknowledge, store,
 * remove) is one script, so nothing can come between.
 */
#ifndef LINK_H
#define LINK_H

#include <hiredis/hiredis.h>
#include <stdbool.h>

enum {
    MOST_BATCH = 40,      /* bytes; letters, digits, '-' and '_' */
    MOST_TASK = 40,       /* bytes */
    MOST_ARGUMENT = 1000, /* bytes, no NUL */
    MOST_RESULT = 1000,   /* bytes */
    MOST_JOBS = 1000000,  /* of one client */
    MOST_BUNDLE = 16,     /* jobs in an entry */
    MOST_TRIES = 3,
    KEEP_S = 86400 /* results are kept at least so long, see job.c */
};

/* A connection that is made again when it breaks. */
struct link {
    redisContext *context;        /* NULL while there is none */
    const char *name;             /* for messages: never shows the password */
    char *host, *user, *password; /* host NULL: name is a socket's path */
    int port, database;
    long pause_ms;     /* before the next attempt; grows */
    long connections;  /* how often it has been made */
    bool silent;       /* says nothing */
    char trouble[200]; /* what was said last, not to say it twice */
};

/* Reads redis://[user:password@]host[:port][/database], or the path of a
 * socket. NULL: $REDIS_URL, else 127.0.0.1:6379. Exits with 2 if it is wrong.
 */
void link_init(struct link *, const char *url);

/* Is there a connection? If not, waits, at most so many ms, and tries once to
 * make one. A signal ends the wait. */
bool link_up(struct link *, long most_ms);

/* Sets how long Redis may take for an answer, in ms. */
void link_patience(struct link *, long ms);

/* Sends what was asked so far, without waiting for an answer. */
bool link_send(struct link *);

/* Reads so many answers. False: trouble. */
bool link_answers(struct link *, int count);

/* The next answer, which the caller frees. NULL: there is trouble, which has
 * been told, and no connection any more; so is an answer that is an error. */
redisReply *link_reply(struct link *);

/* Says what is wrong, unless it was said last, and ends the connection. */
void link_fail(struct link *, const char *why);

/* What was asked has been done: the next trouble is told, and its first pause
 * is short. That Redis answers at all is not enough. */
void link_well(struct link *);

/* Is the text a batch, as in MOST_BATCH? */
bool is_batch(const char *text, size_t size);

/* Of the clock that only goes forward. */
long now_ms(void);

/* The value of the option, or exit with 2. */
long number(int option, long most);

#endif
