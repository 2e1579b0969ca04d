/*
 * heap - a block of malloc's is freed too early, twice, or is too short
 * Build: cc -pthread -o heap heap.c
 * Usage: ./heap use|twice|beside|right
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *how = "use";
static int *block;

static void *look(void *unused) {
    pthread_mutex_lock(&lock);
    if (strcmp(how, "twice") == 0)
        free(block);
    else if (strcmp(how, "beside") == 0)
        block[8] = 1;
    else if (block != NULL)
        block[0]++;
    pthread_mutex_unlock(&lock);
    return unused;
}

static void *give_back(void *unused) {
    pthread_mutex_lock(&lock);
    free(block);
    if (strcmp(how, "right") == 0)
        block = NULL;
    pthread_mutex_unlock(&lock);
    return unused;
}

int main(int argc, char *argv[]) {
    pthread_t a, b;
    how = argc > 1 ? argv[1] : how;
    block = calloc(4, sizeof *block);
    pthread_create(&a, NULL, look, NULL);
    pthread_create(&b, NULL, give_back, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    puts("end");
    return 0;
}
