/*
 * sites.h - the practice web sites: a real web server for lessons and tests
 *
 * sites_start() starts an HTTP/1.1 server on 127.0.0.1 in a thread of its
 * own. It answers each request after a latency, or, for tests, holds every
 * answer at a gate until sites_release(). It counts what clients cannot hide:
 * how many requests were in flight at once. The pages are a table in sites.c;
 * the page "/" lists them.
 *
 * Any number of servers can run in a process, and every function may be
 * called from any thread, except that sites_stop() must be the last call.
 */
#ifndef SITES_H
#define SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define SITES_LONGEST_MS 3600000L

struct sites;

/* All zero is valid: any free port, no latency, no gate, no log. */
struct sites_options {
    unsigned short port; /* on 127.0.0.1; 0: any free port */
    /* Milliseconds before an answer, 0 to SITES_LONGEST_MS: of each page
     * (/slow takes ten times as long), of each /quote/. */
    long latency_ms;
    long quote_latency_ms;
    bool gate; /* hold every answer but /never until sites_release() */
    /* NULL, or where each request is printed, a line each. The caller keeps
     * it open until sites_stop() and looks at ferror() itself. */
    FILE *log;
    /* Show the requests, live, at /live. Browsers that look on are not counted,
     * but for their connections. */
    bool live;
    /* How many connections it must hold at once; 0: 256. More than that
     * wait, not accepted, until one closes. */
    unsigned connections;
    /* For tests. Other prices; and three symbols, or NULL: the quote of one is
     * cut short, of one a 500, of one never sent. */
    unsigned quote_salt;
    const char *cut_symbol, *broken_symbol, *never_symbol;
};

/*
 * At every moment in_flight >= held + due + never: the difference is being
 * read, being answered, or sent to a client that does not read. And requests
 * >= in_flight + served + cut: the others' clients left before the end.
 */
struct sites_counts {
    long connections; /* TCP connections accepted since the start */
    long requests;    /* received since the start */
    /* Received and not yet ended. Ended means that the last byte is handed
     * to the kernel, so a client that has seen the end of an answer is
     * never counted twice when it asks again, on whatever connection. */
    long in_flight;
    long most_in_flight; /* the maximum of in_flight since the start */
    long held;           /* wait at the gate */
    long due;      /* wait for their latency or the next drop of a trickle:
               they go on by themselves, in real time */
    long never;    /* asked for /never: neither held nor due */
    long watchers; /* browsers that look at the live picture just now */
    long served;
    long cut; /* ended by a fault on purpose: /cut, /reset, /never */
    /*
     * The server has nothing left to do: it has dealt with every byte and
     * every connection that has reached it, and no latency has passed that
     * it has not acted upon. (Connections beyond the limit have not reached
     * it.) This is exact, not a guess. So when all of a program sleeps,
     * settled is true and held is 5, then it has 5 requests in flight and not
     * a sixth one underway. Pause between two looks, else the caller can keep
     * the server from its work, under valgrind above all.
     */
    bool settled;
};

/*
 * Raises the limit of open files (RLIMIT_NOFILE of this process, inherited by
 * its children) as far as needed and permitted for so many connections.
 * Returns how many fit: connections, or fewer, and then a sentence in error
 * that names the limit, what is needed and how to raise it.
 */
unsigned sites_room(unsigned connections, char *error, size_t size);

/*
 * Starts a server; the options are copied. Calls sites_room(). Returns NULL
 * and a sentence in error (of size bytes, without a newline) if it cannot.
 */
struct sites *sites_start(
    const struct sites_options *options, char *error, size_t size);

/* The port it listens on. */
unsigned short sites_port(const struct sites *sites);

/*
 * Stores one consistent snapshot. A client may see the end of its answer a
 * moment before the server counts it as served; wait for settled, or take the
 * last counts of sites_stop().
 */
void sites_count(struct sites *sites, struct sites_counts *counts);

/*
 * Opens the gate for the n oldest held answers; what comes later is held
 * again. Returns how many it let go. /slow is the straggler: it goes only
 * when nothing else was held at the time of the call.
 */
long sites_release(struct sites *sites, long n);

/*
 * Deals with what has reached the server, drops what is not answered, closes
 * all connections, ends the thread, and frees everything. Stores the last
 * counts in last unless it is NULL.
 */
void sites_stop(struct sites *sites, struct sites_counts *last);

/* Writes the line that a server with this salt sends as the quote of a symbol,
 * without its newline, into buf. Returns buf. */
const char *sites_quote(
    unsigned salt, const char *symbol, char *buf, size_t size);

/* Prints the path and the meaning of every page, a line each. */
void sites_print_pages(FILE *stream);

#endif
