/*
 * greet - threads print lines; in which order is nobody's business
 * Build: cc -pthread -o greet greet.c
 * Usage: ./greet [threads [lines]]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static int lines = 1;

static void *greet(void *name) {
    for (int i = 0; i < lines; i++)
        printf("hello %d from %s\n", i, (const char *)name);
    return NULL;
}

int main(int argc, char *argv[]) {
    static char names[][2] = {"a", "b", "c", "d"};
    int threads = argc > 1 ? atoi(argv[1]) : 2;
    pthread_t pool[4];
    lines = argc > 2 ? atoi(argv[2]) : 1;
    for (int i = 0; i < threads && i < 4; i++)
        pthread_create(&pool[i], NULL, greet, names[i]);
    for (int i = 0; i < threads && i < 4; i++)
        pthread_join(pool[i], NULL);
    return 0;
}
