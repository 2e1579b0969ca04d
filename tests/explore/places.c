/*
 * places.c - the child: what is known of each place, races, and the state
 *
 * Design. Each thread has a vector clock (Lamport 1978, Mattern 1988). Two
 * accesses of one place are unordered if neither is in the other's past; if one
 * writes and not both are atomic, that is a data race. As long as no two
 * accesses are unordered, it is enough to choose at locks and their kin
 * (Musuvathi and Qadeer 2007), so only a place where two are becomes worth a
 * choice. An atomic variable orders others' accesses as soon as it is such a
 * place.
 *
 * If two steps are at different places, or both only read, their order does
 * not matter. So a hash is made of each step, from the hashes of the steps that
 * it depends on: its thread's last one and the last ones at its place. The sum
 * of the threads' last hashes is the state: the same in whatever order the
 * independent steps came. A run that comes to a state which was seen, with the
 * same thread to go on and as many preemptions, ends: what follows was tried
 * (Musuvathi and Qadeer 2007: partial-order reduction for context-bounded state
 * exploration).
 */
#include "explore/child.h"

#include <stdio.h>
#include <string.h>

enum { MOST_PLACES = 1 << 17, MOST_READERS = 1 << 17, MOST_CLOCKS = 1 << 12 };
enum { BUCKETS = 1 << 14 };

static struct place places[MOST_PLACES];
static int nplaces;
static struct reader readers[MOST_READERS];
static int nreaders;
static unsigned clocks[MOST_CLOCKS][MOST_THREADS];
static int nclocks;
static struct bucket { /* the places that begin in the same 8 bytes */
    struct place *first;
    uint64_t written, reads; /* hashes of the steps there */
} buckets[BUCKETS];
uint64_t state;

static struct bucket *bucket(uintptr_t at) {
    return &buckets[((at >> 3) * 0x9E3779B97F4A7C15u >> 32) % BUCKETS];
}

static _Noreturn void too_much(void) {
    end_run(UNFIT, "it uses too much memory to be explored: give it less work");
}

struct place *first_place(uintptr_t at) {
    return bucket(at)->first;
}

struct place *find_place(uintptr_t at, uintptr_t size, bool sync) {
    struct bucket *b = bucket(at);
    for (struct place *p = b->first; p != NULL; p = p->next)
        if (p->at == at && p->size == size && p->sync == sync)
            return p;
    if (nplaces == MOST_PLACES)
        too_much();
    places[nplaces] = (struct place){b->first, at, size, .sync = sync};
    return b->first = &places[nplaces++];
}

const struct place *next_place(const struct place *p) {
    p = p == NULL ? places : p + 1;
    return p < places + nplaces ? p : NULL;
}

void join_clock(unsigned *clock, const unsigned *other) {
    for (int i = 0; i < sh->nthreads; i++)
        if (clock[i] < other[i])
            clock[i] = other[i];
}

void acquire(const struct place *p) {
    if (p->clock != NULL)
        join_clock(self->hb, p->clock);
}

void release(struct place *p) {
    if (p->clock == NULL) {
        if (nclocks == MOST_CLOCKS)
            too_much();
        p->clock = clocks[nclocks++];
    }
    join_clock(p->clock, self->hb);
}

/* What was there says nothing about what will be. */
void forget(const void *block, unsigned long bytes) {
    uintptr_t from = (uintptr_t)block, to = from + bytes;
    for (uintptr_t word = from & ~(uintptr_t)7; word < to; word += 8)
        for (struct place *p = first_place(word); p != NULL; p = p->next)
            if (p->at >= from && p->at < to)
                *p = (struct place){p->next, p->at, p->size, p->sync, p->shared,
                    .level = p->level, .known = p->known};
}

void recall_learned(void) {
    for (int i = 0; i < sh->nlearned; i++) {
        const struct learned *l = &sh->learned[i];
        struct place *p = find_place(l->at, l->size, l->sync);
        p->shared = true;
        lend(l->at);
        if (i < sh->uses_learned)
            p->level = p->known = (enum level)l->level;
    }
}

/* An atomic variable turned out to be a place to choose at: in this run it
   orders nothing, so what seems to be unordered need not be. */
static bool blind;

/* For the runs to come: this one goes on to its end, which counts, but all of
   them then begin again with more to choose. A run that makes a table has its
   places prescribed. */
static void learn(struct place *p, enum level level) {
    if (p->known >= level)
        return;
    p->known = level;
    p->shared = true;
    if (level == MET)
        p->level = MET;
    if (sh->shown)
        return;
    if (sh->nlearned == MOST_LEARNED)
        end_run(UNFIT, "the threads share too many places to be explored");
    sh->learned[sh->nlearned++] =
        (struct learned){p->at, p->size, p->sync, (int)level};
    sh->news = sh->news || level == CHOICE;
}

void choose_at(struct place *p) {
    learn(p, CHOICE);
}

/* Another's access a of place q, against the access of place p by self. */
static void check(struct place *p, struct place *q, const struct access *a) {
    const struct op *op = &self->next;
    bool every = op->atomic && !sh->reduce;
    bool beside = a->when > self->life[a->thread];
    if (a->thread == self->id || a->when == 0 || (!beside && !every) || blind)
        return;
    bool unordered = a->when > self->hb[a->thread];
    if (unordered && !p->sync && !(a->atomic && op->atomic) && !*sh->race)
        snprintf(sh->race, sizeof sh->race,
            "%s %ss %s at " LINE ", %s %ss it at " LINE ", in no order",
            thread_name(a->thread), a == &q->write ? "write" : "read",
            place_name(q->at, q->size), LINE_OF(a->pc), thread_name(self->id),
            op->name, LINE_OF(op->pc));
    learn(q, every || p->sync || unordered ? CHOICE : MET);
    learn(p, q->known);
    blind = unordered && a->atomic && p->level != CHOICE;
}

void leaving(void) {
    for (struct place *p = places; p < places + nplaces; p++) {
        const struct access *a = &p->write;
        bool output = p->at == (uintptr_t)stdout;
        bool unordered = a->when > self->hb[a->thread];
        for (const struct reader *r = p->readers; r != NULL; r = r->next)
            unordered |= r->access.when > self->hb[r->access.thread];
        if (unordered && (output || (p->known == MET && !p->sync)))
            learn(p, CHOICE);
    }
}

uint64_t mix(uint64_t a, uint64_t b) {
    a = (a ^ b * 0x9E3779B97F4A7C15u) * 0xBF58476D1CE4E5B9u;
    return a ^ a >> 32;
}

bool known(uint64_t *table, uint64_t size, uint64_t hash) {
    uint64_t old = table[hash % size];
    table[hash % size] = hash;
    return old == hash;
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

static struct access *last_read(struct place *p, int thread) {
    struct reader **r = &p->readers;
    while (*r != NULL && (*r)->access.thread != thread)
        r = &(*r)->next;
    if (*r == NULL) {
        if (nreaders == MOST_READERS)
            too_much();
        *r = &readers[nreaders++];
    }
    return &(*r)->access;
}

void touch(struct place *p, bool was_choice) {
    struct thread *t = self;
    bool write = t->next.kind != READ;
    for (struct place *q = first_place(p->at); q != NULL; q = q->next) {
        if (q->sync != p->sync || q->at >= p->at + p->size ||
            p->at >= q->at + q->size)
            continue;
        check(p, q, &q->write);
        for (struct reader *r = write ? q->readers : NULL; r; r = r->next)
            check(p, q, &r->access);
    }
    if (was_choice || p->sync)
        hash_step(bucket(p->at), write);
    t->life[t->id] = ++t->hb[t->id];
    *(write ? &p->write : last_read(p, t->id)) =
        (struct access){t->hb[t->id], t->id, t->next.atomic, t->next.pc};
}
