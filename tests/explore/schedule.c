/*
 * schedule.c - the child: threads that run one at a time, by choice
 *
 * Design. turn() is the heart: a thread says which operation is its next, and
 * pick() decides who goes on. Some choices are prescribed by the parent, the
 * others are the usual ones: a new thread runs until it blocks or ends before
 * its creator goes on, else the processor stays with whoever has it, and the
 * program ends when nobody else can go on. Exactly one thread runs, all others
 * wait for their semaphore.
 *
 * Mutexes and their kin are never locked for real: each is a number of tokens,
 * and a thread takes some or waits for them.
 */
#define _GNU_SOURCE
#include "explore/child.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DEAD = 1 << 14 };     /* below a stack: the calls that are over */
enum { MOST_AFTER = 20000 }; /* turns after the program's end */

static bool spurious_used;

static uint64_t value_at(const struct op *op) {
    uint64_t value = 0;
    if (op->kind < LOCK)
        memcpy(&value, (const void *)op->at, op->size);
    return value;
}

/* What a step left is known when its thread comes here next. The thread's own
   stack is compared anyway, or dead. */
void settle(uintptr_t low) {
    struct thread *t = self;
    if (t->settled)
        return;
    t->settled = true;
    uint64_t value = t->next.kind == READ ? t->before : value_at(&t->next);
    if ((value != t->before || (t->next.later && t->next.kind == WRITE)) &&
        (t->place->known != OWN || t->next.at < low - DEAD ||
            t->next.at >= t->base)) {
        changes++;
        t->made++;
    }
    if (t->shown)
        say_step(t, value);
}

/* ---------- Who goes next ---------- */

/* Can the thread do its next operation now? */
static bool can_run(const struct thread *t) {
    if (!t->alive || parked(t) ||
        (t->next.kind == WAKE && t->next.mutex->tokens == 0))
        return false;
    return t->next.try || t->timed_out || t->spurious || ready(t);
}

/* Nobody can go on: time passes until somebody can, or nobody ever will. */
static void pass_time(void) {
    int64_t next = INT64_MAX;
    bool spins = false;
    for (int i = 0; i < sh->nthreads; i++) {
        const struct thread *t = &threads[i];
        spins |= t->alive && parked(t);
        if (t->deadline > 0 && t->deadline < next && !ready(t))
            next = t->deadline;
    }
    bool for_ever = next != INT64_MAX && goes_round();
    if (next == INT64_MAX || for_ever)
        end_run(STUCK, "%s",
            spins || for_ever
                ? "a thread spins for ever, waiting for a change that nobody "
                  "makes"
                : "deadlock");
    now = next > now ? next : now;
    changes++;
    passes++;
    for (int i = 0; i < sh->nthreads; i++) {
        struct thread *t = &threads[i];
        t->rested = true;
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

/* Who goes on if nothing else is prescribed: see the top. */
static int usual_choice(const struct thread *last, uint64_t enabled) {
    uint64_t going = enabled;
    int sibling = -1; /* that has not begun */
    for (uint64_t left = enabled; left != 0; left &= left - 1) {
        const struct thread *t = &threads[__builtin_ctzll(left)];
        if (t->next.kind == EXIT || t->tired)
            going &= ~(1ull << t->id);
        else if (!t->begun && t->creator == last->id)
            return t->id;
        else if (!t->begun && t->creator == last->creator && sibling == -1)
            sibling = t->id;
    }
    if (going >> last->id & 1)
        return last->id;
    if (sibling != -1)
        return sibling;
    if (going >> last->creator & 1)
        return last->creator;
    return __builtin_ctzll(going != 0 ? going : enabled);
}

/* Was a run here before, with the same left to do? The program's end comes
   differently for each thread that could still go on. */
static bool seen_before(struct step *s, bool ending) {
    uint64_t key = mix(mix(state, (uint64_t)now), (uint64_t)sh->search);
    if (ending)
        key = mix(key, s->enabled);
    if (sh->bound != ALL)
        key = mix(key, (uint64_t)(s->cost * SPURIOUS + s->stay + 1));
    s->key = key;
    return sh->reduce && !sh->shown && sh->seen[key % MOST_STATES] == key;
}

static void prescribe(struct step *s, const struct given *given) {
    bool wakes = given->choice >= SPURIOUS;
    uint64_t there = wakes ? s->spurious : s->enabled;
    if (given->check != 0 && given->check != s->state)
        end_run(UNFIT, "the same schedule did not do the same twice");
    if (given->choice >= 2 * SPURIOUS ||
        (there >> given->choice % SPURIOUS & 1) == 0)
        end_run(UNFIT, "the schedule is not one of this program");
    s->choice = (uint8_t)given->choice;
}

/* Chooses among the enabled: what is prescribed, or the usual one. */
static struct thread *choose(uint64_t enabled, uint64_t spurious, bool ending) {
    static struct thread *last = threads; /* main */
    static int ngiven;
    struct step *s = &sh->steps[sh->nsteps];
    const struct given *given = &sh->given[ngiven];
    bool past = ngiven == sh->ngiven;
    if (ended) /* what comes now is no part of the schedule */
        return last = &threads[usual_choice(last, enabled)];
    if (sh->nsteps == MOST_STEPS - 1)
        end_run(UNFIT, "a run has more than %d steps%s%s: give it less work",
            MOST_STEPS, last->tired ? ", and " : "",
            last->tired ? looking(last) : "");
    *s = (struct step){enabled, spurious, (uint32_t)state, .stay = -1,
        .cost = (uint8_t)(sh->cost < ALL ? sh->cost : ALL)};
    s->usual = s->choice = (uint8_t)usual_choice(last, enabled);
    if (enabled >> last->id & 1 && !last->yielded && !last->tired &&
        last->next.kind != EXIT)
        s->stay = (int8_t)last->id;
    if (past && sh->nsteps == sh->pause_at) {
        say_situation(s);
        sh->nsteps++;
        end_run(PAUSE, "your turn");
    }
    if (past && seen_before(s, ending))
        end_run(SEEN, "seen");
    if (!past && given->step == sh->nsteps) {
        ngiven++;
        prescribe(s, given);
    }
    sh->nsteps++;
    sh->cost += cost_of(s, s->choice);
    last = &threads[s->choice % SPURIOUS];
    last->yielded = false;
    last->begun = true;
    if (s->choice >= SPURIOUS)
        last->spurious = spurious_used = true;
    return last;
}

static struct thread *pick(void) {
    for (;; pass_time()) {
        uint64_t enabled = 0, spurious = 0;
        bool ending = false, fresh = false, sleeps = false;
        for (int i = 0; i < sh->nthreads; i++) {
            struct thread *t = &threads[i];
            sleeps |= t->deadline > 0 && !ready(t);
            if (!can_run(t))
                continue;
            fresh |= !t->tired || t->rested;
            if (t->next.kind >= QUICK)
                return t;
            enabled |= 1ull << i;
            ending |= t->next.kind == EXIT;
            if (t->next.kind == WAIT && !spurious_used)
                spurious |= 1ull << i;
        }
        if (fresh || (enabled != 0 && !sleeps))
            return choose(enabled, spurious, ending);
    }
}

void scrub(void) {
    char left[4096];
    memset(left, 0, sizeof left);
    __asm__ volatile("" : : "r"(left) : "memory");
}

/* Of the caller. */
__attribute__((noinline)) uintptr_t stack_pointer(void) {
    return (uintptr_t)__builtin_dwarf_cfa();
}

static void hand_over(struct thread *next) {
    sh->running = next->id;
    sh->running_tid = next->tid;
    sh->pc = next->next.pc;
    sem_post(&next->go);
}

static void reschedule(struct thread *t) {
    struct thread *next = pick();
    if (next == t)
        return;
    hand_over(next);
    while (sem_wait(&t->go) == -1)
        continue;
}

void leave_to_others(void) {
    hand_over(pick());
}

void begin_at_once(struct thread *t) {
    self->low = stack_pointer();
    settle(self->low);
    self->next = (struct op){QUICK, "create", .pc = self->next.pc};
    self->place = t->place;
    hand_over(t);
    while (sem_wait(&self->go) == -1)
        continue;
}

/* Perhaps nobody else ever comes to his. */
static bool had_many_turns(struct thread *t) {
    if (++t->turns >= MOST_STEPS && sh->news)
        end_run(SEEN, "the search begins again");
    return t->turns == MOST_STEPS;
}

static __attribute__((noinline)) struct place *take_turn(
    struct op op, uintptr_t low) {
    static int turns_after;
    struct thread *t = self;
    settle(low);
    struct place *p = find_place(op.at, op.size, op.kind >= LOCK);
    if (over)
        return p;
    if (ended && (sh->lost_by != -1 || ++turns_after > MOST_AFTER))
        end_run(NONE, "after the end");
    t->place = p;
    t->next = op;
    t->low = low;
    t->timed_out = t->failed = false;
    sh->running = t->id;
    sh->running_tid = t->tid;
    sh->pc = op.pc;
    t->parked = repeats(t, low) ? changes - t->own : 0;
    bool choice = had_many_turns(t) || p->level == CHOICE || op.kind == WAIT ||
                  op.kind == EXIT || t->lets_others || !can_run(t);
    turns++;
    if (choice)
        reschedule(t);
    check_stack(&op, p);
    touch(p, choice);
    check_block(&op);
    if (op.mutex != NULL)
        touch(op.mutex, choice);
    t->deadline = 0;
    t->settled = false;
    bool told =
        alive > 1 || /* or what others left behind */
        (op.kind < LOCK && p->write.when > 0 && p->write.thread != t->id);
    t->shown = sh->shown && (p->shared || op.kind == EXIT) && op.kind <= EXIT &&
               told && !ended;
    t->before = value_at(&op);
    t->lets_others = look(t);
    changes += op.kind == CHANGE;
    return p;
}

/* In its frame is nothing but its caller's registers, so that these and the
   frames above are all that repeats() compares, on any machine. */
struct place *turn(struct op op) {
    __builtin_unwind_init(); /* the caller's registers go to the stack */
    struct place *p = take_turn(op, stack_pointer());
    scrub();
    return p;
}
