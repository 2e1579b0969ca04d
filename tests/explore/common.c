/*
 * common.c - what parent and child share, and the child's threads
 */
#include "explore/child.h"

#include <stdio.h>

struct shared *sh;
_Thread_local struct thread *self;
struct thread threads[MOST_THREADS];
int64_t now;
uint64_t changes = 1, passes, turns;
bool asked;
int alive;
const char freeing[] = "free";
char strtok_memory;
bool over, ended;

char *another_text(size_t *size) {
    static char texts[8][400];
    static int next;
    *size = sizeof texts[0];
    return texts[next++ % LENGTH(texts)];
}

const char *thread_name(int thread) {
    static const char alphabet[] = "ABCDEFGHIJKLNOPQRSTUVWXYZ"; /* M is main */
    const int n = (int)sizeof alphabet - 1;
    size_t size;
    char *name = another_text(&size);
    if (thread == 0)
        return "main";
    if (thread <= n)
        snprintf(name, size, "%c", alphabet[thread - 1]);
    else
        snprintf(name, size, "%c%c", alphabet[(thread - 1) / n - 1],
            alphabet[(thread - 1) % n]);
    return name;
}

bool ready(const struct thread *t) {
    return t->place->tokens >= t->next.need && t->place->round >= t->next.round;
}

bool parked(const struct thread *t) {
    return t->parked == changes - t->own;
}
