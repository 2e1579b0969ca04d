/*
 * broken_promise - prints what it has, then an assertion about it fails
 * Build: cc -pthread -o broken_promise broken_promise.c
 */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>

#define promise assert

static int balance = 10;

static void *pay(void *unused) {
    int seen = balance;
    balance = seen - 5;
    return unused;
}

int main(void) {
    pthread_t pool[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&pool[i], NULL, pay, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(pool[i], NULL);
    printf("balance %d\n", balance);
    promise(balance == 0);
    return 0;
}
