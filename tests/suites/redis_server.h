/*
 * redis_server.h - a private redis-server, and programs beside it
 *
 * The server lives in a temporary directory of its own, on a socket there and,
 * if asked for, on a TCP port of 127.0.0.1. Every process started here dies
 * with the harness (PR_SET_PDEATHSIG) and is killed and waited for by name of
 * its pid, never by another. A failure to start ends the harness by err().
 */
#ifndef REDIS_SERVER_H
#define REDIS_SERVER_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <sys/types.h>

struct server {
    pid_t pid;
    char dir[64], socket[80];
    int port; /* 0: none */
    const char *const *options;
    redisContext *context; /* the test's own connection */
};

/* Starts it; options as on redis-server's command line, ends with NULL, and
 * must live as long. With a port, a free one is chosen. */
void server_start(struct server *, bool port, const char *const *options);

/* Kills it with SIGKILL and starts it again: the same directory and port. */
void server_restart(struct server *);

/* Ends it and removes the directory. */
void server_stop(struct server *);

/* An integer answer to a command; the number of elements of an array; -1 for
 * anything else. */
__attribute__((format(printf, 2, 3))) long long server_ask(
    struct server *, const char *format, ...);

/* A program that runs beside the test. */
struct beside {
    pid_t pid;
    int out;       /* its stdout, a file: it never waits for a reader */
    char err[100]; /* the path of its stderr */
};

/* Starts a program; stdin: a path, or NULL for nothing. */
void beside_start(struct beside *, const struct server *,
    const char *stdin_path, const char *const *argv);

/* Waits until it has printed something, in real time at most 20 s. */
bool beside_printed(const struct beside *);

/* Waits for its end, at most so many ms, then kills it. Returns the exit
 * status, or minus the signal; what it printed is in *text, which the caller
 * frees, unless text is NULL. */
int beside_end(struct beside *, long ms, char **text);

/* The signal; 0: none. Only to a program that was not waited for. */
void beside_signal(const struct beside *, int signal);

#endif
