/*
 * partial_sums - two threads add into variables of main, which joins one
 * Build: cc -pthread -o partial_sums partial_sums.c
 * Usage: ./partial_sums
 */
#include <pthread.h>
#include <stdio.h>

struct task {
    int from, to;
    long sum;
};

static void *add(void *arg) {
    struct task *task = arg;

    for (int i = task->from; i < task->to; i++)
        task->sum += i;
    return NULL;
}

static long total(const struct task *tasks) {
    return tasks[0].sum + tasks[1].sum;
}

int main(void) {
    struct task tasks[2] = {{0, 3, 0}, {3, 6, 0}};
    pthread_t threads[2];

    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, add, &tasks[i]);
    pthread_join(threads[0], NULL);
    printf("%ld\n", total(tasks));
    return 0;
}
