/*
 * explore_hooks.c - what the reader's program calls instead of the libraries
 *
 * Design. The compiler calls the __tsan_ functions before each access; the
 * linker's --wrap=NAME, applied to the reader's object alone, sends a call of
 * NAME to __wrap_NAME here (explore.sh reads the names off the WRAP lines).
 * Mutexes and their kin are never locked for real: each is a few numbers in
 * its place. turn() comes back when the operation can be done, and what
 * follows it is done alone.
 */
#define _GNU_SOURCE
#include "explore.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define HOOK(type, name, ...)        \
    type __tsan_##name(__VA_ARGS__); \
    type __tsan_##name(__VA_ARGS__)
#define WRAP(type, name, ...)        \
    type __wrap_##name(__VA_ARGS__); \
    type __wrap_##name(__VA_ARGS__)
#define PC __builtin_return_address(0)
#define TURN(k, p) \
    turn((struct op){.kind = (k), .at = (uintptr_t)(p), .size = 1, .pc = PC})

/* ---------- Memory ---------- */

static void plain(enum kind kind, uintptr_t at, unsigned long size, void *pc) {
    while (size > 0 && self != NULL) {
        unsigned room = 8 - (unsigned)(at & 7);
        unsigned part = size < room ? (unsigned)size : room;
        turn((struct op){.kind = kind, .size = part, .at = at, .pc = pc});
        at += part;
        size -= part;
    }
}

#define ACCESS(n)                             \
    HOOK(void, read##n, void *p) {            \
        plain(READ, (uintptr_t)p, n, PC);     \
    }                                         \
    HOOK(void, write##n, void *p) {           \
        plain(WRITE, (uintptr_t)p, n, PC);    \
    }                                         \
    HOOK(void, unaligned_read##n, void *p) {  \
        plain(READ, (uintptr_t)p, n, PC);     \
    }                                         \
    HOOK(void, unaligned_write##n, void *p) { \
        plain(WRITE, (uintptr_t)p, n, PC);    \
    }
ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)

/* Whole structures. */
HOOK(void, read_range, void *p, unsigned long n) {
    plain(READ, (uintptr_t)p, n, PC);
}
HOOK(void, write_range, void *p, unsigned long n) {
    plain(WRITE, (uintptr_t)p, n, PC);
}
HOOK(void, init, void) {
}
HOOK(void, func_entry, void *pc) {
    (void)pc;
}
HOOK(void, func_exit, void) {
}
HOOK(void *, memcpy, void *to, const void *from, unsigned long n) {
    plain(READ, (uintptr_t)from, n, PC);
    plain(WRITE, (uintptr_t)to, n, PC);
    return memmove(to, from, n);
}
HOOK(void *, memset, void *to, int byte, unsigned long n) {
    plain(WRITE, (uintptr_t)to, n, PC);
    return memset(to, byte, n);
}

/* Happens-before edges of an atomic operation. An update carries on what was
   released before it; a store that releases nothing ends that. */
static void edges(struct place *p, enum kind kind, int order) {
    bool releases = order == __ATOMIC_RELEASE || order >= __ATOMIC_ACQ_REL;
    if (kind != WRITE && order != __ATOMIC_RELAXED && order != __ATOMIC_RELEASE)
        acquire(p);
    if (kind != READ && releases)
        release(p, kind != WRITE);
    else if (kind == WRITE)
        memset(p->clock, 0, sizeof p->clock);
}

static void atomic(enum kind kind, const volatile void *at, unsigned size,
    int order, void *pc) {
    struct op op = {kind, .atomic = true, .size = size, .pc = pc};
    op.at = (uintptr_t)at;
    if (self != NULL)
        edges(turn(op), kind, order);
}

/* The program runs one thread at a time, but keep the operation atomic. */
#define UPDATE_WITH(bits, type, name, builtin)                               \
    HOOK(type, atomic##bits##_##name, volatile type *p, type v, int order) { \
        atomic(UPDATE, p, sizeof *p, order, PC);                             \
        return builtin(p, v, __ATOMIC_SEQ_CST);                              \
    }
#define COMPARE_WITH(bits, type, name)                                    \
    HOOK(int, atomic##bits##_##name, volatile type *p, type *old, type v, \
        int order, int failed) {                                          \
        (void)failed;                                                     \
        atomic(COMPARE, p, sizeof *p, order, PC);                         \
        int done = __atomic_compare_exchange_n(                           \
            p, old, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);        \
        if (done && self != NULL)                                         \
            effect(self->place, true);                                    \
        return done;                                                      \
    }
#define COMPARE_VALUE(bits, type)                                         \
    HOOK(type, atomic##bits##_compare_exchange_val, volatile type *p,     \
        type old, type v, int order, int failed) {                        \
        (void)failed;                                                     \
        atomic(COMPARE, p, sizeof *p, order, PC);                         \
        if (__atomic_compare_exchange_n(                                  \
                p, &old, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) && \
            self != NULL)                                                 \
            effect(self->place, true);                                    \
        return old;                                                       \
    }
#define ATOMIC(bits, type)                                                  \
    HOOK(type, atomic##bits##_load, const volatile type *p, int order) {    \
        atomic(READ, p, sizeof *p, order, PC);                              \
        return __atomic_load_n(p, __ATOMIC_SEQ_CST);                        \
    }                                                                       \
    HOOK(void, atomic##bits##_store, volatile type *p, type v, int order) { \
        atomic(WRITE, p, sizeof *p, order, PC);                             \
        __atomic_store_n(p, v, __ATOMIC_SEQ_CST);                           \
    }                                                                       \
    UPDATE_WITH(bits, type, exchange, __atomic_exchange_n)                  \
    UPDATE_WITH(bits, type, fetch_add, __atomic_fetch_add)                  \
    UPDATE_WITH(bits, type, fetch_sub, __atomic_fetch_sub)                  \
    UPDATE_WITH(bits, type, fetch_and, __atomic_fetch_and)                  \
    UPDATE_WITH(bits, type, fetch_or, __atomic_fetch_or)                    \
    UPDATE_WITH(bits, type, fetch_xor, __atomic_fetch_xor)                  \
    UPDATE_WITH(bits, type, fetch_nand, __atomic_fetch_nand)                \
    COMPARE_WITH(bits, type, compare_exchange_strong)                       \
    COMPARE_WITH(bits, type, compare_exchange_weak)                         \
    COMPARE_VALUE(bits, type)
ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)

/* A fence orders with all fences before it: that may hide a data race, but
   reports none that is not there. */
HOOK(void, atomic_thread_fence, int order) {
    static struct place fences;
    (void)order;
    if (self != NULL) {
        acquire(&fences);
        release(&fences, true);
    }
}
HOOK(void, atomic_signal_fence, int order) {
    (void)order;
}

/* What a block held before says nothing about its next use. */
WRAP(void, free, void *block) {
    if (self != NULL && block != NULL)
        forget(block, malloc_usable_size(block));
    free(block);
}
WRAP(void *, realloc, void *block, size_t size) {
    if (self != NULL && block != NULL)
        forget(block, malloc_usable_size(block));
    return realloc(block, size);
}

/* ---------- Time ---------- */

enum { GIGA = 1000000000 };
static const int64_t epoch = (int64_t)1700000000 * GIGA; /* of now == 0 */

static int64_t nanoseconds(const struct timespec *t) {
    return t->tv_sec * GIGA + t->tv_nsec;
}

/* A time-out, by whichever clock it was made with. */
static void time_out(const struct timespec *t) {
    int64_t at = nanoseconds(t);
    self->deadline = at >= epoch / 2 ? at - epoch : at;
    if (self->deadline < 1)
        self->deadline = 1;
}

static int sleep_until(int64_t then, void *pc) {
    struct op op = {.kind = SLEEP, .size = 1, .pc = pc};
    op.at = (uintptr_t)self;
    self->timed_out = false;
    self->deadline = then > 1 ? then : 1;
    turn(op);
    return 0;
}

WRAP(int, nanosleep, const struct timespec *time, struct timespec *left) {
    (void)left;
    return sleep_until(now + nanoseconds(time), PC);
}
WRAP(int, clock_nanosleep, clockid_t clock, int flags,
    const struct timespec *time, struct timespec *left) {
    (void)left;
    int64_t base = clock == CLOCK_REALTIME ? -epoch : 0;
    return sleep_until(nanoseconds(time) + (flags ? base : now), PC);
}
WRAP(unsigned, sleep, unsigned seconds) {
    return (unsigned)sleep_until(now + (int64_t)seconds * GIGA, PC);
}
WRAP(int, usleep, unsigned microseconds) {
    return sleep_until(now + (int64_t)microseconds * 1000, PC);
}
WRAP(int, sched_yield, void) {
    if (self != NULL)
        self->yielded = true;
    return 0;
}
WRAP(int, clock_gettime, clockid_t clock, struct timespec *time) {
    if (self == NULL)
        return clock_gettime(clock, time);
    int64_t t = now + (clock == CLOCK_REALTIME ? epoch : 0);
    *time = (struct timespec){t / GIGA, t % GIGA};
    return 0;
}
WRAP(time_t, time, time_t *time) {
    time_t t = (now + epoch) / GIGA;
    if (time != NULL)
        *time = t;
    return t;
}
WRAP(int, gettimeofday, struct timeval *time, void *zone) {
    (void)zone;
    *time = (struct timeval){(now + epoch) / GIGA, now % GIGA / 1000};
    return 0;
}

/* ---------- Threads ---------- */

static void *begin(void *thread) {
    thread_main(thread);
}

WRAP(int, pthread_create, pthread_t *handle, const pthread_attr_t *attr,
    void *(*start)(void *), void *arg) {
    struct thread *t = thread_new();
    int state = PTHREAD_CREATE_JOINABLE;
    if (attr != NULL)
        pthread_attr_getdetachstate(attr, &state);
    t->detached = state == PTHREAD_CREATE_DETACHED;
    t->start = start;
    t->arg = arg;
    sh->stuck[t->id].op.pc = (void *)((uintptr_t)start + 1);
    t->next = (struct op){SLEEP, .size = 1}; /* cannot be chosen */
    int error = pthread_create(handle, attr, begin, t);
    if (error != 0)
        end_run(UNFIT, "pthread_create failed: too much memory in use?");
    t->handle = (uintptr_t)*handle;
    thread_give(t);
    return 0;
}
WRAP(int, pthread_join, pthread_t handle, void **result) {
    struct thread *t = thread_of((uintptr_t)handle);
    if (t == self)
        return EDEADLK;
    if (t->detached)
        return EINVAL;
    self->joining = t;
    self->timed_out = false;
    TURN(JOIN, t);
    join_clock(self->hb, t->hb);
    join_clock(self->order, t->order);
    join_clock(self->before, t->before);
    self->before[t->id] = t->steps;
    t->detached = true;
    if (result != NULL)
        *result = t->result;
    return 0;
}
WRAP(int, pthread_detach, pthread_t handle) {
    struct thread *t = thread_of((uintptr_t)handle);
    if (t->detached)
        return EINVAL;
    t->detached = true;
    return 0;
}
WRAP(void, pthread_exit, void *result) {
    thread_end(result);
}
WRAP(void, exit, int status) {
    if (self != NULL) {
        TURN(EXIT, sh);
        run_over();
    }
    exit(status);
}
WRAP(void, _exit, int status) {
    TURN(EXIT, sh);
    run_over();
    _exit(status);
}

/* ---------- Mutex, spin lock, read-write lock, once ---------- */

static int take_lock(enum kind kind, void *lock, int type, bool try, void *pc) {
    struct op op = {kind, .try = try, .size = 1, .pc = pc};
    op.at = (uintptr_t)lock;
    self->timed_out = false;
    find_place(&op)->type = type;
    struct place *p = turn(op);
    if (p->owner == self && type == PTHREAD_MUTEX_RECURSIVE) {
        p->count++;
        return 0;
    }
    bool busy = p->owner != NULL || (kind == WRITE_LOCK && p->count > 0);
    if (busy && self->step != NULL)
        self->step->value = 1;
    if (busy)
        return self->timed_out ? ETIMEDOUT
               : p->owner == self && type == PTHREAD_MUTEX_ERRORCHECK ? EDEADLK
                                                                      : EBUSY;
    if (kind == READ_LOCK)
        p->count++;
    else
        p->owner = self;
    p->owner_pc = pc;
    self->held++;
    acquire(p);
    return 0;
}

static int drop_lock(enum kind kind, void *lock, void *pc) {
    struct op op = {kind, .size = 1, .pc = pc};
    op.at = (uintptr_t)lock;
    struct place *p = turn(op);
    bool reader = kind == RW_UNLOCK && p->owner == NULL && p->count > 0;
    if (p->owner != self && !reader) {
        if (p->type == PTHREAD_MUTEX_RECURSIVE ||
            p->type == PTHREAD_MUTEX_ERRORCHECK)
            return EPERM;
        end_run(BAD_UNLOCK, NULL);
    }
    if (kind == UNLOCK && p->count > 0) {
        p->count--; /* a recursive lock, still held */
        return 0;
    }
    release(p, true);
    if (reader)
        p->count--;
    else
        p->owner = NULL;
    self->held--;
    effect(p, false);
    return 0;
}

#define TYPE(m) ((m)->__data.__kind & 3)
WRAP(int, pthread_mutex_init, pthread_mutex_t *m,
    const pthread_mutexattr_t *attr) {
    forget(m, sizeof *m);
    return pthread_mutex_init(m, attr);
}
WRAP(int, pthread_mutex_lock, pthread_mutex_t *m) {
    return take_lock(LOCK, m, TYPE(m), false, PC);
}
WRAP(int, pthread_mutex_trylock, pthread_mutex_t *m) {
    return take_lock(LOCK, m, TYPE(m), true, PC);
}
WRAP(int, pthread_mutex_timedlock, pthread_mutex_t *m,
    const struct timespec *until) {
    time_out(until);
    return take_lock(LOCK, m, TYPE(m), false, PC);
}
WRAP(int, pthread_mutex_unlock, pthread_mutex_t *m) {
    return drop_lock(UNLOCK, m, PC);
}
WRAP(int, pthread_spin_init, pthread_spinlock_t *s, int shared) {
    forget((void *)(uintptr_t)s, sizeof *s);
    return pthread_spin_init(s, shared);
}
WRAP(int, pthread_spin_lock, pthread_spinlock_t *s) {
    return take_lock(LOCK, (void *)(uintptr_t)s, 0, false, PC);
}
WRAP(int, pthread_spin_trylock, pthread_spinlock_t *s) {
    return take_lock(LOCK, (void *)(uintptr_t)s, 0, true, PC);
}
WRAP(int, pthread_spin_unlock, pthread_spinlock_t *s) {
    return drop_lock(UNLOCK, (void *)(uintptr_t)s, PC);
}
WRAP(int, pthread_rwlock_init, pthread_rwlock_t *l,
    const pthread_rwlockattr_t *attr) {
    forget(l, sizeof *l);
    return pthread_rwlock_init(l, attr);
}
#define RWLOCK(name, kind, try)                \
    WRAP(int, name, pthread_rwlock_t *l) {     \
        return take_lock(kind, l, 0, try, PC); \
    }
RWLOCK(pthread_rwlock_rdlock, READ_LOCK, false)
RWLOCK(pthread_rwlock_tryrdlock, READ_LOCK, true)
RWLOCK(pthread_rwlock_wrlock, WRITE_LOCK, false)
RWLOCK(pthread_rwlock_trywrlock, WRITE_LOCK, true)
WRAP(int, pthread_rwlock_unlock, pthread_rwlock_t *l) {
    return drop_lock(RW_UNLOCK, l, PC);
}
WRAP(int, pthread_once, pthread_once_t *once, void (*routine)(void)) {
    self->timed_out = false;
    struct place *p = TURN(ONCE, once);
    if (p->count == 0) {
        p->owner = self;
        p->owner_pc = PC;
        routine();
        TURN(ONCE_DONE, once);
        release(p, true);
        p->count = 1;
        p->owner = NULL;
    }
    acquire(p);
    return 0;
}

/* ---------- Condition variable, semaphore, barrier ---------- */

WRAP(int, pthread_cond_init, pthread_cond_t *c, const pthread_condattr_t *a) {
    forget(c, sizeof *c);
    return pthread_cond_init(c, a);
}

static int signal_kind(enum kind kind, pthread_cond_t *c, void *pc) {
    struct op op = {kind, .size = 1, .at = (uintptr_t)c, .pc = pc};
    struct place *p = turn(op);
    bool lost = p->tokens == p->waiting;
    p->lost_pc = lost ? pc : NULL;
    if (!lost)
        p->tokens = kind == SIGNAL ? p->tokens + 1 : p->waiting;
    p->generation = (unsigned)p->count;
    return 0;
}
/* A signal is a token that any thread may take that waits by then. */
WRAP(int, pthread_cond_signal, pthread_cond_t *c) {
    return signal_kind(SIGNAL, c, PC);
}
WRAP(int, pthread_cond_broadcast, pthread_cond_t *c) {
    return signal_kind(BROADCAST, c, PC);
}

/* To join the waiters before the unlock is as good as both at once: whoever
   signals meanwhile cannot tell the difference. */
static int wait_for(pthread_cond_t *c, pthread_mutex_t *m,
    const struct timespec *until, void *pc) {
    struct op op = {WAIT, .size = 1, .at = (uintptr_t)c, .pc = pc};
    struct place *p = turn(op);
    p->waiting++;
    self->generation = (unsigned)++p->count;
    int error = drop_lock(UNLOCK, m, pc);
    if (error != 0)
        return error;
    self->timed_out = false;
    if (until != NULL)
        time_out(until);
    op.kind = WAKE;
    turn(op);
    bool woken = p->tokens > 0 && self->generation <= p->generation;
    bool late = self->timed_out && !woken;
    p->waiting--;
    if (!late && !self->spurious)
        p->tokens--;
    if (p->tokens > p->waiting)
        p->tokens = p->waiting;
    self->spurious = false;
    take_lock(LOCK, m, TYPE(m), false, pc);
    return late ? ETIMEDOUT : 0;
}
WRAP(int, pthread_cond_wait, pthread_cond_t *c, pthread_mutex_t *m) {
    return wait_for(c, m, NULL, PC);
}
WRAP(int, pthread_cond_timedwait, pthread_cond_t *c, pthread_mutex_t *m,
    const struct timespec *until) {
    return wait_for(c, m, until, PC);
}
WRAP(int, pthread_cond_clockwait, pthread_cond_t *c, pthread_mutex_t *m,
    clockid_t clock, const struct timespec *until) {
    (void)clock;
    return wait_for(c, m, until, PC);
}

/* The place of a semaphore; its value is the library's until first used. */
static struct place *semaphore(enum kind kind, sem_t *s, bool try, void *pc) {
    struct op op = {kind, .try = try, .size = 1, .pc = pc};
    op.at = (uintptr_t)s;
    struct place *p = find_place(&op);
    if (!p->known)
        sem_getvalue(s, &p->count);
    p->known = true;
    return turn(op);
}
WRAP(int, sem_init, sem_t *s, int shared, unsigned value) {
    forget(s, sizeof *s);
    return sem_init(s, shared, value);
}
static int down(sem_t *s, bool try, void *pc) {
    struct place *p = semaphore(DOWN, s, try, pc);
    if (p->count == 0) {
        if (self->step != NULL)
            self->step->value = 1;
        errno = self->timed_out ? ETIMEDOUT : EAGAIN;
        return -1;
    }
    p->count--;
    acquire(p);
    if (try)
        effect(p, true);
    return 0;
}
WRAP(int, sem_wait, sem_t *s) {
    self->timed_out = false;
    return down(s, false, PC);
}
WRAP(int, sem_trywait, sem_t *s) {
    self->timed_out = false;
    return down(s, true, PC);
}
WRAP(int, sem_timedwait, sem_t *s, const struct timespec *until) {
    self->timed_out = false;
    time_out(until);
    return down(s, false, PC);
}
WRAP(int, sem_post, sem_t *s) {
    struct place *p = semaphore(POST, s, false, PC);
    release(p, true);
    p->count++;
    effect(p, true);
    return 0;
}
WRAP(int, sem_getvalue, sem_t *s, int *value) {
    *value = semaphore(VALUE, s, false, PC)->count;
    return 0;
}

WRAP(int, pthread_barrier_init, pthread_barrier_t *b,
    const pthread_barrierattr_t *attr, unsigned count) {
    forget(b, sizeof *b);
    TURN(VALUE, b)->type = (int)count;
    return pthread_barrier_init(b, attr, count);
}
WRAP(int, pthread_barrier_wait, pthread_barrier_t *b) {
    struct place *p = TURN(ARRIVE, b);
    release(p, true);
    self->generation = p->generation;
    self->timed_out = false;
    if (++p->count == p->type) {
        p->count = 0;
        p->generation++;
        acquire(p);
        return PTHREAD_BARRIER_SERIAL_THREAD;
    }
    TURN(PASS, b);
    acquire(p);
    return 0;
}

/* ---------- Output: its order is an outcome ---------- */

static void print(const FILE *stream, void *pc) {
    struct op op = {PRINT, .size = 1, .at = (uintptr_t)stdout, .pc = pc};
    if (self != NULL && stream == stdout && !sh->any_order)
        turn(op);
}

/* The reader's compiler has checked these formats. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
WRAP(int, vfprintf, FILE *f, const char *format, va_list list) {
    print(f, PC);
    return vfprintf(f, format, list);
}
WRAP(int, vprintf, const char *format, va_list list) {
    print(stdout, PC);
    return vprintf(format, list);
}
WRAP(int, fprintf, FILE *f, const char *format, ...) {
    print(f, PC);
    va_list list;
    va_start(list, format);
    int n = vfprintf(f, format, list);
    va_end(list);
    return n;
}
WRAP(int, printf, const char *format, ...) {
    print(stdout, PC);
    va_list list;
    va_start(list, format);
    int n = vprintf(format, list);
    va_end(list);
    return n;
}
#pragma GCC diagnostic pop

#define PRINTS(name, stream, call, ...) \
    WRAP(int, name, __VA_ARGS__) {      \
        print(stream, PC);              \
        return name call;               \
    }
PRINTS(puts, stdout, (s), const char *s)
PRINTS(putchar, stdout, (c), int c)
PRINTS(fputs, f, (s, f), const char *s, FILE *f)
PRINTS(fputc, f, (c, f), int c, FILE *f)
PRINTS(putc, f, (c, f), int c, FILE *f)
WRAP(size_t, fwrite, const void *p, size_t size, size_t n, FILE *f) {
    print(f, PC);
    return fwrite(p, size, n, f);
}
WRAP(ssize_t, write, int fd, const void *p, size_t n) {
    print(fd == STDOUT_FILENO ? stdout : NULL, PC);
    return write(fd, p, n);
}

/* ---------- What cannot be explored ---------- */

#define CANNOT(name, what)                   \
    WRAP(int, name, void) {                  \
        end_run(UNFIT, "the program " what); \
    }
#define NO_PROCESS "starts a process ("
CANNOT(fork, NO_PROCESS "fork): only the threads of one can be explored")
CANNOT(vfork, NO_PROCESS "vfork): only the threads of one can be explored")
CANNOT(system, NO_PROCESS "system): only the threads of one can be explored")
CANNOT(popen, NO_PROCESS "popen): only the threads of one can be explored")
CANNOT(
    posix_spawn, NO_PROCESS "spawn): only the threads of one can be explored")
CANNOT(socket, "opens a socket: what comes from outside cannot be replayed")
CANNOT(pthread_cancel, "cancels a thread, which explore does not know")
CANNOT(pthread_kill, "sends a signal, which explore does not know")
CANNOT(thrd_create, "uses C11 threads; explore knows POSIX threads")
