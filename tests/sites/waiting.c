/*
 * waiting.c - requests that wait: queues, the timer, park and resume
 */
#define _GNU_SOURCE
#include "sites/serving.h"

#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>

enum {
    SLOW_FACTOR = 10,
    DROP_MS = 200, /* between two drops of /trickle */
    TICK_MS = 50,  /* between two messages of the live picture */
};

static long long now_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
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

long long delay_ns(const struct sites *s, enum queue queue) {
    const long long ms = 1000000;

    switch (queue) {
    case LATENCY: return s->options.latency_ms * ms;
    case SLOW_LATENCY: return s->options.latency_ms * SLOW_FACTOR * ms;
    case QUOTE_LATENCY: return s->options.quote_latency_ms * ms;
    case NEXT_DROP: return DROP_MS * ms;
    case NEXT_TICK: return TICK_MS * ms;
    case NEVER_ENDS: return SITES_LONGEST_MS * ms;
    default: return 0;
    }
}

void set_timer(struct sites *s) {
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
        r->tick_due = queue == NEXT_TICK;
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
    counts->due = -counts->never - s->queues[NEXT_TICK].length;
    for (enum queue queue = RELEASED; queue < QUEUES; queue++)
        counts->due += s->queues[queue].length;
    counts->settled = settled(s);
}

/* ---------- Waiting: park and resume, in the server thread ---------- */

void park(struct request *r, enum queue queue) {
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
void client_left(struct request *r) {
    struct sites *s = r->sites;

    pthread_mutex_lock(&s->mutex);
    take_out(s, r);
    pthread_mutex_unlock(&s->mutex);
    r->stage = DROPPED;
    resume(r);
}

void resume_due(struct sites *s) {
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
void resume_all(struct sites *s) {
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

/* ---------- From outside ---------- */

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
