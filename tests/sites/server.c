/*
 * server.c - the practice web sites: what MHD calls, the thread, start and stop
 */
#define _GNU_SOURCE
#include "sites/serving.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    SPARE_FILES = 128,     /* for all that is not a connection */
    POOL_BYTES = 8 * 1024, /* MHD's memory for a connection */
    EVENTS = 256,
};

/* ---------- What MHD calls, in the server thread ---------- */

/* MHD calls this once a request is whole, and again after each resume. */
static enum MHD_Result go_on(struct request *r) {
    const struct page *page = r->page;
    struct sites *s = r->sites;

    if (r->aside) {
        if (r->stage != ARRIVED)
            return MHD_NO;
        r->stage = READY;
        return live_answer(r);
    }
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

/* Counts it, and tells whoever looks on. */
static void count_request(
    struct request *r, const char *method, const char *path) {
    struct sites *s = r->sites;
    struct sites_counts *counts = &s->counts;
    long in_flight;

    pthread_mutex_lock(&s->mutex);
    r->number = ++counts->requests;
    in_flight = ++counts->in_flight;
    if (in_flight > counts->most_in_flight)
        counts->most_in_flight = in_flight;
    pthread_mutex_unlock(&s->mutex);
    if (s->options.log != NULL)
        print_request(s->options.log, method, path, in_flight);
    live_begin(s->journal, r, path, in_flight);
}

static struct request *receive(struct sites *s,
    struct MHD_Connection *connection, const char *method, const char *path) {
    struct request *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return NULL;
    r->sites = s;
    r->queue = NOT_PARKED;
    r->connection = connection;
    r->socket =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
            ->connect_fd;
    r->connection_number = (long)(intptr_t)MHD_get_connection_info(
        connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
                               ->socket_context;
    r->page = live_page(s, connection, method, path);
    r->aside = r->page != NULL;
    if (r->aside)
        return r;
    r->page = page_of(r, method, path);
    count_request(r, method, path);
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
    *request = NULL;
    if (r->aside) {
        live_forget(r);
        free(r);
        return;
    }
    live_end(s->journal, r);
    pthread_mutex_lock(&s->mutex);
    s->counts.in_flight--;
    if (r->cut)
        s->counts.cut++;
    else if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        s->counts.served++;
    pthread_mutex_unlock(&s->mutex);
    free(r);
}

static void on_connection(void *argument, struct MHD_Connection *connection,
    void **context, enum MHD_ConnectionNotificationCode code) {
    struct sites *s = argument;

    (void)connection;
    if (code != MHD_CONNECTION_NOTIFY_STARTED) {
        s->run_again = true;
        return;
    }
    pthread_mutex_lock(&s->mutex);
    *context = (void *)(intptr_t)++s->counts.connections;
    pthread_mutex_unlock(&s->mutex);
}

/* ---------- The server thread ---------- */

/* Returns the number of events, or -1 when it is time to stop. */
static int wait_for_events(struct sites *s, struct epoll_event *events) {
    MHD_UNSIGNED_LONG_LONG left;
    int wait_ms = -1, n;
    bool stop;

    /* 0: there is work left; more: until a browser counts as stalled. */
    if (s->run_again)
        wait_ms = 0;
    else if (MHD_get_timeout(s->daemon, &left) == MHD_YES)
        wait_ms = left < INT_MAX ? (int)left : INT_MAX;

    s->run_again = false;
    pthread_mutex_lock(&s->mutex);
    set_timer(s);
    s->asleep = wait_ms != 0;
    pthread_mutex_unlock(&s->mutex);
    n = epoll_wait(s->epoll, events, EVENTS, wait_ms);
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

__attribute__((format(printf, 3, 4))) static void explain(
    char *error, size_t size, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error, size, format, arguments);
    va_end(arguments);
}

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
        explain(error, size, "cannot listen on 127.0.0.1:%u: %s%s",
            s->options.port, strerror(errno),
            errno == EADDRINUSE ? "; another port will do: PORT=8001 of make, "
                                  "-p 8001 of sites"
                                : "");
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
    free_responses(s);
    live_stop(s->journal);
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
    s->journal = live_start();
    if (s->journal == NULL) {
        explain(error, size, "out of memory");
        free_sites(s);
        return NULL;
    }
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
