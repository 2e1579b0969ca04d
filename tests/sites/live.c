/*
 * live.c - the live picture: each request as it comes and ends, to browsers
 *
 * DESIGN. A browser that shows /live keeps one answer open, /live/events, and
 * gets text/event-stream in it: at most 20 messages a second, each with the
 * counts and with what began and ended since the one before. Requests go
 * through a short journal; more of them than it holds are told as a sum. So a
 * browser costs the server no more with 10,000 requests in flight than with 5.
 * One that does not read is given no memory: its answer waits at the socket,
 * and MHD closes it after STALLED_S. What browsers ask for here is not counted
 * and not shown. All of this runs in the server thread.
 */
#define _GNU_SOURCE
#include "sites/serving.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
    JOURNAL = 200, /* requests' beginnings and ends that are remembered */
    PATH_MOST = 40,
    STALLED_S = 5,
    SEND_BYTES = 8 * 1024, /* that may wait at a browser's socket */
    BLOCK_BYTES = 4 * 1024
};

/* A request has begun or, without a path, ended. */
struct entry {
    long request, connection;
    long long at_ms;
    char path[PATH_MOST];
};

struct journal {
    struct entry entries[JOURNAL]; /* a ring */
    long written;                  /* in all: the next is this modulo JOURNAL */
    struct watcher *watchers;
};

struct watcher {
    struct watcher *next;
    struct journal *journal;
    long seen;  /* of the journal */
    long peak;  /* most in flight since the last message */
    char *text; /* the message that is being sent, */
    size_t length, sent;
};

static const struct page page = {"/live", WHOLE, LATENCY, 200, 0, NULL, ""};
static const struct page events = {
    "/live/events", LIVE, LATENCY, 200, 0, NULL, ""};

static long long now_ms(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

struct journal *live_start(void) {
    return calloc(1, sizeof(struct journal));
}

void live_stop(struct journal *journal) {
    free(journal);
}

/* ---------- What is told ---------- */

static struct entry *write_entry(struct journal *journal) {
    struct entry *entry = &journal->entries[journal->written++ % JOURNAL];

    *entry = (struct entry){.at_ms = now_ms()};
    return entry;
}

void live_begin(struct journal *journal, struct request *r, const char *path,
    long in_flight) {
    struct entry *entry;
    size_t i = 0;

    if (journal->watchers == NULL)
        return;
    entry = write_entry(journal);
    entry->request = r->number;
    entry->connection = r->connection_number;
    for (; i < PATH_MOST - 1 && path[i] != '\0'; i++)
        entry->path[i] = isprint((unsigned char)path[i]) ? path[i] : '?';
    for (struct watcher *w = journal->watchers; w != NULL; w = w->next)
        w->peak = in_flight > w->peak ? in_flight : w->peak;
}

void live_end(struct journal *journal, const struct request *r) {
    if (journal->watchers != NULL)
        write_entry(journal)->request = r->number;
}

/* A message: "now in-flight peak most requests untold", then a line an entry,
 * "+request connection at path" or "-request at". All times in ms. */
static void write_message(FILE *out, struct watcher *w, const struct sites *s) {
    struct journal *journal = w->journal;
    const struct sites_counts *counts = &s->counts;
    long untold =
        journal->written - w->seen > JOURNAL ? journal->written - w->seen : 0;

    fprintf(out, "data: %lld %ld %ld %ld %ld %ld\n", now_ms(),
        counts->in_flight, w->peak, counts->most_in_flight, counts->requests,
        untold);
    for (; untold == 0 && w->seen < journal->written; w->seen++) {
        const struct entry *e = &journal->entries[w->seen % JOURNAL];

        if (e->path[0] != '\0')
            fprintf(out, "data: +%ld %ld %lld %s\n", e->request, e->connection,
                e->at_ms, e->path);
        else
            fprintf(out, "data: -%ld %lld\n", e->request, e->at_ms);
    }
    fputs("\n", out);
    w->seen = journal->written;
    w->peak = counts->in_flight;
}

/* Makes the next message. False when memory is short. */
static bool make_message(struct watcher *w, struct sites *s) {
    FILE *out;

    free(w->text);
    w->text = NULL;
    w->sent = w->length = 0;
    out = open_memstream(&w->text, &w->length);
    if (out == NULL)
        return false;
    pthread_mutex_lock(&s->mutex);
    write_message(out, w, s);
    pthread_mutex_unlock(&s->mutex);
    return fclose(out) == 0;
}

/* ---------- The answers ---------- */

static ssize_t read_events(
    void *argument, uint64_t position, char *buffer, size_t most) {
    struct request *r = argument;
    struct watcher *w = r->watcher;
    size_t left = w->length - w->sent;

    if (r->stage == DROPPED)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (left == 0 && !r->tick_due && position > 0) {
        park(r, NEXT_TICK);
        return 0;
    }
    if (left == 0 && !make_message(w, r->sites))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    r->tick_due = false;
    left = w->length - w->sent;
    if (left > most)
        left = most;
    memcpy(buffer, w->text + w->sent, left);
    w->sent += left;
    return (ssize_t)left;
}

/* A page of this machine asks; not one from elsewhere whose name was made to
 * lead here. */
static bool is_local(struct MHD_Connection *connection) {
    static const char *const names[] = {"127.0.0.1", "localhost"};
    const char *host =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");

    for (size_t i = 0; host != NULL && i < 2; i++) {
        size_t length = strlen(names[i]);
        if (strncmp(host, names[i], length) == 0 &&
            (host[length] == ':' || host[length] == '\0'))
            return true;
    }
    return false;
}

const struct page *live_page(struct sites *s, struct MHD_Connection *connection,
    const char *method, const char *path) {
    if (!s->options.live || strcmp(method, "GET") != 0 || !is_local(connection))
        return NULL;
    if (strcmp(path, page.path) == 0)
        return &page;
    return strcmp(path, events.path) == 0 ? &events : NULL;
}

static void count_watchers(struct sites *s, long more) {
    pthread_mutex_lock(&s->mutex);
    s->counts.watchers += more;
    pthread_mutex_unlock(&s->mutex);
}

static struct watcher *add_watcher(struct request *r) {
    struct watcher *w = calloc(1, sizeof *w);

    if (w == NULL)
        return NULL;
    w->journal = r->sites->journal;
    w->seen = w->journal->written;
    w->next = w->journal->watchers;
    w->journal->watchers = w;
    count_watchers(r->sites, 1);
    return w;
}

void live_forget(struct request *r) {
    struct watcher **at = &r->sites->journal->watchers;

    if (r->watcher == NULL)
        return;
    while (*at != r->watcher)
        at = &(*at)->next;
    *at = r->watcher->next;
    count_watchers(r->sites, -1);
    free(r->watcher->text);
    free(r->watcher);
}

enum MHD_Result live_answer(struct request *r) {
    struct MHD_Response *response;
    enum MHD_Result result = MHD_NO;

    if (r->page == &events) {
        r->watcher = add_watcher(r);
        if (r->watcher == NULL)
            return MHD_NO;
        setsockopt(
            r->socket, SOL_SOCKET, SO_SNDBUF, &(int){SEND_BYTES}, sizeof(int));
        MHD_set_connection_option(
            r->connection, MHD_CONNECTION_OPTION_TIMEOUT, (unsigned)STALLED_S);
        response = MHD_create_response_from_callback(
            MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_events, r, NULL);
    } else {
        size_t length;
        char *text = live_text(&length);
        response = text == NULL ? NULL
                                : MHD_create_response_from_buffer(
                                      length, text, MHD_RESPMEM_MUST_FREE);
    }
    if (response == NULL)
        return MHD_NO;
    if (MHD_add_response_header(response, "Content-Type",
            r->page == &events ? "text/event-stream"
                               : "text/html; charset=utf-8") == MHD_YES &&
        MHD_add_response_header(response, "Cache-Control", "no-store") ==
            MHD_YES)
        result = MHD_queue_response(r->connection, 200, response);
    MHD_destroy_response(response);
    return result;
}
