/*
 * reads_much - whoever reads the same thing very often need not wait for it
 * Build: cc -pthread -o reads_much reads_much.c
 * Usage: ./reads_much sleep|timed|clock
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int rows = 2000; /* read for every row, and never changed */
static atomic_bool over;
static sem_t done;

static void *add_rows(void *arg) {
    long *sum = arg;
    for (int i = 0; i < rows; i++)
        *sum += i;
    over = true;
    sem_post(&done);
    return NULL;
}

static void *wait_a_second(void *arg) {
    time_t end = time(NULL) + 1;
    while (time(NULL) < end)
        usleep(50);
    return arg;
}

int main(int argc, char *argv[]) {
    char how = argc > 1 ? *argv[1] : 's';
    struct timespec until;
    pthread_t thread;
    long sum = 0;
    sem_init(&done, 0, 0);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    pthread_create(&thread, NULL, how == 'c' ? wait_a_second : add_rows, &sum);
    while (how == 's' && !over)
        usleep(10000);
    if (how == 't' && sem_timedwait(&done, &until) == -1)
        return 1;
    pthread_join(thread, NULL);
    printf("%ld\n", sum);
    return 0;
}
