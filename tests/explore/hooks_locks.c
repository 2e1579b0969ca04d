/*
 * hooks_locks.c - the child: locks, semaphores, conditions, barriers, once
 *
 * They are never locked for real: each is a number of tokens, and a thread
 * takes some or waits for them. C11's mtx_t, cnd_t and once_flag are POSIX's in
 * glibc.
 */
#define _GNU_SOURCE
#include "explore/child.h"

#include <errno.h>
#include <stdio.h>
#include <threads.h>

enum { MANY = 1 << 20, SEMAPHORE = -1, RWLOCK = -2 };
static const struct timespec at_once; /* a time-out: do not wait at all */

/* It has all its tokens at first, a semaphore as many as its value says. */
static struct place *object(const struct op *op, int full, int type) {
    struct place *p = find_place(op->at, op->size, true);
    if (p->full != 0)
        return p;
    p->full = p->tokens = full;
    p->type = type;
    if (type == SEMAPHORE)
        sem_getvalue((sem_t *)op->at, &p->tokens);
    return p;
}

/* Takes as many tokens as it needs: a writer takes all, a reader one. The calls
   of semaphores have their error in errno. */
static int take(
    struct op op, int need, int full, int type, const struct timespec *until) {
    struct place *p = object(&op, full, type);
    bool again = p->owner == self;
    op.need = need;
    op.try = until == &at_once;
    p->tried = p->tried || op.try;
    if (again && !op.try &&
        (type == PTHREAD_MUTEX_ERRORCHECK || type == RWLOCK))
        return EDEADLK;
    if (again && type == PTHREAD_MUTEX_RECURSIVE) {
        p->depth++;
        return 0;
    }
    if (until != NULL && !op.try)
        time_out(nanoseconds(until));
    turn(op);
    self->failed = p->tokens < need;
    if (self->failed) {
        int not_now = type == SEMAPHORE ? EAGAIN : EBUSY;
        errno = self->timed_out ? ETIMEDOUT : not_now;
        return type == SEMAPHORE ? -1 : errno;
    }
    p->tokens -= need;
    p->pc = op.pc;
    p->owner = need == full ? self : NULL;
    self->held += type != SEMAPHORE;
    changes += type == SEMAPHORE;
    acquire(p);
    return 0;
}

/* Somebody does what only the holder may do. */
static _Noreturn void not_the_holder(const struct place *p, const char *does) {
    const struct thread *o = p->owner;
    end_run(MISUSE, "%s %s %s, which %s holds%s", thread_name(self->id), does,
        place_name(p->at, p->size),
        o == NULL   ? "nobody"
        : o == self ? "it"
                    : thread_name(o->id),
        o != NULL && !o->alive ? ", though it has ended" : "");
}

static int drop(struct place *p, const char *does) {
    bool reads = p->owner == NULL && p->tokens < p->full;
    if (p->owner != self && !reads) {
        if (p->type == PTHREAD_MUTEX_ERRORCHECK ||
            p->type == PTHREAD_MUTEX_RECURSIVE)
            return EPERM;
        not_the_holder(p, does);
    }
    if (p->depth > 0) {
        p->depth--; /* a recursive lock, still held */
        return 0;
    }
    release(p);
    p->tokens += reads ? 1 : p->full;
    p->owner = NULL;
    self->held--;
    changes += p->tried; /* somebody tries it again and again, perhaps */
    self->own += p->tried;
    return 0;
}

static int give(struct op op, int full, int type) {
    struct place *p = object(&op, full, type);
    turn(op);
    if (type != SEMAPHORE)
        return drop(p, "releases");
    release(p);
    p->tokens++;
    changes++;
    return 0;
}

#define LOCKS(object, lock, trylock, timedlock, clocklock, need, full, type) \
    WRAP(int, lock, (object * p), take(OP(LOCK, p), need, full, type, NULL)) \
    WRAP(int, trylock, (object * p),                                         \
        take(OP(LOCK, p), need, full, type, &at_once))                       \
    WRAP(int, timedlock, (object * p, const struct timespec *until),         \
        take(OP(LOCK, p), need, full, type, until))                          \
    WRAP(int, clocklock,                                                     \
        (object * p, clockid_t clock, const struct timespec *until),         \
        ((void)clock, take(OP(LOCK, p), need, full, type, until)))
#define TYPE(m) ((m)->__data.__kind & 3)
LOCKS(pthread_mutex_t, pthread_mutex_lock, pthread_mutex_trylock,
    pthread_mutex_timedlock, pthread_mutex_clocklock, 1, 1, TYPE(p))
LOCKS(pthread_spinlock_t, pthread_spin_lock, pthread_spin_trylock,
    pthread_spin_timedlock, pthread_spin_clocklock, 1, 1, 0)
LOCKS(pthread_rwlock_t, pthread_rwlock_rdlock, pthread_rwlock_tryrdlock,
    pthread_rwlock_timedrdlock, pthread_rwlock_clockrdlock, 1, MANY, RWLOCK)
LOCKS(pthread_rwlock_t, pthread_rwlock_wrlock, pthread_rwlock_trywrlock,
    pthread_rwlock_timedwrlock, pthread_rwlock_clockwrlock, MANY, MANY, RWLOCK)
LOCKS(sem_t, sem_wait, sem_trywait, sem_timedwait, sem_clockwait, 1, MANY,
    SEMAPHORE)
WRAP(int, sem_post, (sem_t * p), give(OP(LOCK, p), MANY, SEMAPHORE))
WRAP(int, pthread_mutex_unlock, (pthread_mutex_t * p),
    give(OP(LOCK, p), 1, TYPE(p)))
WRAP(
    int, pthread_spin_unlock, (pthread_spinlock_t * p), give(OP(LOCK, p), 1, 0))
WRAP(int, pthread_rwlock_unlock, (pthread_rwlock_t * p),
    give(OP(LOCK, p), MANY, RWLOCK))

int __wrap_sem_getvalue(sem_t *s, int *value) {
    struct op op = OP(LOCK, s);
    object(&op, MANY, SEMAPHORE);
    *value = turn(op)->tokens;
    return 0;
}

/* A lock that is held while the routine runs. */
static int once(struct op op, void (*routine)(void)) {
    take(op, 1, 1, 0, NULL);
    struct place *p = self->place;
    if (!p->done)
        routine();
    p->done = true;
    return drop(p, "releases");
}
WRAP(int, pthread_once, (pthread_once_t * p, void (*routine)(void)),
    once(OP(LOCK, p), routine))

/* Made anew: nothing of what was there before counts. */
#define INIT(name, params, args) \
    FIRST(forget((const void *)p, sizeof *p), int, name, params, args)
INIT(sem_init, (sem_t * p, int shared, unsigned n), (p, shared, n))
INIT(pthread_mutex_init, (pthread_mutex_t * p, const pthread_mutexattr_t *a),
    (p, a))
INIT(pthread_rwlock_init, (pthread_rwlock_t * p, const pthread_rwlockattr_t *a),
    (p, a))
INIT(pthread_cond_init, (pthread_cond_t * p, const pthread_condattr_t *a),
    (p, a))
INIT(pthread_spin_init, (pthread_spinlock_t * p, int shared), (p, shared))

/* A step like unlock: its order to the others' matters. */
static int destroy(struct op op, bool lock) {
    struct place *p = find_place(op.at, op.size, true);
    turn(op);
    if (p->owner != NULL || (lock && p->full != 0 && p->tokens < p->full))
        not_the_holder(p, "destroys");
    return 0;
}
#define DESTROY(type, name, lock) \
    WRAP(int, name, (type * p), destroy(OP(LOCK, p), lock))
DESTROY(pthread_mutex_t, pthread_mutex_destroy, true)
DESTROY(pthread_rwlock_t, pthread_rwlock_destroy, true)
DESTROY(pthread_spinlock_t, pthread_spin_destroy, true)

/* ---------- Condition variable, barrier ---------- */

/* A signal is a token that any thread may take that waits by then. */
static int wake(struct op op, bool all) {
    struct place *p = turn(op);
    bool lost = p->tokens == p->waiting;
    p->pc = lost ? op.pc : NULL;
    if (!lost)
        p->tokens = all ? p->waiting : p->tokens + 1;
    p->round = p->arrived;
    return 0;
}

/* Two steps: falls asleep and unlocks; is woken and locks. */
static int wait_for(
    struct op op, pthread_mutex_t *m, const struct timespec *until) {
    struct place *mutex = find_place((uintptr_t)m, sizeof *m, true);
    op.mutex = mutex;
    struct place *p = turn(op);
    if (self->spurious)
        self->next.name = "(no signal)";
    int error = drop(mutex, "waits with");
    if (error != 0)
        return error;
    p->waiting += !self->spurious;
    if (until != NULL)
        time_out(nanoseconds(until));
    op.kind = WAKE;
    op.need = 1;
    op.round = ++p->arrived;
    turn(op);
    if (!self->timed_out && !self->spurious) {
        p->waiting--;
        p->tokens--;
    }
    self->next.name = "wake";
    self->spurious = false;
    self->held++;
    mutex->tokens = 0;
    mutex->owner = self;
    mutex->pc = op.pc;
    acquire(mutex);
    return self->timed_out ? ETIMEDOUT : 0;
}
WRAP(int, pthread_cond_signal, (pthread_cond_t * c), wake(OP(CHANGE, c), false))
WRAP(int, pthread_cond_broadcast, (pthread_cond_t * c),
    wake(OP(CHANGE, c), true))
WRAP(int, pthread_cond_wait, (pthread_cond_t * c, pthread_mutex_t *m),
    wait_for(OP(WAIT, c), m, NULL))
WRAP(int, pthread_cond_timedwait,
    (pthread_cond_t * c, pthread_mutex_t *m, const struct timespec *until),
    wait_for(OP(WAIT, c), m, until))
WRAP(int, pthread_cond_clockwait,
    (pthread_cond_t * c, pthread_mutex_t *m, clockid_t clock,
        const struct timespec *until),
    ((void)clock, wait_for(OP(WAIT, c), m, until)))

int __wrap_pthread_barrier_init(
    pthread_barrier_t *b, const pthread_barrierattr_t *attr, unsigned count) {
    forget(b, sizeof *b);
    find_place((uintptr_t)b, sizeof *b, true)->full = (int)count;
    return pthread_barrier_init(b, attr, count);
}
int __wrap_pthread_barrier_wait(pthread_barrier_t *b) {
    struct op op = OP(CHANGE, b);
    struct place *p = turn(op);
    bool all = p->full > 0 && ++p->arrived % (unsigned)p->full == 0;
    release(p);
    op.kind = QUICK;
    op.round = p->round + 1;
    p->round += all;
    turn(op);
    acquire(p);
    return all ? PTHREAD_BARRIER_SERIAL_THREAD : 0;
}

/* ---------- The same for C11 ---------- */

static int c11(int error) {
    return error == 0           ? thrd_success
           : error == EBUSY     ? thrd_busy
           : error == ETIMEDOUT ? thrd_timedout
                                : thrd_error;
}
#define M(p) ((pthread_mutex_t *)(void *)(p))
#define C(p) ((pthread_cond_t *)(void *)(p))
FIRST(forget((const void *)p, sizeof *p), int, mtx_init, (mtx_t * p, int type),
    (p, type))
WRAP(int, mtx_lock, (mtx_t * p),
    c11(take(OP(LOCK, M(p)), 1, 1, TYPE(M(p)), NULL)))
WRAP(int, mtx_trylock, (mtx_t * p),
    c11(take(OP(LOCK, M(p)), 1, 1, TYPE(M(p)), &at_once)))
WRAP(int, mtx_timedlock, (mtx_t * p, const struct timespec *until),
    c11(take(OP(LOCK, M(p)), 1, 1, TYPE(M(p)), until)))
WRAP(int, mtx_unlock, (mtx_t * p), c11(give(OP(LOCK, M(p)), 1, TYPE(M(p)))))
void __wrap_mtx_destroy(mtx_t *p) {
    destroy(OP(LOCK, M(p)), true);
}
FIRST(forget((const void *)p, sizeof *p), int, cnd_init, (cnd_t * p), (p))
WRAP(int, cnd_signal, (cnd_t * p), c11(wake(OP(CHANGE, C(p)), false)))
WRAP(int, cnd_broadcast, (cnd_t * p), c11(wake(OP(CHANGE, C(p)), true)))
WRAP(int, cnd_wait, (cnd_t * p, mtx_t *m),
    c11(wait_for(OP(WAIT, C(p)), M(m), NULL)))
WRAP(int, cnd_timedwait, (cnd_t * p, mtx_t *m, const struct timespec *until),
    c11(wait_for(OP(WAIT, C(p)), M(m), until)))
void __wrap_call_once(once_flag *p, void (*routine)(void)) {
    once(OP(LOCK, p), routine);
}
