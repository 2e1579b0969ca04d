/*
 * redis_server.c - a private redis-server, for a test: see redis_server.h
 */
#define _GNU_SOURCE /* pipe2 */
#include "suites/redis_server.h"
#include "run/remove.h"
#include "suites/suite.h"

#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STEP_MS = 2, OPTIONS = 40, ATTEMPTS = 5 };

void step(void) {
    struct timespec time = {.tv_nsec = STEP_MS * 1000000};
    nanosleep(&time, NULL);
}

static int free_port(void) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1 || bind(fd, (struct sockaddr *)&address, size) == -1 ||
        getsockname(fd, (struct sockaddr *)&address, &size) == -1)
        err(EXIT_FAILURE, "a free port");
    close(fd);
    return ntohs(address.sin_port);
}

/* Starts the script and reads its line: the server answers. False: it does not
 * start, and the reason is on stderr. */
static bool launch(struct server *server) {
    char port[12];
    const char *argv[OPTIONS] = {
        "tests/run/redis.sh", server->dir, "--port", port};
    int ends[2], count = 4, got = 0;
    snprintf(port, sizeof port, "%d", server->port);
    for (const char *const *o = server->options; o != NULL && *o != NULL; o++)
        argv[count++] = *o;
    if (pipe2(ends, O_CLOEXEC) == -1 || (server->script = fork()) == -1)
        err(EXIT_FAILURE, "redis.sh");
    if (server->script == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], STDOUT_FILENO);
        execv(argv[0], (char *const *)argv);
        _exit(127);
    }
    close(ends[1]);
    FILE *line = fdopen(ends[0], "r");
    if (line == NULL)
        err(EXIT_FAILURE, "fdopen");
    got = fscanf(line, "%d %59[^\n]", &server->pid, server->name);
    fclose(line);
    if (got != 2) {
        kill(server->script, SIGTERM);
        waitpid(server->script, NULL, 0);
    }
    return got == 2;
}

static void dial(struct server *server) {
    server->context = redisConnectUnix(server->socket);
    if (server->context == NULL || server->context->err != 0)
        errx(EXIT_FAILURE, "%s: no connection", server->socket);
}

void server_kill(struct server *server) {
    redisFree(server->context);
    kill(server->pid, SIGKILL);
    waitpid(server->script, NULL, 0);
}

void server_again(struct server *server) {
    if (!launch(server))
        errx(EXIT_FAILURE, "redis-server does not start again");
    dial(server);
}

/* A free port may be gone a moment later: then it is another. */
void server_start(
    struct server *server, bool port, const char *const *options) {
    bool there = false;
    *server = (struct server){.options = options};
    snprintf(server->dir, sizeof server->dir, "%s/redis-XXXXXX", scratch());
    if (mkdtemp(server->dir) == NULL)
        err(EXIT_FAILURE, "%s", server->dir);
    snprintf(server->socket, sizeof server->socket, "%s/redis", server->dir);
    for (int i = 0; i < (port ? ATTEMPTS : 1) && !there; i++) {
        server->port = port ? free_port() : 0;
        there = launch(server);
    }
    if (!there)
        errx(EXIT_FAILURE, "redis-server does not start");
    dial(server);
}

void server_stop(struct server *server) {
    server_kill(server);
    remove_tree(server->dir);
}

long long server_ask(struct server *server, const char *format, ...) {
    va_list args;
    long long answer = -1;
    va_start(args, format);
    redisReply *reply = redisvCommand(server->context, format, args);
    va_end(args);
    if (reply == NULL)
        return -1;
    if (reply->type == REDIS_REPLY_INTEGER)
        answer = reply->integer;
    else if (reply->type == REDIS_REPLY_ARRAY)
        answer = (long long)reply->elements;
    freeReplyObject(reply);
    return answer;
}

long long server_info(
    struct server *server, const char *section, const char *label) {
    redisReply *info = redisCommand(server->context, "INFO %s", section);
    const char *found = info == NULL ? NULL : strstr(info->str, label);
    long long number = found == NULL ? 0 : atoll(found + strlen(label));
    freeReplyObject(info);
    return number;
}
