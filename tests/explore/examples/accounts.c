/*
 * accounts - money is lost from an account on the heap
 * Build: cc -pthread -o accounts accounts.c
 * Usage: ./accounts
 * Expect: 20
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct account {
    pthread_mutex_t lock;
    double balance;
};

struct bank {
    int size;
    struct account *accounts;
};

static struct bank *bank;

static void *pay(void *arg) {
    struct account *from = arg;

    pthread_mutex_lock(&from->lock);
    from->balance -= 5;
    pthread_mutex_unlock(&from->lock);
    bank->accounts[2].balance += 5;
    return NULL;
}

int main(void) {
    pthread_t threads[2];

    bank = malloc(sizeof *bank);
    bank->accounts = calloc(3, sizeof *bank->accounts);
    for (int i = 0; i < 2; i++) {
        bank->accounts[i].balance = 10;
        pthread_mutex_init(&bank->accounts[i].lock, NULL);
    }
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, pay, &bank->accounts[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    printf("%g\n", bank->accounts[0].balance + bank->accounts[1].balance +
                       bank->accounts[2].balance);
    free(bank->accounts);
    free(bank);
    return 0;
}
