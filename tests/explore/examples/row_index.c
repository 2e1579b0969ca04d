/*
 * row_index - threads share the loop's variable, and one writes a third row
 * Build: cc -pthread -o row_index row_index.c
 * Usage: ./row_index
 */
#include <pthread.h>
#include <stdio.h>

enum { ROWS = 2 };

static int rows[ROWS][2];

static void *fill(void *arg) {
    int row = *(int *)arg;

    rows[row][1] += 10;
    return NULL;
}

int main(void) {
    pthread_t threads[ROWS];
    int i;

    for (i = 0; i < ROWS; i++)
        pthread_create(&threads[i], NULL, fill, &i);
    for (int k = 0; k < ROWS; k++)
        pthread_join(threads[k], NULL);
    printf("%d %d\n", rows[0][1], rows[1][1]);
    return 0;
}
