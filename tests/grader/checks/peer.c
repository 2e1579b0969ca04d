/*
 * peer.c - a web site that does what a script says, by the virtual clock
 */
#define _GNU_SOURCE /* accept4 */
#include "grader/checks/peer.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS INT64_C(1000000)
#define PATIENCE (600 * INT64_C(1000000000))
enum { MOST_INS = 256 };

/* A connection. */
struct line_in {
    int fd;
    char text[2048]; /* what has come of a request */
    size_t length;
    struct reply *reply; /* NULL: nothing was asked, or all is answered */
    int next;            /* piece to be sent */
    int64_t due_ns;
};

/* ---------- The script ---------- */

struct reply *peer_reply(struct peer *p, const char *symbol) {
    struct reply *r = &p->replies[p->count++];

    if (p->count > MOST_REPLIES)
        errx(EXIT_FAILURE, "more than %d replies", MOST_REPLIES);
    *r = (struct reply){.asked_ns = -1};
    snprintf(r->symbol, sizeof r->symbol, "%s", symbol);
    return r;
}

void peer_piece(struct reply *r, long after_ms, const char *format, ...) {
    struct sent *piece = &r->pieces[r->count++];
    va_list args;

    if (r->count > MOST_PIECES)
        errx(EXIT_FAILURE, "more than %d pieces", MOST_PIECES);
    piece->after_ms = after_ms;
    va_start(args, format);
    vsnprintf(piece->text, sizeof piece->text, format, args);
    va_end(args);
}

/* ---------- The connections ---------- */

static struct reply *find_reply(struct peer *p, const char *request) {
    char symbol[100] = "";

    if (sscanf(request, "GET /quote/%99[^ ?] ", symbol) != 1)
        return NULL;
    for (int i = 0; i < p->count; i++)
        if (strcmp(p->replies[i].symbol, symbol) == 0)
            return &p->replies[i];
    return NULL;
}

static void hang_up(struct peer *p, struct line_in *in) {
    if (in->reply != NULL)
        p->in_flight--;
    in->reply = NULL;
    close(in->fd);
    in->fd = -1;
}

/* The next piece's time, counted from now. */
static void set_due(struct line_in *in, int64_t now) {
    struct reply *r = in->reply;

    in->due_ns =
        in->next < r->count ? now + r->pieces[in->next].after_ms * MS : -1;
}

static void note_request(struct peer *p, struct line_in *in, int64_t now) {
    char *end = strstr(in->text, "\r\n\r\n");
    static const char missing[] =
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

    if (end == NULL || in->reply != NULL)
        return;
    in->reply = find_reply(p, in->text);
    in->length = 0;
    if (in->reply == NULL) {
        if (send(in->fd, missing, sizeof missing - 1, MSG_NOSIGNAL) == -1)
            hang_up(p, in);
        return;
    }
    in->reply->requests++;
    in->reply->asked_ns = now;
    if (++p->in_flight > p->most_in_flight)
        p->most_in_flight = p->in_flight;
    in->next = 0;
    set_due(in, now);
}

/* True when something came. */
static bool hear(struct peer *p, struct line_in *in, int64_t now) {
    ssize_t got;
    bool any = false;

    while (in->fd != -1 && in->length + 1 < sizeof in->text) {
        got = recv(in->fd, in->text + in->length,
            sizeof in->text - 1 - in->length, MSG_DONTWAIT);
        if (got == -1)
            break;
        any = true;
        if (got == 0) {
            hang_up(p, in);
            return true;
        }
        in->length += (size_t)got;
        in->text[in->length] = '\0';
        note_request(p, in, now);
    }
    return any;
}

/* Sends what is due. True when something was. */
static bool tell(struct peer *p, struct line_in *in, int64_t now) {
    bool any = false;

    while (in->reply != NULL && in->due_ns != -1 && in->due_ns <= now) {
        struct reply *r = in->reply;
        const char *text = r->pieces[in->next++].text;
        any = true;
        if (send(in->fd, text, strlen(text), MSG_NOSIGNAL) == -1) {
            hang_up(p, in);
            return true;
        }
        set_due(in, now);
        if (in->due_ns != -1 || r->mute)
            continue;
        in->reply = NULL;
        p->in_flight--;
        if (r->close)
            hang_up(p, in);
    }
    return any;
}

static bool let_in(struct peer *p) {
    bool any = false;
    int fd;

    while (
        p->in_count < MOST_INS && (fd = accept4(p->listener, NULL, NULL,
                                       SOCK_CLOEXEC | SOCK_NONBLOCK)) != -1) {
        /* A piece that waits for the last one's acknowledgement would be late
         * in real time, which nobody here waits for. */
        if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)) ==
            -1)
            err(EXIT_FAILURE, "TCP_NODELAY");
        p->ins[p->in_count++] = (struct line_in){.fd = fd, .due_ns = -1};
        any = true;
    }
    return any;
}

/* ---------- At the quiet moments ---------- */

static bool act(const struct quiet *quiet, void *arg) {
    struct peer *p = arg;
    bool any = let_in(p);

    for (int i = 0; i < p->in_count; i++)
        if (p->ins[i].fd != -1)
            any = hear(p, &p->ins[i], quiet->now_ns) || any;
    for (int i = 0; i < p->in_count; i++)
        if (p->ins[i].fd != -1)
            any = tell(p, &p->ins[i], quiet->now_ns) || any;
    p->looks += !any;
    if (quiet->now_ns > PATIENCE && !p->gave_up)
        return p->gave_up = kill(quiet->pids[0], SIGKILL) == 0;
    if (p->looks > (p->most_looks > 0 ? p->most_looks : 20000) && !p->looked)
        return p->looked = kill(quiet->pids[0], SIGKILL) == 0;
    return any;
}

static enum outside will(void *arg) {
    struct peer *p = arg;

    return p->in_flight > 0 ? OUTSIDE_HOLDS : OUTSIDE_IDLE;
}

static int64_t next_due(void *arg) {
    struct peer *p = arg;
    int64_t due = -1;

    for (int i = 0; i < p->in_count; i++)
        if (p->ins[i].fd != -1 && p->ins[i].reply != NULL &&
            p->ins[i].due_ns != -1 && (due == -1 || p->ins[i].due_ns < due))
            due = p->ins[i].due_ns;
    return due;
}

void peer_open(struct peer *p) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    p->ins = calloc(MOST_INS, sizeof *p->ins);
    p->listener =
        socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (p->ins == NULL || p->listener == -1 ||
        bind(p->listener, (struct sockaddr *)&address, size) == -1 ||
        listen(p->listener, MOST_INS) == -1 ||
        getsockname(p->listener, (struct sockaddr *)&address, &size) == -1)
        err(EXIT_FAILURE, "a site of our own");
    snprintf(p->base, sizeof p->base, "http://127.0.0.1:%d",
        ntohs(address.sin_port));
}

void peer_watch(struct peer *p, struct program *program) {
    program->virtual_time = true;
    program->at_quiet = act;
    program->outside = will;
    program->due = next_due;
    program->arg = p;
}

void peer_close(struct peer *p) {
    for (int i = 0; i < p->in_count; i++)
        if (p->ins[i].fd != -1)
            close(p->ins[i].fd);
    free(p->ins);
    close(p->listener);
}
