/*
 * redis_server.h - a private redis-server, for a test
 *
 * The server is started by run/redis.sh in a directory of its own, on a socket
 * there and, if asked for, on a TCP port of 127.0.0.1. It dies with the
 * harness. A failure to start ends the harness by err().
 */
#ifndef REDIS_SERVER_H
#define REDIS_SERVER_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <sys/types.h>

struct server {
    pid_t pid, script; /* of the server; of the shell that waits for it */
    char dir[92], socket[108], name[60];
    int port; /* 0: none */
    const char *const *options;
    redisContext *context; /* the test's own connection */
};

/* Starts it; its name is then "Redis 7.0.15". Options: as on its command line,
 * the last is NULL; they must live as long as it. With a port, a free one is
 * chosen. */
void server_start(struct server *, bool port, const char *const *options);

/* Kills it with SIGKILL. Starts it again: the same directory and port. */
void server_kill(struct server *);
void server_again(struct server *);

/* Ends it and removes the directory. */
void server_stop(struct server *);

/* An integer answer to a command; the number of elements of an array; -1 for
 * anything else. */
__attribute__((format(printf, 2, 3))) long long server_ask(
    struct server *, const char *format, ...);

/* The number after the label in that section of INFO; 0: there is none. */
long long server_info(struct server *, const char *section, const char *label);

/* Lets some ms pass: a step of waiting for a fact. */
void step(void);

/* Of waiting, at most: only what is broken needs so many. */
enum { STEPS = 30000 };

#endif
