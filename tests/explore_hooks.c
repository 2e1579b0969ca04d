/*
 * explore_hooks.c - what the reader's program calls instead of the libraries
 *
 * Design. The compiler calls the __tsan_ functions before each access; the
 * linker's --wrap=NAME, applied to the reader's object alone, sends a call of
 * NAME to __wrap_NAME here. Mutexes and their kin are never locked for real:
 * each is a few numbers in its place. turn() comes back when the operation
 * can be done, and what follows it is done alone.
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
#include <unistd.h>

#define HOOK(type, name, ...)        \
    type __tsan_##name(__VA_ARGS__); \
    type __tsan_##name(__VA_ARGS__)
#define WRAP(type, name, ...)        \
    type __wrap_##name(__VA_ARGS__); \
    type __wrap_##name(__VA_ARGS__)
/* Calls the library's function after something else. */
#define FIRST(what, type, name, args, ...) \
    WRAP(type, name, __VA_ARGS__) {        \
        what;                              \
        return name args;                  \
    }
#define PC __builtin_return_address(0)
#define OP(kind, name, p)                                 \
    (struct op) {                                         \
        kind, name, (uintptr_t)(p), sizeof *(p), .pc = PC \
    }

/* ---------- Memory ---------- */

static void plain(enum kind kind, const void *p, unsigned long size, void *pc) {
    const char *name = kind == READ ? "read" : "write";
    uintptr_t at = (uintptr_t)p;
    while (size > 0 && self != NULL) {
        unsigned long part = 8 - (at & 7);
        part = size < part ? size : part;
        turn((struct op){kind, name, at, part, .pc = pc});
        at += part;
        size -= part;
    }
}

#define ACCESS(name, kind, n)   \
    HOOK(void, name, void *p) { \
        plain(kind, p, n, PC);  \
    }
#define ACCESSES(n)                    \
    ACCESS(read##n, READ, n)           \
    ACCESS(write##n, WRITE, n)         \
    ACCESS(unaligned_read##n, READ, n) \
    ACCESS(unaligned_write##n, WRITE, n)
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)
/* Whole structures. */
HOOK(void, read_range, void *p, unsigned long n) {
    plain(READ, p, n, PC);
}
HOOK(void, write_range, void *p, unsigned long n) {
    plain(WRITE, p, n, PC);
}
HOOK(void *, memcpy, void *to, const void *from, unsigned long n) {
    plain(READ, from, n, PC);
    plain(WRITE, to, n, PC);
    return memmove(to, from, n);
}
HOOK(void *, memset, void *to, int byte, unsigned long n) {
    plain(WRITE, to, n, PC);
    return memset(to, byte, n);
}
HOOK(void, init, void) {
}
HOOK(void, func_entry, void *pc) {
    (void)pc;
}
HOOK(void, func_exit, void) {
}

/* With the happens-before edges of an atomic operation: an update carries on
   what was released before it; a store that releases nothing ends that. */
static void atomic(struct op op, int order) {
    op.atomic = true;
    if (self == NULL)
        return;
    struct place *p = turn(op);
    bool takes = op.kind != WRITE && order != __ATOMIC_RELAXED &&
                 order != __ATOMIC_RELEASE;
    bool gives = op.kind != READ &&
                 (order == __ATOMIC_RELEASE || order >= __ATOMIC_ACQ_REL);
    if (takes && p->choice)
        join_clock(self->hb, p->clock);
    if (op.kind == WRITE)
        memset(p->clock, 0, sizeof p->clock);
    if (gives && p->choice)
        release(p);
}

/* They run one at a time, but keep them atomic: the compiler knows how. */
#define UPDATING(bits, type, name, builtin)                                  \
    HOOK(type, atomic##bits##_##name, volatile type *p, type v, int order) { \
        atomic(OP(UPDATE, "update", p), order);                              \
        return builtin(p, v, __ATOMIC_SEQ_CST);                              \
    }
#define COMPARING(bits, type, name)                                       \
    HOOK(int, atomic##bits##_##name, volatile type *p, type *old, type v, \
        int order, int failed) {                                          \
        (void)failed;                                                     \
        atomic(OP(UPDATE, "compare", p), order);                          \
        return __atomic_compare_exchange_n(                               \
            p, old, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);        \
    }
#define ATOMIC(bits, type)                                                  \
    HOOK(type, atomic##bits##_load, const volatile type *p, int order) {    \
        atomic(OP(READ, "read", p), order);                                 \
        return __atomic_load_n(p, __ATOMIC_SEQ_CST);                        \
    }                                                                       \
    HOOK(void, atomic##bits##_store, volatile type *p, type v, int order) { \
        atomic(OP(WRITE, "write", p), order);                               \
        __atomic_store_n(p, v, __ATOMIC_SEQ_CST);                           \
    }                                                                       \
    UPDATING(bits, type, exchange, __atomic_exchange_n)                     \
    UPDATING(bits, type, fetch_add, __atomic_fetch_add)                     \
    UPDATING(bits, type, fetch_sub, __atomic_fetch_sub)                     \
    UPDATING(bits, type, fetch_and, __atomic_fetch_and)                     \
    UPDATING(bits, type, fetch_or, __atomic_fetch_or)                       \
    UPDATING(bits, type, fetch_xor, __atomic_fetch_xor)                     \
    COMPARING(bits, type, compare_exchange_strong)                          \
    COMPARING(bits, type, compare_exchange_weak)                            \
    HOOK(type, atomic##bits##_compare_exchange_val, volatile type *p,       \
        type old, type v, int order, int failed) {                          \
        (void)failed;                                                       \
        atomic(OP(UPDATE, "compare", p), order);                            \
        __atomic_compare_exchange_n(                                        \
            p, &old, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);         \
        return old;                                                         \
    }
ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)

/* Orders with all fences before it: that may hide a data race, but reports
   none that is not there. */
HOOK(void, atomic_thread_fence, int order) {
    static struct place fences;
    (void)order;
    if (self != NULL) {
        join_clock(self->hb, fences.clock);
        release(&fences);
    }
}
HOOK(void, atomic_signal_fence, int order) {
    (void)order;
}

/* What a block held before says nothing about its next use. */
static void forget_block(void *block) {
    if (self != NULL && block != NULL)
        forget(block, malloc_usable_size(block));
}
FIRST(forget_block(p), void, free, (p), void *p)
FIRST(forget_block(p), void *, realloc, (p, n), void *p, size_t n)

/* ---------- Time ---------- */

enum { GIGA = 1000000000 };
static const int64_t epoch = (int64_t)1700000000 * GIGA; /* of now == 0 */

static int64_t nanoseconds(const struct timespec *t) {
    return t->tv_sec * GIGA + t->tv_nsec;
}

/* A time-out, by whichever clock it was made with. */
static void time_out(const struct timespec *t) {
    if (t == NULL)
        return;
    int64_t at = nanoseconds(t);
    at = at >= epoch / 2 ? at - epoch : at;
    self->deadline = at > 1 ? at : 1;
}

static int sleep_until(int64_t then, void *pc) {
    self->deadline = then > 1 ? then : 1;
    turn((struct op){SLEEP, "sleep", (uintptr_t)self, 1, .pc = pc});
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
    self->yielded = true;
    return 0;
}
WRAP(int, clock_gettime, clockid_t clock, struct timespec *time) {
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
    t->next = (struct op){START, "start", (uintptr_t)t, 1, .pc = PC};
    if (pthread_create(handle, attr, begin, t) != 0)
        end_run(UNFIT, "pthread_create failed: too much memory in use?");
    t->handle = (uintptr_t)*handle;
    turn((struct op){CREATE, "create", (uintptr_t)t, 1, .pc = PC});
    return 0;
}
WRAP(int, pthread_join, pthread_t handle, void **result) {
    struct thread *t = thread_of((uintptr_t)handle);
    if (t == self)
        return EDEADLK;
    if (t->detached)
        return EINVAL;
    self->joining = t;
    turn((struct op){JOIN, "join", (uintptr_t)t, 1, .pc = PC});
    join_clock(self->hb, t->hb);
    t->detached = true;
    if (result != NULL)
        *result = t->result;
    return 0;
}
WRAP(int, pthread_detach, pthread_t handle) {
    struct thread *t = thread_of((uintptr_t)handle);
    int error = t->detached ? EINVAL : 0;
    t->detached = true;
    return error;
}
WRAP(void, pthread_exit, void *result) {
    thread_end(result);
}
WRAP(void, _exit, int status) {
    run_leave();
    _exit(status);
}

/* ---------- Mutex, spin lock, read-write lock, once ---------- */

/* Any of them: reads are counted, a writer or a plain lock has an owner. */
static int lock(struct op op, int type, const struct timespec *until) {
    time_out(until);
    struct place *p = find_place(op.at, op.size, true);
    p->type = type;
    p->done = p->done || op.try;
    turn(op);
    if (p->owner == self && type == PTHREAD_MUTEX_RECURSIVE) {
        p->depth++;
        return 0;
    }
    if (p->owner != NULL || (op.kind == LOCK && p->count > 0)) {
        if (self->step != NULL)
            self->step->value = 1;
        return self->timed_out                              ? ETIMEDOUT
               : op.try || type != PTHREAD_MUTEX_ERRORCHECK ? EBUSY
                                                            : EDEADLK;
    }
    if (op.kind == LOCK)
        p->owner = self;
    else
        p->count++;
    p->owner_pc = op.pc;
    self->held++;
    join_clock(self->hb, p->clock);
    return 0;
}

static int drop(struct place *p) {
    bool reader = p->owner == NULL && p->count > 0;
    if (p->owner != self && !reader) {
        if (p->type != PTHREAD_MUTEX_NORMAL)
            return EPERM;
        end_run(BAD_UNLOCK, NULL);
    }
    if (p->depth > 0) {
        p->depth--; /* a recursive lock, still held */
        return 0;
    }
    release(p);
    p->count -= reader;
    p->owner = NULL;
    self->held--;
    if (p->done) /* somebody tries it again and again, perhaps */
        change();
    return 0;
}

#define TYPE(m) ((m)->__data.__kind & 3)
#define LOCKING(name, kind, object, type, is_try) \
    WRAP(int, name, object *p) {                  \
        struct op op = OP(kind, #name, p);        \
        op.try = is_try;                          \
        return lock(op, type, NULL);              \
    }
#define TIMED(name, kind, object, type)                        \
    WRAP(int, name, object *p, const struct timespec *until) { \
        return lock(OP(kind, #name, p), type, until);          \
    }
#define UNLOCKING(name, object)                  \
    WRAP(int, name, object *p) {                 \
        return drop(turn(OP(UNLOCK, #name, p))); \
    }
LOCKING(pthread_mutex_lock, LOCK, pthread_mutex_t, TYPE(p), false)
LOCKING(pthread_mutex_trylock, LOCK, pthread_mutex_t, TYPE(p), true)
TIMED(pthread_mutex_timedlock, LOCK, pthread_mutex_t, TYPE(p))
UNLOCKING(pthread_mutex_unlock, pthread_mutex_t)
LOCKING(pthread_spin_lock, LOCK, pthread_spinlock_t, 0, false)
LOCKING(pthread_spin_trylock, LOCK, pthread_spinlock_t, 0, true)
UNLOCKING(pthread_spin_unlock, pthread_spinlock_t)
LOCKING(pthread_rwlock_rdlock, READ_LOCK, pthread_rwlock_t, 0, false)
LOCKING(pthread_rwlock_tryrdlock, READ_LOCK, pthread_rwlock_t, 0, true)
TIMED(pthread_rwlock_timedrdlock, READ_LOCK, pthread_rwlock_t, 0)
LOCKING(pthread_rwlock_wrlock, LOCK, pthread_rwlock_t, 0, false)
LOCKING(pthread_rwlock_trywrlock, LOCK, pthread_rwlock_t, 0, true)
TIMED(pthread_rwlock_timedwrlock, LOCK, pthread_rwlock_t, 0)
UNLOCKING(pthread_rwlock_unlock, pthread_rwlock_t)
/* A lock that is held while the routine runs. */
WRAP(int, pthread_once, pthread_once_t *once, void (*routine)(void)) {
    struct op op = OP(LOCK, "pthread_once", once);
    lock(op, 0, NULL);
    struct place *p = self->place;
    if (p->waiting == 0) {
        routine();
        p->waiting = 1;
        op.kind = UNLOCK;
        op.name = "once done";
        turn(op);
    }
    return drop(p);
}

#define MAKING(name, object, attributes) \
    FIRST(forget(p, sizeof *p), int, name, (p, a), object *p, attributes a)
MAKING(pthread_mutex_init, pthread_mutex_t, const pthread_mutexattr_t *)
MAKING(pthread_rwlock_init, pthread_rwlock_t, const pthread_rwlockattr_t *)
MAKING(pthread_cond_init, pthread_cond_t, const pthread_condattr_t *)

/* ---------- Condition variable, semaphore, barrier ---------- */

/* A signal is a token that any thread may take that waits by then. */
static int wake(struct op op) {
    struct place *p = turn(op);
    bool lost = p->tokens == p->waiting;
    p->lost_pc = lost ? op.pc : NULL;
    if (!lost)
        p->tokens = op.kind == SIGNAL ? p->tokens + 1 : p->waiting;
    p->generation = (unsigned)p->count;
    return 0;
}
WRAP(int, pthread_cond_signal, pthread_cond_t *c) {
    return wake(OP(SIGNAL, "pthread_cond_signal", c));
}
WRAP(int, pthread_cond_broadcast, pthread_cond_t *c) {
    return wake(OP(BROADCAST, "pthread_cond_broadcast", c));
}

/* Two steps: falls asleep and unlocks; is woken and locks. */
static int wait_for(
    struct op op, pthread_mutex_t *m, const struct timespec *until) {
    op.also = (uintptr_t)m;
    struct place *p = turn(op), *mutex = self->also;
    self->generation = (unsigned)++p->count;
    p->waiting += !self->spurious;
    int error = drop(mutex);
    if (error != 0)
        return error;
    time_out(until);
    op.kind = WAKE;
    op.name = "wake";
    turn(op);
    if (!self->timed_out && !self->spurious) {
        p->waiting--;
        p->tokens--;
    }
    self->spurious = false;
    mutex->owner = self;
    mutex->owner_pc = op.pc;
    self->held++;
    join_clock(self->hb, mutex->clock);
    return self->timed_out ? ETIMEDOUT : 0;
}
WRAP(int, pthread_cond_wait, pthread_cond_t *c, pthread_mutex_t *m) {
    return wait_for(OP(WAIT, "pthread_cond_wait", c), m, NULL);
}
WRAP(int, pthread_cond_timedwait, pthread_cond_t *c, pthread_mutex_t *m,
    const struct timespec *until) {
    return wait_for(OP(WAIT, "pthread_cond_timedwait", c), m, until);
}

/* Its value is the library's until first used. */
static struct place *semaphore(struct op op) {
    struct place *p = find_place(op.at, op.size, true);
    if (!p->done)
        sem_getvalue((sem_t *)op.at, &p->count);
    p->done = true;
    return turn(op);
}
WRAP(int, sem_init, sem_t *s, int shared, unsigned value) {
    forget(s, sizeof *s);
    return sem_init(s, shared, value);
}
static int down(struct op op, bool try, const struct timespec *until) {
    op.try = try;
    time_out(until);
    struct place *p = semaphore(op);
    if (p->count == 0) {
        if (self->step != NULL)
            self->step->value = 1;
        errno = self->timed_out ? ETIMEDOUT : EAGAIN;
        return -1;
    }
    p->count--;
    join_clock(self->hb, p->clock);
    if (try)
        self->marked = false;
    return 0;
}
WRAP(int, sem_wait, sem_t *s) {
    return down(OP(DOWN, "sem_wait", s), false, NULL);
}
WRAP(int, sem_trywait, sem_t *s) {
    return down(OP(DOWN, "sem_trywait", s), true, NULL);
}
WRAP(int, sem_timedwait, sem_t *s, const struct timespec *until) {
    return down(OP(DOWN, "sem_timedwait", s), false, until);
}
WRAP(int, sem_post, sem_t *s) {
    struct place *p = semaphore(OP(POST, "sem_post", s));
    release(p);
    p->count++;
    change();
    return 0;
}
WRAP(int, sem_getvalue, sem_t *s, int *value) {
    *value = semaphore(OP(LOOK, "sem_getvalue", s))->count;
    return 0;
}

WRAP(int, pthread_barrier_init, pthread_barrier_t *b,
    const pthread_barrierattr_t *attr, unsigned count) {
    forget(b, sizeof *b);
    find_place((uintptr_t)b, sizeof *b, true)->type = (int)count;
    return pthread_barrier_init(b, attr, count);
}
WRAP(int, pthread_barrier_wait, pthread_barrier_t *b) {
    struct place *p = turn(OP(ARRIVE, "pthread_barrier_wait", b));
    bool all = ++p->count == p->type;
    release(p);
    self->generation = p->generation;
    if (all) {
        p->count = 0;
        p->generation++;
    } else
        turn(OP(PASS, "barrier passed", b));
    join_clock(self->hb, p->clock);
    return all ? PTHREAD_BARRIER_SERIAL_THREAD : 0;
}

/* ---------- Output: its order is an outcome ---------- */

static void print(const FILE *stream, void *pc) {
    if (self != NULL && stream == stdout && !sh->any_order)
        turn((struct op){PRINT, "print", (uintptr_t)stdout, 1, .pc = pc});
}

/* The reader's compiler has checked these formats. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
FIRST(print(f, PC), int, vfprintf, (f, format, list), FILE *f,
    const char *format, va_list list)
FIRST(print(stdout, PC), int, vprintf, (format, list), const char *format,
    va_list list)
#define PRINTING(name, stream, ...)             \
    WRAP(int, name, __VA_ARGS__, ...) {         \
        va_list list;                           \
        print(stream, PC);                      \
        va_start(list, format);                 \
        int n = vfprintf(stream, format, list); \
        va_end(list);                           \
        return n;                               \
    }
PRINTING(printf, stdout, const char *format)
PRINTING(fprintf, f, FILE *f, const char *format)
FIRST(print(stdout, PC), int, puts, (s), const char *s)
FIRST(print(stdout, PC), int, putchar, (c), int c)
FIRST(print(f, PC), int, fputs, (s, f), const char *s, FILE *f)
FIRST(print(f, PC), int, fputc, (c, f), int c, FILE *f)
FIRST(print(f, PC), int, putc, (c, f), int c, FILE *f)
FIRST(print(f, PC), size_t, fwrite, (p, size, n, f), const void *p, size_t size,
    size_t n, FILE *f)
FIRST(print(fd == STDOUT_FILENO ? stdout : NULL, PC), ssize_t, write,
    (fd, p, n), int fd, const void *p, size_t n)

/* ---------- What cannot be explored ---------- */

#define CANNOT(name, what)          \
    WRAP(void, name, void) {        \
        end_run(UNFIT, "it " what); \
    }
#define PROCESS(name) \
    CANNOT(name, "starts a process (" #name "): only threads can be explored")
PROCESS(fork)
PROCESS(vfork)
PROCESS(system)
PROCESS(popen)
PROCESS(posix_spawn)
CANNOT(socket, "opens a socket: what comes from outside cannot be replayed")
CANNOT(pthread_cancel, "cancels a thread, which explore does not know")
CANNOT(pthread_kill, "sends a signal, which explore does not know")
CANNOT(thrd_create, "uses C11 threads; explore knows POSIX threads")
