/*
 * clock_shim.h - what the files of the preloaded side of virtual time share
 */
#ifndef CLOCK_SHIM_H
#define CLOCK_SHIM_H

#include "run/clock.h"
#include <errno.h>

#define SECOND INT64_C(1000000000)
#define FAR 4000000000 /* seconds: later than any clock shows, year 2096 */

/* It would shift each line further than the one before. */
/* clang-format off */
#define CALLS(X)                                                             \
    X(sleep) X(usleep) X(nanosleep) X(clock_nanosleep) X(thrd_sleep)         \
    X(clock_gettime) X(gettimeofday) X(time) X(timespec_get) X(sched_yield)  \
    X(poll) X(ppoll) X(select) X(pselect) X(epoll_wait) X(epoll_pwait)       \
    X(pthread_cond_timedwait) X(pthread_cond_clockwait) X(cnd_timedwait)     \
    X(pthread_mutex_timedlock) X(pthread_mutex_clocklock) X(mtx_timedlock)   \
    X(sem_timedwait) X(sem_clockwait) X(mq_timedreceive) X(mq_timedsend)     \
    X(sigtimedwait) X(alarm) X(ualarm) X(setitimer) X(getrusage) X(clock)    \
    X(times) X(epoll_pwait2) X(pthread_rwlock_timedrdlock)                   \
    X(pthread_rwlock_timedwrlock) X(pthread_rwlock_clockrdlock)              \
    X(pthread_rwlock_clockwrlock) X(setsockopt) X(recv) X(recvfrom)          \
    X(recvmsg) X(read) X(timerfd_create) X(timerfd_settime)                  \
    X(timerfd_gettime) X(timer_create) X(timer_settime) X(timer_gettime)    \
    X(timer_delete) X(timer_getoverrun)
/* clang-format on */

#define REAL_INDEX(name) REAL_##name,
enum real { CALLS(REAL_INDEX) REAL_COUNT };
#define REAL(name) ((__typeof__(&name))real(REAL_##name, #name))

/* NULL: time is real. */
extern struct clock_page *page __attribute__((visibility("hidden")));

/* The call of this name that is stood for. */
__attribute__((visibility("hidden"))) uintptr_t real(
    enum real which, const char *name);

static inline int64_t to_ns(const struct timespec *ts) {
    return ts->tv_sec > FAR ? FAR * SECOND : ts->tv_sec * SECOND + ts->tv_nsec;
}

static inline struct timespec to_timespec(int64_t ns) {
    return (struct timespec){ns / SECOND, ns % SECOND};
}

static inline bool valid(const struct timespec *ts) {
    return ts->tv_sec >= 0 && ts->tv_nsec >= 0 && ts->tv_nsec < SECOND;
}

/* Has this clock virtual time? */
static inline bool is_known(clockid_t id) {
    return id == CLOCK_REALTIME || id == CLOCK_MONOTONIC ||
           id == CLOCK_BOOTTIME || id == CLOCK_TAI;
}

/* What it showed at 0. */
static inline int64_t start_of(clockid_t id) {
    return id == CLOCK_REALTIME || id == CLOCK_TAI ? page->real_start
                                                   : page->mono_start;
}

static inline int64_t now(void) {
    return atomic_load(&page->now);
}

static inline int fail(int error) {
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

#endif
