/*
 * clocks - waits and looks at clocks in ways that are rarer, each right
 * Build: cc -pthread -o clocks clocks.c
 * Usage: ./clocks timedjoin|tryjoin|clocklock|seed
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int count;

static void *work(void *how) {
    struct timespec until = {60, 0};
    struct timeval now = {0, 0};
    if (strcmp(how, "seed") == 0)
        gettimeofday(&now, NULL);
    for (long i = now.tv_usec % 3; i >= 0; i--) {
        if (strcmp(how, "clocklock") == 0)
            pthread_mutex_clocklock(&lock, CLOCK_MONOTONIC, &until);
        else
            pthread_mutex_lock(&lock);
        count++;
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

int main(int argc, char *argv[]) {
    char how[20];
    struct timespec until;
    pthread_t a, b;
    snprintf(how, sizeof how, "%s", argc > 1 ? argv[1] : "timedjoin");
    timespec_get(&until, TIME_UTC);
    until.tv_sec += 60;
    pthread_create(&a, NULL, work, how);
    pthread_create(&b, NULL, work, how);
    if (strcmp(how, "tryjoin") == 0)
        while (pthread_tryjoin_np(a, NULL) == EBUSY)
            sched_yield();
    else if (pthread_timedjoin_np(a, NULL, &until) != 0)
        return 1;
    pthread_join(b, NULL);
    printf("%d\n", count);
    return count != 2;
}
