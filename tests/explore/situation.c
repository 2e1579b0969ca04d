/*
 * situation.c - the child: what the player sees; \3 and \4 become columns
 */
#include "explore/child.h"

#include <stdio.h>
#include <string.h>

enum { MOST_SEEN = 10 }; /* places: a screen has 24 lines */

static void say_next(const struct thread *t, const struct step *s) {
    const struct op *op = &t->next;
    bool can = s->enabled >> t->id & 1, join = op->kind == JOIN;
    const struct place *p = op->kind == WAKE && ready(t) ? op->mutex : t->place;
    say("\3%s%s\t", t->id == s->usual ? "*" : " ", thread_name(t->id));
    if (!t->alive) {
        say("has ended\t\n");
        return;
    }
    say("%s%s %s",
        can         ? ""
        : parked(t) ? "repeats "
                    : "waits: ",
        op->name,
        join ? thread_name(p->owner->id) : place_name(p->at, p->size));
    if (!can && p->owner != NULL && !join)
        say(", %s holds", p->owner == t ? "it" : thread_name(p->owner->id));
    say("\t" TEXT "\n", LINE_OF(op->pc));
}

static void say_place(const struct place *p) {
    uint64_t value = 0;
    say("\4%s\t", place_name(p->at, p->size));
    if (!p->sync) {
        memcpy(&value, (const void *)p->at, p->size < 8 ? p->size : 8);
        say_value(p->at, p->size, value);
    } else if (p->owner != NULL)
        say("%s holds it since " LINE, thread_name(p->owner->id),
            LINE_OF(p->pc));
    else if (p->full > 1)
        say("%d left", p->tokens);
    else
        say(p->waiting > 0 ? "%d wait" : "free", p->waiting);
    say("\n");
}

void say_situation(const struct step *s) {
    sh->situation = sh->used;
    for (int i = 0; i < sh->nthreads; i++)
        if (threads[i].used && (threads[i].alive || sh->nthreads < 8))
            say_next(&threads[i], s);
    int lines = 0; /* a screen has 24 */
    for (const struct place *p = next_place(NULL); p; p = next_place(p))
        if (p->shared && p->at != (uintptr_t)stdout && lines++ < MOST_SEEN)
            say_place(p);
}
