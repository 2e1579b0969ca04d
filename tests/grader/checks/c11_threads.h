/*
 * c11_threads.h - C11 threads by POSIX threads, for explore and sanitizers
 *
 * They see calls of pthread_* only. In glibc C11 threads are POSIX threads, and
 * a mtx_t has room for a pthread_mutex_t. The checks put this text in front of
 * a submission that uses them.
 */
#ifndef C11_THREADS_H
#define C11_THREADS_H

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>

struct kit_start {
    thrd_start_t function;
    void *argument;
};

static inline int kit_result(int error) {
    return error == 0           ? thrd_success
           : error == EBUSY     ? thrd_busy
           : error == ETIMEDOUT ? thrd_timedout
           : error == ENOMEM    ? thrd_nomem
                                : thrd_error;
}

static inline void *kit_begin(void *argument) {
    struct kit_start start = *(struct kit_start *)argument;

    free(argument);
    return (void *)(long)start.function(start.argument);
}

static inline int kit_thrd_create(
    thrd_t *thread, thrd_start_t function, void *argument) {
    struct kit_start *start = malloc(sizeof *start);

    if (start == NULL)
        return thrd_nomem;
    *start = (struct kit_start){function, argument};
    return kit_result(pthread_create(thread, NULL, kit_begin, start));
}

static inline int kit_thrd_join(thrd_t thread, int *result) {
    void *value;
    int error = pthread_join(thread, &value);

    if (error == 0 && result != NULL)
        *result = (int)(long)value;
    return kit_result(error);
}

static inline int kit_thrd_detach(thrd_t thread) {
    return kit_result(pthread_detach(thread));
}

static inline void kit_thrd_exit(int result) {
    pthread_exit((void *)(long)result);
}

static inline int kit_thrd_sleep(
    const struct timespec *length, struct timespec *left) {
    return nanosleep(length, left);
}

static inline int kit_mtx_init(mtx_t *mutex, int type) {
    pthread_mutexattr_t recursive;
    int error;

    if (!(type & mtx_recursive))
        return kit_result(pthread_mutex_init((pthread_mutex_t *)mutex, NULL));
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    error = pthread_mutex_init((pthread_mutex_t *)mutex, &recursive);
    pthread_mutexattr_destroy(&recursive);
    return kit_result(error);
}

static inline int kit_mtx_lock(mtx_t *mutex) {
    return kit_result(pthread_mutex_lock((pthread_mutex_t *)mutex));
}

static inline int kit_mtx_timedlock(
    mtx_t *mutex, const struct timespec *until) {
    return kit_result(pthread_mutex_timedlock((pthread_mutex_t *)mutex, until));
}

static inline int kit_mtx_trylock(mtx_t *mutex) {
    return kit_result(pthread_mutex_trylock((pthread_mutex_t *)mutex));
}

static inline int kit_mtx_unlock(mtx_t *mutex) {
    return kit_result(pthread_mutex_unlock((pthread_mutex_t *)mutex));
}

static inline void kit_mtx_destroy(mtx_t *mutex) {
    pthread_mutex_destroy((pthread_mutex_t *)mutex);
}

static inline int kit_cnd_init(cnd_t *condition) {
    return kit_result(pthread_cond_init((pthread_cond_t *)condition, NULL));
}

static inline int kit_cnd_wait(cnd_t *condition, mtx_t *mutex) {
    return kit_result(pthread_cond_wait(
        (pthread_cond_t *)condition, (pthread_mutex_t *)mutex));
}

static inline int kit_cnd_timedwait(
    cnd_t *condition, mtx_t *mutex, const struct timespec *until) {
    return kit_result(pthread_cond_timedwait(
        (pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until));
}

static inline int kit_cnd_signal(cnd_t *condition) {
    return kit_result(pthread_cond_signal((pthread_cond_t *)condition));
}

static inline int kit_cnd_broadcast(cnd_t *condition) {
    return kit_result(pthread_cond_broadcast((pthread_cond_t *)condition));
}

static inline void kit_cnd_destroy(cnd_t *condition) {
    pthread_cond_destroy((pthread_cond_t *)condition);
}

static inline void kit_call_once(once_flag *flag, void (*function)(void)) {
    pthread_once((pthread_once_t *)flag, function);
}

#define thrd_create kit_thrd_create
#define thrd_join kit_thrd_join
#define thrd_detach kit_thrd_detach
#define thrd_exit kit_thrd_exit
#define thrd_sleep kit_thrd_sleep
#define thrd_yield sched_yield
#define mtx_init kit_mtx_init
#define mtx_lock kit_mtx_lock
#define mtx_timedlock kit_mtx_timedlock
#define mtx_trylock kit_mtx_trylock
#define mtx_unlock kit_mtx_unlock
#define mtx_destroy kit_mtx_destroy
#define cnd_init kit_cnd_init
#define cnd_wait kit_cnd_wait
#define cnd_timedwait kit_cnd_timedwait
#define cnd_signal kit_cnd_signal
#define cnd_broadcast kit_cnd_broadcast
#define cnd_destroy kit_cnd_destroy
#define call_once kit_call_once

#endif
