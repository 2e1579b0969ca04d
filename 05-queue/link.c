/*
 * link.c - the connection of client and worker to Redis: see link.h
 *
 * hiredis tells three things apart: no connection (context->err), no answer
 * (NULL), an answer that is an error. To a program that must go on they are
 * the same: say what is wrong, pause, connect again and ask again.
 */
#include "link.h"

#include <err.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_PAUSE_MS = 100, LONGEST_PAUSE_MS = 5000, CONNECT_MS = 2000 };

long number(int option, long most) {
    char *end;
    errno = 0;
    long value = strtol(optarg, &end, 10);
    if (errno != 0 || *end != '\0' || value < 1 || value > most)
        errx(2, "-%c %s: not a number from 1 to %ld", option, optarg, most);
    return value;
}

long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool is_batch(const char *text, size_t size) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    return size > 0 && size <= MOST_BATCH && strspn(text, allowed) >= size;
}

/* ---------- Where Redis is ---------- */

static _Noreturn void bad_url(void) {
    /* Not shown: it may hold a password. */
    errx(2, "-r or REDIS_URL: not redis://[user:password@]host[:port]"
            "[/database], nor the path of a socket");
}

/* In place: "%40" becomes "@". */
static char *decode(char *text) {
    char *to = text;
    for (char *from = text; *from != '\0'; to++) {
        unsigned code;
        if (from[0] == '%' && strspn(from + 1, "0123456789abcdefABCDEF") >= 2 &&
            sscanf(from + 1, "%2x", &code) == 1 && code != 0) {
            *to = (char)code;
            from += 3;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
    return text;
}

/* The number after the text's first byte; the text ends there. */
static int number_after(char *text, int most) {
    char *end;
    long value = strtol(text + 1, &end, 10);
    if (end == text + 1 || *end != '\0' || value < 0 || value > most)
        bad_url();
    *text = '\0';
    return (int)value;
}

static void parse_url(struct link *link, char *url) {
    char *slash = strchr(url, '/'), *at = NULL;
    for (char *c = url; (c = strchr(c, '@')) != NULL; c++)
        at = c; /* the last one: a password may hold others */
    if (at != NULL) {
        slash = strchr(at, '/');
        *at = '\0';
        char *colon = strchr(url, ':');
        if (colon == NULL)
            bad_url();
        *colon = '\0';
        link->user = decode(url);
        link->password = decode(colon + 1);
    }
    link->host = at == NULL ? url : at + 1;
    if (slash != NULL && slash[1] != '\0')
        link->database = number_after(slash, 1000000);
    else if (slash != NULL)
        *slash = '\0';
    char *bracket = link->host[0] == '[' ? strchr(link->host, ']') : NULL;
    char *colon = strchr(bracket == NULL ? link->host : bracket, ':');
    if (colon != NULL && (link->port = number_after(colon, 65535)) == 0)
        bad_url();
    if (bracket != NULL) {
        *bracket = '\0';
        link->host++;
    }
    if (link->host[0] == '\0')
        bad_url();
}

void link_init(struct link *link, const char *url) {
    static const char scheme[] = "redis://";
    char *name;

    if (url == NULL)
        url = getenv("REDIS_URL");
    if (url == NULL)
        url = "redis://127.0.0.1:6379";
    *link = (struct link){.name = url, .port = 6379};
    if (strncmp(url, scheme, sizeof scheme - 1) != 0) {
        if (url[0] == '\0' || strstr(url, "://") != NULL)
            bad_url();
        return;
    }
    char *copy = strdup(url + sizeof scheme - 1); /* kept to the end */
    if (copy == NULL)
        err(EXIT_FAILURE, "strdup");
    parse_url(link, copy);
    size_t size = strlen(link->host) + 20;
    if ((name = malloc(size)) == NULL)
        err(EXIT_FAILURE, "malloc");
    snprintf(name, size, "%s:%d", link->host, link->port);
    link->name = name;
}

/* ---------- The connection ---------- */

void link_fail(struct link *link, const char *why) {
    if (strcmp(why, link->trouble) != 0) {
        snprintf(link->trouble, sizeof link->trouble, "%s", why);
        if (!link->silent)
            warnx("Redis at %s: %s; trying again", link->name, link->trouble);
    }
    if (link->context != NULL)
        redisFree(link->context);
    link->context = NULL;
    link->pause_ms = link->pause_ms == 0 ? FIRST_PAUSE_MS : link->pause_ms * 2;
    if (link->pause_ms > LONGEST_PAUSE_MS)
        link->pause_ms = LONGEST_PAUSE_MS;
}

static const char *error_of(const redisContext *context) {
    bool late = context->err == REDIS_ERR_IO && errno == EAGAIN;
    return late ? "no answer" : context->errstr;
}

static struct timeval time_of(long ms) {
    return (struct timeval){ms / 1000, ms % 1000 * 1000};
}

void link_patience(struct link *link, long ms) {
    if (link->context != NULL)
        redisSetTimeout(link->context, time_of(ms));
}

/* Frees the answer, which is an OK or trouble. */
static bool is_ok(struct link *link, redisReply *reply) {
    bool ok = reply != NULL && reply->type != REDIS_REPLY_ERROR;
    if (!ok)
        link_fail(link, reply == NULL ? error_of(link->context) : reply->str);
    if (reply != NULL)
        freeReplyObject(reply);
    return ok;
}

static bool introduce(struct link *link) {
    redisContext *to = link->context;
    if (link->password != NULL && link->user[0] != '\0' &&
        !is_ok(
            link, redisCommand(to, "AUTH %s %s", link->user, link->password)))
        return false;
    if (link->password != NULL && link->user[0] == '\0' &&
        !is_ok(link, redisCommand(to, "AUTH %s", link->password)))
        return false;
    return link->database == 0 ||
           is_ok(link, redisCommand(to, "SELECT %d", link->database));
}

bool link_up(struct link *link, long most_ms) {
    if (link->context != NULL)
        return true;
    long pause = link->pause_ms < most_ms ? link->pause_ms : most_ms;
    struct timespec time = {pause / 1000, pause % 1000 * 1000000};
    if (pause > 0 && nanosleep(&time, NULL) == -1)
        return false;
    if (pause < link->pause_ms) /* it was the last attempt */
        return false;
    long limit = most_ms - pause < CONNECT_MS ? most_ms - pause : CONNECT_MS;
    struct timeval most = time_of(limit > 0 ? limit : 1);
    link->context = link->host == NULL
                        ? redisConnectUnixWithTimeout(link->name, most)
                        : redisConnectWithTimeout(link->host, link->port, most);
    if (link->context == NULL)
        errx(EXIT_FAILURE, "out of memory");
    if (link->context->err != 0) {
        link_fail(link, error_of(link->context));
        return false;
    }
    link_patience(link, limit > 0 ? limit : 1);
    if (!introduce(link))
        return false;
    link->connections++;
    return true;
}

bool link_send(struct link *link) {
    int done = 0;
    while (link->context != NULL && !done)
        if (redisBufferWrite(link->context, &done) != REDIS_OK)
            link_fail(link, error_of(link->context));
    return done;
}

/* Mostly the answer comes within microseconds: to let others run meanwhile
 * costs less than to sleep and be woken. */
static void expect_answer(struct link *link) {
    char byte;
    for (int i = 0; i < 100; i++) {
        if (recv(link->context->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != -1 ||
            errno != EAGAIN)
            return;
        sched_yield();
    }
}

redisReply *link_reply(struct link *link) {
    redisReply *reply = NULL;
    if (link->context == NULL)
        return NULL;
    if (redisReaderGetReply(link->context->reader, (void **)&reply) ==
            REDIS_OK &&
        reply == NULL) {
        if (!link_send(link))
            return NULL;
        expect_answer(link);
    }
    if (reply == NULL &&
        redisGetReply(link->context, (void **)&reply) != REDIS_OK) {
        link_fail(link, error_of(link->context));
        return NULL;
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        link_fail(link, reply->str);
        freeReplyObject(reply);
        return NULL;
    }
    return reply;
}

void link_well(struct link *link) {
    if (link->trouble[0] != '\0' && !link->silent)
        warnx("Redis at %s: connected again", link->name);
    link->trouble[0] = '\0';
    link->pause_ms = 0;
}

bool link_answers(struct link *link, int count) {
    for (redisReply *reply; count > 0; count--) {
        if ((reply = link_reply(link)) == NULL)
            return false;
        freeReplyObject(reply);
    }
    return true;
}
