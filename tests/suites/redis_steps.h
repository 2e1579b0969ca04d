/*
 * redis_steps.h - steps that the tests of client and worker are made of
 *
 * No test waits for a lease to run out: it lasts an hour, and expire() ends it.
 * A long job is a page that the test itself serves when it likes.
 */
#ifndef REDIS_STEPS_H
#define REDIS_STEPS_H

#include "judge/verdict.h"
#include "suites/beside.h"
#include "suites/redis_server.h"

/* A list of words that ends with NULL. */
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

enum { LEASE_MS = 3600000 };

/* The paths of the kit's; they live to the end. */
const char *worker_path(void);
const char *client_path(void);

/* Starts a worker: this program, or the kit's. */
void start_worker(struct beside *, const struct server *, const char *path);

/* Kills it; if it was the kit's, its leases have run out. */
void kill_worker(struct server *, struct beside *);

/* The leases of this process, which has died or was stopped, have run out (0:
 * of all such): who looks next, takes its jobs over. A worker looks when it
 * starts. */
void expire(struct server *, pid_t);

/* Starts a client; the words come after -r and the server's socket. */
void start_client(struct beside *, const struct server *,
    const char *stdin_path, const char *const *words);

/* Runs a client to its end. Returns its exit status; what it printed is in
 * *text, which the caller frees, unless text is NULL. */
int run_client(const struct server *, const char *const *words, char **text);

/* Waits until the stream has so many entries, or for very long. */
void wait_entries(struct server *, const char *stream, long entries);

/* Writes the numbers first, first + 1 ... to a file in the server's directory:
 * `path`, of 200 bytes. */
void write_lines(const struct server *, long first, long n, char *path);

/* How many lines a text has; how often words are in it. */
long count_lines(const char *text);
long count_words(const char *text, const char *words);

/* Each of the jobs 1 to n of the client has one result, which expires after a
 * day; nothing is pending, and no entry is left in the stream. */
void judge_results(struct server *, const char *id, long n, struct verdict *);

/* A page on 127.0.0.1 that is served by the test. */
struct page {
    int listener, connection; /* -1: nobody has asked */
    char url[64];
};
void page_open(struct page *);

/* Has somebody asked for it? Waits for that; false: not for very long. */
bool page_has(struct page *);
bool page_asked(struct page *);

/* Answers with this line ("HTTP/1.0 200 OK"), and with five bytes. */
void page_answer(struct page *, const char *status);
void page_close(struct page *);

#endif
