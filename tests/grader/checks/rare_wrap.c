/*
 * rare_wrap.c - linked with a submission: makes rare things happen
 *
 * It is compiled in the sandbox beside the submission's object and stands
 * between that object and the libraries (ld's --wrap, see rare.c), so that no
 * word of the source changes and the compiler's flags are the usual ones. What
 * it does is asked for in the environment:
 *   KIT_SHAKE=seed     each call that orders threads or processes is preceded,
 *                      or followed, by a pause of 0 to 0.2 ms: of virtual time,
 *                      so that another order of the threads comes about, the
 *                      same for the same seed
 *   KIT_SPURIOUS=1     every other wait at a condition variable ends without a
 *                      signal, as POSIX allows
 *   KIT_REFUSE=WHAT:n  from the nth on each call that asks for a thread, a
 *                      process, memory, a descriptor, an object (of System V)
 *                      or a handle (of curl) is refused as by the system; the
 *                      first time is said on stderr
 *   KIT_LONG=n:ms      the first sleep of a millisecond or more of the nth
 *                      thread that was started lasts so much longer
 *   KIT_HANDLERS=1     who calls stdio in a signal handler is told on stderr
 * Under ThreadSanitizer, calls of the kernel that it knows nothing of put what
 * comes before them in order with what comes after.
 */
#define _GNU_SOURCE
#include "grader/checks/rare_wrap.h"

#include <errno.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

/* ---------- What is asked for ---------- */

static bool shaking, spurious, ready;
bool rare_telling;
static uint64_t seed;
static char refused[16];
static long refused_at, long_thread, long_ms;
static _Atomic long asked;
static _Atomic uint64_t turns;

__attribute__((constructor)) static void read_environment(void) {
    const char *shake = getenv("KIT_SHAKE"), *refuse = getenv("KIT_REFUSE");

    if (ready)
        return;
    ready = true;
    shaking = shake != NULL;
    seed = shake ? strtoull(shake, NULL, 10) : 0;
    spurious = getenv("KIT_SPURIOUS") != NULL && *getenv("KIT_SPURIOUS") == '1';
    rare_telling = getenv("KIT_HANDLERS") != NULL;
    if (getenv("KIT_LONG") != NULL)
        sscanf(getenv("KIT_LONG"), "%ld:%ld", &long_thread, &long_ms);
    if (refuse != NULL)
        sscanf(refuse, "%15[a-z]:%ld", refused, &refused_at);
}

__attribute__((weak)) extern ssize_t __real_write(int, const void *, size_t);

__attribute__((weak)) extern int __real_nanosleep(
    const struct timespec *, struct timespec *);

bool rare_refuse(const char *what, int error) {
    char text[64];
    long nth;

    if (refused_at == 0 || strcmp(what, refused) != 0)
        return false;
    nth = atomic_fetch_add(&asked, 1) + 1;
    errno = error;
    if (nth != refused_at)
        return nth > refused_at;
    /* Who was begun before may end first: left is who is not waited for. */
    __real_nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    int length = snprintf(text, sizeof text, "kit: refused %s\n", what);
    if (__real_write(STDERR_FILENO, text, (size_t)length) == -1)
        abort();
    errno = error;
    return true;
}

/* splitmix64, as in the grader. */
static uint64_t next_random(void) {
    uint64_t z = seed + atomic_fetch_add(&turns, 1) * 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* Most of the time nothing, else a pause, at times a long one. */
void rare_shake(void) {
    uint64_t random;
    int saved = errno;

    if (!shaking)
        return;
    random = next_random();
    if (random % 3 == 0)
        __real_nanosleep(
            &(struct timespec){0, (long)(random >> 8) % 200000}, NULL);
    errno = saved;
}

/* A process of its own has random numbers of its own. */
static pid_t forked(pid_t pid) {
    if (pid == 0)
        seed = next_random();
    rare_shake();
    return pid;
}

/* ---------- ThreadSanitizer, where it is there ---------- */

__attribute__((weak)) extern void __tsan_acquire(void *);
__attribute__((weak)) extern void __tsan_release(void *);
static char kernel;

static void enter_kernel(void) {
    if (__tsan_release != NULL)
        __tsan_release(&kernel);
    rare_shake();
}

static void leave_kernel(void) {
    if (__tsan_acquire != NULL)
        __tsan_acquire(&kernel);
    rare_shake();
}

/* ---------- Threads ---------- */

/* What a new thread is to do, where it learns its number first. */
static struct start {
    void *(*posix)(void *);
    thrd_start_t c11;
    void *arg;
    long number;
} starts[4096];
static _Atomic long started;
static _Thread_local long number_of_thread;

static struct start *new_start(void *arg) {
    long number = atomic_fetch_add(&started, 1);
    struct start *start = &starts[number % 4096];

    *start = (struct start){.arg = arg, .number = number + 1};
    return start;
}

static void *begin_posix(void *arg) {
    struct start *start = arg;

    number_of_thread = start->number;
    return start->posix(start->arg);
}

static int begin_c11(void *arg) {
    struct start *start = arg;

    number_of_thread = start->number;
    return start->c11(start->arg);
}

WRAP(int, pthread_create, pthread_t *thread, const pthread_attr_t *attributes,
    void *(*begin)(void *), void *arg) {
    int saved = errno;

    if (rare_refuse("thread", EAGAIN)) {
        errno = saved; /* it returns the reason, and POSIX promises no more */
        return EAGAIN;
    }
    struct start *start = new_start(arg);
    start->posix = begin;
    int result = __real_pthread_create(thread, attributes, begin_posix, start);
    rare_shake();
    return result;
}

WRAP(int, thrd_create, thrd_t *thread, thrd_start_t begin, void *arg) {
    if (rare_refuse("thread", EAGAIN))
        return thrd_error;
    struct start *start = new_start(arg);
    start->c11 = begin;
    int result = __real_thrd_create(thread, begin_c11, start);
    rare_shake();
    return result;
}

/* A call of one argument with a pause before it, and behind it. */
#define AROUND(type, name, argument)    \
    WRAP(type, name, argument x) {      \
        rare_shake();                   \
        type result = __real_##name(x); \
        rare_shake();                   \
        return result;                  \
    }
AROUND(int, pthread_mutex_lock, pthread_mutex_t *)
AROUND(int, pthread_mutex_trylock, pthread_mutex_t *)
AROUND(int, pthread_mutex_unlock, pthread_mutex_t *)
AROUND(int, pthread_rwlock_rdlock, pthread_rwlock_t *)
AROUND(int, pthread_rwlock_wrlock, pthread_rwlock_t *)
AROUND(int, pthread_rwlock_unlock, pthread_rwlock_t *)
AROUND(int, pthread_cond_signal, pthread_cond_t *)
AROUND(int, pthread_cond_broadcast, pthread_cond_t *)
AROUND(int, sem_wait, sem_t *)
AROUND(int, sem_post, sem_t *)
AROUND(int, mtx_lock, mtx_t *)
AROUND(int, mtx_unlock, mtx_t *)
AROUND(int, cnd_signal, cnd_t *)
AROUND(int, cnd_broadcast, cnd_t *)

/* Every other wait ends at once. */
static bool ends_at_once(void) {
    static _Thread_local int waits;

    return spurious && waits++ % 2 == 0;
}

WRAP(int, pthread_cond_wait, pthread_cond_t *cond, pthread_mutex_t *mutex) {
    rare_shake();
    if (!ends_at_once())
        return __real_pthread_cond_wait(cond, mutex);
    pthread_mutex_unlock(mutex);
    sched_yield();
    rare_shake();
    return pthread_mutex_lock(mutex);
}

WRAP(int, cnd_wait, cnd_t *cond, mtx_t *mutex) {
    rare_shake();
    if (!ends_at_once())
        return __real_cnd_wait(cond, mutex);
    mtx_unlock(mutex);
    sched_yield();
    rare_shake();
    return mtx_lock(mutex);
}

/* A sleep of a millisecond or more, no nap: of the thread whose first one is to
 * last longer, once. */
static void sleep_longer(int64_t ns) {
    if (long_thread == 0 || number_of_thread != long_thread || ns < 1000000)
        return;
    number_of_thread = 0;
    __real_nanosleep(
        &(struct timespec){long_ms / 1000, long_ms % 1000 * 1000000}, NULL);
}

static int64_t to_ns(const struct timespec *length) {
    return length->tv_sec * INT64_C(1000000000) + length->tv_nsec;
}

WRAP(int, nanosleep, const struct timespec *length, struct timespec *left) {
    sleep_longer(to_ns(length));
    return __real_nanosleep(length, left);
}

WRAP(int, clock_nanosleep, clockid_t clock, int flags,
    const struct timespec *length, struct timespec *left) {
    sleep_longer(to_ns(length));
    return __real_clock_nanosleep(clock, flags, length, left);
}

WRAP(int, thrd_sleep, const struct timespec *length, struct timespec *left) {
    sleep_longer(to_ns(length));
    return __real_thrd_sleep(length, left);
}

WRAP(int, usleep, useconds_t us) {
    sleep_longer(us * INT64_C(1000));
    return __real_usleep(us);
}

WRAP(unsigned, sleep, unsigned seconds) {
    sleep_longer(seconds * INT64_C(1000000000));
    return __real_sleep(seconds);
}

/* ---------- Processes ---------- */

WRAP(pid_t, fork, void) {
    return rare_refuse("process", EAGAIN) ? -1 : forked(__real_fork());
}

#define SPAWN(name)                                                      \
    WRAP(int, name, pid_t *pid, const char *path,                        \
        const posix_spawn_file_actions_t *actions,                       \
        const posix_spawnattr_t *attributes, char *const *argv,          \
        char *const *env) {                                              \
        if (rare_refuse("process", EAGAIN))                              \
            return EAGAIN;                                               \
        return __real_##name(pid, path, actions, attributes, argv, env); \
    }
SPAWN(posix_spawn)
SPAWN(posix_spawnp)

WRAP(pid_t, wait, int *status) {
    pid_t pid = __real_wait(status);
    rare_shake();
    return pid;
}

WRAP(pid_t, waitpid, pid_t which, int *status, int options) {
    pid_t pid = __real_waitpid(which, status, options);
    rare_shake();
    return pid;
}

WRAP(ssize_t, read, int fd, void *buffer, size_t size) {
    rare_shake();
    ssize_t got = __real_read(fd, buffer, size);
    rare_shake();
    return got;
}

WRAP(ssize_t, write, int fd, const void *buffer, size_t size) {
    rare_shake();
    return __real_write(fd, buffer, size);
}

/* What has come before it may be what it waits for. */
#define BEFORE(type, name, call, ...) \
    WRAP(type, name, __VA_ARGS__) {   \
        rare_shake();                 \
        return __real_##name call;    \
    }
BEFORE(int, pause, (), void)
BEFORE(int, sigsuspend, (mask), const sigset_t *mask)
BEFORE(int, sigwait, (set, number), const sigset_t *set, int *number)
BEFORE(int, sigwaitinfo, (set, info), const sigset_t *set, siginfo_t *info)
BEFORE(int, waitid, (type, id, info, options), idtype_t type, id_t id,
    siginfo_t *info, int options)
BEFORE(int, poll, (fds, count, ms), struct pollfd *fds, nfds_t count, int ms)
BEFORE(int, epoll_wait, (set, events, most, ms), int set,
    struct epoll_event *events, int most, int ms)
BEFORE(int, select, (most, in, out, bad, limit), int most, fd_set *in,
    fd_set *out, fd_set *bad, struct timeval *limit)

/* ---------- The kernel's queues and semaphores ---------- */

#define KERNEL(type, name, call, ...)     \
    WRAP(type, name, __VA_ARGS__) {       \
        enter_kernel();                   \
        type result = __real_##name call; \
        leave_kernel();                   \
        return result;                    \
    }
KERNEL(int, semop, (id, operations, count), int id, struct sembuf *operations,
    size_t count)
KERNEL(int, semtimedop, (id, operations, count, limit), int id,
    struct sembuf *operations, size_t count, const struct timespec *limit)
KERNEL(int, msgsnd, (id, message, size, flags), int id, const void *message,
    size_t size, int flags)
KERNEL(ssize_t, msgrcv, (id, message, size, type, flags), int id, void *message,
    size_t size, long type, int flags)
KERNEL(int, mq_send, (queue, text, size, priority), mqd_t queue,
    const char *text, size_t size, unsigned priority)
KERNEL(ssize_t, mq_receive, (queue, text, size, priority), mqd_t queue,
    char *text, size_t size, unsigned *priority)

/* Six arguments at most; of those that are not there nothing is made. */
__attribute__((weak)) extern long __real_syscall(long, ...);
long __wrap_syscall(
    long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(
    long number, long a, long b, long c, long d, long e, long f) {
    enter_kernel();
    long result = __real_syscall(number, a, b, c, d, e, f);
    leave_kernel();
    return result;
}
