/*
 * pages.c - the pages: what they say, and what goes wrong on purpose
 */
#define _GNU_SOURCE
#include "sites/serving.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    BLOCK_BYTES = 4 * 1024, /* what a reader callback may fill at once */
    DROPS = 100,            /* of /trickle: one every 200 ms, 20 s in all */
    DROP_BYTES = 9,         /* "drop 001\n" */
};

enum {
    INDEX,
    SMALL,
    MEDIUM,
    LARGE,
    SLOW,
    QUOTE_PAGE,
    BAD_SYMBOL,
    CUT_SYMBOL,
    BROKEN_SYMBOL,
    NEVER_SYMBOL,
    NOT_FOUND,
    NOT_ALLOWED
};

/* The first ones are in the order of the enum above. */
static const struct page pages[] = {
    {"/", WHOLE, LATENCY, 200, 0, NULL, "this list"},
    {"/small", WHOLE, LATENCY, 200, 11369, NULL, "11,369 bytes"},
    {"/medium", WHOLE, LATENCY, 200, 107786, NULL, "107,786 bytes"},
    {"/large", WHOLE, LATENCY, 200, 608312, NULL, "608,312 bytes"},
    {"/slow", WHOLE, SLOW_LATENCY, 200, 11369, NULL,
        "11,369 bytes after ten times the latency"},
    {"/quote/SYMBOL", QUOTE, QUOTE_LATENCY, 200, 0, NULL,
        "a price; SYMBOL is 1 to 8 letters from A to Z"},
    {NULL, WHOLE, QUOTE_LATENCY, 404, 0, NULL, "404 No Such Symbol"},
    {NULL, CUT, QUOTE_LATENCY, 200, 20, NULL, "a quote cut short"},
    {NULL, WHOLE, QUOTE_LATENCY, 500, 0, NULL, "500 Internal Server Error"},
    {NULL, NEVER, QUOTE_LATENCY, 200, 0, NULL, "a quote that never comes"},
    {"/missing", WHOLE, LATENCY, 404, 0, NULL, "404 Not Found"},
    {NULL, WHOLE, LATENCY, 405, 0, NULL, "405 Method Not Allowed"},
    {"/broken", WHOLE, LATENCY, 500, 0, NULL, "500 Internal Server Error"},
    {"/redirect", WHOLE, LATENCY, 302, 0, "/small", "302 to /small"},
    {"/loop", WHOLE, LATENCY, 302, 0, "/loop", "302 to itself, for ever"},
    {"/cut", CUT, LATENCY, 200, 11369, NULL,
        "announces 11,369 bytes and closes half-way"},
    {"/reset", RESET, LATENCY, 200, 11369, NULL,
        "resets the connection in the middle of the body"},
    {"/trickle", TRICKLE, LATENCY, 200, DROPS *DROP_BYTES, NULL,
        "9 bytes every 200 ms, for 20 s"},
    {"/never", NEVER, LATENCY, 200, 0, NULL, "no answer at all"},
};

enum { PAGES = sizeof(pages) / sizeof(pages[0]) };
_Static_assert((int)PAGES <= (int)MOST_PAGES, "room for the responses");

/* ---------- The bodies ---------- */

static const char filler[] =
    "A practice page has nothing to say and says it at length, because a "
    "download needs\nsomething to carry. Whoever waits for it may wait "
    "alone, or beside others who wait\nas well; the bytes are the same "
    "either way, and only the clock can tell. ";

static void fill(char *buffer, size_t size, uint64_t position) {
    for (size_t i = 0; i < size; i++)
        buffer[i] = filler[(position + i) % (sizeof(filler) - 1)];
}

static void write_body(FILE *out, const struct page *page) {
    const char *title = page->path != NULL ? page->path : page->what;

    fprintf(out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
        "<title>%s</title>\n<h1>%s</h1>\n",
        title, title);
    if (page != &pages[INDEX]) {
        fprintf(out, "<p>%s</p>\n", page->what);
        return;
    }
    fputs("<ul>\n", out);
    for (int i = 0; i < PAGES; i++) {
        const char *path = pages[i].path;

        if (path != NULL)
            fprintf(out, "<li><a href=\"%s\">%s</a>: %s</li>\n",
                i == QUOTE_PAGE ? "/quote/ABT" : path, path, pages[i].what);
    }
    fputs("</ul>\n", out);
}

/* Returns the body, of exactly page->size bytes if that is given; malloc. */
static char *make_body(const struct page *page, size_t *length) {
    static const char tail[] = "</p>\n";
    char *body = NULL, *whole;
    FILE *out = open_memstream(&body, length);
    size_t head, end = sizeof(tail) - 1;

    if (out == NULL)
        return NULL;
    write_body(out, page);
    if (page->size > 0)
        fputs("<p>", out);
    if (fclose(out) != 0 || page->size == 0)
        return body;
    head = *length;
    whole = realloc(body, page->size);
    if (whole == NULL) {
        free(body);
        return NULL;
    }
    fill(whole + head, page->size - head - end, 0);
    memcpy(whole + page->size - end, tail, end);
    *length = page->size;
    return whole;
}

/* Takes over the response, also when it fails. */
static bool add_headers(
    struct MHD_Response *response, const struct page *page) {
    const char *type = page->kind == QUOTE || page->kind == TRICKLE
                           ? "text/plain; charset=utf-8"
                           : "text/html; charset=utf-8";

    if (MHD_add_response_header(response, "Content-Type", type) == MHD_YES &&
        (page->location == NULL || MHD_add_response_header(response, "Location",
                                       page->location) == MHD_YES) &&
        (page->status != 405 ||
            MHD_add_response_header(response, "Allow", "GET, HEAD") == MHD_YES))
        return true;
    MHD_destroy_response(response);
    return false;
}

/* One response for all requests of a page: nothing is copied per request. */
static struct MHD_Response *make_shared_response(const struct page *page) {
    size_t length;
    char *body = make_body(page, &length);
    struct MHD_Response *response;

    if (body == NULL)
        return NULL;
    response =
        MHD_create_response_from_buffer(length, body, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(body);
        return NULL;
    }
    return add_headers(response, page) ? response : NULL;
}

/* ---------- The answers, in the server thread ---------- */

/*
 * Sends a reset at once: to dissolve the association of a connected TCP socket
 * aborts it. SO_LINGER would be too late, since MHD sends an orderly end of
 * stream before it closes. The client still reads what was sent before.
 */
static void reset_connection(int socket) {
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

    connect(socket, &nobody, sizeof(nobody));
}

static ssize_t read_half(
    void *argument, uint64_t position, char *buffer, size_t most) {
    struct request *r = argument;
    const size_t half = r->page->size / 2;

    if (position >= half) {
        r->cut = true;
        if (r->page->kind == RESET)
            reset_connection(r->socket);
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    if (most > half - position)
        most = half - position;
    fill(buffer, most, position);
    return (ssize_t)most;
}

static ssize_t read_drop(
    void *argument, uint64_t position, char *buffer, size_t most) {
    struct request *r = argument;
    char drop[DROP_BYTES + 1];

    if (r->stage == DROPPED || most < DROP_BYTES)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (!r->drop_due && position > 0) {
        park(r, NEXT_DROP);
        return 0;
    }
    r->drop_due = false;
    snprintf(drop, sizeof(drop), "drop %03u\n",
        (unsigned)(position / DROP_BYTES + 1) % 1000);
    memcpy(buffer, drop, DROP_BYTES);
    return DROP_BYTES;
}

/* A made-up price, always the same for a symbol (FNV-1a hash). */
const char *sites_quote(
    unsigned salt, const char *symbol, char *buf, size_t size) {
    uint32_t hash = 2166136261U ^ salt;

    for (const char *c = symbol; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619U;
    hash = 1000 + hash % 49000;
    snprintf(
        buf, size, "%s %" PRIu32 ".%02" PRIu32, symbol, hash / 100, hash % 100);
    return buf;
}

static struct MHD_Response *make_quote(
    const struct sites *s, const char *symbol) {
    char line[64], text[sizeof(line) + 1];

    snprintf(text, sizeof(text), "%s\n",
        sites_quote(s->options.quote_salt, symbol, line, sizeof(line)));
    return MHD_create_response_from_buffer(
        strlen(text), text, MHD_RESPMEM_MUST_COPY);
}

enum MHD_Result answer(struct request *r) {
    const struct page *page = r->page;
    struct MHD_Response *response = r->sites->responses[page - pages];
    enum MHD_Result result;

    if (response != NULL)
        return MHD_queue_response(r->connection, page->status, response);
    if (page->kind == QUOTE)
        response = make_quote(r->sites, r->symbol);
    else
        response = MHD_create_response_from_callback(page->size, BLOCK_BYTES,
            page->kind == TRICKLE ? read_drop : read_half, r, NULL);
    if (response == NULL || !add_headers(response, page))
        return MHD_NO;
    result = MHD_queue_response(r->connection, page->status, response);
    MHD_destroy_response(response);
    return result;
}

/* ---------- Which page ---------- */

static const struct page *find_page(
    const char *method, const char *path, char symbol[SYMBOL_MOST + 1]) {
    static const char quote[] = "/quote/";
    size_t length;

    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return &pages[NOT_ALLOWED];
    if (strncmp(path, quote, sizeof(quote) - 1) == 0) {
        path += sizeof(quote) - 1;
        length = strspn(path, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (length == 0 || length > SYMBOL_MOST || path[length] != '\0')
            return &pages[BAD_SYMBOL];
        memcpy(symbol, path, length + 1);
        return &pages[QUOTE_PAGE];
    }
    for (int i = 0; i < PAGES; i++)
        if (pages[i].path != NULL && strcmp(path, pages[i].path) == 0)
            return &pages[i];
    return &pages[NOT_FOUND];
}

static bool is_symbol(const char *symbol, const struct request *r) {
    return symbol != NULL && strcmp(symbol, r->symbol) == 0;
}

const struct page *page_of(
    struct request *r, const char *method, const char *path) {
    const struct page *page = find_page(method, path, r->symbol);
    const struct sites_options *options = &r->sites->options;

    if (page->kind != QUOTE)
        return page;
    if (is_symbol(options->cut_symbol, r))
        return &pages[CUT_SYMBOL];
    if (is_symbol(options->broken_symbol, r))
        return &pages[BROKEN_SYMBOL];
    if (is_symbol(options->never_symbol, r))
        return &pages[NEVER_SYMBOL];
    return page;
}

bool make_responses(struct sites *s) {
    for (int i = 0; i < PAGES; i++) {
        if (pages[i].kind != WHOLE)
            continue;
        s->responses[i] = make_shared_response(&pages[i]);
        if (s->responses[i] == NULL)
            return false;
    }
    return true;
}

void free_responses(struct sites *s) {
    for (int i = 0; i < PAGES; i++)
        if (s->responses[i] != NULL)
            MHD_destroy_response(s->responses[i]);
}

void sites_print_pages(FILE *stream) {
    for (int i = 0; i < PAGES; i++)
        if (pages[i].path != NULL)
            fprintf(stream, "    %-14s %s\n", pages[i].path, pages[i].what);
}
