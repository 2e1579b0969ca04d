/*
 * table.c - the child: what was done, who waits for whom, and the run's end
 *
 * All goes to the shared table, with names.awk's marks in place of names.
 */
#define _GNU_SOURCE
#include "explore/arena.h"
#include "explore/child.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MOST_SAID = 1000 };

void say(const char *format, ...) {
    va_list list;
    if (!sh->shown || sh->used + MOST_SAID > MOST_TABLE)
        return;
    va_start(list, format);
    int n = vsnprintf(sh->table + sh->used, MOST_SAID, format, list);
    va_end(list);
    sh->used += n < MOST_SAID ? n : MOST_SAID - 1;
}

/* On which thread's stack, in which function's frame: its code and the address
   where the frame begins. */
static const struct thread *on_stack(
    uintptr_t at, uintptr_t *code, uintptr_t *frame) {
    for (int i = 0; i < sh->nthreads; i++) {
        const struct thread *t = &threads[i];
        if (at >= t->base || t->base - at > 1u << 23 || !t->used)
            continue;
        *code = *frame = 0;
        /* Beyond its depth: the frames that were last there. */
        for (int k = 0; k < MOST_DEPTH && t->frames[k].sp != 0; k++)
            if (t->frames[k].sp <= at) {
                *code = LINE_OF(t->frames[k].pc);
                *frame = k > 0 ? t->frames[k - 1].sp : t->base;
                break;
            }
        return t;
    }
    return NULL;
}

const char *place_name(uintptr_t at, uintptr_t size) {
    size_t most;
    char *name = another_text(&most);
    uintptr_t code, frame;
    const struct thread *t = on_stack(at, &code, &frame);
    const char *block;
    if (at == (uintptr_t)stdout)
        snprintf(name, most, "stdout");
    else if (at == (uintptr_t)&strtok_memory)
        snprintf(name, most, "strtok's memory");
    else if (at <= 1)
        snprintf(name, most, "-");
    else if (t != NULL)
        snprintf(name, most, "\1S%lu %lu %lx %lu %s\1", at, size, code, frame,
            thread_name(t->id));
    else if ((block = block_name(at, size)) != NULL)
        snprintf(name, most, "\1H%s\1", block);
    else
        snprintf(name, most, NAME, at, size, at);
    return name;
}

const char *dead_name(uintptr_t at, uintptr_t size, const void *pc) {
    size_t most;
    char *name = another_text(&most);
    uintptr_t code = 0, frame = 0;
    const struct thread *t = on_stack(at, &code, &frame);
    bool first = t != NULL && frame == t->base; /* there was no other */
    snprintf(name, most, "\1U%lu %lu %lx %lu %lx\1", at, size, code, frame,
        first ? code : LINE_OF(pc));
    return name;
}

/* The text that begins there, if it is a constant; else "". */
static const char *constant_text(uintptr_t at) {
    size_t most, n = 0;
    char *text = another_text(&most);
    struct iovec to = {text, 20}, from = {(void *)at, 20};
    memset(text, 0, most);
    if (at >= (uintptr_t)__executable_start && at < (uintptr_t)__data_start &&
        process_vm_readv(getpid(), &to, 1, &from, 1, 0) > 0)
        while (text[n] >= ' ' && text[n] <= '~')
            n++;
    text[text[n] == '\0' || n == 20 ? n : 0] = '\0';
    return text;
}

void say_value(uintptr_t at, uintptr_t size, uint64_t value) {
    int unused = 64 - 8 * (int)size;
    const char *block = block_name(value, 0);
    say("\1V%s %lu %lu %lx %ld\6%s\1", block != NULL ? block : "- - - - - - -",
        at, size, value, (int64_t)(value << unused) >> unused,
        size == sizeof(char *) ? constant_text(value) : "");
}

/* A row of the table; between tabs is what names.awk puts into columns. */
void say_step(const struct thread *t, uint64_t value) {
    const struct op *op = &t->next;
    say("\2%s\t%s\t%s\t%s", alive > 1 ? "-" : "alone",
        place_name(op->at, op->size), thread_name(t->id), op->name);
    if (op->kind < LOCK && op->at != (uintptr_t)stdout && !op->later) {
        say(" ");
        say_value(op->at, op->size, value);
    }
    say("%s\t" TEXT "\n", t->failed ? ": no" : "", LINE_OF(op->pc));
}

const char *looking(const struct thread *t) {
    size_t most;
    char *text = another_text(&most);
    snprintf(text, most,
        "%s looks again and again (%ss %s at " LINE "), and nobody changes it",
        thread_name(t->id), t->looked.name,
        place_name(t->looked.at, t->looked.size), LINE_OF(t->looked.pc));
    return text;
}

void say_why(const struct thread *t) {
    const struct op *op = &t->next;
    const struct place *p = op->kind == WAKE && ready(t) ? op->mutex : t->place;
    bool join = op->kind == JOIN, looks = parked(t) || t->deadline > 0;
    if (looks && t->looked.at != 0 && p->owner == NULL) {
        say("  %s\n", looking(t));
        return;
    }
    say("  %s waits in %s of %s at " LINE, thread_name(t->id), op->name,
        join ? thread_name(p->owner->id) : place_name(p->at, p->size),
        LINE_OF(op->pc));
    if (p->owner != NULL && !join)
        say(", which %s holds since " LINE "%s",
            p->owner == t ? "it" : thread_name(p->owner->id), LINE_OF(p->pc),
            p->owner->alive ? "" : ", though it has ended");
    else if (op->kind == WAKE && p->pc != NULL)
        say(": lost wake-up, the last signal came when nobody waited (" LINE
            ")",
            LINE_OF(p->pc));
    say("\n");
}

void end_run(enum fault fault, const char *format, ...) {
    va_list list;
    if (ended) {
        fflush_unlocked(stdout); /* what was lost */
        _exit(sh->status);
    }
    for (int i = 0; i < sh->nthreads && fault == STUCK; i++)
        if (threads[i].alive)
            say_why(&threads[i]);
    va_start(list, format);
    vsnprintf(sh->text, sizeof sh->text, format, list);
    va_end(list);
    sh->fault = fault;
    if (sh->debugger)
        raise(SIGTRAP); /* look around */
    if (fault == STUCK || fault == MISUSE)
        fflush_unlocked(stdout); /* what was printed is shown */
    _exit(0);
}
