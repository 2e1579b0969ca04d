/*
 * increment_one_cpu - wrong: two threads, confined to one CPU
 * Rejected because: one CPU
 * Build: cc -O2 -pthread -o increment_one_cpu increment_one_cpu.c
 */
#define _GNU_SOURCE /* sched_setaffinity: Linux */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

static long times;

static void *work(void *first) {
    for (long task = *(long *)first; task <= 100; task += 2) {
        volatile long number = 0;
        printf("task %ld: counting to %ld ...\n", task, times);
        while (number < times)
            number += 1;
        printf("task %ld: counted to %ld\n", task, number);
    }
    return NULL;
}

int main(int argc, char *argv[]) {
    long firsts[] = {1, 2};
    pthread_t pool[2];
    cpu_set_t cpus;
    size_t cpu = 0;

    times = argc > 2 ? atol(argv[2]) : 1000000;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (sched_getaffinity(0, sizeof cpus, &cpus) == -1)
        return 1;
    while (!CPU_ISSET(cpu, &cpus))
        cpu++;
    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    if (sched_setaffinity(0, sizeof cpus, &cpus) == -1)
        return 1;
    for (int i = 0; i < 2; i++)
        if (pthread_create(&pool[i], NULL, work, &firsts[i]) != 0)
            return 1;
    for (int i = 0; i < 2; i++)
        pthread_join(pool[i], NULL);
    fprintf(stderr, "%ld increments in 0.01 s, 2 at a time\n", 100 * times);
    return 0;
}
