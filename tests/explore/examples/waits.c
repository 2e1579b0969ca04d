/*
 * waits - waits that a schedule must not make endless, each of them right
 * Build: cc -pthread -o waits waits.c
 * Usage: ./waits stack_flag|timed_ready|spurious_timed
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static sem_t began;
static bool go;

static void *spin(void *flag) {
    while (!atomic_load((atomic_int *)flag))
        sched_yield();
    return NULL;
}

/* The flag is on the stack of the thread that sets it. */
static void stack_flag(void) {
    atomic_int flag = 0;
    pthread_t thread;
    pthread_create(&thread, NULL, spin, &flag);
    atomic_store(&flag, 1);
    pthread_join(thread, NULL);
}

static void *wait_once(void *unused) {
    pthread_mutex_lock(&lock);
    pthread_cond_wait(&change, &lock);
    pthread_mutex_unlock(&lock);
    return unused;
}

static void *wait_timed(void *unused) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 2;
    pthread_mutex_lock(&lock);
    pthread_cond_timedwait(&change, &lock, &until);
    pthread_cond_signal(&change);
    pthread_mutex_unlock(&lock);
    return unused;
}

static void *wait_go(void *unused) {
    sem_wait(&began);
    pthread_mutex_lock(&lock);
    while (!go)
        pthread_cond_wait(&change, &lock);
    pthread_mutex_unlock(&lock);
    return unused;
}

/* The time comes when a signal is there that the other thread then takes. */
static void timed_ready(void) {
    pthread_t other, timed;
    pthread_create(&other, NULL, wait_once, NULL);
    pthread_create(&timed, NULL, wait_timed, NULL);
    sleep(1);
    pthread_mutex_lock(&lock);
    pthread_cond_signal(&change);
    sleep(5);
    pthread_mutex_unlock(&lock);
    pthread_join(timed, NULL);
    pthread_cond_signal(&change);
    pthread_join(other, NULL);
}

/* The time comes when the wait is over already, without a signal. */
static void spurious_timed(void) {
    pthread_t other, timed;
    pthread_create(&other, NULL, wait_go, NULL);
    pthread_create(&timed, NULL, wait_timed, NULL);
    sched_yield();
    pthread_mutex_lock(&lock);
    sleep(5);
    pthread_mutex_unlock(&lock);
    pthread_join(timed, NULL);
    sem_post(&began);
    sleep(1);
    pthread_mutex_lock(&lock);
    go = true;
    pthread_cond_broadcast(&change);
    pthread_mutex_unlock(&lock);
    pthread_join(other, NULL);
}

int main(int argc, char *argv[]) {
    const char *how = argc > 1 ? argv[1] : "stack_flag";
    sem_init(&began, 0, 0);
    if (strcmp(how, "stack_flag") == 0)
        stack_flag();
    else if (strcmp(how, "timed_ready") == 0)
        timed_ready();
    else
        spurious_timed();
    puts("ok");
    return 0;
}
