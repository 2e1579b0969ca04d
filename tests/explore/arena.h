/*
 * arena.h - where malloc's blocks are
 */
#ifndef EXPLORE_ARENA_H
#define EXPLORE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GRAIN = 16 }; /* bytes; all blocks are made of these */

/* Of a grain. HEAD: a block begins behind it. PARTLY + n: n bytes live. */
enum { OUTSIDE, HEAD, LIVE, FREED, PARTLY };

struct head { /* one grain before a block; code is below 4 GiB */
    uint32_t size, made_at, freed_at;
    uint8_t made_by, freed_by;
    uint16_t number; /* of the thread's blocks that were made there */
};

void arena_reserve(void); /* in the parent */
/* For the code at pc, NULL: none of the program's. NULL: there is no more. */
void *allocate(size_t align, size_t size, const void *pc);
bool in_arena(uintptr_t at);
unsigned char *grain(uintptr_t at); /* what it is */
struct head *head_of(uintptr_t at); /* NULL: no block begins before */
/* Of what is in a block: what names.awk needs to name it; or NULL. */
const char *block_name(uintptr_t at, uintptr_t size);

#endif
