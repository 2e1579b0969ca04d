/*
 * hooks_memory.c - the child: what the compiler calls for memory, and malloc
 */
#define _GNU_SOURCE
#include "explore/arena.h"
#include "explore/child.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <printf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"read", "write", "update"};

/* ---------- malloc and free ---------- */

/* All that was used from there to there is gone: like a write of it; the end of
   a frame races with no atomic access, as a variable may be used to wait for
   those who use it. */
static void gone(uintptr_t from, uintptr_t to, const char *how, void *pc) {
    for (uintptr_t w = from & ~(uintptr_t)7; w < to; w += 8)
        for (const struct place *p = first_place(w); p != NULL; p = p->next) {
            if (p->at < from || p->at >= to)
                continue;
            turn((struct op){p->sync ? LOCK : WRITE, how, p->at, p->size, pc,
                .later = !p->sync, .atomic = *how == 'l'});
            if (p->sync && p->owner != NULL)
                end_run(MISUSE, "%s %ss %s, which %s holds",
                    thread_name(self->id), how, place_name(p->at, p->size),
                    p->owner == self ? "it" : thread_name(p->owner->id));
            if (!p->sync)
                break;
        }
}

static void free_block(void *block, void *pc) {
    uintptr_t at = (uintptr_t)block;
    if (block == NULL)
        return;
    if (!in_arena(at)) {
        free(block); /* a library's */
        return;
    }
    struct head *h = (struct head *)block - 1;
    if (self != NULL && *grain(at) == FREED)
        end_run(MISUSE,
            "double free: %s frees at " LINE " what %s freed at " LINE,
            thread_name(self->id), LINE_OF(pc), thread_name(h->freed_by),
            (unsigned long)h->freed_at);
    if (at % GRAIN != 0 || *grain((uintptr_t)h) != HEAD)
        end_run(MISUSE, "free at " LINE " of what malloc did not give",
            LINE_OF(pc));
    if (self != NULL)
        gone(at, at + h->size, freeing, pc);
    if (*grain(at) == FREED) { /* while it waited for its turn */
        free_block(block, pc);
        return;
    }
    h->freed_by = (uint8_t)(self != NULL ? self->id : 0);
    h->freed_at = (uint32_t)LINE_OF(pc);
    memset(grain(at), FREED, (h->size + GRAIN - 1) / GRAIN + (h->size == 0));
}

WRAP(void *, malloc, (size_t n), allocate(GRAIN, n, PC))
WRAP(void *, aligned_alloc, (size_t align, size_t n),
    allocate(align < GRAIN ? GRAIN : align, n, PC))
WRAP(void *, memalign, (size_t align, size_t n),
    allocate(align < GRAIN ? GRAIN : align, n, PC))
int __wrap_posix_memalign(void **block, size_t align, size_t n) {
    *block = allocate(align < GRAIN ? GRAIN : align, n, PC);
    return *block == NULL ? ENOMEM : 0;
}
void *__wrap_calloc(size_t n, size_t size) {
    size_t all;
    if (__builtin_mul_overflow(n, size, &all))
        all = SIZE_MAX;
    return allocate(GRAIN, all, PC); /* fresh memory is zero */
}
void __wrap_free(void *block) {
    free_block(block, PC);
}
static void *move(void *block, size_t n, void *pc) {
    if (block != NULL && !in_arena((uintptr_t)block))
        return realloc(block, n); /* a library's */
    void *other = allocate(GRAIN, n, pc);
    if (block == NULL || other == NULL)
        return other;
    size_t old = ((struct head *)block)[-1].size;
    memcpy(other, block, old < n ? old : n);
    free_block(block, pc);
    return other;
}
WRAP(void *, realloc, (void *p, size_t n), move(p, n, PC))
void *__wrap_reallocarray(void *p, size_t n, size_t size) {
    size_t all;
    if (__builtin_mul_overflow(n, size, &all))
        all = SIZE_MAX;
    return move(p, all, PC);
}
size_t __wrap_malloc_usable_size(void *p) {
    bool ours = in_arena((uintptr_t)p);
    return ours ? ((struct head *)p)[-1].size : malloc_usable_size(p);
}
static char *copy_text(const char *text, size_t length, const void *pc) {
    char *copy = allocate(GRAIN, length + 1, pc);
    return copy == NULL ? NULL : memcpy(copy, text, length);
}
WRAP(char *, strdup, (const char *text), copy_text(text, strlen(text), PC))
WRAP(char *, strndup, (const char *text, size_t n),
    copy_text(text, strnlen(text, n), PC))

/* ---------- What the compiler calls ---------- */

enum { LARGE = 4096 };

#define HOOK(type, name, params, ...) \
    type __tsan_##name params {       \
        __VA_ARGS__;                  \
    }

/* Word by word: others may come between. To or from copy, if there is one; else
   our caller does it when all is said. Of a large block only the words count
   that were used one by one, too. */
static void words(enum kind kind, const char *name, const void *p,
    unsigned long size, void *pc, char *copy) {
    uintptr_t at = (uintptr_t)p, end = at + size;
    while (at < end && self != NULL) {
        uintptr_t next = (at | 7) + 1;
        next = next < end ? next : end;
        size_t length = next - at;
        if (size <= LARGE || first_place(at) != NULL) {
            struct op op = {kind, name, at, length, .pc = pc};
            op.later = copy == NULL && next < end;
            turn(op);
        }
        if (copy != NULL && kind == READ)
            memcpy(copy, (const void *)at, length);
        else if (copy != NULL)
            memcpy((void *)at, copy, length);
        copy += copy != NULL ? length : 0;
        at = next;
    }
}

static void plain(enum kind kind, const char *name, const void *p,
    unsigned long size, void *pc) {
    words(kind, name, p, size, pc, NULL);
}

void read_bytes(const void *p, unsigned long size, void *pc) {
    plain(READ, names[READ], p, size, pc);
}

#define READS(p, n) plain(READ, names[READ], p, n, PC)
#define WRITES(p, n) plain(WRITE, names[WRITE], p, n, PC)
#define ACCESSES(n)                                       \
    HOOK(void, read##n, (void *p), READS(p, n))           \
    HOOK(void, write##n, (void *p), WRITES(p, n))         \
    HOOK(void, unaligned_read##n, (void *p), READS(p, n)) \
    HOOK(void, unaligned_write##n, (void *p), WRITES(p, n))
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)
HOOK(void, read_range, (void *p, unsigned long n), READS(p, n))
HOOK(void, write_range, (void *p, unsigned long n), WRITES(p, n))
HOOK(void, init, (void), )

/* The calls of the thread: where each one's frame ends. */
void __tsan_func_entry(void *unused) {
    (void)unused;
    uintptr_t sp = (uintptr_t)__builtin_dwarf_cfa();
    if (self == NULL)
        return;
    while (self->depth > 0 && self->depth <= MOST_DEPTH &&
           self->frames[self->depth - 1].sp <= sp)
        self->depth--; /* left by longjmp */
    if (self->depth < MOST_DEPTH)
        self->frames[self->depth] = (struct frame){sp, PC};
    self->depth++;
}
/* Others may still use what is in the frame. The first function's is checked at
   the thread's end. */
void __tsan_func_exit(void) {
    uintptr_t from, to;
    if (self == NULL || self->depth == 0)
        return;
    if (self->depth > 1 && self->depth <= MOST_DEPTH) {
        from = self->frames[self->depth - 1].sp;
        to = self->frames[self->depth - 2].sp;
        if (is_lent(&from, &to))
            gone(from, to, "leave", PC);
    }
    self->depth--;
    (void)PC;
}

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
        acquire(p);
    if (op.kind == WRITE && p->clock != NULL)
        memset(p->clock, 0, MOST_THREADS * sizeof *p->clock);
    if (gives && op.kind != READ && p->level == CHOICE)
        release(p);
}

/* The last parameter of a comparison, the order if it fails, is left out. */
#define ATOMIC(kind, type, name, params, result) \
    HOOK(type, name, params, atomic(OP(kind, p), order, NULL); return result)
#define FETCH(type, n, what)                                        \
    ATOMIC(UPDATE, type, n##_##what, (type * p, type v, int order), \
        __atomic_##what(p, v, __ATOMIC_SEQ_CST))
#define __atomic_exchange(p, v, order) __atomic_exchange_n(p, v, order)
/* Its versions differ on statements in an argument. */
/* clang-format off */
#define COMPARE(type, n, result_type, how, old_type, old, expected, result) \
    HOOK(result_type, n##_compare_exchange_##how,                           \
         (type * p, old_type old, type v, int order),                       \
         atomic(OP(UPDATE, p), order, expected);                            \
         return result)
/* clang-format on */
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

/* ---------- memcpy and kin: all they read, all they write ---------- */

static void *copy_words(void *to, const void *from, size_t n, void *pc) {
    static char copies[MOST_THREADS][LARGE];
    char *copy = self != NULL && n <= LARGE ? copies[self->id] : NULL;
    words(READ, names[READ], from, n, pc, copy);
    words(WRITE, names[WRITE], to, n, pc, copy);
    return copy != NULL ? to : memmove(to, from, n);
}
#define MOVES(name)                                                   \
    WRAP(void *, name, (void *to, const void *from, size_t n),        \
        copy_words(to, from, n, PC))                                  \
    HOOK(void *, name, (void *to, const void *from, unsigned long n), \
        return copy_words(to, from, n, PC))
MOVES(memcpy)
MOVES(memmove)
FIRST(WRITES(p, n), void *, memset, (void *p, int byte, size_t n), (p, byte, n))
void *__tsan_memset(void *p, int byte, unsigned long n) {
    WRITES(p, n);
    return memset(p, byte, n);
}
FIRST((READS(p, n), READS(q, n)), int, memcmp,
    (const void *p, const void *q, size_t n), (p, q, n))
FIRST(READS(p, strlen(p) + 1), size_t, strlen, (const char *p), (p))
FIRST((READS(p, strlen(p) + 1), READS(q, strlen(q) + 1)), int, strcmp,
    (const char *p, const char *q), (p, q))
FIRST((READS(from, strlen(from) + 1), WRITES(to, strlen(from) + 1)), char *,
    strcpy, (char *to, const char *from), (to, from))
FIRST((READS(from, strnlen(from, n)), WRITES(to, n)), char *, strncpy,
    (char *to, const char *from, size_t n), (to, from, n))
FIRST(
    (READS(from, strlen(from) + 1), WRITES(to + strlen(to), strlen(from) + 1)),
    char *, strcat, (char *to, const char *from), (to, from))

/* ---------- Text ---------- */

void read_text(const char *text, void *pc) {
    if (text >= __data_start) /* else it is a constant */
        read_bytes(text, strlen(text) + 1, pc);
}

/* What printf's %s reads. With a precision it need not have an end: left out.
 */
void read_format(const char *format, va_list list, void *pc) {
    int types[16];
    size_t n = parse_printf_format(format, LENGTH(types), types);
    bool ends = true;
    for (const char *f = format; (f = strchr(f, '.')) != NULL;) {
        f += 1 + strspn(f + 1, "*$0123456789l");
        ends &= *f != 's';
    }
    va_list args;
    va_copy(args, list);
    for (size_t i = 0; i < n && i < LENGTH(types); i++) {
        int type = types[i] & ~PA_FLAG_MASK;
        if (types[i] == PA_STRING && ends)
            read_text(va_arg(args, const char *), pc);
        else if (types[i] & PA_FLAG_LONG_DOUBLE && type == PA_DOUBLE)
            (void)va_arg(args, long double);
        else if (type == PA_DOUBLE || type == PA_FLOAT)
            (void)va_arg(args, double);
        else if (types[i] & (PA_FLAG_LONG | PA_FLAG_LONG_LONG | PA_FLAG_PTR) ||
                 type == PA_STRING || type == PA_WSTRING || type == PA_POINTER)
            (void)va_arg(args, long);
        else
            (void)va_arg(args, int);
    }
    va_end(args);
}

__attribute__((format(printf, 3, 0))) static int print(
    char *to, size_t n, const char *format, va_list args, void *pc) {
    va_list again;
    va_copy(again, args);
    read_format(format, args, pc);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length >= 0 && n > 0)
        words(WRITE, names[WRITE], to,
            (size_t)length < n ? (size_t)length + 1 : n, pc, NULL);
    return vsnprintf(to, n, format, args);
}
__attribute__((format(printf, 3, 4))) int __wrap_snprintf(
    char *to, size_t n, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length = print(to, n, format, args, PC);
    va_end(args);
    return length;
}
__attribute__((format(printf, 2, 3))) int __wrap_sprintf(
    char *to, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length = print(to, INT_MAX, format, args, PC);
    va_end(args);
    return length;
}

/* It remembers where it was, for all threads together. */
FIRST(WRITES(&strtok_memory, 1), char *, strtok,
    (char *restrict text, const char *restrict ends), (text, ends))
