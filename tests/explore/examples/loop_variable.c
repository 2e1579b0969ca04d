/*
 * loop_variable - each thread gets the address of main's loop variable
 * Build: cc -pthread -o loop_variable loop_variable.c
 */
#include <pthread.h>
#include <stdio.h>

static double row[2];

static void *work(void *arg) {
    int mine = *(int *)arg; /* whichever it is by then */
    if (mine < 2)
        row[mine] += 0.5;
    return NULL;
}

int main(void) {
    pthread_t pool[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&pool[i], NULL, work, &i);
    for (int k = 0; k < 2; k++)
        pthread_join(pool[k], NULL);
    printf("%.1f %.1f\n", row[0], row[1]);
    return 0;
}
