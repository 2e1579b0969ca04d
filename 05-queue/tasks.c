/*
 * tasks.c - the work that a client can ask for by name: see tasks.h
 *
 * Nothing of an argument reaches a shell or a format. A sleep goes on after a
 * signal: a worker that is told to stop finishes its job first.
 */
#define _GNU_SOURCE /* memmem */
#include "tasks.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGES = 4, INTERVAL_MS = 1000, MOST_HEADER = 8192, PATIENCE_S = 30 };

static void wait_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&time, &time) == -1 && errno == EINTR)
        ;
}

/* Doing it again sends a customer the same messages again: a real one would
 * look first at what was sent. */
static bool send_messages(const char *customer, char *result, size_t size) {
    for (int message = 1; message <= MESSAGES; message++) {
        printf(
            "%s: sending message %d of %d ...\n", customer, message, MESSAGES);
        wait_ms(INTERVAL_MS);
        printf("%s: sent message %d of %d\n", customer, message, MESSAGES);
    }
    snprintf(result, size, "%d messages sent", MESSAGES);
    return true;
}

static bool increment(const char *times, char *result, size_t size) {
    char *end;
    volatile long counted = 0;
    long most = strtol(times, &end, 10);
    if (*end != '\0' || most < 1 || most > 1000000000) {
        snprintf(result, size, "not a number from 1 to 1000000000");
        return false;
    }
    printf("increment: counting to %ld ...\n", most);
    while (counted < most)
        counted += 1;
    printf("increment: counted to %ld\n", counted);
    snprintf(result, size, "counted to %ld", counted);
    return true;
}

/* Cuts http://host[:port][/path] into pieces, in place. */
static bool cut_url(char *url, char **host, const char **port, char **path) {
    static const char scheme[] = "http://";
    for (char *c = url; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~') /* it could end the request's line */
            return false;
    if (strncmp(url, scheme, sizeof scheme - 1) != 0)
        return false;
    *host = url + sizeof scheme - 1;
    *path = strchr(*host, '/');
    if (*path != NULL)
        *(*path)++ = '\0';
    else
        *path = *host + strlen(*host);
    char *colon = strchr(*host, ':');
    *port = colon == NULL ? "80" : colon + 1;
    if (colon != NULL)
        *colon = '\0';
    return (*host)[0] != '\0';
}

/* Returns a socket, or -1 with the reason in result. */
static int dial(const char *host, const char *port, char *result, size_t size) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int code = getaddrinfo(host, port, &hints, &found), fd = -1;
    if (code != 0) {
        snprintf(result, size, "%s", gai_strerror(code));
        return -1;
    }
    for (struct addrinfo *a = found; a != NULL && fd == -1; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);
        if (fd == -1)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        if (connect(fd, a->ai_addr, a->ai_addrlen) == -1) {
            snprintf(result, size, "%s", strerror(errno));
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

/* Reads the answer to its end. HTTP/1.0: the server closes. */
static bool count_bytes(int fd, char *result, size_t size) {
    char text[MOST_HEADER + 1];
    size_t have = 0;
    ssize_t got;
    char *body = NULL;
    while (body == NULL && have < MOST_HEADER &&
           (got = read(fd, text + have, MOST_HEADER - have)) > 0) {
        have += (size_t)got;
        body = memmem(text, have, "\r\n\r\n", 4);
    }
    text[have] = '\0';
    int status = 0;
    if (body == NULL || sscanf(text, "HTTP/%*d.%*d %d", &status) != 1 ||
        status != 200) {
        snprintf(result, size, "HTTP status %d", status);
        return false;
    }
    *body = '\0';
    const char *field = strcasestr(text, "\r\nContent-Length:");
    long bytes = (long)have - (body + 4 - text);
    time_t limit = time(NULL) + PATIENCE_S;
    long expected = field == NULL ? -1 : strtol(field + 17, NULL, 10);
    while ((expected == -1 || bytes < expected) && time(NULL) < limit &&
           (got = read(fd, text, MOST_HEADER)) > 0)
        bytes += got;
    snprintf(result, size, "%ld bytes", bytes);
    return expected == -1 ? got == 0 : bytes == expected;
}

static bool download(const char *argument, char *result, size_t size) {
    char *host, *path, *url = strdup(argument), request[1500];
    const char *port;
    snprintf(result, size, "not an http:// address");
    if (url == NULL || !cut_url(url, &host, &port, &path)) {
        free(url);
        return false;
    }
    int fd = dial(host, port, result, size);
    int length = snprintf(request, sizeof request,
        "GET /%s HTTP/1.0\r\nHost: %s:%s\r\n\r\n", path, host, port);
    free(url);
    if (fd == -1)
        return false;
    bool ok = write(fd, request, (size_t)length) == length;
    if (ok)
        ok = count_bytes(fd, result, size);
    else
        snprintf(result, size, "%s", strerror(errno));
    close(fd);
    return ok;
}

/* For trying things out, and for measuring. */
static bool nothing(const char *argument, char *result, size_t size) {
    (void)argument;
    result[0] = '\0';
    return size > 0;
}

static bool fail(const char *argument, char *result, size_t size) {
    (void)argument;
    snprintf(result, size, "on purpose");
    return false;
}

static bool crash(const char *argument, char *result, size_t size) {
    if (strcmp(argument, "no") != 0)
        abort();
    snprintf(result, size, "no crash");
    return true;
}

task *task_named(const char *name) {
    static const struct {
        const char *name;
        task *function;
    } tasks[] = {
        {"send_messages", send_messages},
        {"download", download},
        {"increment", increment},
        {"nothing", nothing},
        {"fail", fail},
        {"crash", crash},
    };
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
        if (strcmp(name, tasks[i].name) == 0)
            return tasks[i].function;
    return NULL;
}
