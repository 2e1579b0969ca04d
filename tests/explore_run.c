/*
 * explore_run.c - the child: threads that run one at a time, by choice
 *
 * Design. turn() is the heart: a thread says which operation is its next, and
 * pick() decides who goes on. The first choices are prescribed by the parent,
 * the later ones leave the processor to whoever has it. Exactly one thread
 * runs, all others wait on their futex, so nothing here needs a lock.
 *
 * Each thread has a vector clock (Lamport 1978, Mattern 1988). Two accesses
 * of one place are a data race if neither is in the other's past, one writes
 * and not both are atomic (as in FastTrack, Flanagan and Freund 2009). A
 * second clock, moved by create and join alone, tells which places two
 * threads could touch in either order: the places worth a choice.
 */
#define _GNU_SOURCE
#include "explore.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __x86_64__
enum { SAVED = 40 }; /* bytes of saved registers below the frame address */
#else
enum { SAVED = 0 };
#endif
enum { MOST_PLACES = 1 << 16, BUCKETS = 1 << 15, MOST_EVENTS = 2000000 };

/* One thread's last accesses of a place: [is it a write][is it atomic] */
struct touch {
    struct touch *next;
    int thread;
    unsigned when[2][2];
    void *pc[2][2];
};

struct shared *sh;
_Thread_local struct thread *self;
int64_t now;

static struct thread threads[MOST_THREADS];
static struct thread *last; /* who did the last step */
static struct place places[MOST_PLACES], *buckets[BUCKETS];
static struct touch touches[MOST_PLACES];
static unsigned nplaces, ntouches, asleep;
static int busy; /* steps that somebody slept through */
static bool over, spurious_used;

/* ---------- Which operations are there ---------- */

static bool only_reads(enum kind kind) {
    return kind == READ || kind == VALUE || kind == READ_LOCK || kind == PASS;
}

bool dependent(const struct op *a, const struct op *b) {
    if (a->kind == EXIT || b->kind == EXIT)
        return true;
    if (a->at + a->size <= b->at || b->at + b->size <= a->at)
        return false;
    if (a->kind == POST && b->kind == POST)
        return false;
    return !only_reads(a->kind) || !only_reads(b->kind);
}

static bool is_sync(enum kind kind) {
    return kind >= LOCK;
}

/* Can the thread do its next operation now? */
static bool can_run(const struct thread *t) {
    const struct place *p = t->place;
    if (!t->alive || t->parked)
        return false;
    if (t->next.try || t->timed_out || t->spurious)
        return true;
    switch (t->next.kind) {
    case LOCK:
        return p->owner == NULL ||
               (p->owner == t && (p->type == PTHREAD_MUTEX_RECURSIVE ||
                                     p->type == PTHREAD_MUTEX_ERRORCHECK));
    case ONCE:
    case READ_LOCK: return p->owner == NULL;
    case WRITE_LOCK: return p->owner == NULL && p->count == 0;
    case DOWN: return p->count > 0;
    case WAKE: return p->tokens > 0 && t->generation <= p->generation;
    case PASS: return p->generation != t->generation;
    case JOIN: return !t->joining->alive;
    case SLEEP: return false;
    default: return true;
    }
}

/* ---------- Places and vector clocks ---------- */

static unsigned bits(uintptr_t at, unsigned size) {
    return ((1u << size) - 1) << (at & 7);
}

/* The index of a word in sh->learned, or of the free entry for it. */
static unsigned slot(uintptr_t word) {
    unsigned i = (unsigned)(word * 0x9E3779B97F4A7C15u >> 40) % MOST_SHARED;
    while (sh->learned[i].word != 0 && sh->learned[i].word != word)
        i = (i + 1) % MOST_SHARED;
    return i;
}

static void learn(const struct place *p) {
    unsigned i = slot(p->at >> 3), more = bits(p->at, p->size);
    if ((sh->learned[i].mask & more) == more)
        return;
    if (++sh->nlearned > MOST_SHARED / 2)
        end_run(UNFIT, "the threads share too many places to be explored");
    sh->learned[i].word = p->at >> 3;
    sh->learned[i].mask |= more;
}

static struct place **bucket(uintptr_t at) {
    return &buckets[((at >> 3) * 0x9E3779B97F4A7C15u >> 32) % BUCKETS];
}

struct place *find_place(const struct op *op) {
    struct place **b = bucket(op->at), *p;
    bool sync = is_sync(op->kind);
    for (p = *b; p != NULL; p = p->next)
        if (p->at == op->at && p->size == op->size && p->sync == sync)
            return p;
    if (nplaces == MOST_PLACES)
        end_run(UNFIT, "the program uses too much memory to be explored; "
                       "give it less work");
    p = &places[nplaces++];
    *p = (struct place){*b, op->at, op->size, .sync = sync};
    unsigned mask = sh->learned[slot(op->at >> 3)].mask;
    p->shared = mask & bits(op->at, op->size);
    return *b = p;
}

void join_clock(unsigned *to, const unsigned *from) {
    for (int i = 0; i < MOST_THREADS; i++)
        if (to[i] < from[i])
            to[i] = from[i];
}

void acquire(const struct place *p) {
    join_clock(self->hb, p->clock);
}

void release(struct place *p, bool keep) {
    if (!keep)
        memset(p->clock, 0, sizeof p->clock);
    join_clock(p->clock, self->hb);
}

void forget(const void *block, unsigned long bytes) {
    uintptr_t from = (uintptr_t)block, to = from + bytes;
    for (uintptr_t word = from & ~(uintptr_t)7; word < to; word += 8)
        for (struct place *p = *bucket(word); p != NULL; p = p->next)
            if (p->at >= from && p->at < to) {
                p->touches = NULL;
                p->owner = NULL;
                p->known = false;
                p->count = p->waiting = p->tokens = 0;
                p->generation = 0;
            }
}

/* One thread's touches of q against an access of p by self. */
static void check(struct place *p, const struct touch *r, struct place *q) {
    const struct op *op = &self->next;
    bool write = !only_reads(op->kind);
    for (int w = 0; w < 2; w++)
        for (int a = 0; a < 2; a++) {
            unsigned when = r->when[w][a];
            if (when == 0 || !(w || write))
                continue;
            if (when > self->order[r->thread]) {
                learn(p);
                learn(q);
            }
            if (p->sync || (a && op->atomic) || sh->raced ||
                when <= self->hb[r->thread])
                continue;
            sh->raced = true;
            sh->race = (struct race){
                {{w ? WRITE : READ, a, false, q->size, q->at, r->pc[w][a]},
                    *op},
                {r->thread, self->id}};
        }
}

static void touch(struct place *p) {
    struct touch *mine = NULL;
    const struct op *op = &self->next;
    for (struct place *q = *bucket(p->at); q != NULL; q = q->next) {
        if (q->sync != p->sync || q->at >> 3 != p->at >> 3 ||
            !(bits(q->at, q->size) & bits(p->at, p->size)))
            continue;
        for (struct touch *r = q->touches; r != NULL; r = r->next)
            if (r->thread != self->id)
                check(p, r, q);
            else if (q == p)
                mine = r;
    }
    if (mine == NULL) {
        if (ntouches == MOST_PLACES)
            end_run(UNFIT, "the program uses too much memory to be explored; "
                           "give it less work");
        mine = &touches[ntouches++];
        *mine = (struct touch){p->touches, self->id, {{0}}, {{NULL}}};
        p->touches = mine;
    }
    bool w = !only_reads(op->kind);
    unsigned when = ++self->hb[self->id];
    self->order[self->id] = when;
    mine->when[w][op->atomic] = when;
    mine->pc[w][op->atomic] = op->pc;
}

/* ---------- Threads that spin ---------- */

/* A thread whose registers and stack are as they were when it was here
 * before, and that has written nowhere else since, will come by for ever
 * unless another thread changes something it read. It waits for that, so the
 * number of schedules stays finite and none is lost. The place to compare
 * with moves on as in Brent's cycle detection (1980). */
static bool repeats(struct thread *t, const struct op *op, uintptr_t low) {
    bool fresh =
        t->mark_pc == NULL || t->held < t->mark_held || t->age >= t->limit;
    t->age++;
    if (!fresh && op->pc != t->mark_pc)
        return false;
    uint64_t hash = (uint64_t)t->held;
    for (const uint64_t *w = (const uint64_t *)low; (uintptr_t)w < t->base; w++)
        hash = (hash ^ *w) * 0x100000001B3u;
    if (!fresh)
        return hash == t->mark_hash && t->held == t->mark_held;
    t->limit = t->mark_pc == NULL ? 8 : 2 * t->limit;
    t->mark_pc = op->pc;
    t->mark_hash = hash;
    t->mark_held = t->held;
    t->age = t->nloop = 0;
    return false;
}

void effect(struct place *place, bool mine) {
    if (place->at > (uintptr_t)&mine && place->at < self->base)
        return; /* its own stack, which is compared anyway */
    if (mine)
        self->mark_pc = NULL;
    for (int i = 0; i < sh->nthreads; i++) {
        struct thread *t = &threads[i];
        bool met = t->nloop > 8;
        for (int j = 0; j < t->nloop && j < 8; j++)
            met = met || t->loop[j] == place->at >> 3;
        if (met && t != self && t->mark_pc != NULL) {
            t->mark_pc = NULL; /* parked or not: its next round may differ */
            t->parked = false;
        }
    }
}

static void watch_loop(struct thread *t, const struct op *op, uintptr_t low) {
    t->parked = repeats(t, op, low);
    if (op->kind == READ || op->kind == COMPARE || op->try) {
        if (t->nloop < 8)
            t->loop[t->nloop] = op->at >> 3;
        for (int i = 0; i < t->nloop && i < 8; i++)
            if (t->loop[i] == op->at >> 3)
                return;
        t->nloop++;
    }
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
    sh->running = t->id; /* if it never comes back, the parent wants to know */
    __atomic_store_n(&t->go, 1, __ATOMIC_RELEASE);
    futex(&t->go, FUTEX_WAKE, 1);
}

/* Fills in who had not ended, and why. */
static void note_stuck(void) {
    for (int i = 0; i < sh->nthreads; i++) {
        struct thread *t = &threads[i];
        struct place *p = t->place;
        sh->stuck[i] = (struct stuck){t->alive, t->next, -1, NULL, NULL};
        if (p == NULL || !is_sync(t->next.kind))
            continue;
        if (p->owner != NULL) {
            sh->stuck[i].holder = p->owner->id;
            sh->stuck[i].holder_pc = p->owner_pc;
        }
        sh->stuck[i].lost_pc = p->lost_pc;
        if (t->next.kind == JOIN)
            sh->stuck[i].holder = t->joining->id;
    }
}

_Noreturn void end_run(enum fault fault, const char *text) {
    note_stuck();
    sh->running = self->id;
    sh->fault = fault;
    sh->text = text;
    _exit(0);
}

void run_over(void) {
    if (!over && self != NULL) {
        note_stuck();
        sh->running = self->id;
    }
    over = true;
}

/* Nobody can go on: time passes until somebody can, or nobody ever will. */
static void pass_time(void) {
    int64_t next = INT64_MAX;
    bool spins = false;
    for (int i = 0; i < sh->nthreads; i++) {
        spins = spins || threads[i].parked;
        if (threads[i].alive && threads[i].deadline > 0 &&
            threads[i].deadline < next)
            next = threads[i].deadline;
    }
    if (next == INT64_MAX)
        end_run(spins ? SPIN : DEADLOCK, NULL);
    now = next > now ? next : now;
    for (int i = 0; i < sh->nthreads; i++) {
        struct thread *t = &threads[i];
        if (!t->alive || t->deadline == 0 || t->deadline > now)
            continue;
        t->timed_out = true;
        for (int j = 0; j < sh->nthreads; j++)
            t->before[j] = threads[j].steps; /* all of it was before */
    }
}

int thread_number(char letter) {
    int c = letter | 32;
    return letter == '\0' ? -1
           : c == 'm'     ? 0
           : c < 'a'      ? MOST_THREADS
                          : c - 'a' + (c < 'm');
}

/* REPLAY: a letter is a thread (M is main), the number behind it how many
   accesses it has made in all when the next letter comes; a small letter is a
   wait that needs no signal. Other threads help out if the thread waits for
   them: in the run that is replayed they had come further by then. */
static int replayed(unsigned enabled) {
    for (const char *r = sh->replay; *r != '\0'; sh->replay = r) {
        int t = thread_number(*r);
        if (t >= sh->nthreads)
            return __builtin_ctz(enabled); /* perhaps it comes yet */
        if (*r >= 'a' && threads[t].next.kind != WAIT)
            return enabled >> t & 1 ? t : __builtin_ctz(enabled);
        if (*r >= 'a') {
            sh->replay = r + 1;
            return SPURIOUS + t;
        }
        char *end;
        unsigned long upto = strtoul(r + 1, &end, 10);
        if (threads[t].alive && threads[t].events <= upto) {
            while (threads[t].alive && threads[t].next.kind == JOIN)
                t = threads[t].joining->id;
            return enabled >> t & 1 ? t : __builtin_ctz(enabled);
        }
        r = end;
    }
    return -1;
}

/* Prescribed, replayed, or whoever did the last step, who else first. */
static int choose(int k, unsigned enabled) {
    unsigned awake = enabled & 0xffff & ~asleep;
    int choice = k < sh->prefix ? sh->steps[k].choice
                 : sh->replay   ? replayed(enabled)
                                : -1;
    if (choice < 0 && awake == 0)
        end_run(CUT, NULL);
    if (choice < 0 && last != NULL && awake >> last->id & 1)
        return last->id;
    return choice < 0 ? __builtin_ctz(awake) : choice;
}

/* Chooses among the enabled, and notes the step. */
static struct thread *take(unsigned enabled) {
    int k = sh->nsteps;
    struct step *s = &sh->steps[k];
    if (k == MOST_STEPS)
        end_run(ENDLESS, NULL);
    if (k == sh->prefix - 1)
        asleep = sh->sleep;
    int choice = choose(k, enabled);
    struct thread *t = &threads[choice % SPURIOUS];
    /* The step after the prefix's last but one is new; the others are not. */
    bool other = s->op.kind != t->next.kind || s->op.at != t->next.at;
    if (!(enabled >> choice & 1) || (k < sh->prefix - 1 && other))
        end_run(DIVERGED, "the same schedule did not do the same twice");
    s->op = t->next;
    s->choice = choice;
    s->enabled = enabled;
    s->last = last == NULL ? -1 : last->id;
    s->free = last != NULL && last->yielded;
    s->parked = last == NULL ? 0 : last->events - last->alive;
    s->value = 0;
    if (k >= sh->prefix)
        s->sleep = asleep;
    memcpy(s->before, t->before, sizeof s->before);
    for (unsigned left = asleep; left != 0; left &= left - 1) {
        int c = __builtin_ctz(left);
        if (dependent(&threads[c % SPURIOUS].next, &s->op))
            asleep &= ~(1u << c);
    }
    if (choice >= SPURIOUS)
        t->spurious = spurious_used = true;
    t->yielded = false;
    t->steps++;
    t->step = s;
    sh->nsteps++;
    return last = t;
}

/* Sleepers wake when nobody else can run, or is busy without an end. */
static struct thread *pick(void) {
    for (;; pass_time()) {
        unsigned enabled = 0;
        bool sleepers = false;
        for (int i = 0; i < sh->nthreads; i++) {
            struct thread *t = &threads[i];
            sleepers = sleepers || (t->alive && t->deadline > 0);
            if (!can_run(t))
                continue;
            if (t->next.kind >= CREATE)
                return t;
            enabled |= 1u << i;
            if (t->next.kind == WAIT && !spurious_used)
                enabled |= 1u << (SPURIOUS + i);
        }
        if (enabled != 0 && !(sleepers && ++busy > 300))
            return take(enabled);
        busy = 0;
    }
}

static void reschedule(void) {
    struct thread *t = self, *next = pick();
    if (next == t)
        return;
    hand_over(next);
    wait_turn(t);
}

/* The value a write left: known when its thread comes here next. */
static uint64_t value_at(const struct op *op) {
    uint64_t value = 0;
    memcpy(&value, (const void *)op->at, op->size);
    return value;
}

struct place *turn(struct op op) {
    struct thread *t = self;
    if (t->fill != NULL)
        t->fill->value = value_at(&t->fill->op);
    t->fill = t->step = NULL;
    t->next = op;
    struct place *p = t->place = find_place(&op);
    if (over)
        return p;
    sh->running = t->id;
    sh->stuck[t->id].op = op;
    if (++t->events > MOST_EVENTS)
        end_run(ENDLESS, NULL);
    __builtin_unwind_init(); /* the caller's registers go to the stack */
    uintptr_t low = (uintptr_t)__builtin_frame_address(0) - SAVED;
    watch_loop(t, &op, low);
    if (p->shared || op.kind == EXIT || op.kind == WAIT || sh->replay != NULL ||
        !can_run(t))
        reschedule();
    touch(p);
    t->deadline = 0;
    if (op.kind == READ && t->step != NULL)
        t->step->value = value_at(&op);
    if (op.kind == WRITE || op.kind == UPDATE || op.kind == COMPARE)
        t->fill = t->step;
    if (op.kind == WRITE || op.kind == UPDATE)
        effect(p, true);
    if (op.kind >= WAIT && op.kind != VALUE && !op.try)
        t->mark_pc = NULL;
    return p;
}

/* ---------- The life of a thread ---------- */

struct thread *thread_new(void) {
    if (sh->nthreads == MOST_THREADS)
        end_run(UNFIT, "more than 16 threads are too many to be explored");
    int id = sh->nthreads++;
    struct thread *t = &threads[id];
    t->id = id;
    t->alive = true;
    if (self != NULL) {
        memcpy(t->hb, self->hb, sizeof t->hb);
        memcpy(t->order, self->order, sizeof t->order);
        memcpy(t->before, self->before, sizeof t->before);
        t->before[self->id] = self->steps;
    }
    return t;
}

struct thread *thread_of(uintptr_t handle) {
    for (int i = 0; i < sh->nthreads; i++)
        if (threads[i].handle == handle)
            return &threads[i];
    end_run(UNFIT, "joins or detaches a thread that it did not create");
}

void thread_give(struct thread *t) {
    self->next = (struct op){CREATE, .size = 1};
    self->mark_pc = NULL;
    hand_over(t);
    wait_turn(self);
}

void run_begin(void) {
    self = thread_new();
    self->handle = (uintptr_t)pthread_self();
    self->base = (uintptr_t)__builtin_frame_address(0);
}

_Noreturn void thread_main(struct thread *t) {
    wait_turn(t);
    self = t;
    t->base = (uintptr_t)__builtin_frame_address(0);
    thread_end(t->start(t->arg));
}

/* The thread is never let go: its real end would run beside the others. */
_Noreturn void thread_end(void *result) {
    struct thread *t = self;
    if (t->fill != NULL)
        t->fill->value = value_at(&t->fill->op);
    t->fill = NULL;
    t->result = result;
    t->alive = false;
    int alive = 0;
    for (int i = 0; i < sh->nthreads; i++)
        alive += threads[i].alive;
    if (alive == 0) { /* main left by pthread_exit */
        run_over();
        exit(EXIT_SUCCESS);
    }
    hand_over(pick());
    for (;;)
        pause();
}
