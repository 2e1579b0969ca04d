/*
 * large_stack - much computing beside a large array on the stack
 * Build: cc -pthread -o large_stack large_stack.c
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { SQUARES = 1000, ROUNDS = 50 };
static int squares[SQUARES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long total;

static void *work(void *unused) {
    char line[65536];
    memset(line, 0, sizeof line);
    long sum = line[5];
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < SQUARES; i++)
            sum += squares[i];
    pthread_mutex_lock(&lock);
    total += sum;
    pthread_mutex_unlock(&lock);
    return unused;
}

int main(void) {
    pthread_t pool[2];
    for (int i = 0; i < SQUARES; i++)
        squares[i] = i * i;
    for (int i = 0; i < 2; i++)
        pthread_create(&pool[i], NULL, work, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(pool[i], NULL);
    printf("%ld\n", total);
    return 0;
}
