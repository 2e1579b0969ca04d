/*
 * checks.c - the child: memory that is used though it is gone
 */
#define _GNU_SOURCE
#include "explore/arena.h"
#include "explore/child.h"

#include <stdio.h>

/* "reads" or "calls sem_post on". */
static const char *does(const struct op *op) {
    size_t most;
    char *text = another_text(&most);
    snprintf(text, most, "%s%s%s", op->kind < LOCK ? "" : "calls ", op->name,
        op->kind < LOCK ? "s" : " on");
    return text;
}

/* The last access by the thread itself: in the function that had it. */
static const void *last_use(const struct place *p, const struct thread *t) {
    if (p->write.when > 0 && p->write.thread == t->id)
        return p->write.pc;
    for (const struct reader *r = p->readers; r != NULL; r = r->next)
        if (r->access.thread == t->id)
            return r->access.pc;
    return NULL;
}

/* What others have used of a stack lies between these. */
struct lent {
    uintptr_t from, to;
};
static struct lent lent[MOST_THREADS];

void lend(uintptr_t at) {
    size_t id = (at - (uintptr_t)STACKS) / STACK_DISTANCE;
    if (at < (uintptr_t)STACKS || id >= MOST_THREADS)
        return;
    struct lent *l = &lent[id];
    l->from = l->from == 0 || at < l->from ? at : l->from;
    l->to = at >= l->to ? at + 1 : l->to;
}

bool is_lent(uintptr_t *from, uintptr_t *to) {
    const struct lent *l = &lent[self->id];
    *from = l->from > *from ? l->from : *from;
    *to = l->to < *to ? l->to : *to;
    return *from < *to;
}

/* Main's stack stays after its pthread_exit. What is beyond the base of the
   others' is their _Thread_local variables. */
void check_stack(const struct op *op, const struct place *p) {
    size_t id = (op->at - (uintptr_t)STACKS) / STACK_DISTANCE;
    if (op->at < (uintptr_t)STACKS || id >= MOST_THREADS || ended)
        return;
    const struct thread *t = &threads[id];
    if (t == self || !t->used)
        return;
    if (op->at >= t->base && !t->alive)
        end_run(MISUSE,
            "%s uses a _Thread_local variable of %s, which has ended",
            thread_name(self->id), thread_name(t->id));
    if (op->at < t->base &&
        (t->depth == 0 || op->at < t->sp || (!t->alive && id != 0)))
        end_run(MISUSE, "use after return: %s uses %s, which has returned",
            thread_name(self->id), dead_name(op->at, op->size, last_use(p, t)));
    lend(op->at);
}

void check_block(const struct op *op) {
    if (!in_arena(op->at) || *grain(op->at) == LIVE)
        return;
    const struct head *h = head_of(op->at);
    int used = *grain(op->at) - PARTLY;
    if (used > 0 && op->at % GRAIN + op->size <= (unsigned)used)
        return;
    sh->running = self->id;
    sh->pc = op->pc;
    if (*grain(op->at) == FREED)
        end_run(MISUSE, "%s: %s %s what %s freed at " LINE,
            op->name == freeing ? "double free" : "use after free",
            thread_name(self->id), does(op), thread_name(h->freed_by),
            (unsigned long)h->freed_at);
    if (used >= 0)
        end_run(MISUSE,
            "%s %s past the end of a block of %u bytes, made at " LINE,
            thread_name(self->id), does(op), h->size,
            (unsigned long)h->made_at);
    end_run(MISUSE, "%s %s beside the blocks that malloc gave",
        thread_name(self->id), does(op));
}
