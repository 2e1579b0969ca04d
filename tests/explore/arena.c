/*
 * arena.c - the child: where malloc's blocks are, and what is known of each
 *
 * Design. The arena is at a fixed address, and no block is used twice in a run:
 * so the same steps get the same addresses, and an access to what was freed, or
 * beside a block, is found by a map of the arena.
 */
#define _GNU_SOURCE
#include "explore/arena.h"
#include "explore/child.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { CHUNK = 1 << 20, MOST_CHUNKS = 256, MOST_SITES = 32 };
#define ARENA ((char *)0x1800000000)
static const size_t arena_size = (size_t)CHUNK * MOST_CHUNKS;
static unsigned char *map;
static struct { /* of a thread, so that the others' calls change no address */
    char *next, *end;
} chunk[MOST_THREADS];
static int chunks = MOST_THREADS; /* the first are given out already */

void arena_reserve(void) {
    void *memory =
        mmap(ARENA, arena_size + arena_size / GRAIN, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
            -1, 0);
    if (memory != ARENA) {
        perror("explore: the arena");
        exit(2);
    }
    map = (unsigned char *)ARENA + arena_size;
    for (int i = 0; i < MOST_THREADS; i++) {
        chunk[i].next = ARENA + (size_t)i * CHUNK;
        chunk[i].end = chunk[i].next + CHUNK;
    }
}

bool in_arena(uintptr_t at) {
    return at - (uintptr_t)ARENA < arena_size;
}

unsigned char *grain(uintptr_t at) {
    return &map[(at - (uintptr_t)ARENA) / GRAIN];
}

struct head *head_of(uintptr_t at) {
    at &= ~(uintptr_t)(GRAIN - 1);
    while (in_arena(at) && *grain(at) != HEAD)
        at -= GRAIN;
    return in_arena(at) ? (struct head *)at : NULL;
}

/* How many blocks has the thread made there? */
static uint16_t number_of(int id, uint32_t made_at) {
    static struct {
        uint32_t made_at;
        uint16_t count;
    } sites[MOST_THREADS][MOST_SITES];
    for (int i = 0; i < MOST_SITES; i++) {
        if (sites[id][i].count == 0)
            sites[id][i].made_at = made_at;
        if (sites[id][i].made_at == made_at)
            return ++sites[id][i].count;
    }
    return 0;
}

void *allocate(size_t align, size_t size, const void *pc) {
    int id = self != NULL ? self->id : 0;
    size_t grains = (size + GRAIN - 1) / GRAIN + (size == 0);
    size_t need = grains * GRAIN + GRAIN + align;
    if (size > arena_size)
        need = arena_size;
    if ((size_t)(chunk[id].end - chunk[id].next) < need) {
        int more = (int)((need + CHUNK - 1) / CHUNK);
        if (chunks + more > MOST_CHUNKS) {
            errno = ENOMEM;
            return NULL;
        }
        chunk[id].next = ARENA + (size_t)chunks * CHUNK;
        chunk[id].end = chunk[id].next + (size_t)more * CHUNK;
        chunks += more;
    }
    uintptr_t at = (uintptr_t)chunk[id].next + GRAIN;
    at = (at + align - 1) & ~(uintptr_t)(align - 1);
    struct head *head = (struct head *)at - 1;
    uint32_t made_at = pc == NULL ? 0 : (uint32_t)LINE_OF(pc);
    *head = (struct head){.size = (uint32_t)size,
        .made_at = made_at,
        .made_by = (uint8_t)id,
        .number = number_of(id, made_at)};
    *grain((uintptr_t)head) = HEAD;
    memset(grain(at), LIVE, grains);
    if (size % GRAIN != 0 || size == 0)
        grain(at)[grains - 1] = (unsigned char)(PARTLY + size % GRAIN);
    chunk[id].next = (char *)at + grains * GRAIN;
    return (void *)at;
}

const char *block_name(uintptr_t at, uintptr_t size) {
    const struct head *h = in_arena(at) ? head_of(at) : NULL;
    if (h == NULL || h->made_at == 0 || at < (uintptr_t)(h + 1))
        return NULL;
    size_t most;
    char *name = another_text(&most);
    snprintf(name, most, "%x %lu %lu %lu %u %u %s", h->made_at, at,
        at - (uintptr_t)(h + 1), size, h->size, h->number,
        thread_name(h->made_by));
    return name;
}
