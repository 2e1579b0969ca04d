/*
 * half_joined - adds 1 and 2 in two threads, and waits for the first alone
 * The run in which each thread ends before main goes on is right. The variables
 * have names that explore's own parts have as well.
 * Build: cc -pthread -o half_joined half_joined.c
 */
#include <pthread.h>
#include <stdio.h>

int ready;
pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

void *run(void *number) {
    pthread_mutex_lock(&turn);
    ready += *(int *)number;
    pthread_mutex_unlock(&turn);
    return NULL;
}

int main(void) {
    static int state[] = {1, 2};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, run, &state[i]);
    pthread_join(threads[0], NULL);
    pthread_mutex_lock(&turn);
    printf("total %d\n", ready);
    pthread_mutex_unlock(&turn);
    return 0;
}
