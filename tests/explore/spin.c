/*
 * spin.c - the child: threads that wait by looking again and again
 */
#include "explore/child.h"

enum { MOST_BEEN = 1 << 12 };
enum { LARGE = 4096, PART = 256 }; /* bytes of a stack, to look at */
enum { MANY_LOOKS = 1000, MOST_LOOKS = 1000000, MANY_ROUNDS = 10000 };

static uint64_t hash_words(uint64_t hash, uintptr_t from, uintptr_t to) {
    for (const uint64_t *w = (const uint64_t *)from; (uintptr_t)w < to; w++)
        hash = (hash ^ *w) * 0x100000001B3u;
    return hash;
}

/* The ends of the frame in use, where the compiler puts what is no array: if
   these have changed, so has the stack. */
static bool ends_known(const struct thread *t, uint64_t hash, uintptr_t low) {
    static uint64_t been[MOST_BEEN];
    uintptr_t top = t->depth > 1 ? t->frames[t->depth - 2].sp : t->base;
    if (top <= low || top > t->base)
        top = t->base;
    if (top > low + 2 * PART) {
        hash = hash_words(hash, low, low + PART);
        low = top - PART;
    }
    return known(been, MOST_BEEN, mix(hash_words(hash, low, top), 0));
}

struct visits {
    uint64_t where;
    int times;
};

/* How many times was it there, as far as the table remembers? */
static int visits(struct visits table[MOST_BEEN], uint64_t where) {
    struct visits *v = &table[where % MOST_BEEN];
    v->times = v->where == where ? v->times + 1 : 1;
    v->where = where;
    return v->times;
}

/* A thread whose registers and stack are as they were when it was here
 * before, and nothing has changed since, will come by for ever unless another
 * thread changes something. It waits for that, so the number of schedules
 * stays finite and none is lost: where it holds the fewest locks, which is
 * known after one more lap. */
bool repeats(struct thread *t, uintptr_t low) {
    static uint64_t been[MOST_BEEN];
    static struct visits here[MOST_BEEN];
    uint64_t by_others = changes - t->own;
    uint64_t hash = mix(by_others, (uintptr_t)t->next.pc + (unsigned)t->id);
    /* In the first lap dead parts of the stack may still be of before; how many
       is the compiler's and the machine's business, and must not be seen in the
       number of schedules. */
    bool often = visits(here, mix(hash, t->next.at)) >= 3;
    bool first_lap = t->marked != by_others || t->lap == 0;
    if (first_lap && t->base - low > LARGE && !ends_known(t, hash, low))
        return false;
    hash = hash_words(hash, low, t->base);
    bool again = known(been, MOST_BEEN, mix(hash, 0)) && often;
    if (first_lap) {
        t->marked = by_others;
        t->lap = again ? hash : 0;
        t->least = t->held;
        t->around = t->held == 0;
        return again && t->around;
    }
    t->least = t->held < t->least ? t->held : t->least;
    t->around = t->around || hash == t->lap;
    return t->around && t->held == t->least;
}

/* ---------- It counts as it looks, or sleeps in between ---------- */

/* A thread that found the same value very often, and nothing that others did in
   between, most likely waits for them; that it never ends is not proved. */
bool look(struct thread *t) {
    static struct visits looks[MOST_BEEN];
    const struct op *op = &t->next;
    bool own = (op->at >= t->low && op->at < t->base) || /* or a constant */
               op->at < (uintptr_t)__data_start;
    if (own || (op->kind != READ && op->kind != UPDATE && !op->try))
        return false;
    t->looked = *op;
    /* To wait by reading what is not atomic is a data race, and where nobody
       writes it is no waiting at all. */
    if (op->kind == READ && !op->atomic && !op->try)
        return false;
    uint64_t others = changes - passes - t->own - t->made;
    uint64_t where =
        mix(mix(others, t->before), (uintptr_t)op->pc ^ op->at << 20);
    int times = visits(looks, mix(where, (unsigned)t->id));
    if (times == MOST_LOOKS)
        end_run(
            UNFIT, "%s: it waits for ever, or is to get less work", looking(t));
    t->tired = times >= MANY_LOOKS;
    t->rested = false;
    return times % MANY_LOOKS == 0;
}

/* Before time passes: is all as it was before, time apart, and has been so many
   times, while nobody asked for the time or for what comes from elsewhere? What
   a thread has got there might not be seen in its stack, so a few times prove
   nothing. */
bool goes_round(void) {
    static uint64_t been[MOST_BEEN];
    static int rounds;
    uint64_t hash = changes - passes;
    for (int i = 0; i < sh->nthreads; i++) {
        const struct thread *t = &threads[i];
        if (!t->alive)
            continue;
        hash = mix(hash, (uint64_t)(t->deadline > 0 ? t->deadline - now : 0));
        hash = mix(hash, (uintptr_t)t->next.pc + parked(t));
        hash = hash_words(hash, t->low, t->base);
    }
    rounds = known(been, MOST_BEEN, hash) && !asked ? rounds + 1 : 0;
    asked = false;
    return rounds == MANY_ROUNDS;
}
