/*
 * main - a program in two files
 * Build: cc -pthread -o main main.c add.c
 */
#include <pthread.h>
#include <stdio.h>

void add(void);
extern int total;

static void *work(void *unused) {
    add();
    return unused;
}

int main(void) {
    pthread_t a, b;
    pthread_create(&a, NULL, work, NULL);
    pthread_create(&b, NULL, work, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    printf("%d\n", total);
    return total != 2;
}
