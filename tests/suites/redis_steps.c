/*
 * redis_steps.c - steps that the tests of client and worker are made of: see
 * redis_steps.h
 */
#define _GNU_SOURCE /* accept4 */
#include "suites/redis_steps.h"
#include "suites/suite.h"

#include <arpa/inet.h>
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ARGUMENTS = 40 };

const char *worker_path(void) {
    static char path[512];
    snprintf(path, sizeof path, "%s", built("05-queue/worker"));
    return path;
}

const char *client_path(void) {
    static char path[512];
    snprintf(path, sizeof path, "%s", built("05-queue/client"));
    return path;
}

void start_worker(
    struct beside *worker, const struct server *server, const char *path) {
    beside_start(worker, server->dir, NULL,
        WORDS(path, "-r", server->socket, "-l", "3600000"));
}

void expire(struct server *server, pid_t pid) {
    static const char script[] =
        "local key, group = 'jobs', 'workers'\n"
        "local all = redis.call('XPENDING', key, group, '-', '+', 10000)\n"
        "for _, one in ipairs(all) do\n"
        "  if ARGV[1] == '' or one[2]:sub(-#ARGV[1]) == ARGV[1] then\n"
        "    redis.call('XCLAIM', key, group, one[2], 0, one[1],\n"
        "      'IDLE', 86400000, 'JUSTID')\n"
        "  end\n"
        "end\n"
        "return 1\n";
    char name[20] = ""; /* how the worker's name ends */
    if (pid != 0)
        snprintf(name, sizeof name, ":%d", pid);
    /* When this is answered, Redis has read what was sent before it, by one
     * who has died since, too: a lease renewed, a job asked for. It accepts a
     * connection in one turn of its loop, and reads from it in the next. */
    for (int turn = 0; turn < 3; turn++)
        freeReplyObject(redisCommand(server->context, "PING"));
    server_ask(server, "EVAL %s 1 jobs %s", script, name);
}

void kill_worker(struct server *server, struct beside *worker) {
    pid_t pid = worker->pid;
    beside_kill(worker);
    expire(server, pid);
}

void start_client(struct beside *client, const struct server *server,
    const char *stdin_path, const char *const *words) {
    const char *argv[ARGUMENTS] = {client_path(), "-r", server->socket};
    for (int i = 0; words[i] != NULL && i < ARGUMENTS - 4; i++)
        argv[3 + i] = words[i];
    beside_start(client, server->dir, stdin_path, argv);
}

int run_client(
    const struct server *server, const char *const *words, char **text) {
    struct beside client;
    start_client(&client, server, NULL, words);
    return beside_end(&client, text);
}

void wait_entries(struct server *server, const char *stream, long entries) {
    int left = STEPS;
    while (left-- > 0 && server_ask(server, "XLEN %s", stream) < entries)
        step();
}

void write_lines(const struct server *server, long first, long n, char *path) {
    snprintf(path, 200, "%s/lines%ld", server->dir, first);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        err(EXIT_FAILURE, "%s", path);
    for (long i = 0; i < n; i++)
        fprintf(file, "%ld\n", first + i);
    fclose(file);
}

long count_words(const char *text, const char *words) {
    long count = 0;
    for (; (text = strstr(text, words)) != NULL; text++)
        count++;
    return count;
}

long count_lines(const char *text) {
    return count_words(text, "\n");
}

/* ---------- What Redis holds ---------- */

/* How many of the jobs 1 to n have a result, and in `twice` how many have more
 * than one. */
static long count_results(
    struct server *server, const char *id, long n, long *twice) {
    long *seen = calloc((size_t)n + 1, sizeof *seen), found = 0;
    redisReply *all =
        redisCommand(server->context, "XRANGE results:%s - +", id);
    if (seen == NULL || all == NULL)
        errx(EXIT_FAILURE, "results:%s cannot be read", id);
    for (size_t i = 0; i < all->elements; i++) {
        long job = atol(all->element[i]->element[1]->element[0]->str);
        if (job >= 1 && job <= n)
            seen[job]++;
    }
    *twice = 0;
    for (long job = 1; job <= n; job++) {
        found += seen[job] > 0;
        *twice += seen[job] > 1;
    }
    freeReplyObject(all);
    free(seen);
    return found;
}

void judge_results(
    struct server *server, const char *id, long n, struct verdict *verdict) {
    long twice, found = count_results(server, id, n, &twice);
    long long pending = server_ask(server, "XPENDING jobs workers - + 10000");
    long long left = server_ask(server, "XLEN jobs");
    long long seconds = server_ask(server, "TTL results:%s", id);
    if (found < n)
        verdict_fail(
            verdict, "%ld of %ld jobs lost: they have no result", n - found, n);
    if (twice > 0)
        verdict_fail(
            verdict, "two results of one job, in %ld of %ld", twice, n);
    if (pending != 0)
        verdict_fail(verdict, "%lld jobs are still pending", pending);
    if (left != 0)
        verdict_fail(verdict, "%lld entries are left in the stream", left);
    if (seconds < 72000 || seconds > 86400)
        verdict_fail(verdict,
            "the results are kept for %lld s; expected: a day", seconds);
}

/* ---------- A page ---------- */

void page_open(struct page *page) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    page->connection = -1;
    page->listener =
        socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (page->listener == -1 ||
        bind(page->listener, (struct sockaddr *)&address, size) == -1 ||
        listen(page->listener, 8) == -1 ||
        getsockname(page->listener, (struct sockaddr *)&address, &size) == -1)
        err(EXIT_FAILURE, "a page");
    snprintf(page->url, sizeof page->url, "http://127.0.0.1:%d/",
        ntohs(address.sin_port));
}

bool page_has(struct page *page) {
    if (page->connection == -1)
        page->connection = accept4(page->listener, NULL, NULL, SOCK_CLOEXEC);
    return page->connection != -1;
}

bool page_asked(struct page *page) {
    for (int left = STEPS; left > 0 && !page_has(page); left--)
        step();
    return page->connection != -1;
}

void page_answer(struct page *page, const char *status) {
    char request[2000];
    if (page->connection == -1)
        return;
    if (read(page->connection, request, sizeof request) > 0)
        dprintf(page->connection,
            "%s\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
            status);
    close(page->connection);
    page->connection = -1;
}

void page_close(struct page *page) {
    if (page->connection != -1)
        close(page->connection);
    close(page->listener);
}
