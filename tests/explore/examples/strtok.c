/*
 * strtok - two threads count words, by a function that remembers for both
 * Build: cc -pthread -o strtok strtok.c
 * Usage: ./strtok
 * Expect: 2 2
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct text {
    char line[20];
    int words;
};

static void *count(void *arg) {
    struct text *text = arg;
    char *word = strtok(text->line, " ");

    while (word != NULL) {
        text->words++;
        word = strtok(NULL, " ");
    }
    return NULL;
}

int main(void) {
    struct text texts[2] = {{"all work", 0}, {"no play", 0}};
    pthread_t threads[2];

    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, count, &texts[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    printf("%d %d\n", texts[0].words, texts[1].words);
    return 0;
}
