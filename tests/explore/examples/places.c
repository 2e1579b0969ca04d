/*
 * places - what is raced for has longer names: fields, cells, numbers
 * Build: cc -lm -pthread -o places places.c
 * Usage: ./places
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

struct box {
    long size;
    double fill;
};

static struct box box, copy;
static int cells[3][2];
static sem_t tokens;

static void *work(void *unused) {
    sem_wait(&tokens);
    box.fill += 0.5;
    cells[1][0]++;
    memcpy(&copy, &box, sizeof copy);
    sem_post(&tokens);
    return unused;
}

int main(void) {
    pthread_t a, b;
    sem_init(&tokens, 0, 2); /* one too many */
    pthread_create(&a, NULL, work, NULL);
    pthread_create(&b, NULL, work, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    printf("%.1f %d\n", box.fill, cells[1][0]);
    return cells[1][0] != 2;
}
