/*
 * output.c - what the program prints, and how the run is decided
 */
#define _GNU_SOURCE
#include "run/driver.h"

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int64_t real_now(void) {
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * (1000 * MS) + ts.tv_nsec;
}

int64_t stamp(const struct driver *d) {
    return d->program->virtual_time ? clock_now(&d->clock)
                                    : real_now() - d->start;
}

void decide(
    struct driver *d, enum program_end end, int code, const char *format, ...) {
    va_list args;

    if (d->decided)
        return;
    d->decided = true;
    d->run->end = end;
    d->run->code = code;
    d->run->wall_ns = real_now() - d->start;
    va_start(args, format);
    vsnprintf(d->run->why, sizeof(d->run->why), format, args);
    va_end(args);
}

void *grow(void *array, size_t count, size_t size) {
    if (count & (count - 1)) /* room is the next power of two */
        return array;
    array = realloc(array, (count ? 2 * count : 1) * size);
    if (array == NULL)
        err(EXIT_FAILURE, "realloc");
    return array;
}

static void add_line(struct driver *d, const char *text, size_t length) {
    struct run *run = d->run;
    char *copy = malloc(length + 1);

    if (copy == NULL)
        err(EXIT_FAILURE, "malloc");
    for (size_t i = 0; i < length; i++)
        copy[i] = text[i] ? text[i] : '?';
    copy[length] = '\0';
    run->lines = grow(run->lines, run->count, sizeof(struct line));
    run->lines[run->count++] = (struct line){stamp(d), copy};
}

/* Reads all there is now. A flood is cut off at the cap. */
static bool drain_stream(struct stream *stream) {
    bool any = false;
    ssize_t got;

    while (stream->fd != -1 && !stream->flooded) {
        char *room = realloc(stream->text, stream->length + 4097);

        if (room == NULL)
            err(EXIT_FAILURE, "realloc");
        stream->text = room;
        got = read(stream->fd, room + stream->length, 4096);
        if (got == -1 && errno != EINTR)
            break;
        if (got == 0) {
            close(stream->fd);
            stream->fd = -1;
        }
        if (got > 0) {
            stream->length += (size_t)got;
            any = true;
        }
        stream->flooded = stream->length > stream->cap;
    }
    if (stream->flooded)
        stream->length = stream->cap;
    if (stream->text != NULL)
        stream->text[stream->length] = '\0';
    return any;
}

bool drain(struct driver *d) {
    struct stream *out = &d->out;
    bool any = drain_stream(&d->err);
    char *end;

    if (!drain_stream(out))
        return any;
    while ((end = memchr(out->text + out->line_start, '\n',
                out->length - out->line_start)) != NULL) {
        char *line = out->text + out->line_start;

        add_line(d, line, (size_t)(end - line));
        out->line_start += (size_t)(end - line) + 1;
    }
    return true;
}

void decide_flood(struct driver *d) {
    if (d->out.flooded || d->err.flooded)
        decide(d, FLOODED, 0, "printed more than %zu bytes on %s", d->out.cap,
            d->out.flooded ? "stdout" : "stderr");
}

void end_output(struct driver *d) {
    struct run *run = d->run;
    const struct stream *out = &d->out;

    run->unfinished = out->line_start < out->length;
    if (run->unfinished)
        add_line(d, out->text + out->line_start, out->length - out->line_start);
    run->err_text = d->err.text ? d->err.text : calloc(1, 1);
    if (run->err_text == NULL)
        err(EXIT_FAILURE, "calloc");
}
