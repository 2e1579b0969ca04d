/*
 * explore_run.c - the child: threads that run one at a time, by choice
 *
 * Design. turn() is the heart: a thread says which operation is its next, and
 * pick() decides who goes on. The first choices are prescribed by the parent,
 * the later ones leave the processor to whoever has it. Exactly one thread
 * runs, all others wait for their semaphore, so nothing here needs a lock.
 *
 * Each thread has a vector clock (Lamport 1978, Mattern 1988). Two accesses
 * of one place are unordered if neither is in the other's past; if one writes
 * and not both are atomic, that is a data race. As long as no two accesses
 * are unordered, it is enough to choose at locks and their kin (Musuvathi and
 * Qadeer 2007), so only a place where two are becomes worth a choice. An
 * atomic variable orders others' accesses as soon as it is such a place.
 *
 * If two steps are at different places, or both only read, their order does
 * not matter. So a hash is made of each step, from the hashes of the steps that
 * it depends on: its thread's last one and the last ones at its place. The sum
 * of the threads' last hashes is the state: the same in whatever order the
 * independent steps came. A run that comes to a state which was seen, with the
 * same thread to go on and as many preemptions, ends: what follows was tried
 * (Musuvathi and Qadeer 2007: partial-order reduction for context-bounded state
 * exploration).
 *
 * Mutexes and their kin are never locked for real: each is a number of tokens,
 * and a thread takes some or waits for them.
 */
#define _GNU_SOURCE
#include "explore/explore.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_PLACES = 1 << 16, MOST_BEEN = 1 << 12, MOST_SAID = 1000 };
enum { DEAD = 1 << 14 }; /* below a stack: the calls that are over */
enum { SAVED = 40 };     /* x86-64: registers saved below the frame address */

/* From LOCK on the place is a lock or its kin, no memory. LOCK: takes or gives
   back, or looks. CHANGE: others may go on for it. WAIT: falls asleep, and
   gives up the mutex; WAKE: the rest of it. QUICK and JOIN are done as soon as
   they can be: no other thread's step comes out differently for it. */
enum kind { READ, WRITE, UPDATE, LOCK, CHANGE, WAIT, WAKE, EXIT, QUICK, JOIN };

/* What a thread does next. */
struct op {
    enum kind kind;
    const char *name; /* for the report */
    uintptr_t at, size;
    void *pc;            /* the return address in the reader's code */
    bool atomic, try;    /* try: fails instead of waiting */
    int need;            /* waits until the place has so many tokens, */
    unsigned round;      /* and has come to this round */
    struct place *mutex; /* of WAIT and WAKE */
};

struct access {
    unsigned when; /* by its thread's clock; 0: never */
    int thread;
    bool atomic;
    void *pc;
};

/* MET: by two threads, ordered by locks at most. CHOICE: the order matters. */
enum level { OWN, MET, CHOICE };

/* What is known of a place: a variable, or a lock and its kin. */
struct place {
    struct place *next; /* in its bucket */
    uintptr_t at, size;
    bool sync; /* a lock or its kin */
    enum level level;
    struct access write, read[MOST_THREADS];
    unsigned clock[MOST_THREADS]; /* what an acquire here gets to know */
    int tokens, full;             /* full: how many there are in all */
    int type, depth, waiting;
    unsigned round, arrived;
    bool tried, done;
    struct thread *owner;
    void *pc; /* where it was taken; a signal that came when nobody waited */
};

struct thread {
    int id, held; /* held: how many locks */
    bool alive, detached, timed_out, spurious, yielded, failed;
    sem_t go;
    struct op next;
    struct place *place;
    int64_t deadline;            /* virtual ns, 0: none */
    unsigned hb[MOST_THREADS];   /* its clock: what happened before */
    unsigned life[MOST_THREADS]; /* the same by create and join alone */
    uint64_t state;
    bool settled, shown;          /* its last step */
    uint64_t before;              /* what was there */
    uintptr_t base;               /* where its stack begins */
    uint64_t parked, marked, lap; /* see repeats() */
    int least;
    bool around;
    pthread_t handle;
    void *(*start)(void *);
    void *arg, *result;
};

static const char *const names[] = {"read", "write", "update"};
static _Thread_local struct thread *self; /* NULL in the parent */
static int64_t now;                       /* virtual ns */
static uint64_t state, changes = 1;
static struct thread threads[MOST_THREADS];
static int alive;
static bool over, spurious_used;
static struct place places[MOST_PLACES];
static unsigned nplaces;
static struct bucket { /* the places that begin in the same 8 bytes */
    struct place *first;
    uint64_t written, reads; /* hashes of the steps there */
} buckets[MOST_PLACES];

/* ---------- For the report ---------- */

static void say(const char *format, ...) {
    static size_t used;
    va_list list;
    if (sh->replay == NULL || used + MOST_SAID > MOST_TABLE)
        return;
    va_start(list, format);
    used += (size_t)vsnprintf(sh->table + used, MOST_SAID, format, list);
    va_end(list);
}

const char *thread_name(int thread) {
    static char letter[MOST_THREADS][2];
    letter[thread][0] = LETTERS[thread];
    return thread == 0 ? "main" : letter[thread];
}

/* A row of the table; between tabs is what explore.awk puts into columns. */
static void say_step(const struct thread *t, uint64_t value) {
    const struct op *op = &t->next;
    say("\2" NAME "\t%s\t%s", NAME_OF(op), thread_name(t->id), op->name);
    if (op->kind < LOCK) {
        int unused = 64 - 8 * (int)op->size;
        int64_t number = (int64_t)(value << unused) >> unused;
        bool address = number > 1 << 20 || number < -(1 << 20);
        say(address ? " \1N%ld 0 %lx\1" : " %ld", number, number);
    }
    say("%s\t" TEXT "\n", t->failed ? ": no" : "", LINE_OF(op->pc));
}

/* Has what the thread waits for come? */
static bool ready(const struct thread *t) {
    return t->place->tokens >= t->next.need && t->place->round >= t->next.round;
}

static void say_why(const struct thread *t) {
    const struct op *op = &t->next;
    const struct place *p = op->kind == WAKE && ready(t) ? op->mutex : t->place;
    bool join = op->kind == JOIN;
    say("  %s %s %s of ", thread_name(t->id),
        t->parked == changes ? "repeats" : "waits in", op->name);
    if (join)
        say("%s", thread_name(p->owner->id));
    else
        say(NAME, NAME_OF(p));
    say(" at " LINE, LINE_OF(op->pc));
    if (p->owner != NULL && !join)
        say(", which %s holds since " LINE,
            p->owner == t ? "it" : thread_name(p->owner->id), LINE_OF(p->pc));
    else if (op->kind == WAKE && p->pc != NULL)
        say(": lost wake-up, the last signal came when nobody waited (" LINE
            ")",
            LINE_OF(p->pc));
    say("\n");
}

static _Noreturn void end_run(enum fault fault, const char *text) {
    for (int i = 0; i < sh->nthreads && fault == STUCK; i++)
        if (threads[i].alive)
            say_why(&threads[i]);
    sh->fault = fault;
    sh->text = text;
    if (sh->prefix < 0)
        raise(SIGTRAP); /* in a debugger: look around */
    _exit(0);
}

/* ---------- Places and vector clocks ---------- */

static struct bucket *bucket(uintptr_t at) {
    return &buckets[((at >> 3) * 0x9E3779B97F4A7C15u >> 32) % MOST_PLACES];
}

static struct place *find_place(uintptr_t at, uintptr_t size, bool sync) {
    struct bucket *b = bucket(at);
    for (struct place *p = b->first; p != NULL; p = p->next)
        if (p->at == at && p->size == size && p->sync == sync)
            return p;
    if (nplaces == MOST_PLACES)
        end_run(UNFIT, "it uses too much memory to be explored: give it less "
                       "work");
    places[nplaces] = (struct place){b->first, at, size, .sync = sync};
    return b->first = &places[nplaces++];
}

static void join_clock(unsigned *clock, const unsigned *other) {
    for (int i = 0; i < MOST_THREADS; i++)
        if (clock[i] < other[i])
            clock[i] = other[i];
}

/* What was there says nothing about what will be. */
static void forget(const void *block, unsigned long bytes) {
    uintptr_t from = (uintptr_t)block, to = from + bytes;
    for (uintptr_t word = from & ~(uintptr_t)7; word < to; word += 8)
        for (struct place *p = bucket(word)->first; p != NULL; p = p->next)
            if (p->at >= from && p->at < to)
                *p = (struct place){
                    p->next, p->at, p->size, p->sync, .level = p->level};
}

/* For this run and those to come. Without a choice, this one is worthless. */
static void learn(struct place *p, enum level level) {
    if (p->level >= level)
        return;
    p->level = level;
    if (sh->nlearned == MOST_LEARNED)
        end_run(UNFIT, "the threads share too many places to be explored");
    sh->learned[sh->nlearned++] =
        (struct learned){p->at, p->size, p->sync, (int)level};
    if (level == CHOICE)
        end_run(NEWS, NULL);
}

/* Another's access a of place q, against the access of place p by self. */
static void check(struct place *p, struct place *q, const struct access *a) {
    const struct op *op = &self->next;
    bool every = op->atomic && !sh->reduce;
    bool beside = a->when > self->life[a->thread];
    if (a->thread == self->id || a->when == 0 || (!beside && !every))
        return;
    bool unordered = a->when > self->hb[a->thread];
    if (unordered && !p->sync && !(a->atomic && op->atomic) && !*sh->race)
        snprintf(sh->race, sizeof sh->race,
            "%s %ss " NAME " at " LINE ", %s %ss it at " LINE ", in no order",
            thread_name(a->thread), a == &q->write ? "write" : "read",
            NAME_OF(q), LINE_OF(a->pc), thread_name(self->id), op->name,
            LINE_OF(op->pc));
    learn(q, every || p->sync || unordered ? CHOICE : MET);
    learn(p, q->level);
}

static uint64_t mix(uint64_t a, uint64_t b) {
    a = (a ^ b * 0x9E3779B97F4A7C15u) * 0xBF58476D1CE4E5B9u;
    return a ^ a >> 32;
}

/* The hash of a step, and so of the state: see the top. */
static void hash_step(struct bucket *b, bool write) {
    struct thread *t = self;
    uint64_t how = t->next.at + t->next.kind + 100 * t->timed_out + t->spurious;
    uint64_t hash = mix(mix(t->state, how), b->written);
    if (write)
        hash = b->written = mix(hash, b->reads);
    b->reads = write ? 0 : b->reads + hash;
    state += hash - t->state;
    t->state = hash;
}

static void touch(struct place *p, bool was_choice) {
    struct thread *t = self;
    bool write = t->next.kind != READ;
    for (struct place *q = bucket(p->at)->first; q != NULL; q = q->next) {
        if (q->sync != p->sync || q->at >= p->at + p->size ||
            p->at >= q->at + q->size)
            continue;
        check(p, q, &q->write);
        for (int i = 0; i < sh->nthreads && write; i++)
            check(p, q, &q->read[i]);
    }
    if (was_choice || p->sync)
        hash_step(bucket(p->at), write);
    t->life[t->id] = ++t->hb[t->id];
    *(write ? &p->write : &p->read[t->id]) =
        (struct access){t->hb[t->id], t->id, t->next.atomic, t->next.pc};
}

/* ---------- Threads that spin ---------- */

/* Was the hash put there before? A full table forgets: that loses nothing. */
static bool known(uint64_t *table, uint64_t size, uint64_t hash) {
    uint64_t old = table[hash % size];
    table[hash % size] = hash;
    return old == hash;
}

/* A thread whose registers and stack are as they were when it was here
 * before, and nothing has changed since, will come by for ever unless another
 * thread changes something. It waits for that, so the number of schedules
 * stays finite and none is lost: where it holds the fewest locks, which is
 * known after one more lap. */
static bool repeats(struct thread *t, uintptr_t low) {
    static uint64_t been[MOST_BEEN];
    uint64_t hash = mix(changes, (uintptr_t)t->next.pc + (unsigned)t->id);
    for (const uint64_t *w = (const uint64_t *)low; (uintptr_t)w < t->base; w++)
        hash = (hash ^ *w) * 0x100000001B3u;
    bool again = known(been, MOST_BEEN, mix(hash, 0));
    if (t->marked != changes || t->lap == 0) {
        t->marked = changes;
        t->lap = again ? hash : 0;
        t->least = t->held;
        t->around = t->held == 0;
        return again && t->around;
    }
    t->least = t->held < t->least ? t->held : t->least;
    t->around = t->around || hash == t->lap;
    return t->around && t->held == t->least;
}

static uint64_t value_at(const struct op *op) {
    uint64_t value = 0;
    if (op->kind < LOCK)
        memcpy(&value, (const void *)op->at, op->size);
    return value;
}

/* What a step left is known when its thread comes here next. The thread's own
   stack is compared anyway, or dead. */
static void settle(uintptr_t low) {
    struct thread *t = self;
    if (t->settled)
        return;
    t->settled = true;
    uint64_t value = t->next.kind == READ ? t->before : value_at(&t->next);
    if (value != t->before &&
        (t->place->level != OWN || t->next.at < low - DEAD ||
            t->next.at >= t->base))
        changes++;
    if (t->shown)
        say_step(t, value);
}

/* ---------- Who goes next ---------- */

/* Can the thread do its next operation now? */
static bool can_run(const struct thread *t) {
    if (!t->alive || t->parked == changes ||
        (t->next.kind == WAKE && t->next.mutex->tokens == 0))
        return false;
    return t->next.try || t->timed_out || t->spurious || ready(t);
}

/* Nobody can go on: time passes until somebody can, or nobody ever will. */
static void pass_time(void) {
    int64_t next = INT64_MAX;
    const char *why = "deadlock";
    for (int i = 0; i < sh->nthreads; i++) {
        const struct thread *t = &threads[i];
        if (t->alive && t->parked == changes)
            why = "a thread spins for ever, waiting for a change that nobody "
                  "makes";
        if (t->deadline > 0 && t->deadline < next && !ready(t))
            next = t->deadline;
    }
    if (next == INT64_MAX)
        end_run(STUCK, why);
    now = next > now ? next : now;
    changes++;
    for (int i = 0; i < sh->nthreads; i++) {
        struct thread *t = &threads[i];
        if (t->deadline == 0 || t->deadline > now || ready(t))
            continue; /* if ready, it only waits for the mutex, so far */
        t->deadline = 0;
        t->timed_out = true;
        t->place->waiting -= t->next.kind == WAKE && !t->spurious;
    }
}

int cost_of(const struct step *s, int choice) {
    return (choice >= SPURIOUS) +
           (s->stay >= 0 && s->stay != choice % SPURIOUS);
}

/* REPLAY: a letter is a thread (M is main), the number behind it how many steps
   it does; a small letter is a wait that needs no signal. */
static int replayed(int usual) {
    static long done;
    const char *letter = strchr(LETTERS, *sh->replay);
    char *end;
    if (*sh->replay == '\0' || strcmp(sh->replay, "M0") == 0)
        return usual;
    if (++done >= strtol(sh->replay + 1, &end, 10)) {
        sh->replay = end;
        done = 0;
    }
    return letter == NULL ? 2 * SPURIOUS - 1 : (int)(letter - LETTERS);
}

/* Chooses among the enabled: what is prescribed or replayed, else whoever did
   the last step, else the first. */
static struct thread *choose(unsigned enabled) {
    static struct thread *last;
    struct step *s = &sh->steps[sh->nsteps];
    bool on = last != NULL && enabled >> last->id & 1;
    bool prescribed = sh->nsteps < sh->prefix;
    if (sh->nsteps == MOST_STEPS - 1)
        end_run(ENDLESS, "a thread never ends");
    if (prescribed && s->state != state)
        end_run(UNFIT, "the same schedule did not do the same twice");
    s->usual = on ? last->id : __builtin_ctz(enabled);
    s->stay = on && !last->yielded ? last->id : -1;
    s->enabled = enabled;
    s->cost = sh->cost;
    s->state = state;
    if (!prescribed) {
        uint64_t key = mix(mix(state, (uint64_t)now), (uint64_t)sh->search);
        if (sh->bound != ALL)
            key = mix(key, (uint64_t)(s->cost * SPURIOUS + s->stay + 1));
        s->done = 0;
        s->choice = sh->replay ? replayed(s->usual) : s->usual;
        if (sh->reduce && !sh->replay && known(sh->seen, MOST_STATES, key))
            end_run(SEEN, NULL);
    }
    if (!(enabled >> s->choice & 1))
        end_run(UNFIT, "the schedule is not one of this program");
    sh->nsteps++;
    sh->cost += cost_of(s, s->choice);
    last = &threads[s->choice % SPURIOUS];
    last->yielded = false;
    if (s->choice >= SPURIOUS)
        last->spurious = spurious_used = true;
    return last;
}

static struct thread *pick(void) {
    for (;; pass_time()) {
        unsigned enabled = 0;
        for (int i = 0; i < sh->nthreads; i++) {
            struct thread *t = &threads[i];
            if (!can_run(t))
                continue;
            if (t->next.kind >= QUICK)
                return t;
            enabled |= 1u << i;
            if (t->next.kind == WAIT && !spurious_used)
                enabled |= 1u << (SPURIOUS + i);
        }
        if (enabled != 0)
            return choose(enabled);
    }
}

/* What our own calls left on the stack must make no difference to repeats(). */
static __attribute__((noinline)) void scrub(void) {
    char left[4096];
    memset(left, 0, sizeof left);
    __asm__ volatile("" : : "r"(left) : "memory");
}

static void reschedule(struct thread *t) {
    struct thread *next = pick();
    if (next == t)
        return;
    sh->running = next->id;
    sh->pc = next->next.pc;
    sem_post(&next->go);
    while (sem_wait(&t->go) == -1)
        continue;
}

/* Comes back when the operation can be done, and what follows is done alone. */
static struct place *turn(struct op op) {
    struct thread *t = self;
    __builtin_unwind_init(); /* the caller's registers go to the stack */
    uintptr_t low = (uintptr_t)__builtin_frame_address(0) - SAVED;
    settle(low);
    struct place *p = find_place(op.at, op.size, op.kind >= LOCK);
    if (over)
        return p;
    t->place = p;
    t->next = op;
    t->timed_out = t->failed = false;
    sh->running = t->id;
    sh->pc = op.pc;
    t->parked = repeats(t, low) ? changes : 0;
    bool choice =
        p->level == CHOICE || op.kind == WAIT || op.kind == EXIT || !can_run(t);
    if (choice)
        reschedule(t);
    touch(p, choice);
    if (op.mutex != NULL)
        touch(op.mutex, choice);
    t->deadline = 0;
    t->settled = false;
    t->shown = p->level >= MET && op.kind < EXIT && alive > 1;
    t->before = value_at(&op);
    changes += op.kind >= CHANGE;
    scrub();
    return p;
}

/* ---------- The life of a thread ---------- */

static struct thread *thread_new(void *pc) {
    if (sh->nthreads == MOST_THREADS)
        end_run(UNFIT, "more than 16 threads are too many to be explored");
    struct thread *t = &threads[sh->nthreads];
    if (self != NULL) {
        t->state = self->state;
        memcpy(t->hb, self->hb, sizeof t->hb);
        memcpy(t->life, self->life, sizeof t->life);
    }
    t->id = sh->nthreads++;
    t->alive = t->settled = true;
    alive++;
    t->next = (struct op){QUICK, "start", .pc = pc};
    t->place = find_place((uintptr_t)t, sizeof *t, true); /* for who joins it */
    t->place->owner = t;
    t->state = mix(t->state, (unsigned)t->id + 1);
    state += t->state;
    return t;
}

static struct thread *thread_of(pthread_t handle) {
    for (int i = 0; i < sh->nthreads; i++)
        if (threads[i].handle == handle)
            return &threads[i];
    end_run(UNFIT, "it joins or detaches a thread that it did not create");
}

/* However the program ends: others may come first. */
static void run_leave(void) {
    turn((struct op){EXIT, "exit", .at = 1, .size = 1});
    over = true;
}

void run_begin(void) {
    self = thread_new(NULL);
    self->handle = pthread_self();
    self->base = (uintptr_t)__builtin_frame_address(0);
    for (int i = 0; i < sh->nlearned; i++) {
        const struct learned *l = &sh->learned[i];
        find_place(l->at, l->size, l->sync)->level = (enum level)l->level;
    }
    atexit(run_leave);
    scrub();
}

/* The thread is never let go: its real end would run beside the others. */
static _Noreturn void thread_end(void *result) {
    struct thread *t = self;
    settle(t->base);
    if (--alive == 0) /* main left by pthread_exit */
        exit(EXIT_SUCCESS);
    find_place((uintptr_t)t, sizeof *t, true)->tokens = 1;
    t->result = result;
    t->alive = false;
    changes++;
    reschedule(t);
    abort(); /* never: who is not alive is not chosen */
}

static void *thread_main(void *thread) {
    struct thread *t = self = thread;
    while (sem_wait(&t->go) == -1)
        continue;
    scrub();
    t->base = (uintptr_t)__builtin_frame_address(0);
    thread_end(t->start(t->arg));
}

/* ---------- What the compiler calls: memory ---------- */

#define PC __builtin_return_address(0)
/* Of the hook that it stands in: __tsan_NAME or __wrap_NAME. */
#define OP(kind, p)                                               \
    (struct op) {                                                 \
        kind, &__func__[7], (uintptr_t)(p), sizeof *(p), .pc = PC \
    }
#define HOOK(type, name, params, ...) \
    type __tsan_##name params {       \
        __VA_ARGS__;                  \
    }

static void plain(enum kind kind, const void *p, unsigned long size, void *pc) {
    uintptr_t at = (uintptr_t)p, end = at + size;
    while (at < end && self != NULL) {
        uintptr_t next = (at | 7) + 1; /* no more than a word at once */
        next = next < end ? next : end;
        turn((struct op){kind, names[kind], at, next - at, .pc = pc});
        at = next;
    }
}

#define ACCESSES(n)                                                 \
    HOOK(void, read##n, (void *p), plain(READ, p, n, PC))           \
    HOOK(void, write##n, (void *p), plain(WRITE, p, n, PC))         \
    HOOK(void, unaligned_read##n, (void *p), plain(READ, p, n, PC)) \
    HOOK(void, unaligned_write##n, (void *p), plain(WRITE, p, n, PC))
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)
HOOK(void, read_range, (void *p, unsigned long n), plain(READ, p, n, PC))
HOOK(void, write_range, (void *p, unsigned long n), plain(WRITE, p, n, PC))
void *__tsan_memcpy(void *to, const void *from, unsigned long n) {
    plain(READ, from, n, PC);
    plain(WRITE, to, n, PC);
    return memmove(to, from, n);
}
void *__tsan_memset(void *to, int byte, unsigned long n) {
    plain(WRITE, to, n, PC);
    return memset(to, byte, n);
}
HOOK(void, init, (void), )
HOOK(void, func_entry, (void), )
HOOK(void, func_exit, (void), )

/* With the happens-before edges of an atomic operation: an update carries on
   what was released before it; a store that releases nothing ends that. */
static void atomic(struct op op, int order, const void *expected) {
    op.atomic = true;
    op.name = names[op.kind];
    if (self == NULL)
        return;
    struct place *p = turn(op);
    bool takes = order != __ATOMIC_RELAXED && order != __ATOMIC_RELEASE;
    bool gives = order == __ATOMIC_RELEASE || order >= __ATOMIC_ACQ_REL;
    if (expected != NULL && memcmp((const void *)op.at, expected, op.size) != 0)
        gives = false; /* it fails, and so only reads */
    if (takes && op.kind != WRITE && p->level == CHOICE)
        join_clock(self->hb, p->clock);
    if (op.kind == WRITE)
        memset(p->clock, 0, sizeof p->clock);
    if (gives && op.kind != READ && p->level == CHOICE)
        join_clock(p->clock, self->hb);
}

/* The last parameter of a comparison, the order if it fails, is left out. */
#define ATOMIC(kind, type, name, params, result) \
    HOOK(type, name, params, atomic(OP(kind, p), order, NULL); return result)
#define FETCH(type, n, what)                                        \
    ATOMIC(UPDATE, type, n##_##what, (type * p, type v, int order), \
        __atomic_##what(p, v, __ATOMIC_SEQ_CST))
#define __atomic_exchange(p, v, order) __atomic_exchange_n(p, v, order)
#define COMPARE(type, n, result_type, how, old_type, old, expected, result) \
    HOOK(result_type, n##_compare_exchange_##how,                           \
         (type * p, old_type old, type v, int order),                       \
         atomic(OP(UPDATE, p), order, expected);                            \
         return result)
#define SWAP(p, old, v)          \
    __atomic_compare_exchange_n( \
        p, old, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define ATOMICS(type, n)                                                  \
    ATOMIC(READ, type, n##_load, (const type *p, int order), *p)          \
    ATOMIC(WRITE, type, n##_store, (type * p, type v, int order), *p = v) \
    FETCH(type, n, exchange)                                              \
    FETCH(type, n, fetch_add)                                             \
    FETCH(type, n, fetch_sub)                                             \
    FETCH(type, n, fetch_and)                                             \
    FETCH(type, n, fetch_or)                                              \
    FETCH(type, n, fetch_xor)                                             \
    COMPARE(type, n, int, strong, type *, old, old, SWAP(p, old, v))      \
    COMPARE(type, n, int, weak, type *, old, old, SWAP(p, old, v))        \
    COMPARE(type, n, type, val, type, old, &old, (SWAP(p, &old, v), old))
ATOMICS(uint8_t, atomic8)
ATOMICS(uint16_t, atomic16)
ATOMICS(uint32_t, atomic32)
ATOMICS(uint64_t, atomic64)

/* Orders with all fences before it: that may hide a data race, but reports
   none that is not there. */
void __tsan_atomic_thread_fence(void) {
    static unsigned fences[MOST_THREADS];
    join_clock(self->hb, fences);
    join_clock(fences, self->hb);
}
HOOK(void, atomic_signal_fence, (void), )

/* ---------- What the linker sends here instead of to the libraries ------- */

#define WRAP(type, name, params, result) \
    type __wrap_##name params {          \
        return result;                   \
    }
/* The library's function, after something else. */
#define FIRST(what, type, name, params, args) \
    type __wrap_##name params {               \
        what;                                 \
        return name args;                     \
    }

/* What a block held says nothing about its next use. */
static void forget_block(void *block) {
    if (block == NULL || self == NULL)
        return;
    settle(self->base);
    forget(block, malloc_usable_size(block));
    scrub();
}
FIRST(forget_block(p), void *, realloc, (void *p, size_t n), (p, n))
void __wrap_free(void *p) {
    forget_block(p);
    free(p);
}

/* Time: only waiting makes it pass. */
enum { GIGA = 1000000000 };
static const int64_t epoch = (int64_t)1700000000 * GIGA; /* of now == 0 */

static int64_t nanoseconds(const struct timespec *t) {
    return t->tv_sec * GIGA + t->tv_nsec;
}

/* Until when to wait, by whichever clock. */
static void time_out(int64_t then) {
    then = then >= epoch / 2 ? then - epoch : then;
    self->deadline = then > 1 ? then : 1;
}

static int sleep_until(int64_t then, void *pc) {
    static const char bed; /* where no token comes */
    time_out(then);
    turn((struct op){QUICK, "sleep", (uintptr_t)&bed, 1, .pc = pc, .need = 1});
    return 0;
}

WRAP(int, nanosleep, (const struct timespec *t),
    sleep_until(now + nanoseconds(t), PC))
WRAP(int, sleep, (unsigned s), sleep_until(now + (int64_t)s * GIGA, PC))
WRAP(int, usleep, (unsigned us), sleep_until(now + (int64_t)us * 1000, PC))
int __wrap_clock_nanosleep(
    clockid_t clock, int until, const struct timespec *t) {
    (void)clock;
    return sleep_until(nanoseconds(t) + (until ? 0 : now), PC);
}
int __wrap_clock_gettime(clockid_t clock, struct timespec *t) {
    int64_t then = now + (clock == CLOCK_REALTIME ? epoch : 0);
    *t = (struct timespec){then / GIGA, then % GIGA};
    return 0;
}
time_t __wrap_time(time_t *t) {
    time_t seconds = (now + epoch) / GIGA;
    if (t != NULL)
        *t = seconds;
    return seconds;
}
int __wrap_sched_yield(void) {
    self->yielded = true;
    return 0;
}

/* Threads. */
int __wrap_pthread_create(pthread_t *handle, const pthread_attr_t *attr,
    void *(*start)(void *), void *arg) {
    struct thread *t = thread_new(PC);
    int detached = PTHREAD_CREATE_JOINABLE;
    if (attr != NULL)
        pthread_attr_getdetachstate(attr, &detached);
    t->detached = detached == PTHREAD_CREATE_DETACHED;
    t->start = start;
    t->arg = arg;
    if (pthread_create(handle, attr, thread_main, t) != 0)
        end_run(UNFIT,
            "pthread_create failed: too much memory or too many threads?");
    t->handle = *handle;
    scrub();
    return 0;
}
int __wrap_pthread_join(pthread_t handle, void **result) {
    struct thread *t = thread_of(handle);
    struct op op = OP(JOIN, t);
    op.need = 1;
    if (t == self || t->detached)
        return t == self ? EDEADLK : EINVAL;
    turn(op);
    join_clock(self->hb, t->hb);
    join_clock(self->life, t->life);
    t->detached = true;
    if (result != NULL)
        *result = t->result;
    return 0;
}
int __wrap_pthread_detach(pthread_t handle) {
    struct thread *t = thread_of(handle);
    bool twice = t->detached;
    t->detached = true;
    return twice ? EINVAL : 0;
}
void __wrap_pthread_exit(void *result) {
    thread_end(result);
}
void __wrap__exit(int status) {
    run_leave();
    _exit(status);
}

/* ---------- Mutex, spin lock, read-write lock, semaphore, once ---------- */

enum { MANY = 1 << 20, SEMAPHORE = -1 };
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
    if (again && type == PTHREAD_MUTEX_ERRORCHECK && !op.try)
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
    join_clock(self->hb, p->clock);
    return 0;
}

static int drop(struct place *p) {
    bool reads = p->owner == NULL && p->tokens < p->full;
    if (p->owner != self && !reads) {
        if (p->type != PTHREAD_MUTEX_NORMAL)
            return EPERM;
        end_run(MISUSE, "a lock is released that is not held");
    }
    if (p->depth > 0) {
        p->depth--; /* a recursive lock, still held */
        return 0;
    }
    join_clock(p->clock, self->hb);
    p->tokens += reads ? 1 : p->full;
    p->owner = NULL;
    self->held--;
    changes += p->tried; /* somebody tries it again and again, perhaps */
    return 0;
}

static int give(struct op op, int full, int type) {
    struct place *p = object(&op, full, type);
    turn(op);
    if (type != SEMAPHORE)
        return drop(p);
    join_clock(p->clock, self->hb);
    p->tokens++;
    changes++;
    return 0;
}

#define LOCKS(object, lock, trylock, timedlock, need, full, type)            \
    WRAP(int, lock, (object * p), take(OP(LOCK, p), need, full, type, NULL)) \
    WRAP(int, trylock, (object * p),                                         \
        take(OP(LOCK, p), need, full, type, &at_once))                       \
    WRAP(int, timedlock, (object * p, const struct timespec *until),         \
        take(OP(LOCK, p), need, full, type, until))
#define TYPE(m) ((m)->__data.__kind & 3)
LOCKS(pthread_mutex_t, pthread_mutex_lock, pthread_mutex_trylock,
    pthread_mutex_timedlock, 1, 1, TYPE(p))
LOCKS(pthread_spinlock_t, pthread_spin_lock, pthread_spin_trylock,
    pthread_spin_timedlock, 1, 1, 0)
LOCKS(pthread_rwlock_t, pthread_rwlock_rdlock, pthread_rwlock_tryrdlock,
    pthread_rwlock_timedrdlock, 1, MANY, 0)
LOCKS(pthread_rwlock_t, pthread_rwlock_wrlock, pthread_rwlock_trywrlock,
    pthread_rwlock_timedwrlock, MANY, MANY, 0)
LOCKS(sem_t, sem_wait, sem_trywait, sem_timedwait, 1, MANY, SEMAPHORE)
WRAP(int, sem_post, (sem_t * p), give(OP(LOCK, p), MANY, SEMAPHORE))
WRAP(int, pthread_mutex_unlock, (pthread_mutex_t * p),
    give(OP(LOCK, p), 1, TYPE(p)))
WRAP(
    int, pthread_spin_unlock, (pthread_spinlock_t * p), give(OP(LOCK, p), 1, 0))
WRAP(int, pthread_rwlock_unlock, (pthread_rwlock_t * p),
    give(OP(LOCK, p), MANY, 0))

int __wrap_sem_getvalue(sem_t *s, int *value) {
    struct op op = OP(LOCK, s);
    object(&op, MANY, SEMAPHORE);
    *value = turn(op)->tokens;
    return 0;
}

/* A lock that is held while the routine runs. */
int __wrap_pthread_once(pthread_once_t *once, void (*routine)(void)) {
    take(OP(LOCK, once), 1, 1, 0, NULL);
    struct place *p = self->place;
    if (!p->done)
        routine();
    p->done = true;
    return drop(p);
}

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
    int error = drop(mutex);
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
    join_clock(self->hb, mutex->clock);
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

int __wrap_pthread_barrier_init(
    pthread_barrier_t *b, const pthread_barrierattr_t *attr, unsigned count) {
    forget(b, sizeof *b);
    find_place((uintptr_t)b, sizeof *b, true)->full = (int)count;
    return pthread_barrier_init(b, attr, count);
}
int __wrap_pthread_barrier_wait(pthread_barrier_t *b) {
    struct op op = OP(CHANGE, b);
    struct place *p = turn(op);
    bool all = ++p->arrived % (unsigned)p->full == 0;
    join_clock(p->clock, self->hb);
    op.kind = QUICK;
    op.round = p->round + 1;
    p->round += all;
    turn(op);
    join_clock(self->hb, p->clock);
    return all ? PTHREAD_BARRIER_SERIAL_THREAD : 0;
}

/* ---------- Output: its order is an outcome ---------- */

static void print(const FILE *stream, void *pc) {
    if (self != NULL && stream == stdout && !sh->any_order)
        turn((struct op){CHANGE, "print", (uintptr_t)stdout, 1, .pc = pc});
}

/* The reader's compiler has checked these formats. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#define PRINT(name, stream, params)             \
    int __wrap_##name params {                  \
        va_list list;                           \
        print(stream, PC);                      \
        va_start(list, format);                 \
        int n = vfprintf(stream, format, list); \
        va_end(list);                           \
        return n;                               \
    }
PRINT(printf, stdout, (const char *format, ...))
PRINT(fprintf, f, (FILE * f, const char *format, ...))
FIRST(print(f, PC), int, vfprintf, (FILE * f, const char *s, va_list l),
    (f, s, l))
FIRST(print(stdout, PC), int, vprintf, (const char *s, va_list l), (s, l))
FIRST(print(stdout, PC), int, puts, (const char *s), (s))
FIRST(print(stdout, PC), int, putchar, (int c), (c))
FIRST(print(f, PC), int, fputs, (const char *s, FILE *f), (s, f))
FIRST(print(f, PC), int, fputc, (int c, FILE *f), (c, f))
FIRST(print(f, PC), int, putc, (int c, FILE *f), (c, f))
FIRST(print(f, PC), size_t, fwrite,
    (const void *p, size_t s, size_t n, FILE *f), (p, s, n, f))
FIRST(print(fd == 1 ? stdout : NULL, PC), ssize_t, write,
    (int fd, const void *p, size_t n), (fd, p, n))

/* ---------- What cannot be explored ---------- */

#define CANNOT(name, what)          \
    void __wrap_##name(void) {      \
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
