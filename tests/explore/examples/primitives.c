/*
 * primitives - uses what explore knows, each in a way that is right
 * Build: cc -pthread -o primitives primitives.c
 * Usage: ./primitives barrier|once|rwlock|semaphore|spin|try|timed|recursive|
 *        detach|sleep|errorcheck|exit
 * With glibc: musl has no initializers for recursive mutexes (..._NP).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t nested = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_mutex_t strict = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_barrier_t barrier;
static pthread_spinlock_t spin;
static sem_t semaphore;
static int number, parts[2];
static atomic_int flag;

static void init(void) {
    number = 2;
}

static void locked(const char *how) {
    int error = 0;
    if (strcmp(how, "try") == 0)
        while (pthread_mutex_trylock(&lock) == EBUSY)
            sched_yield();
    else if (strcmp(how, "recursive") == 0)
        pthread_mutex_lock(&nested), pthread_mutex_lock(&nested);
    else if (strcmp(how, "errorcheck") == 0)
        pthread_mutex_lock(&strict), error = pthread_mutex_lock(&strict);
    else if (strcmp(how, "spin") == 0)
        pthread_spin_lock(&spin);
    else if (strcmp(how, "semaphore") == 0)
        sem_wait(&semaphore);
    else
        pthread_rwlock_wrlock(&rw);
    number++;
    if (strcmp(how, "try") == 0)
        pthread_mutex_unlock(&lock);
    else if (strcmp(how, "recursive") == 0)
        pthread_mutex_unlock(&nested), pthread_mutex_unlock(&nested);
    else if (strcmp(how, "errorcheck") == 0) {
        pthread_mutex_unlock(&strict);
        if (error != EDEADLK || pthread_mutex_unlock(&strict) != EPERM)
            exit(1);
    } else if (strcmp(how, "spin") == 0)
        pthread_spin_unlock(&spin);
    else if (strcmp(how, "semaphore") == 0)
        sem_post(&semaphore);
    else
        pthread_rwlock_unlock(&rw);
}

static void wait_in_vain(void) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 5;
    pthread_mutex_lock(&lock);
    int error = 0;
    while (error == 0) /* spurious wake-ups are to be expected */
        error = pthread_cond_timedwait(&never, &lock, &until);
    number += error == ETIMEDOUT;
    pthread_mutex_unlock(&lock);
}

struct job {
    const char *how;
    int me;
};

static void *work(void *arg) {
    const struct job *job = arg;
    if (strcmp(job->how, "barrier") == 0) {
        parts[job->me] = 1;
        pthread_barrier_wait(&barrier);
        if (job->me == 0)
            number = parts[0] + parts[1];
    } else if (strcmp(job->how, "once") == 0) {
        pthread_once(&once, init);
        if (number != 2)
            exit(1);
    } else if (strcmp(job->how, "timed") == 0) {
        wait_in_vain();
    } else if (strcmp(job->how, "sleep") == 0) {
        sleep(job->me ? 1 : 2); /* one after the other */
        if (atomic_fetch_add(&flag, 1) != 1 - job->me)
            exit(1);
    } else if (strcmp(job->how, "detach") == 0) {
        atomic_fetch_add(&flag, 1);
    } else if (strcmp(job->how, "exit") == 0) {
        pthread_exit(memset(&parts[job->me], 1, 1));
    } else
        locked(job->how);
    return &parts[job->me];
}

int main(int argc, char *argv[]) {
    const char *how = argc > 1 ? argv[1] : "rwlock";
    struct job jobs[2] = {{how, 0}, {how, 1}};
    pthread_t pool[2];
    void *result;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    sem_init(&semaphore, 0, 1);
    for (int i = 0; i < 2; i++)
        pthread_create(&pool[i], NULL, work, &jobs[i]);
    if (strcmp(how, "detach") == 0) {
        for (int i = 0; i < 2; i++)
            pthread_detach(pool[i]);
        while (flag < 2)
            continue;
        number = flag;
    } else
        for (int i = 0; i < 2; i++) {
            pthread_join(pool[i], &result);
            if (result != &parts[i])
                return 1;
        }
    if (strcmp(how, "sleep") == 0)
        number = flag;
    if (strcmp(how, "exit") == 0)
        number = parts[0] + parts[1];
    printf("%d\n", number);
    return number != 2;
}
