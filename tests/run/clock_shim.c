/*
 * clock_shim.c - virtual time, the preloaded side
 *
 * DESIGN. Stands in for the calls that sleep, wait with a time-out or read a
 * clock. Without KIT_CLOCK_FD in the environment every call passes through.
 * See clock.h for what is shared and clock.c for how the harness wakes; timers
 * that are set and read are in clock_timers.c.
 *
 * A call that waits for something else too runs as the real call with a
 * time-out far away, ended by the harness. Waiting in short slices would be
 * wrong: pthread_cond_timedwait cannot be taken up again, because a signal
 * that came between two slices is lost.
 *
 * Nothing here allocates, locks or prints: sanitizer runtimes call it before
 * any constructor ran. Link it with -nostdlib: as it then has no version needs
 * of its own, the loader lets its symbols stand for every version, and
 * ThreadSanitizer, which asks for pthread_cond_timedwait by version, finds it.
 */
#define _GNU_SOURCE
#include "run/clock_shim.h"
#include <dlfcn.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <threads.h>
#include <unistd.h>

struct clock_page *page;
static const struct timespec past, far = {.tv_sec = FAR};

/* Any number of threads may look a name up at once: all find the same. */
uintptr_t real(enum real which, const char *name) {
    static _Atomic uintptr_t found[REAL_COUNT];
    uintptr_t at = atomic_load_explicit(&found[which], memory_order_relaxed);

    if (at == 0) {
        at = (uintptr_t)dlsym(RTLD_NEXT, name);
        atomic_store_explicit(&found[which], at, memory_order_relaxed);
    }
    return at;
}

__attribute__((constructor)) static void map_page(void) {
    const char *fd = getenv(CLOCK_VARIABLE);
    struct clock_page *found;

    if (fd == NULL)
        return;
    found = mmap(
        NULL, sizeof(*found), PROT_READ | PROT_WRITE, MAP_SHARED, atoi(fd), 0);
    if (found != MAP_FAILED && found->magic == CLOCK_MAGIC)
        page = found;
}

/* ---------- Slots ---------- */

/* The slot of this id, which a killed namesake may have left, or a free one. */
static struct slot *claim(int32_t id) {
    for (unsigned i = 0; i < CLOCK_PROBES; i++) {
        struct slot *slot = clock_slot(page, id, i);

        if (atomic_load(&slot->id) == id)
            return slot;
    }
    for (unsigned i = 0; i < CLOCK_PROBES; i++) {
        struct slot *slot = clock_slot(page, id, i);
        int32_t nobody = 0;

        if (atomic_compare_exchange_strong(&slot->id, &nobody, id))
            return slot;
    }
    abort(); /* more than 16,000 tasks: the harness cannot judge them */
}

static struct slot *enter(enum slot_state state, int64_t deadline) {
    struct slot *slot = claim(gettid());

    slot->limit = far;
    atomic_store(&slot->wake_at, deadline);
    atomic_store(&slot->state, state);
    return slot;
}

static void leave(void *argument) {
    struct slot *slot = argument;

    if (slot != NULL) {
        atomic_store(&slot->state, SLOT_IDLE);
        atomic_store(&slot->id, 0);
    }
}

/* ---------- Sleeping ---------- */

/* Blocks until the harness has woken the slot. The time-out far away makes
 * the kernel return EINTR after any signal handler, as nanosleep does. Like
 * it, this is a cancellation point. */
static int block(struct slot *slot) {
    uint32_t asleep = SLOT_SLEEPING;
    int type;

    pthread_cleanup_push(leave, slot);
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
    while (atomic_load(&slot->state) == SLOT_SLEEPING)
        if (syscall(SYS_futex, &slot->state, FUTEX_WAIT, SLOT_SLEEPING, &far,
                NULL, 0) == -1 &&
            errno == EINTR)
            break;
    pthread_setcanceltype(type, NULL);
    pthread_cleanup_pop(0);
    return atomic_compare_exchange_strong(&slot->state, &asleep, SLOT_IDLE)
               ? EINTR
               : 0;
}

/* Returns 0, or EINTR with the rest in *left. Leaves errno alone. */
static int sleep_until(int64_t deadline, struct timespec *left) {
    int64_t length = deadline - now();
    struct slot *slot;
    int saved = errno, error;

    atomic_fetch_add(&page->sleeps, 1);
    if (length <= 0) {
        atomic_fetch_add(&page->idles, 1);
        pthread_testcancel();
        return 0;
    }
    slot = enter(SLOT_SLEEPING, deadline);
    error = block(slot);
    leave(slot);
    if (error != 0 && left != NULL)
        *left = to_timespec(deadline - now());
    errno = saved;
    return error;
}

static int sleep_for(const struct timespec *length, struct timespec *left) {
    return valid(length) ? sleep_until(now() + to_ns(length), left) : EINVAL;
}

int nanosleep(const struct timespec *length, struct timespec *left) {
    if (page == NULL)
        return REAL(nanosleep)(length, left);
    return fail(sleep_for(length, left));
}

int usleep(useconds_t us) {
    struct timespec length = to_timespec((int64_t)us * 1000);

    return page ? fail(sleep_for(&length, NULL)) : REAL(usleep)(us);
}

unsigned sleep(unsigned seconds) {
    struct timespec length = {.tv_sec = seconds}, left = {0};

    if (page == NULL)
        return REAL(sleep)(seconds);
    return sleep_for(&length, &left) ? (unsigned)left.tv_sec : 0;
}

int thrd_sleep(const struct timespec *length, struct timespec *left) {
    int error;

    if (page == NULL)
        return REAL(thrd_sleep)(length, left);
    error = sleep_for(length, left);
    return error == 0 ? 0 : error == EINTR ? -1 : -2;
}

int clock_nanosleep(clockid_t id, int flags, const struct timespec *length,
    struct timespec *left) {
    if (page == NULL || !is_known(id))
        return REAL(clock_nanosleep)(id, flags, length, left);
    if (!(flags & TIMER_ABSTIME))
        return sleep_for(length, left);
    if (!valid(length))
        return EINVAL;
    return sleep_until(to_ns(length) - start_of(id), NULL);
}

/* ---------- Clocks ---------- */

/* What this clock shows, in ns; -1 for one that stays real. */
static int64_t shown(clockid_t id) {
    switch (id) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI: break;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME:
        atomic_fetch_add(&page->looks, 1);
        return page->mono_start + now();
    default: return -1;
    }
    atomic_fetch_add(&page->looks, 1);
    return page->real_start + now();
}

/* The CPU time to be shown, in ns; -1: the real one. */
static int64_t shown_cpu(void) {
    return page != NULL && page->cpu_permille > 0
               ? now() / 1000 * page->cpu_permille
               : -1;
}

int clock_gettime(clockid_t id, struct timespec *ts) {
    bool cpu = id == CLOCK_PROCESS_CPUTIME_ID || id == CLOCK_THREAD_CPUTIME_ID;
    int64_t ns = cpu ? shown_cpu() : page ? shown(id) : -1;

    if (ns == -1)
        return REAL(clock_gettime)(id, ts);
    *ts = to_timespec(ns);
    return 0;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone) {
    int64_t ns;

    if (page == NULL)
        return REAL(gettimeofday)(tv, zone);
    ns = shown(CLOCK_REALTIME);
    *tv = (struct timeval){ns / SECOND, ns % SECOND / 1000};
    return 0;
}

time_t time(time_t *at) {
    time_t seconds;

    if (page == NULL)
        return REAL(time)(at);
    seconds = shown(CLOCK_REALTIME) / SECOND;
    if (at != NULL)
        *at = seconds;
    return seconds;
}

int timespec_get(struct timespec *ts, int base) {
    if (page == NULL || base != TIME_UTC)
        return REAL(timespec_get)(ts, base);
    *ts = to_timespec(shown(CLOCK_REALTIME));
    return base;
}

/* A quarter of it in the kernel. */
int getrusage(__rusage_who_t who, struct rusage *use) {
    int status = REAL(getrusage)(who, use);
    int64_t ns = shown_cpu(), system = ns / 4;

    if (status == -1 || ns == -1 || who == RUSAGE_CHILDREN)
        return status;
    ns -= system;
    use->ru_utime = (struct timeval){ns / SECOND, ns % SECOND / 1000};
    use->ru_stime = (struct timeval){system / SECOND, system % SECOND / 1000};
    return 0;
}

clock_t clock(void) {
    int64_t ns = shown_cpu();

    return ns == -1 ? REAL(clock)() : ns / (SECOND / CLOCKS_PER_SEC);
}

clock_t times(struct tms *use) {
    clock_t at = REAL(times)(use);
    int64_t ns = shown_cpu(), tick = SECOND / sysconf(_SC_CLK_TCK);

    if (ns == -1)
        return at;
    use->tms_stime = ns / 4 / tick;
    use->tms_utime = ns / tick - use->tms_stime;
    return shown(CLOCK_MONOTONIC) / tick;
}

int sched_yield(void) {
    if (page != NULL)
        atomic_fetch_add(&page->idles, 1);
    return REAL(sched_yield)();
}

void thrd_yield(void) {
    sched_yield();
}

/* ---------- Waiting for something else, with a time-out ---------- */

#ifdef __x86_64__
__asm__(".pushsection .text\n"
        ".type kit_return, @function\n"
        "kit_return: mov $15, %eax\n" /* rt_sigreturn */
        "syscall\n"
        ".size kit_return, . - kit_return\n"
        ".popsection\n");
void kit_return(void) __attribute__((visibility("hidden")));
#define RETURN kit_return
#define RETURN_FLAG 0x04000000
#else
#define RETURN NULL
#define RETURN_FLAG 0
#endif

static void interrupt(int number) {
    (void)number; /* it is there to make the blocked call return EINTR */
}

/* By the bare system call: the C library refuses its own signal number, and
 * a sanitizer would defer the handler. Repeated for each wait, because the
 * first pthread_create sets a handler of its own. */
static void catch_interrupt(void) {
    struct {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
    } action = {interrupt, RETURN_FLAG, RETURN, 0};

    syscall(SYS_rt_sigaction, CLOCK_SIGNAL, &action, NULL, sizeof(uint64_t));
}

/* For a relative time-out in ns. NULL: make the real call as it was asked. */
static struct slot *wait_for(int64_t ns) {
    if (page == NULL || ns < 0)
        return NULL;
    if (ns == 0) {
        atomic_fetch_add(&page->idles, 1);
        return NULL;
    }
    catch_interrupt();
    return enter(SLOT_WAITING, now() + ns);
}

static struct slot *wait_ms(int ms) {
    return wait_for(ms * INT64_C(1000000));
}

static struct slot *wait_timespec(const struct timespec *ts) {
    return wait_for(ts == NULL || !valid(ts) ? -1 : to_ns(ts));
}

/* For an absolute time-out; *limit is what the real call is to be given. An
 * invalid one goes there unchanged, one that has passed as one long past. */
static struct slot *wait_until(
    clockid_t id, const struct timespec *at, const struct timespec **limit) {
    struct slot *slot;
    int64_t start;

    *limit = at;
    if (page == NULL || at == NULL || !valid(at))
        return NULL;
    start = start_of(id);
    *limit = &past;
    if (to_ns(at) - start <= now()) {
        atomic_fetch_add(&page->idles, 1);
        return NULL;
    }
    slot = wait_for(to_ns(at) - start - now());
    *limit = &slot->limit;
    return slot;
}

/* Makes the call; a thread cancelled in it gives its slot back. */
#define WAIT(slot, result, call)           \
    do {                                   \
        pthread_cleanup_push(leave, slot); \
        (result) = (call);                 \
        pthread_cleanup_pop(0);            \
    } while (0)

/* Gives the slot back. True when the time-out ended the call. */
static bool timed_out(struct slot *slot, bool failed) {
    int saved = errno;
    bool due = slot != NULL && atomic_load(&slot->state) == SLOT_DUE;

    leave(slot);
    errno = saved;
    return due && failed && saved == EINTR;
}

int poll(struct pollfd *fds, nfds_t n, int ms) {
    struct slot *slot = wait_ms(ms);
    int got;

    WAIT(slot, got, REAL(poll)(fds, n, slot ? -1 : ms));
    return timed_out(slot, got == -1) ? 0 : got;
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
    const sigset_t *mask) {
    struct slot *slot = wait_timespec(timeout);
    int got;

    WAIT(slot, got, REAL(ppoll)(fds, n, slot ? NULL : timeout, mask));
    return timed_out(slot, got == -1) ? 0 : got;
}

/* What poll and ppoll are called under _FORTIFY_SOURCE. */
int __poll_chk(struct pollfd *, nfds_t, int, size_t);
int __ppoll_chk(
    struct pollfd *, nfds_t, const struct timespec *, const sigset_t *, size_t);

int __poll_chk(struct pollfd *fds, nfds_t n, int ms, size_t size) {
    (void)size;
    return poll(fds, n, ms);
}

int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
    const sigset_t *mask, size_t size) {
    (void)size;
    return ppoll(fds, n, timeout, mask);
}

int epoll_wait(int fd, struct epoll_event *events, int n, int ms) {
    struct slot *slot = wait_ms(ms);
    int got;

    WAIT(slot, got, REAL(epoll_wait)(fd, events, n, slot ? -1 : ms));
    return timed_out(slot, got == -1) ? 0 : got;
}

int epoll_pwait(
    int fd, struct epoll_event *events, int n, int ms, const sigset_t *mask) {
    struct slot *slot = wait_ms(ms);
    int got;

    WAIT(slot, got, REAL(epoll_pwait)(fd, events, n, slot ? -1 : ms, mask));
    return timed_out(slot, got == -1) ? 0 : got;
}

int epoll_pwait2(int fd, struct epoll_event *events, int n,
    const struct timespec *timeout, const sigset_t *mask) {
    struct slot *slot = wait_timespec(timeout);
    int got;

    WAIT(slot, got,
        REAL(epoll_pwait2)(fd, events, n, slot ? NULL : timeout, mask));
    return timed_out(slot, got == -1) ? 0 : got;
}

/* The kernel leaves the sets alone when interrupted: a time-out empties
 * them. */
static int empty(int n, fd_set *a, fd_set *b, fd_set *c) {
    size_t bytes = ((size_t)n + 63) / 64 * 8;

    if (a != NULL)
        memset(a, 0, bytes);
    if (b != NULL)
        memset(b, 0, bytes);
    if (c != NULL)
        memset(c, 0, bytes);
    return 0;
}

int pselect(int n, fd_set *restrict in, fd_set *restrict out,
    fd_set *restrict except, const struct timespec *restrict timeout,
    const sigset_t *restrict mask) {
    struct slot *slot = wait_timespec(timeout);
    int got;

    WAIT(slot, got,
        REAL(pselect)(n, in, out, except, slot ? NULL : timeout, mask));
    return timed_out(slot, got == -1) ? empty(n, in, out, except) : got;
}

int select(int n, fd_set *restrict in, fd_set *restrict out,
    fd_set *restrict except, struct timeval *restrict timeout) {
    struct timespec length = {-1, 0}; /* invalid: as it was asked */
    struct slot *slot;
    int64_t left;
    int got;

    if (timeout != NULL && timeout->tv_usec < 1000000)
        length = (struct timespec){timeout->tv_sec, timeout->tv_usec * 1000};
    slot = wait_timespec(&length);
    if (slot == NULL)
        return REAL(select)(n, in, out, except, timeout);
    WAIT(slot, got, REAL(select)(n, in, out, except, NULL));
    left = atomic_load(&slot->wake_at) - now();
    *timeout = (struct timeval){left / SECOND, left % SECOND / 1000};
    return timed_out(slot, got == -1) ? empty(n, in, out, except) : got;
}

int sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info,
    const struct timespec *restrict timeout) {
    struct slot *slot = wait_timespec(timeout);
    int got;

    WAIT(slot, got, REAL(sigtimedwait)(set, info, slot ? NULL : timeout));
    return timed_out(slot, got == -1) ? fail(EAGAIN) : got;
}

/* The rest have absolute time-outs: those below that return the error see the
 * limit in the past by themselves. */
int pthread_cond_clockwait(pthread_cond_t *restrict cond,
    pthread_mutex_t *restrict mutex, clockid_t id,
    const struct timespec *restrict at) {
    const struct timespec *limit;
    struct slot *slot = wait_until(id, at, &limit);
    int error;

    WAIT(slot, error, REAL(pthread_cond_clockwait)(cond, mutex, id, limit));
    leave(slot);
    return error;
}

/* The condition variable's own clock is not to be seen from here. The time
 * tells: what is nearer to 1970 than half of today is time since boot. */
int pthread_cond_timedwait(pthread_cond_t *restrict cond,
    pthread_mutex_t *restrict mutex, const struct timespec *restrict at) {
    bool boot = page != NULL && at->tv_sec < page->real_start / SECOND / 2;
    const struct timespec *limit;
    struct slot *slot =
        wait_until(boot ? CLOCK_MONOTONIC : CLOCK_REALTIME, at, &limit);
    int error;

    WAIT(slot, error, REAL(pthread_cond_timedwait)(cond, mutex, limit));
    leave(slot);
    return error;
}

int cnd_timedwait(cnd_t *restrict cond, mtx_t *restrict mutex,
    const struct timespec *restrict at) {
    const struct timespec *limit;
    struct slot *slot = wait_until(CLOCK_REALTIME, at, &limit);
    int error;

    WAIT(slot, error, REAL(cnd_timedwait)(cond, mutex, limit));
    leave(slot);
    return error;
}

int pthread_mutex_clocklock(
    pthread_mutex_t *mutex, clockid_t id, const struct timespec *at) {
    const struct timespec *limit;
    struct slot *slot = wait_until(id, at, &limit);
    int error = REAL(pthread_mutex_clocklock)(mutex, id, limit);

    leave(slot);
    return error;
}

int pthread_mutex_timedlock(
    pthread_mutex_t *restrict mutex, const struct timespec *restrict at) {
    const struct timespec *limit;
    struct slot *slot = wait_until(CLOCK_REALTIME, at, &limit);
    int error = REAL(pthread_mutex_timedlock)(mutex, limit);

    leave(slot);
    return error;
}

#define RWLOCK(name)                                                           \
    int name(                                                                  \
        pthread_rwlock_t *restrict lock, const struct timespec *restrict at) { \
        const struct timespec *limit;                                          \
        struct slot *slot = wait_until(CLOCK_REALTIME, at, &limit);            \
        int error = REAL(name)(lock, limit);                                   \
                                                                               \
        leave(slot);                                                           \
        return error;                                                          \
    }
RWLOCK(pthread_rwlock_timedrdlock)
RWLOCK(pthread_rwlock_timedwrlock)

#define RWLOCK_BY_CLOCK(name)                               \
    int name(pthread_rwlock_t *restrict lock, clockid_t id, \
        const struct timespec *restrict at) {               \
        const struct timespec *limit;                       \
        struct slot *slot = wait_until(id, at, &limit);     \
        int error = REAL(name)(lock, id, limit);            \
                                                            \
        leave(slot);                                        \
        return error;                                       \
    }
RWLOCK_BY_CLOCK(pthread_rwlock_clockrdlock)
RWLOCK_BY_CLOCK(pthread_rwlock_clockwrlock)

int mtx_timedlock(mtx_t *restrict mutex, const struct timespec *restrict at) {
    const struct timespec *limit;
    struct slot *slot = wait_until(CLOCK_REALTIME, at, &limit);
    int error = REAL(mtx_timedlock)(mutex, limit);

    leave(slot);
    return error;
}

int sem_clockwait(
    sem_t *restrict sem, clockid_t id, const struct timespec *restrict at) {
    const struct timespec *limit;
    struct slot *slot = wait_until(id, at, &limit);
    int got;

    WAIT(slot, got, REAL(sem_clockwait)(sem, id, limit));
    return timed_out(slot, got == -1) ? fail(ETIMEDOUT) : got;
}

int sem_timedwait(sem_t *restrict sem, const struct timespec *restrict at) {
    const struct timespec *limit;
    struct slot *slot = wait_until(CLOCK_REALTIME, at, &limit);
    int got;

    WAIT(slot, got, REAL(sem_timedwait)(sem, limit));
    return timed_out(slot, got == -1) ? fail(ETIMEDOUT) : got;
}

ssize_t mq_timedreceive(mqd_t queue, char *restrict text, size_t size,
    unsigned *restrict priority, const struct timespec *restrict at) {
    const struct timespec *limit;
    struct slot *slot = wait_until(CLOCK_REALTIME, at, &limit);
    ssize_t got;

    WAIT(slot, got, REAL(mq_timedreceive)(queue, text, size, priority, limit));
    return timed_out(slot, got == -1) ? fail(ETIMEDOUT) : got;
}

int mq_timedsend(mqd_t queue, const char *text, size_t size, unsigned priority,
    const struct timespec *at) {
    const struct timespec *limit;
    struct slot *slot = wait_until(CLOCK_REALTIME, at, &limit);
    int got;

    WAIT(slot, got, REAL(mq_timedsend)(queue, text, size, priority, limit));
    return timed_out(slot, got == -1) ? fail(ETIMEDOUT) : got;
}

/* ---------- Sockets with a time-out of their own ---------- */

static atomic_bool timeouts; /* has this program ever set one? */

int setsockopt(int fd, int level, int name, const void *value, socklen_t size) {
    if (page != NULL && level == SOL_SOCKET && name == SO_RCVTIMEO)
        atomic_store(&timeouts, true);
    return REAL(setsockopt)(fd, level, name, value, size);
}

static void set_timeout(int fd, struct timeval value) {
    REAL(setsockopt)(fd, SOL_SOCKET, SO_RCVTIMEO, &value, sizeof(value));
}

/* The socket's own time-out is switched off while it waits by the clock. */
static struct slot *wait_socket(int fd, struct timeval *own) {
    socklen_t size = sizeof(*own);
    struct slot *slot;

    if (page == NULL || !atomic_load(&timeouts) ||
        getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, own, &size) == -1 ||
        (own->tv_sec == 0 && own->tv_usec == 0))
        return NULL;
    slot = wait_for(own->tv_sec * SECOND + own->tv_usec * 1000);
    set_timeout(fd, (struct timeval){0, 0});
    return slot;
}

/* Receives, and gives the socket its time-out back. */
#define RECEIVE(fd, call)                                       \
    do {                                                        \
        struct timeval own = {0, 0};                            \
        int saved = errno;                                      \
        struct slot *slot = wait_socket(fd, &own);              \
        ssize_t got;                                            \
                                                                \
        errno = saved;                                          \
        WAIT(slot, got, call);                                  \
        saved = errno;                                          \
        if (slot != NULL)                                       \
            set_timeout(fd, own);                               \
        errno = saved;                                          \
        return timed_out(slot, got == -1) ? fail(EAGAIN) : got; \
    } while (0)

ssize_t recv(int fd, void *buffer, size_t size, int flags) {
    RECEIVE(fd, REAL(recv)(fd, buffer, size, flags));
}

ssize_t recvfrom(int fd, void *restrict buffer, size_t size, int flags,
    __SOCKADDR_ARG from, socklen_t *restrict length) {
    RECEIVE(fd, REAL(recvfrom)(fd, buffer, size, flags, from, length));
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
    RECEIVE(fd, REAL(recvmsg)(fd, message, flags));
}

ssize_t read(int fd, void *buffer, size_t size) {
    RECEIVE(fd, REAL(read)(fd, buffer, size));
}

/* ---------- Alarms ---------- */

int setitimer(__itimer_which_t which, const struct itimerval *restrict new,
    struct itimerval *restrict old) {
    struct slot *slot;
    int64_t value, left;

    if (page == NULL || which != ITIMER_REAL || new == NULL)
        return REAL(setitimer)(which, new, old);
    slot = claim(-getpid());
    left = atomic_load(&slot->state) == SLOT_ALARM
               ? atomic_load(&slot->wake_at) - now()
               : 0;
    if (old != NULL)
        *old = (struct itimerval){
            .it_value = {left / SECOND, left % SECOND / 1000}};
    value = SECOND * new->it_value.tv_sec + new->it_value.tv_usec * 1000;
    atomic_store(&slot->interval,
        SECOND * new->it_interval.tv_sec + new->it_interval.tv_usec * 1000);
    atomic_store(&slot->wake_at, now() + value);
    atomic_store(&slot->state, value > 0 ? SLOT_ALARM : SLOT_IDLE);
    return 0;
}

unsigned alarm(unsigned seconds) {
    struct itimerval new = {.it_value = {.tv_sec = seconds}}, old;

    if (page == NULL)
        return REAL(alarm)(seconds);
    setitimer(ITIMER_REAL, &new, &old);
    return (unsigned)(old.it_value.tv_sec + (old.it_value.tv_usec > 0));
}

useconds_t ualarm(useconds_t us, useconds_t interval) {
    struct timeval next = {interval / 1000000, interval % 1000000};
    struct timeval first = {us / 1000000, us % 1000000};
    struct itimerval new = {next, first}, old;

    if (page == NULL)
        return REAL(ualarm)(us, interval);
    setitimer(ITIMER_REAL, &new, &old);
    return (useconds_t)(old.it_value.tv_sec * 1000000 + old.it_value.tv_usec);
}
