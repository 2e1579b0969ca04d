/*
 * redis_server.c - a private redis-server, and programs beside it: see
 * redis_server.h
 *
 * Waiting is always for a fact (an answer, a byte, an end), looked for every
 * few ms up to a bound; no verdict comes from the time it took.
 */
#define _GNU_SOURCE /* pipe2 */
#include "suites/redis_server.h"

#include "suites/suite.h"

#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_MS = 20000, STEP_MS = 2, OPTIONS = 40 };

static void step(void) {
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

/* In the child: never to outlive the harness; out and error to descriptors. */
static _Noreturn void become(
    const char *const *argv, const char *stdin_path, int out, int error) {
    int in = open(stdin_path == NULL ? "/dev/null" : stdin_path, O_RDONLY);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (in == -1 || dup2(in, 0) == -1 || dup2(out, 1) == -1 ||
        dup2(error, 2) == -1)
        _exit(126);
    for (int fd = 3; fd < 256; fd++)
        close(fd);
    execvp(argv[0], (char *const *)argv);
    _exit(127);
}

/* Starts the server process and waits until it answers. */
static void launch(struct server *server) {
    char port[12], log[100];
    const char *argv[OPTIONS] = {"redis-server", "--port", port, "--bind",
        "127.0.0.1", "--unixsocket", server->socket, "--dir", server->dir,
        "--save", "", "--stream-node-max-entries", "8"};
    int count = 13;
    snprintf(port, sizeof port, "%d", server->port);
    for (const char *const *o = server->options; o != NULL && *o != NULL; o++)
        argv[count++] = *o;
    snprintf(log, sizeof log, "%s/log", server->dir);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd == -1 || (server->pid = fork()) == -1)
        err(EXIT_FAILURE, "redis-server");
    if (server->pid == 0)
        become(argv, NULL, fd, fd);
    close(fd);
    for (int left = START_MS / STEP_MS;; left--) {
        server->context = redisConnectUnix(server->socket);
        redisReply *pong = server->context->err != 0
                               ? NULL
                               : redisCommand(server->context, "PING");
        bool there = pong != NULL && (pong->type == REDIS_REPLY_STATUS ||
                                         strncmp(pong->str, "NOAUTH", 6) == 0);
        freeReplyObject(pong);
        if (there)
            return;
        redisFree(server->context);
        if (left == 0 || waitpid(server->pid, NULL, WNOHANG) != 0)
            errx(EXIT_FAILURE, "redis-server does not start: see %s", log);
        step();
    }
}

static void end(struct server *server) {
    redisFree(server->context);
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
}

void server_start(
    struct server *server, bool port, const char *const *options) {
    *server = (struct server){.options = options};
    snprintf(server->dir, sizeof server->dir, "%s/redis-XXXXXX", scratch());
    if (mkdtemp(server->dir) == NULL)
        err(EXIT_FAILURE, "%s", server->dir);
    snprintf(server->socket, sizeof server->socket, "%s/socket", server->dir);
    server->port = port ? free_port() : 0;
    launch(server);
}

void server_restart(struct server *server) {
    end(server);
    launch(server);
}

static int remove_one(
    const char *path, const struct stat *stat, int type, struct FTW *ftw) {
    (void)stat, (void)type, (void)ftw;
    return remove(path);
}

void server_stop(struct server *server) {
    end(server);
    nftw(server->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
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

void beside_start(struct beside *beside, const struct server *server,
    const char *stdin_path, const char *const *argv) {
    static int number;
    char out[sizeof beside->err];
    snprintf(out, sizeof out, "%s/out%d", server->dir, number);
    snprintf(
        beside->err, sizeof beside->err, "%s/err%d", server->dir, number++);
    beside->out = open(out, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int error = open(beside->err, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (error == -1 || beside->out == -1 || (beside->pid = fork()) == -1)
        err(EXIT_FAILURE, "%s", argv[0]);
    if (beside->pid == 0)
        become(argv, stdin_path, beside->out, error);
    close(error);
}

static size_t size_of(int fd) {
    struct stat file;
    if (fstat(fd, &file) == -1)
        err(EXIT_FAILURE, "fstat");
    return (size_t)file.st_size;
}

bool beside_printed(const struct beside *beside) {
    for (long left = START_MS / STEP_MS; left > 0; left--) {
        if (size_of(beside->out) > 0)
            return true;
        step();
    }
    return false;
}

void beside_signal(const struct beside *beside, int signal) {
    if (beside->pid > 0)
        kill(beside->pid, signal);
}

/* All that was printed; the caller frees it. */
static char *read_all(int fd) {
    size_t size = size_of(fd);
    char *text = calloc(size + 1, 1);
    if (text == NULL || pread(fd, text, size, 0) != (ssize_t)size)
        err(EXIT_FAILURE, "what was printed");
    return text;
}

int beside_end(struct beside *beside, long ms, char **text) {
    int status;
    for (long left = ms / STEP_MS; waitpid(beside->pid, &status, WNOHANG) == 0;
         left--) {
        if (left <= 0)
            kill(beside->pid, SIGKILL);
        step();
    }
    if (text != NULL)
        *text = read_all(beside->out);
    close(beside->out);
    beside->pid = 0;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}
