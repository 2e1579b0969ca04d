/*
 * serving.h - the server from inside: private to sites/
 *
 * Design. libmicrohttpd (MHD) speaks HTTP; one thread of ours drives it. The
 * thread sleeps in one epoll set that holds
 *   - MHD's own epoll descriptor: a connection or a request has come;
 *   - a timer: the latency of some answer is over. It is also the bell:
 *     sites_release() and sites_stop() set it to ring at once;
 *   - the socket of each request that waits: has the client left?
 * MHD can bring a thread of its own, but then a second one of ours would
 * have to wake it for every answer, and nobody could tell whether it has dealt
 * with everything. Here both are plain: see settled().
 *
 * An answer that must wait is a suspended connection, parked in a queue. All
 * requests of a queue wait equally long, so a queue is in order of due time
 * and no heap is needed. MHD does not look at a suspended connection, which is
 * why we watch its socket: without that, a client that gives up on /never
 * would hold a descriptor for an hour.
 *
 * One mutex guards the queues, the counts, the timer, asleep and stop. The
 * rest is constant after the start, or touched by the server thread only. No
 * MHD function is called with the mutex held, so lock order is no question.
 *
 * server.c uses pages.c and live.c, and these waiting.c; live.c uses
 * live_page.c.
 */
#ifndef SERVING_H
#define SERVING_H

#include "sites/sites.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum { SYMBOL_MOST = 8, MOST_PAGES = 20 };

/* Where a request waits. The released ones wait for the server thread only. */
enum queue {
    HELD,
    HELD_SLOW,
    RELEASED,
    LATENCY,
    SLOW_LATENCY,
    QUOTE_LATENCY,
    NEXT_DROP,
    NEVER_ENDS,
    NEXT_TICK, /* of the live picture; not counted */
    QUEUES,
    NOT_PARKED = QUEUES
};

enum kind { WHOLE, QUOTE, CUT, RESET, TRICKLE, NEVER, LIVE };

struct page {
    const char *path;
    enum kind kind;
    enum queue latency;
    unsigned status;
    size_t size; /* of the body in bytes; 0: a short one is made */
    const char *location;
    const char *what;
};

/* What the request does when it is next its turn. */
enum stage { ARRIVED, ADMITTED, READY, DROPPED };

struct request {
    struct request *previous, *next; /* in its queue */
    enum queue queue;
    enum stage stage;
    long long due_ns;
    struct sites *sites;
    struct MHD_Connection *connection;
    int socket;
    const struct page *page;
    bool cut;      /* ended by a fault on purpose */
    bool drop_due; /* /trickle may send its next drop */
    bool aside;    /* for the live picture: neither counted nor shown */
    bool tick_due; /* the live picture may be sent on */
    long number, connection_number;
    struct watcher *watcher; /* of live.c */
    char symbol[SYMBOL_MOST + 1];
};

struct parked {
    struct request *first, *last;
    long length;
};

struct sites {
    pthread_mutex_t mutex;
    struct parked queues[QUEUES]; /* guarded */
    struct sites_counts counts;   /* guarded; the lengths are not kept */
    bool asleep;                  /* guarded; see settled() */
    bool stop;                    /* guarded */
    int timer;                    /* setting it is guarded */
    int epoll;
    /* A connection has closed. At its limit MHD does not listen, and only a
     * further MHD_run() makes it listen again. Server thread only. */
    bool run_again;
    struct journal *journal; /* of live.c. Server thread only. */
    struct sites_options options;
    unsigned short port;
    struct MHD_Daemon *daemon;
    struct MHD_Response *responses[MOST_PAGES];
    pthread_t thread;
};

/* ---------- waiting.c ---------- */

/* How long a request waits in the queue, in ns; 0 for those without an end. */
long long delay_ns(const struct sites *, enum queue);

/* Sets the timer to the earliest due time, or to ring at once. The caller holds
 * the mutex. */
void set_timer(struct sites *);

/* Lets the request wait in the queue. Called from MHD's callbacks only, where
 * MHD permits to suspend. */
void park(struct request *, enum queue);

/* In the server thread: the client of one that waits has gone; those whose
 * waiting is over go on; all go on, at the end. */
void client_left(struct request *);
void resume_due(struct sites *);
void resume_all(struct sites *);

/* ---------- pages.c ---------- */

/* The page that is asked for, or what comes in its place on purpose. Stores
 * the symbol of a quote in the request. */
const struct page *page_of(
    struct request *, const char *method, const char *path);

/* The responses that all requests of a page share: one made for each, false
 * when memory is short; and given back. */
bool make_responses(struct sites *);
void free_responses(struct sites *);

/* Answers the request, whose turn it is. */
enum MHD_Result answer(struct request *);

/* ---------- live.c ---------- */

/* A new journal, NULL when memory is short; and given back. */
struct journal *live_start(void);
void live_stop(struct journal *);

/* A request has come, and is shown to all browsers; it has ended. */
void live_begin(
    struct journal *, struct request *, const char *path, long in_flight);
void live_end(struct journal *, const struct request *);

/* The page of the live picture that is asked for, or NULL. */
const struct page *live_page(struct sites *, struct MHD_Connection *,
    const char *method, const char *path);

/* Answers a request for it; the request is over, as the browser has gone. */
enum MHD_Result live_answer(struct request *);
void live_forget(struct request *);

/* ---------- live_page.c ---------- */

/* The page as text, to be freed; NULL when memory is short. */
char *live_text(size_t *length);

#endif
