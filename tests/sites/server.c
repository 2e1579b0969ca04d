/*
 * sites.c - the practice web sites
 *
 * Design. libmicrohttpd (MHD) speaks HTTP; one thread of ours drives it. The
 * thread sleeps in one epoll set that holds
 *   - MHD's own epoll descriptor: a connection or a request has come;
 *   - a timer: the latency of some answer is over. It is also the bell:
 *     sites_release() and sites_stop() set it to ring at once;
 *   - the socket of each request that waits: has the client left?
 * MHD can bring a thread of its own, but then a second one of ours would
 * have to wake it for every answer, and nobody could tell whether it has dealt
 * with everything. Here both are plain: see settled().
 *
 * An answer that must wait is a suspended connection, parked in a queue. All
 * requests of a queue wait equally long, so a queue is in order of due time
 * and no heap is needed. MHD does not look at a suspended connection, which is
 * why we watch its socket: without that, a client that gives up on /never
 * would hold a descriptor for an hour.
 *
 * One mutex guards the queues, the counts, the timer, asleep and stop. The
 * rest is constant after the start, or touched by the server thread only. No
 * MHD function is called with the mutex held, so lock order is no question.
 */
#define _GNU_SOURCE
#include "sites/sites.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
    SPARE_FILES = 128,      /* for all that is not a connection */
    POOL_BYTES = 8 * 1024,  /* MHD's memory for a connection */
    BLOCK_BYTES = 4 * 1024, /* what a reader callback may fill at once */
    EVENTS = 256,
    SYMBOL_MOST = 8,
    SLOW_FACTOR = 10,
    DROP_MS = 200,  /* between two drops of /trickle */
    DROPS = 100,    /* times DROP_MS: 20 s */
    DROP_BYTES = 9, /* "drop 001\n" */
};

/* Where a request waits. The released ones wait for the server thread only. */
enum queue {
    HELD,
    HELD_SLOW,
    RELEASED,
    LATENCY,
    SLOW_LATENCY,
    QUOTE_LATENCY,
    NEXT_DROP,
    NEVER_ENDS,
    QUEUES,
    NOT_PARKED = QUEUES
};

enum kind { WHOLE, QUOTE, CUT, RESET, TRICKLE, NEVER };

struct page {
    const char *path;
    enum kind kind;
    enum queue latency;
    unsigned status;
    size_t size; /* of the body in bytes; 0: a short one is made */
    const char *location;
    const char *what;
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

/* What the request does when it is next its turn. */
enum stage { ARRIVED, ADMITTED, READY, DROPPED };

struct request {
    struct request *previous, *next; /* in its queue */
    enum queue queue;
    enum stage stage;
    long long due_ns;
    struct sites *sites;
    struct MHD_Connection *connection;
    int socket;
    const struct page *page;
    bool cut;      /* ended by a fault on purpose */
    bool drop_due; /* /trickle may send its next drop */
    char symbol[SYMBOL_MOST + 1];
};

struct parked {
    struct request *first, *last;
    long length;
};

struct sites {
    pthread_mutex_t mutex;
    struct parked queues[QUEUES]; /* guarded */
    struct sites_counts counts;   /* guarded; the lengths are not kept */
    bool asleep;                  /* guarded; see settled() */
    bool stop;                    /* guarded */
    int timer;                    /* setting it is guarded */
    int epoll;
    /* A connection has closed. At its limit MHD does not listen, and only a
     * further MHD_run() makes it listen again. Server thread only. */
    bool run_again;
    struct sites_options options;
    unsigned short port;
    struct MHD_Daemon *daemon;
    struct MHD_Response *responses[PAGES];
    pthread_t thread;
};

static long long now_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

__attribute__((format(printf, 3, 4))) static void explain(
    char *error, size_t size, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error, size, format, arguments);
    va_end(arguments);
}

/* ---------- The queues. The caller holds the mutex. ---------- */

static void append(struct sites *s, struct request *r, enum queue queue) {
    struct parked *q = &s->queues[queue];

    r->queue = queue;
    r->next = NULL;
    r->previous = q->last;
    *(q->last != NULL ? &q->last->next : &q->first) = r;
    q->last = r;
    q->length++;
}

static void take_out(struct sites *s, struct request *r) {
    struct parked *q = &s->queues[r->queue];

    *(r->previous != NULL ? &r->previous->next : &q->first) = r->next;
    *(r->next != NULL ? &r->next->previous : &q->last) = r->previous;
    q->length--;
    r->queue = NOT_PARKED;
}

/* How long a request waits in the queue; 0 for those without an end. */
static long long delay_ns(const struct sites *s, enum queue queue) {
    const long long ms = 1000000;

    switch (queue) {
    case LATENCY: return s->options.latency_ms * ms;
    case SLOW_LATENCY: return s->options.latency_ms * SLOW_FACTOR * ms;
    case QUOTE_LATENCY: return s->options.quote_latency_ms * ms;
    case NEXT_DROP: return DROP_MS * ms;
    case NEVER_ENDS: return SITES_LONGEST_MS * ms;
    default: return 0;
    }
}

/* Sets the timer to the earliest due time, or to ring at once. */
static void set_timer(struct sites *s) {
    struct itimerspec when = {0};
    long long earliest = 0;

    for (enum queue queue = LATENCY; queue < QUEUES; queue++) {
        const struct request *r = s->queues[queue].first;

        if (r != NULL && (earliest == 0 || r->due_ns < earliest))
            earliest = r->due_ns;
    }
    if (s->stop || s->queues[RELEASED].first != NULL)
        earliest = 1;
    when.it_value.tv_sec = earliest / 1000000000;
    when.it_value.tv_nsec = earliest % 1000000000;
    /* Fails only for a bad argument. An all-zero time disarms it. */
    timerfd_settime(s->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

/* The next request whose waiting is over, taken out of its queue, or NULL. */
static struct request *next_due(struct sites *s, long long now) {
    for (enum queue queue = RELEASED; queue < QUEUES; queue++) {
        struct request *r = s->queues[queue].first;

        if (r == NULL || (queue != RELEASED && r->due_ns > now))
            continue;
        r->drop_due = queue == NEXT_DROP;
        r->cut = queue == NEVER_ENDS;
        take_out(s, r);
        return r;
    }
    return NULL;
}

/*
 * The server thread sets asleep before epoll_wait() when MHD has no work left
 * over, and clears it, under the mutex, before it acts on any event. So while
 * asleep is set and we hold the mutex, everything that is not dealt with still
 * shows as an event of the epoll set, and poll() sees it.
 */
static bool settled(const struct sites *s) {
    struct pollfd set = {.fd = s->epoll, .events = POLLIN};

    return s->asleep && poll(&set, 1, 0) == 0;
}

static void snapshot(const struct sites *s, struct sites_counts *counts) {
    *counts = s->counts;
    counts->held = s->queues[HELD].length + s->queues[HELD_SLOW].length;
    counts->never = s->queues[NEVER_ENDS].length;
    counts->due = -counts->never;
    for (enum queue queue = RELEASED; queue < QUEUES; queue++)
        counts->due += s->queues[queue].length;
    counts->settled = settled(s);
}

/* ---------- Waiting: park and resume, in the server thread ---------- */

/* Called from MHD's callbacks only, where MHD permits to suspend. */
static void park(struct request *r, enum queue queue) {
    struct sites *s = r->sites;
    struct epoll_event event = {.events = EPOLLRDHUP, .data.ptr = r};

    MHD_suspend_connection(r->connection);
    /* Should it fail for want of kernel memory, then we only learn later
     * that the client has left. */
    epoll_ctl(s->epoll, EPOLL_CTL_ADD, r->socket, &event);
    pthread_mutex_lock(&s->mutex);
    r->due_ns = now_ns() + delay_ns(s, queue);
    append(s, r, queue);
    pthread_mutex_unlock(&s->mutex);
}

/* The request is out of its queue. MHD_run() will call back for it. */
static void resume(struct request *r) {
    epoll_ctl(r->sites->epoll, EPOLL_CTL_DEL, r->socket, NULL);
    MHD_resume_connection(r->connection);
}

/* A client that closes only its sending side counts as gone as well. */
static void client_left(struct request *r) {
    struct sites *s = r->sites;

    pthread_mutex_lock(&s->mutex);
    take_out(s, r);
    pthread_mutex_unlock(&s->mutex);
    r->stage = DROPPED;
    resume(r);
}

static void resume_due(struct sites *s) {
    const long long now = now_ns();
    struct request *r;

    do {
        pthread_mutex_lock(&s->mutex);
        r = next_due(s, now);
        pthread_mutex_unlock(&s->mutex);
        if (r != NULL)
            resume(r);
    } while (r != NULL);
}

/* MHD_stop_daemon() aborts if a connection is still suspended. */
static void resume_all(struct sites *s) {
    struct request *r;

    for (enum queue queue = 0; queue < QUEUES; queue++) {
        do {
            pthread_mutex_lock(&s->mutex);
            r = s->queues[queue].first;
            if (r != NULL)
                take_out(s, r);
            pthread_mutex_unlock(&s->mutex);
            if (r != NULL)
                resume(r);
        } while (r != NULL);
    }
}

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

static enum MHD_Result answer(struct request *r) {
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

/* MHD calls this once a request is whole, and again after each resume. */
static enum MHD_Result go_on(struct request *r) {
    const struct page *page = r->page;
    struct sites *s = r->sites;

    if (r->stage == ARRIVED && page->kind == NEVER) {
        r->stage = DROPPED;
        park(r, NEVER_ENDS);
        return MHD_YES;
    }
    if (r->stage == ARRIVED) {
        r->stage = ADMITTED;
        if (s->options.gate) {
            park(r, page->latency == SLOW_LATENCY ? HELD_SLOW : HELD);
            return MHD_YES;
        }
    }
    if (r->stage == ADMITTED) {
        r->stage = READY;
        if (delay_ns(s, page->latency) > 0) {
            park(r, page->latency);
            return MHD_YES;
        }
    }
    return r->stage == READY ? answer(r) : MHD_NO;
}

/* ---------- What MHD calls, in the server thread ---------- */

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

/* The page, or what comes in its place on purpose. */
static const struct page *with_fault(
    const struct request *r, const struct page *page) {
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

/* The path comes from outside: show no control character of it. */
static void print_request(
    FILE *log, const char *method, const char *path, long in_flight) {
    char shown[64];
    size_t i;

    for (i = 0; i < sizeof(shown) - 1 && path[i] != '\0'; i++)
        shown[i] = isprint((unsigned char)path[i]) ? path[i] : '?';
    shown[i] = '\0';
    fprintf(log, "%5ld in flight  %.10s %s\n", in_flight, method, shown);
}

static struct request *receive(struct sites *s,
    struct MHD_Connection *connection, const char *method, const char *path) {
    struct request *r = calloc(1, sizeof(*r));
    struct sites_counts *counts = &s->counts;
    long in_flight;

    if (r == NULL)
        return NULL;
    r->sites = s;
    r->queue = NOT_PARKED;
    r->connection = connection;
    r->socket =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
            ->connect_fd;
    r->page = with_fault(r, find_page(method, path, r->symbol));
    pthread_mutex_lock(&s->mutex);
    counts->requests++;
    in_flight = ++counts->in_flight;
    if (in_flight > counts->most_in_flight)
        counts->most_in_flight = in_flight;
    pthread_mutex_unlock(&s->mutex);
    if (s->options.log != NULL)
        print_request(s->options.log, method, path, in_flight);
    return r;
}

static enum MHD_Result on_request(void *argument,
    struct MHD_Connection *connection, const char *path, const char *method,
    const char *version, const char *upload, size_t *upload_size,
    void **request) {
    (void)version;
    (void)upload;
    if (*request == NULL) {
        *request = receive(argument, connection, method, path);
        return *request != NULL ? MHD_YES : MHD_NO;
    }
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    return go_on(*request);
}

static void on_end(void *argument, struct MHD_Connection *connection,
    void **request, enum MHD_RequestTerminationCode code) {
    struct sites *s = argument;
    struct request *r = *request;

    (void)connection;
    if (r == NULL)
        return;
    pthread_mutex_lock(&s->mutex);
    s->counts.in_flight--;
    if (r->cut)
        s->counts.cut++;
    else if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        s->counts.served++;
    else
        s->counts.gone++;
    pthread_mutex_unlock(&s->mutex);
    free(r);
    *request = NULL;
}

static void on_connection(void *argument, struct MHD_Connection *connection,
    void **context, enum MHD_ConnectionNotificationCode code) {
    struct sites *s = argument;

    (void)connection;
    (void)context;
    if (code != MHD_CONNECTION_NOTIFY_STARTED) {
        s->run_again = true;
        return;
    }
    pthread_mutex_lock(&s->mutex);
    s->counts.connections++;
    pthread_mutex_unlock(&s->mutex);
}

/* ---------- The server thread ---------- */

/* Returns the number of events, or -1 when it is time to stop. */
static int wait_for_events(struct sites *s, struct epoll_event *events) {
    MHD_UNSIGNED_LONG_LONG left;
    const bool unfinished =
        s->run_again || MHD_get_timeout(s->daemon, &left) == MHD_YES;
    bool stop;
    int n;

    s->run_again = false;
    pthread_mutex_lock(&s->mutex);
    set_timer(s);
    s->asleep = !unfinished;
    pthread_mutex_unlock(&s->mutex);
    n = epoll_wait(s->epoll, events, EVENTS, unfinished ? 0 : -1);
    pthread_mutex_lock(&s->mutex);
    s->asleep = false;
    stop = s->stop;
    pthread_mutex_unlock(&s->mutex);
    return stop ? -1 : n > 0 ? n : 0;
}

/*
 * A request is freed by MHD_run() only. So in one round of events the left
 * clients must come first, then the due answers, then MHD_run().
 */
static void *serve(void *argument) {
    struct sites *s = argument;
    struct epoll_event events[EVENTS];
    int n;

    while ((n = wait_for_events(s, events)) >= 0) {
        for (int i = 0; i < n; i++)
            if (events[i].data.ptr != NULL)
                client_left(events[i].data.ptr);
        resume_due(s);
        MHD_run(s->daemon);
    }
    resume_all(s);
    return NULL;
}

/* ---------- Start ---------- */

unsigned sites_room(unsigned connections, char *error, size_t size) {
    const rlim_t need = (rlim_t)connections + SPARE_FILES;
    struct rlimit limit, wanted;

    if (getrlimit(RLIMIT_NOFILE, &limit) == -1) {
        explain(error, size, "getrlimit: %s", strerror(errno));
        return 0;
    }
    if (limit.rlim_cur >= need)
        return connections;
    wanted = (struct rlimit){.rlim_cur = need, .rlim_max = limit.rlim_max};
    if (wanted.rlim_max < need)
        wanted.rlim_max = need;
    if (setrlimit(RLIMIT_NOFILE, &wanted) == 0)
        return connections;
    /* Not privileged: take what the hard limit permits. */
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
        getrlimit(RLIMIT_NOFILE, &limit);
    explain(error, size,
        "%u connections need %ju open files, but the limit is %ju; "
        "raise it with: sudo prlimit --pid $$ --nofile=%ju",
        connections, (uintmax_t)need, (uintmax_t)limit.rlim_cur,
        (uintmax_t)need);
    if (limit.rlim_cur <= SPARE_FILES)
        return 0;
    return (unsigned)(limit.rlim_cur - SPARE_FILES);
}

/* Returns a listening socket and its port, or -1 and a sentence. */
static int open_listener(struct sites *s, char *error, size_t size) {
    struct sockaddr_in address = {.sin_family = AF_INET,
        .sin_port = htons(s->options.port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    const int yes = 1, backlog = (int)s->options.connections;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    /* SO_REUSEADDR: not to wait for old connections in TIME_WAIT. */
    if (fd == -1 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == -1 ||
        bind(fd, (struct sockaddr *)&address, length) == -1 ||
        listen(fd, backlog) == -1 ||
        getsockname(fd, (struct sockaddr *)&address, &length) == -1) {
        explain(error, size, "cannot listen on 127.0.0.1:%u: %s",
            s->options.port, strerror(errno));
        if (fd != -1)
            close(fd);
        return -1;
    }
    s->port = ntohs(address.sin_port);
    return fd;
}

static bool start_daemon(struct sites *s, char *error, size_t size) {
    const int listener = open_listener(s, error, size);

    if (listener == -1)
        return false;
    s->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0,
        NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, listener,
        MHD_OPTION_CONNECTION_LIMIT, s->options.connections,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES,
        MHD_OPTION_NOTIFY_COMPLETED, on_end, s, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, s,
        /* The server thread blocks all signals. */
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
    if (s->daemon != NULL)
        return true;
    explain(error, size, "MHD_start_daemon failed: %s", strerror(errno));
    close(listener);
    return false;
}

/* MHD's descriptor and the timer, both without a request. */
static bool make_epoll_set(struct sites *s) {
    struct epoll_event event = {.events = EPOLLIN};
    const int inner =
        MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;

    s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    return s->timer != -1 && s->epoll != -1 &&
           epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->timer, &event) == 0 &&
           epoll_ctl(s->epoll, EPOLL_CTL_ADD, inner, &event) == 0;
}

static bool make_responses(struct sites *s) {
    for (int i = 0; i < PAGES; i++) {
        if (pages[i].kind != WHOLE)
            continue;
        s->responses[i] = make_shared_response(&pages[i]);
        if (s->responses[i] == NULL)
            return false;
    }
    return true;
}

/* Signals are for the threads of the program, not for this one. */
static int start_thread(struct sites *s) {
    sigset_t all, before;
    int failure;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failure = pthread_create(&s->thread, NULL, serve, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}

static void free_sites(struct sites *s) {
    if (s->daemon != NULL)
        MHD_stop_daemon(s->daemon);
    for (int i = 0; i < PAGES; i++)
        if (s->responses[i] != NULL)
            MHD_destroy_response(s->responses[i]);
    if (s->timer != -1)
        close(s->timer);
    if (s->epoll != -1)
        close(s->epoll);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

static bool check_options(
    const struct sites_options *options, char *error, size_t size) {
    if (options->latency_ms < 0 || options->quote_latency_ms < 0 ||
        options->latency_ms > SITES_LONGEST_MS ||
        options->quote_latency_ms > SITES_LONGEST_MS) {
        explain(error, size, "a latency must be 0 to %ld ms", SITES_LONGEST_MS);
        return false;
    }
    return sites_room(options->connections, error, size) >=
           options->connections;
}

struct sites *sites_start(
    const struct sites_options *options, char *error, size_t size) {
    struct sites *s = calloc(1, sizeof(*s));
    int failure;

    if (s == NULL) {
        explain(error, size, "out of memory");
        return NULL;
    }
    s->options = *options;
    s->timer = s->epoll = -1;
    pthread_mutex_init(&s->mutex, NULL);
    if (s->options.connections == 0)
        s->options.connections = 256;
    if (!check_options(&s->options, error, size) ||
        !start_daemon(s, error, size)) {
        free_sites(s);
        return NULL;
    }
    errno = ENOMEM;
    failure = make_responses(s) && make_epoll_set(s) ? start_thread(s) : errno;
    if (failure != 0) {
        explain(error, size, "cannot start: %s", strerror(failure));
        free_sites(s);
        return NULL;
    }
    return s;
}

/* ---------- Use and stop ---------- */

unsigned short sites_port(const struct sites *sites) {
    return sites->port;
}

void sites_count(struct sites *sites, struct sites_counts *counts) {
    pthread_mutex_lock(&sites->mutex);
    snapshot(sites, counts);
    pthread_mutex_unlock(&sites->mutex);
}

long sites_release(struct sites *sites, long n) {
    enum queue queue;
    struct request *r;
    long released = 0;

    pthread_mutex_lock(&sites->mutex);
    queue = sites->queues[HELD].first != NULL ? HELD : HELD_SLOW;
    while (released < n && (r = sites->queues[queue].first) != NULL) {
        take_out(sites, r);
        append(sites, r, RELEASED);
        released++;
    }
    set_timer(sites);
    pthread_mutex_unlock(&sites->mutex);
    return released;
}

void sites_stop(struct sites *sites, struct sites_counts *last) {
    struct sites_counts now = {0};

    /* A client may have its answer before the server has counted it. One that
     * asks without end shall not keep the server from stopping. */
    for (int looks = 0; looks < 1000 && !now.settled; looks++) {
        if (looks > 0)
            poll(NULL, 0, 1);
        sites_count(sites, &now);
    }
    pthread_mutex_lock(&sites->mutex);
    sites->stop = true;
    set_timer(sites);
    pthread_mutex_unlock(&sites->mutex);
    pthread_join(sites->thread, NULL);
    MHD_stop_daemon(sites->daemon);
    sites->daemon = NULL;
    if (last != NULL) {
        sites_count(sites, last);
        last->settled = true;
    }
    free_sites(sites);
}

void sites_print_pages(FILE *stream) {
    for (int i = 0; i < PAGES; i++)
        if (pages[i].path != NULL)
            fprintf(stream, "    %-14s %s\n", pages[i].path, pages[i].what);
}
