/*
 * header - some of its steps are lines of a header
 * Build: cc -pthread -o header header.c
 */
#include "guarded.h"

#include <stdio.h>

static int unguarded;

static void *work(void *unused) {
    add(1);
    int seen = unguarded;
    unguarded = seen + 1;
    return unused;
}

int main(void) {
    pthread_t a, b;
    pthread_create(&a, NULL, work, NULL);
    pthread_create(&b, NULL, work, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    printf("%d %d\n", guarded, unguarded);
    return 0;
}
