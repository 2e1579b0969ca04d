/*
 * trace.c - pictures as a trace that Perfetto and chrome://tracing open
 *
 * The format: "Trace Event Format" by the authors of Chromium's tracing.
 */
#include "pictures/trace.h"
#include "judge/events.h"
#include <err.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { COUNTED = 500 }; /* points of the counter */

static json_t *checked(json_t *value) {
    if (value == NULL)
        errx(EXIT_FAILURE, "out of memory");
    return value;
}

static json_t *string(const char *text) {
    char *copy = printable(text, strlen(text));
    json_t *value = checked(json_string(copy));

    free(copy);
    return value;
}

static double us(int64_t ns) {
    return (double)ns / 1e3;
}

/* An event with its own args, which are taken over. */
static void add(json_t *events, const char *phase, const char *name,
    size_t process, size_t thread, int64_t at_ns, json_t *args) {
    json_t *event = checked(json_pack("{s:s, s:o, s:i, s:i, s:f, s:o}", "ph",
        phase, "name", string(name), "pid", (int)process, "tid", (int)thread,
        "ts", us(at_ns), "args", args));

    if (phase[0] == 'i')
        json_object_set_new(event, "s", json_string("t"));
    json_array_append_new(events, event);
}

static void add_piece(json_t *events, size_t process, size_t thread,
    const struct piece_of_work *piece) {
    json_t *args = checked(json_object());

    if (piece->end != NULL)
        json_object_set_new(args, "end", string(piece->end));
    else
        json_object_set_new(args, "ended", json_false());
    if (piece->known) {
        json_object_set_new(
            args, "computing_us", json_real(us(piece->share_ns[COMPUTING])));
        json_object_set_new(
            args, "ready_us", json_real(us(piece->share_ns[READY])));
        json_object_set_new(
            args, "waiting_us", json_real(us(piece->share_ns[WAITING])));
    }
    if (piece->tid != 0)
        json_object_set_new(args, "thread", json_integer(piece->tid));
    add(events, "X", piece->begin, process, thread, piece->from_ns, args);
    json_object_set_new(json_array_get(events, json_array_size(events) - 1),
        "dur", json_real(us(piece->to_ns - piece->from_ns)));
}

/* ---------- Lines that neither begin nor end a piece ---------- */

static int by_address(const void *a, const void *b) {
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;

    return (x > y) - (x < y);
}

/* The texts of all pieces, by their addresses; to be freed. */
static const char **texts_of(const struct picture *picture, size_t *count) {
    const char **texts =
        calloc(2 * picture->recording->run.count + 1, sizeof *texts);

    if (texts == NULL)
        err(EXIT_FAILURE, "calloc");
    *count = 0;
    for (size_t i = 0; i < picture->count; i++)
        for (size_t j = 0; j < picture->lanes[i].count; j++) {
            const struct piece_of_work *piece = &picture->lanes[i].pieces[j];
            if (picture->lanes[i].thread)
                continue;
            texts[(*count)++] = piece->begin;
            if (piece->end != NULL)
                texts[(*count)++] = piece->end;
        }
    qsort(texts, *count, sizeof *texts, by_address);
    return texts;
}

static size_t lane_number(
    const struct picture *picture, const char *text, size_t length) {
    char *name = printable(text, length);
    size_t number = 0;

    for (size_t i = 0; i < picture->count && number == 0; i++)
        if (!picture->lanes[i].thread &&
            strcmp(picture->lanes[i].name, name) == 0)
            number = i + 1;
    free(name);
    return number;
}

static void add_other_lines(
    json_t *events, size_t process, const struct picture *picture) {
    const struct run *run = &picture->recording->run;
    size_t count;
    const char **texts = texts_of(picture, &count);

    for (size_t i = 0; i < run->count; i++) {
        const char *text = run->lines[i].text;
        size_t lane = events_lane(text);
        const char *rest = lane > 0 ? text + lane + 2 : text;

        if (bsearch(&rest, texts, count, sizeof *texts, by_address) == NULL)
            add(events, "i", rest, process, lane_number(picture, text, lane),
                run->lines[i].at_ns, checked(json_object()));
    }
    free(texts);
}

/* ---------- All ---------- */

static void name_it(json_t *events, const char *what, const char *name,
    size_t process, size_t thread) {
    add(events, "M", what, process, thread, 0,
        checked(json_pack("{s:o}", "name", string(name))));
}

static void add_counter(
    json_t *events, size_t process, const struct picture *picture) {
    double cpus[COUNTED];

    picture_cpus(picture, picture->end_ns, COUNTED, cpus);
    for (int64_t i = 0; i < COUNTED; i++)
        add(events, "C", "CPUs busy", process, 0, picture->end_ns / COUNTED * i,
            checked(json_pack("{s:f}", "CPUs", cpus[i])));
}

static void add_picture(
    json_t *events, size_t process, const struct picture *picture) {
    name_it(events, "process_name", picture->title, process, 0);
    for (size_t i = 0; i < picture->count; i++) {
        const struct lane *lane = &picture->lanes[i];

        name_it(events, "thread_name", lane->name, process, i + 1);
        for (size_t j = 0; j < lane->count; j++)
            add_piece(events, process, i + 1, &lane->pieces[j]);
    }
    add_other_lines(events, process, picture);
    if (picture->used_count > 0 && picture->end_ns > 0)
        add_counter(events, process, picture);
}

bool trace_write(
    const char *path, const struct picture *pictures, size_t count) {
    json_t *events = checked(json_array()), *trace;
    int status;

    for (size_t i = 0; i < count; i++)
        add_picture(events, i + 1, &pictures[i]);
    trace = checked(json_pack(
        "{s:s, s:o}", "displayTimeUnit", "ms", "traceEvents", events));
    status = json_dump_file(trace, path, JSON_COMPACT);
    json_decref(trace);
    return status == 0;
}
