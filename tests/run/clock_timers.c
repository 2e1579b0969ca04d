/*
 * clock_timers.c - virtual time, the preloaded side: timerfd and timer_create
 *
 * Part of clock_shim.so: see clock_shim.c.
 */
#define _GNU_SOURCE
#include "run/clock_shim.h"
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

static struct clock_timer *find_timer(int32_t pid, int fd) {
    for (size_t i = 0; i < CLOCK_TIMERS; i++)
        if (atomic_load(&page->timer[i].pid) == pid &&
            (pid == 0 || page->timer[i].fd == fd))
            return &page->timer[i];
    return NULL;
}

static void reset(struct clock_timer *timer, clockid_t id, int fd) {
    timer->fd = fd;
    timer->start = start_of(id);
    atomic_store(&timer->interval, 0);
    atomic_store(&timer->wake_at, INT64_MAX);
}

/* Makes a free one this process's; false if another was quicker. */
static bool take(struct clock_timer *timer) {
    int32_t nobody = 0;

    return atomic_compare_exchange_strong(&timer->pid, &nobody, getpid());
}

/* A timer that is not set, or NULL with errno. */
static struct clock_timer *new_timer(clockid_t id, int fd) {
    struct clock_timer *timer = NULL;

    if (fd != -1)
        timer = find_timer(getpid(), fd); /* of one that was closed */
    while (timer == NULL && (timer = find_timer(0, -1)) != NULL && !take(timer))
        timer = NULL;
    if (timer == NULL) {
        errno = EAGAIN;
        return NULL;
    }
    reset(timer, id, fd);
    return timer;
}

static void get_timer(const struct clock_timer *timer, struct itimerspec *at) {
    int64_t wake_at = atomic_load(&timer->wake_at);

    at->it_interval = to_timespec(atomic_load(&timer->interval));
    at->it_value = to_timespec(wake_at == INT64_MAX ? 0 : wake_at - now());
}

static int set_timer(struct clock_timer *timer, bool absolute,
    const struct itimerspec *new, struct itimerspec *old) {
    int64_t value = to_ns(&new->it_value);

    if (!valid(&new->it_value) || !valid(&new->it_interval))
        return fail(EINVAL);
    if (old != NULL)
        get_timer(timer, old);
    atomic_store(&timer->interval, to_ns(&new->it_interval));
    if (value == 0)
        value = INT64_MAX;
    else
        value += absolute ? -timer->start : now();
    atomic_store(&timer->wake_at, value);
    return 0;
}

/* An eventfd is read and polled just as a timerfd is. */
int timerfd_create(clockid_t id, int flags) {
    int fd;

    if (page == NULL || !page->timers || !is_known(id))
        return REAL(timerfd_create)(id, flags);
    fd = eventfd(0, flags);
    if (fd == -1 || new_timer(id, fd) != NULL)
        return fd;
    close(fd);
    return fail(EMFILE);
}

int timerfd_gettime(int fd, struct itimerspec *at) {
    struct clock_timer *timer = page ? find_timer(getpid(), fd) : NULL;

    if (timer == NULL)
        return REAL(timerfd_gettime)(fd, at);
    get_timer(timer, at);
    return 0;
}

int timerfd_settime(
    int fd, int flags, const struct itimerspec *new, struct itimerspec *old) {
    struct clock_timer *timer = page ? find_timer(getpid(), fd) : NULL;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    uint64_t count;

    if (timer == NULL)
        return REAL(timerfd_settime)(fd, flags, new, old);
    if (REAL(poll)(&ready, 1, 0) == 1 &&
        REAL(read)(fd, &count, sizeof(count)) == -1)
        return -1;
    return set_timer(timer, flags & TFD_TIMER_ABSTIME, new, old);
}

/* A timer that calls a function: a thread of this process waits for it. */
static struct callback {
    struct clock_timer timer; /* .pid 0: free */
    void (*function)(union sigval);
    union sigval value;
    sem_t changed; /* the timer was set or deleted */
    atomic_bool deleted;
} callbacks[CLOCK_TIMERS];

/* Waits until it is set or deleted, or due, which is true. */
static bool is_due(struct callback *own) {
    int64_t at = atomic_load(&own->timer.wake_at);
    int64_t interval = atomic_load(&own->timer.interval);
    struct timespec limit;

    if (at == INT64_MAX) {
        sem_wait(&own->changed);
        return false;
    }
    limit = to_timespec(page->mono_start + at);
    return sem_clockwait(&own->changed, CLOCK_MONOTONIC, &limit) == -1 &&
           errno == ETIMEDOUT &&
           atomic_compare_exchange_strong(&own->timer.wake_at, &at,
               interval > 0 ? at + interval : INT64_MAX);
}

static void *call_back(void *arg) {
    struct callback *own = arg;

    while (!atomic_load(&own->deleted))
        if (is_due(own))
            own->function(own->value);
    sem_destroy(&own->changed);
    atomic_store(&own->timer.pid, 0);
    return NULL;
}

static int new_callback(
    clockid_t id, const struct sigevent *event, timer_t *timer) {
    struct callback *own = callbacks;
    pthread_t thread;
    sigset_t all, before;
    int error;

    while (own < callbacks + CLOCK_TIMERS && !take(&own->timer))
        own++;
    if (own == callbacks + CLOCK_TIMERS)
        return fail(EAGAIN);
    reset(&own->timer, id, -1);
    own->function = event->sigev_notify_function;
    own->value = event->sigev_value;
    atomic_store(&own->deleted, false);
    sem_init(&own->changed, 0, 0);
    sigfillset(&all); /* no signal of the program's is for these threads */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, NULL, call_back, own);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        atomic_store(&own->timer.pid, 0);
        return fail(error);
    }
    pthread_detach(thread);
    *timer = (timer_t)own;
    return 0;
}

static struct callback *own_callback(timer_t timer) {
    struct callback *own = (struct callback *)timer;

    return own >= callbacks && own < callbacks + CLOCK_TIMERS ? own : NULL;
}

/* The timer that this stands for; NULL for a real one. */
static struct clock_timer *own_timer(timer_t timer) {
    struct clock_timer *own = (struct clock_timer *)timer;

    if (own_callback(timer) != NULL)
        return &own_callback(timer)->timer;
    return page != NULL && own >= page->timer &&
                   own < page->timer + CLOCK_TIMERS
               ? own
               : NULL;
}

/* A timer of CPU time is a real one: it comes while something computes. */
int timer_create(
    clockid_t id, struct sigevent *restrict event, timer_t *restrict timer) {
    int how = event == NULL ? SIGEV_SIGNAL : event->sigev_notify;
    struct clock_timer *own;

    if (page == NULL || !is_known(id))
        return REAL(timer_create)(id, event, timer);
    if (how == SIGEV_THREAD)
        return new_callback(id, event, timer);
    own = new_timer(id, -1);
    if (own == NULL)
        return -1;
    own->number = how == SIGEV_NONE ? 0 : event ? event->sigev_signo : SIGALRM;
    own->tid = how == SIGEV_THREAD_ID ? event->_sigev_un._tid : 0;
    own->value = event ? event->sigev_value.sival_ptr : (void *)own;
    *timer = (timer_t)own;
    return 0;
}

int timer_settime(timer_t timer, int flags,
    const struct itimerspec *restrict new, struct itimerspec *restrict old) {
    struct clock_timer *own = own_timer(timer);
    int result;

    if (own == NULL)
        return REAL(timer_settime)(timer, flags, new, old);
    result = set_timer(own, flags & TIMER_ABSTIME, new, old);
    if (own_callback(timer) != NULL)
        sem_post(&own_callback(timer)->changed);
    return result;
}

int timer_gettime(timer_t timer, struct itimerspec *at) {
    struct clock_timer *own = own_timer(timer);

    if (own == NULL)
        return REAL(timer_gettime)(timer, at);
    get_timer(own, at);
    return 0;
}

int timer_getoverrun(timer_t timer) {
    return own_timer(timer) == NULL ? REAL(timer_getoverrun)(timer) : 0;
}

int timer_delete(timer_t timer) {
    struct clock_timer *own = own_timer(timer);

    if (own == NULL)
        return REAL(timer_delete)(timer);
    if (own_callback(timer) == NULL) {
        atomic_store(&own->pid, 0);
    } else {
        atomic_store(&own_callback(timer)->deleted, true);
        sem_post(&own_callback(timer)->changed);
    }
    return 0;
}
