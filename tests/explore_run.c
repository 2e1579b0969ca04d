/*
 * explore_run.c - the child: threads that run one at a time, by choice
 *
 * Design. turn() is the heart: a thread says which operation is its next, and
 * pick() decides who goes on. The first choices are prescribed by the parent,
 * the later ones leave the processor to whoever has it. Exactly one thread
 * runs, all others wait on their futex, so nothing here needs a lock.
 *
 * Each thread has a vector clock (Lamport 1978, Mattern 1988). Two accesses
 * of one place are unordered if neither is in the other's past; if one writes
 * and not both are atomic, that is a data race. As long as no two accesses
 * are unordered, it is enough to choose at locks and their kin (Musuvathi and
 * Qadeer 2007), so only a place where two are becomes worth a choice. An
 * atomic variable orders others' accesses as soon as it is such a place.
 */
#define _GNU_SOURCE
#include "explore.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_PLACES = 1 << 16, MOST_EVENTS = 2000000 };
enum { SAVED = 40 }; /* x86-64: registers saved below the frame address */

struct shared *sh;
_Thread_local struct thread *self;
int64_t now;

static struct thread threads[MOST_THREADS];
static struct thread *last; /* whom the last choice was for */
static struct place places[MOST_PLACES], *buckets[MOST_PLACES];
static unsigned nplaces;
static bool over, spurious_used;

/* ---------- Which operations are there ---------- */

static bool only_reads(enum kind kind) {
    return kind == READ || kind == READ_LOCK || kind == LOOK || kind == PASS;
}

static bool meets(const struct op *a, uintptr_t at, uintptr_t size) {
    return (a->at < at + size && at < a->at + a->size) ||
           (a->also != 0 && a->also >= at && a->also - at < size);
}

bool dependent(const struct op *a, const struct op *b) {
    if (only_reads(a->kind) && only_reads(b->kind))
        return false;
    return meets(a, b->at, b->size) || (b->also && meets(a, b->also, 1));
}

static bool signalled(const struct thread *t) {
    return t->place->tokens > 0 && t->generation <= t->place->generation;
}

/* Can the thread do its next operation now? */
static bool can_run(const struct thread *t) {
    const struct place *p = t->place;
    if (!t->alive || t->parked)
        return false;
    if (t->next.kind == WAKE)
        return t->also->owner == NULL &&
               (t->timed_out || t->spurious || signalled(t));
    if (t->next.try || t->timed_out)
        return true;
    switch (t->next.kind) {
    case LOCK:
        if (p->owner == t)
            return p->type == PTHREAD_MUTEX_RECURSIVE ||
                   p->type == PTHREAD_MUTEX_ERRORCHECK;
        return p->owner == NULL && p->count == 0;
    case READ_LOCK: return p->owner == NULL;
    case DOWN: return p->count > 0;
    case PASS: return p->generation != t->generation;
    case JOIN: return !t->joining->alive;
    case SLEEP: return false;
    default: return true;
    }
}

/* ---------- Places and vector clocks ---------- */

/* The index of a place in sh->learned, or of the free entry for it. */
static unsigned slot(uintptr_t at) {
    unsigned i = (unsigned)(at * 0x9E3779B97F4A7C15u >> 40) % MOST_LEARNED;
    while (sh->learned[i].at != 0 && sh->learned[i].at != at)
        i = (i + 1) % MOST_LEARNED;
    return i;
}

/* For this run and those to come. This one is not worth to go on with. */
static void learn(struct place *p, bool choice) {
    unsigned i = slot(p->at);
    bool more = choice && !p->choice;
    sh->learned[i].at = p->at;
    sh->learned[i].choice = p->choice = p->choice || choice;
    if (more && ++sh->news > MOST_LEARNED / 2)
        end_run(UNFIT, "the threads share too many places to be explored");
    p->met = true;
    if (more)
        end_run(NEWS, NULL);
}

static struct place **bucket(uintptr_t at) {
    return &buckets[((at >> 3) * 0x9E3779B97F4A7C15u >> 32) % MOST_PLACES];
}

struct place *find_place(uintptr_t at, uintptr_t size, bool sync) {
    struct place **b = bucket(at), *p;
    for (p = *b; p != NULL; p = p->next)
        if (p->at == at && p->size == size && p->sync == sync)
            return p;
    if (nplaces == MOST_PLACES)
        end_run(UNFIT, "it uses too much memory to be explored: give it less "
                       "work");
    p = &places[nplaces++];
    unsigned i = slot(at);
    *p = (struct place){*b, at, size, .sync = sync};
    p->met = sh->learned[i].at == at;
    p->choice = sh->learned[i].choice;
    return *b = p;
}

void join_clock(unsigned *clock, const unsigned *other) {
    for (int i = 0; i < MOST_THREADS; i++)
        if (clock[i] < other[i])
            clock[i] = other[i];
}

void release(struct place *p) {
    join_clock(p->clock, self->hb);
}

void forget(const void *block, unsigned long bytes) {
    uintptr_t from = (uintptr_t)block, to = from + bytes;
    for (uintptr_t word = from & ~(uintptr_t)7; word < to; word += 8)
        for (struct place *p = *bucket(word); p != NULL; p = p->next)
            if (p->at >= from && p->at < to)
                *p = (struct place){p->next, p->at, p->size, p->sync, p->met,
                    .choice = p->choice};
}

/* Another's access a of place q, against the access of place p by self. */
static void check(struct place *p, struct place *q, const struct access *a) {
    const struct op *op = &self->next;
    if (a->when <= self->hb[a->thread] || a->thread == self->id)
        return;
    if (!(a->atomic && op->atomic) && !sh->raced) {
        sh->raced = true;
        bool wrote = a == &q->write;
        sh->race[0] = (struct op){wrote ? WRITE : READ,
            wrote ? "write" : "read", q->at, q->size, .pc = a->pc};
        sh->race[1] = *op;
        sh->racer[0] = a->thread;
        sh->racer[1] = self->id;
    }
    learn(q, true);
    learn(p, true);
}

static void touch(struct place *p) {
    const struct op *op = &self->next;
    bool write = !only_reads(op->kind);
    if (p->visitor != 0 && p->visitor != self->id + 1)
        learn(p, p->sync || (op->atomic && !sh->reduce));
    p->visitor = self->id + 1;
    for (struct place *q = *bucket(p->at); q != NULL && !p->sync; q = q->next) {
        if (q->sync || !meets(op, q->at, q->size))
            continue;
        check(p, q, &q->write);
        for (int i = 0; i < sh->nthreads && write; i++)
            check(p, q, &q->read[i]);
    }
    struct access *mine = write ? &p->write : &p->read[self->id];
    unsigned when = ++self->hb[self->id];
    *mine = (struct access){when, self->id, op->atomic, op->pc};
}

/* ---------- Threads that spin ---------- */

/* A thread whose registers and stack are as they were when it was here
 * before, and nothing has changed since, will come by for ever unless another
 * thread changes something. It waits for that, so the number of schedules
 * stays finite and none is lost. The state to compare with moves on as in
 * Brent's cycle detection (1980), and to where the fewest locks are held. */
static bool repeats(struct thread *t, void *pc, uintptr_t low) {
    bool fresh = !t->marked || t->held < t->mark_held || t->age++ >= t->limit;
    if (!fresh && pc != t->mark_pc)
        return false;
    uint64_t hash = 0;
    for (const uint64_t *w = (const uint64_t *)low; (uintptr_t)w < t->base; w++)
        hash = (hash ^ *w) * 0x100000001B3u;
    if (!fresh)
        return hash == t->mark && t->held == t->mark_held;
    t->limit = t->marked ? 2 * t->limit : 8;
    t->marked = true;
    t->mark_pc = pc;
    t->mark = hash;
    t->mark_held = t->held;
    t->age = 0;
    return false;
}

void change(void) {
    for (int i = 0; i < sh->nthreads; i++)
        threads[i].marked = threads[i].parked = false;
}

static uint64_t value_at(const struct op *op) {
    uint64_t value = 0;
    memcpy(&value, (const void *)op->at, op->size);
    return value;
}

/* What a write left is known when its thread comes here next. The thread's own
   stack is compared anyway. */
static void settle(struct thread *t, uintptr_t low) {
    if (!t->wrote)
        return;
    uint64_t value = value_at(&t->next);
    if (t->step != NULL)
        t->step->value = value;
    if (value != t->before && (t->next.at < low || t->next.at >= t->base))
        change();
    t->wrote = false;
}

/* ---------- Who goes next ---------- */

static void futex(int *word, int op, int value) {
    syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void wait_turn(struct thread *t) {
    while (__atomic_load_n(&t->go, __ATOMIC_ACQUIRE) == 0)
        futex(&t->go, FUTEX_WAIT, 0);
    t->go = 0;
}

static void hand_over(struct thread *t) {
    sh->running = t->id;
    __atomic_store_n(&t->go, 1, __ATOMIC_RELEASE);
    futex(&t->go, FUTEX_WAKE, 1);
}

/* Who waits for whom, when nobody can go on. */
static void note_waits(void) {
    for (int i = 0; i < sh->nthreads; i++) {
        const struct thread *t = &threads[i];
        struct pending *pending = &sh->pending[i];
        const struct place *p =
            t->next.kind == WAKE && signalled(t) ? t->also : t->place;
        pending->parked = t->parked;
        pending->holder_pc = p->owner_pc;
        pending->lost_pc = p->lost_pc;
        pending->holder = t->next.kind == JOIN ? t->joining->id
                          : p->owner != NULL   ? p->owner->id
                                               : -1;
    }
}

_Noreturn void end_run(enum fault fault, const char *text) {
    if (fault == DEADLOCK || fault == SPIN)
        note_waits();
    sh->fault = fault;
    sh->text = text;
    if (sh->prefix < 0)
        raise(SIGTRAP); /* in a debugger: look around */
    _exit(0);
}

/* Notes a step; one that is no choice has nobody enabled. */
static void note(
    struct thread *t, const struct op *op, int choice, unsigned enabled) {
    struct step *s = &sh->steps[sh->nsteps];
    bool full = sh->nsteps == MOST_STEPS - 1;
    if (full && sh->replay == NULL)
        end_run(ENDLESS, NULL);
    /* Up to the prefix's last but one, all is as in the run before. */
    if (sh->nsteps < sh->prefix - 1 &&
        (s->op.kind != op->kind || s->op.at != op->at))
        end_run(UNFIT, "the same schedule did not do the same twice");
    s->op = *op;
    s->choice = choice;
    s->enabled = enabled;
    s->last = last == NULL ? -1 : last->id;
    s->free = last != NULL && last->yielded;
    s->value = 0;
    sh->nsteps += !full;
    t->step = s;
}

/* Nobody can go on: time passes until somebody can, or nobody ever will. */
static void pass_time(void) {
    const struct op passes = {SLEEP, "time", .size = UINTPTR_MAX};
    int64_t next = INT64_MAX;
    bool spins = false;
    for (int i = 0; i < sh->nthreads; i++) {
        spins = spins || threads[i].parked;
        if (threads[i].deadline > 0 && threads[i].deadline < next)
            next = threads[i].deadline;
    }
    if (next == INT64_MAX)
        end_run(spins ? SPIN : DEADLOCK, NULL);
    now = next > now ? next : now;
    for (int i = 0; i < sh->nthreads; i++) {
        struct thread *t = &threads[i];
        if (t->deadline == 0 || t->deadline > now)
            continue;
        t->deadline = 0;
        if (t->next.kind == WAKE && signalled(t))
            continue; /* it only waits for the mutex */
        t->timed_out = true;
        t->place->waiting -= t->next.kind == WAKE;
        note(t, &passes, i, 0);
    }
}

/* REPLAY: a letter is a thread (M is main), the number behind it how many steps
   it does; a small letter is a wait that needs no signal. */
static int replayed(void) {
    static long done;
    const char *letter = strchr(LETTERS, *sh->replay);
    char *end;
    if (*sh->replay == '\0' || strcmp(sh->replay, "M0") == 0)
        return -1;
    if (++done >= strtol(sh->replay + 1, &end, 10)) {
        sh->replay = end;
        done = 0;
    }
    return letter == NULL ? MOST_THREADS : (int)(letter - LETTERS);
}

/* Chooses among the enabled: what is prescribed or replayed, else whoever did
   the last step, else the first. */
static struct thread *choose(unsigned enabled) {
    int choice = -1;
    if (sh->nsteps < sh->prefix)
        choice = sh->steps[sh->nsteps].choice;
    else if (sh->replay != NULL)
        choice = replayed();
    if (choice < 0)
        choice = last != NULL && enabled >> last->id & 1
                     ? last->id
                     : __builtin_ctz(enabled);
    if (!(enabled >> choice & 1))
        end_run(UNFIT, "the schedule is not one of this program");
    struct thread *t = &threads[choice % SPURIOUS];
    note(t, &t->next, choice, enabled);
    if (choice >= SPURIOUS)
        t->spurious = spurious_used = true;
    t->yielded = false;
    return last = t;
}

static struct thread *pick(void) {
    for (;; pass_time()) {
        unsigned enabled = 0;
        for (int i = 0; i < sh->nthreads; i++) {
            struct thread *t = &threads[i];
            if (!can_run(t))
                continue;
            if (t->next.kind >= CREATE)
                return t;
            enabled |= 1u << i;
            if (t->next.kind == WAIT && !spurious_used)
                enabled |= 1u << (SPURIOUS + i);
        }
        if (enabled != 0)
            return choose(enabled);
    }
}

static void reschedule(struct thread *t) {
    struct thread *next = pick();
    if (next == t)
        return;
    hand_over(next);
    wait_turn(t);
}

struct place *turn(struct op op) {
    struct thread *t = self;
    __builtin_unwind_init(); /* the caller's registers go to the stack */
    uintptr_t low = (uintptr_t)__builtin_frame_address(0) - SAVED;
    settle(t, low);
    t->step = NULL;
    t->timed_out = false;
    t->next = op;
    struct place *p = t->place = find_place(op.at, op.size, op.kind >= LOCK);
    t->also = op.also ? find_place(op.also, sizeof(pthread_mutex_t), true) : p;
    if (over)
        return p;
    sh->running = t->id;
    sh->pending[t->id].op = op;
    if (++t->events > MOST_EVENTS)
        end_run(ENDLESS, NULL);
    t->parked = repeats(t, op.pc, low);
    if (p->choice || op.kind == WAIT || op.kind == EXIT || !can_run(t))
        reschedule(t);
    if (t->step == NULL && (op.kind >= CREATE || (sh->replay && p->met)))
        note(t, &op, t->id, 0); /* for the report: it was no choice */
    touch(p);
    if (op.also)
        touch(t->also);
    t->deadline = 0;
    t->wrote = op.kind == WRITE || op.kind == UPDATE;
    if (op.kind <= UPDATE)
        t->before = value_at(&op);
    if (op.kind == READ && t->step != NULL)
        t->step->value = t->before;
    if (op.kind >= WAIT && op.kind != LOOK && !op.try)
        t->marked = false;
    return p;
}

/* ---------- The life of a thread ---------- */

struct thread *thread_new(void) {
    if (sh->nthreads == MOST_THREADS)
        end_run(UNFIT, "more than 16 threads are too many to be explored");
    struct thread *t = &threads[sh->nthreads];
    t->id = sh->nthreads++;
    t->alive = sh->pending[t->id].alive = true;
    if (self != NULL)
        memcpy(t->hb, self->hb, sizeof t->hb);
    return t;
}

struct thread *thread_of(uintptr_t handle) {
    for (int i = 0; i < sh->nthreads; i++)
        if (threads[i].handle == handle)
            return &threads[i];
    end_run(UNFIT, "it joins or detaches a thread that it did not create");
}

/* However the program ends: others may come first. */
void run_leave(void) {
    if (!over)
        turn((struct op){EXIT, "exit", .at = 1, .size = UINTPTR_MAX - 1});
    over = true;
}

void run_begin(void) {
    self = thread_new();
    self->handle = (uintptr_t)pthread_self();
    self->base = (uintptr_t)__builtin_frame_address(0);
    atexit(run_leave);
}

_Noreturn void thread_main(struct thread *t) {
    wait_turn(t);
    self = t;
    t->base = (uintptr_t)__builtin_frame_address(0);
    note(t, &t->next, t->id, 0);
    thread_end(t->start(t->arg));
}

/* The thread is never let go: its real end would run beside the others. */
_Noreturn void thread_end(void *result) {
    struct thread *t = self;
    int alive = 0;
    settle(t, t->base);
    t->next = (struct op){END, "end", (uintptr_t)t, .size = 1};
    note(t, &t->next, t->id, 0);
    t->result = result;
    t->alive = sh->pending[t->id].alive = false;
    for (int i = 0; i < sh->nthreads; i++)
        alive += threads[i].alive;
    if (alive == 0) /* main left by pthread_exit */
        exit(EXIT_SUCCESS);
    hand_over(pick());
    for (;;)
        pause();
}
