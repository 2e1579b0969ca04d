/*
 * waits - waits five seconds by the call that is named, and says how long
 * Then it says what the call returned: a number, or the name of the error. The
 * suite "program" runs it in virtual time: each must take exactly 5 s.
 * Build: cc -O2 -pthread -o waits waits.c
 * Usage: ./waits CALL
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

/* What <poll.h> makes of poll and ppoll when programs are hardened. */
int __poll_chk(struct pollfd *, nfds_t, int, size_t);
int __ppoll_chk(
    struct pollfd *, nfds_t, const struct timespec *, const sigset_t *, size_t);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static mtx_t mtx;
static cnd_t cnd;
static sem_t semaphore;
static const struct timespec five = {5, 0};
static struct timespec real, boot; /* in five seconds, by the two clocks */
static struct epoll_event event;

/* ---------- Calls that return -1 and set errno ---------- */

static int by_sleep(void) {
    return (int)sleep(5);
}

static int by_usleep(void) {
    return usleep(5000000);
}

static int by_nanosleep(void) {
    return nanosleep(&five, NULL);
}

static int by_thrd_sleep(void) {
    return thrd_sleep(&five, NULL);
}

static int by_poll(void) {
    return poll(NULL, 0, 5000);
}

static int by_poll_chk(void) {
    return __poll_chk(NULL, 0, 5000, 0);
}

static int by_ppoll(void) {
    return ppoll(NULL, 0, &five, NULL);
}

static int by_ppoll_chk(void) {
    return __ppoll_chk(NULL, 0, &five, NULL, 0);
}

static int by_select(void) {
    struct timeval timeval = {5, 0};
    return select(0, NULL, NULL, NULL, &timeval);
}

static int by_pselect(void) {
    return pselect(0, NULL, NULL, NULL, &five, NULL);
}

static int by_epoll_wait(void) {
    return epoll_wait(epoll_create1(0), &event, 1, 5000);
}

static int by_epoll_pwait(void) {
    return epoll_pwait(epoll_create1(0), &event, 1, 5000, NULL);
}

static int by_epoll_pwait2(void) {
    return epoll_pwait2(epoll_create1(0), &event, 1, &five, NULL);
}

static int by_sem_timedwait(void) {
    return sem_timedwait(&semaphore, &real);
}

static int by_sem_clockwait(void) {
    return sem_clockwait(&semaphore, CLOCK_MONOTONIC, &boot);
}

/* A queue with room for one message of a byte. */
static mqd_t open_queue(void) {
    struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 1};
    char name[40];
    snprintf(name, sizeof name, "/kit-waits-%d", (int)getpid());
    mqd_t queue = mq_open(name, O_RDWR | O_CREAT, 0600, &attributes);
    if (queue == (mqd_t)-1)
        err(EXIT_FAILURE, "mq_open");
    mq_unlink(name);
    return queue;
}

static int by_mq_timedreceive(void) {
    char byte;
    return (int)mq_timedreceive(open_queue(), &byte, 1, NULL, &real);
}

static int by_mq_timedsend(void) {
    mqd_t queue = open_queue();
    if (mq_send(queue, "1", 1, 0) == -1)
        err(EXIT_FAILURE, "mq_send");
    return mq_timedsend(queue, "2", 1, 0, &real);
}

static int by_sigtimedwait(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return sigtimedwait(&set, NULL, &five);
}

/* An end of a pair of sockets with a time-out; nothing is ever sent. */
static int quiet_socket(void) {
    struct timeval timeval = {5, 0};
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1 ||
        setsockopt(
            ends[0], SOL_SOCKET, SO_RCVTIMEO, &timeval, sizeof timeval) == -1)
        err(EXIT_FAILURE, "socketpair");
    return ends[0];
}

static int by_recv(void) {
    char byte;
    return (int)recv(quiet_socket(), &byte, 1, 0);
}

static int by_recvfrom(void) {
    char byte;
    return (int)recvfrom(quiet_socket(), &byte, 1, 0, NULL, NULL);
}

static int by_recvmsg(void) {
    char byte;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    return (int)recvmsg(quiet_socket(), &message, 0);
}

static int by_read(void) {
    char byte;
    return (int)read(quiet_socket(), &byte, 1);
}

/* ---------- Calls that return the error ---------- */

static int by_clock_nanosleep(void) {
    return clock_nanosleep(CLOCK_MONOTONIC, 0, &five, NULL);
}

static int by_clock_nanosleep_until(void) {
    return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &boot, NULL);
}

static int by_clock_nanosleep_real(void) {
    return clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &real, NULL);
}

static int by_cond_timedwait(void) {
    pthread_mutex_lock(&mutex);
    return pthread_cond_timedwait(&cond, &mutex, &real);
}

static int by_cond_monotonic(void) {
    pthread_condattr_t attributes;
    pthread_cond_t other;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&other, &attributes);
    pthread_mutex_lock(&mutex);
    return pthread_cond_timedwait(&other, &mutex, &boot);
}

static int by_cond_clockwait(void) {
    pthread_mutex_lock(&mutex);
    return pthread_cond_clockwait(&cond, &mutex, CLOCK_MONOTONIC, &boot);
}

static int by_mutex_timedlock(void) {
    pthread_mutex_lock(&mutex);
    return pthread_mutex_timedlock(&mutex, &real);
}

static int by_mutex_clocklock(void) {
    pthread_mutex_lock(&mutex);
    return pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &boot);
}

static void *lock_for_ever(void *taken) {
    pthread_rwlock_wrlock(&rwlock);
    sem_post(taken);
    pause();
    return NULL;
}

/* Somebody else has the lock. */
static void take_rwlock(void) {
    pthread_t thread;
    sem_t taken;
    sem_init(&taken, 0, 0);
    if ((errno = pthread_create(&thread, NULL, lock_for_ever, &taken)) != 0)
        err(EXIT_FAILURE, "pthread_create");
    while (sem_wait(&taken) == -1)
        ;
}

static int by_timedrdlock(void) {
    take_rwlock();
    return pthread_rwlock_timedrdlock(&rwlock, &real);
}

static int by_timedwrlock(void) {
    take_rwlock();
    return pthread_rwlock_timedwrlock(&rwlock, &real);
}

static int by_clockrdlock(void) {
    take_rwlock();
    return pthread_rwlock_clockrdlock(&rwlock, CLOCK_MONOTONIC, &boot);
}

static int by_clockwrlock(void) {
    take_rwlock();
    return pthread_rwlock_clockwrlock(&rwlock, CLOCK_MONOTONIC, &boot);
}

/* C11: thrd_timedout is shown as ETIMEDOUT. */
static int by_cnd_timedwait(void) {
    mtx_lock(&mtx);
    return cnd_timedwait(&cnd, &mtx, &real) == thrd_timedout ? ETIMEDOUT : 0;
}

static int by_mtx_timedlock(void) {
    mtx_lock(&mtx);
    return mtx_timedlock(&mtx, &real) == thrd_timedout ? ETIMEDOUT : 0;
}

static const struct {
    const char *name;
    int (*wait)(void);
    int is_error; /* it returns the error */
} calls[] = {
    {"sleep", by_sleep, 0},
    {"usleep", by_usleep, 0},
    {"nanosleep", by_nanosleep, 0},
    {"thrd_sleep", by_thrd_sleep, 0},
    {"poll", by_poll, 0},
    {"__poll_chk", by_poll_chk, 0},
    {"ppoll", by_ppoll, 0},
    {"__ppoll_chk", by_ppoll_chk, 0},
    {"select", by_select, 0},
    {"pselect", by_pselect, 0},
    {"epoll_wait", by_epoll_wait, 0},
    {"epoll_pwait", by_epoll_pwait, 0},
    {"epoll_pwait2", by_epoll_pwait2, 0},
    {"sem_timedwait", by_sem_timedwait, 0},
    {"sem_clockwait", by_sem_clockwait, 0},
    {"mq_timedreceive", by_mq_timedreceive, 0},
    {"mq_timedsend", by_mq_timedsend, 0},
    {"sigtimedwait", by_sigtimedwait, 0},
    {"recv", by_recv, 0},
    {"recvfrom", by_recvfrom, 0},
    {"recvmsg", by_recvmsg, 0},
    {"read of a socket", by_read, 0},
    {"clock_nanosleep", by_clock_nanosleep, 1},
    {"clock_nanosleep until", by_clock_nanosleep_until, 1},
    {"clock_nanosleep real", by_clock_nanosleep_real, 1},
    {"pthread_cond_timedwait", by_cond_timedwait, 1},
    {"pthread_cond_timedwait monotonic", by_cond_monotonic, 1},
    {"pthread_cond_clockwait", by_cond_clockwait, 1},
    {"pthread_mutex_timedlock", by_mutex_timedlock, 1},
    {"pthread_mutex_clocklock", by_mutex_clocklock, 1},
    {"pthread_rwlock_timedrdlock", by_timedrdlock, 1},
    {"pthread_rwlock_timedwrlock", by_timedwrlock, 1},
    {"pthread_rwlock_clockrdlock", by_clockrdlock, 1},
    {"pthread_rwlock_clockwrlock", by_clockwrlock, 1},
    {"cnd_timedwait", by_cnd_timedwait, 1},
    {"mtx_timedlock", by_mtx_timedlock, 1},
};
enum { CALLS = sizeof calls / sizeof calls[0] };

int main(int argc, char *argv[]) {
    struct timespec start, end;
    int at = 0;
    while (argc == 2 && at < CALLS && strcmp(calls[at].name, argv[1]) != 0)
        at++;
    if (argc != 2 || at == CALLS)
        errx(2, "usage: waits CALL");
    if (mtx_init(&mtx, mtx_timed) != thrd_success ||
        cnd_init(&cnd) != thrd_success || sem_init(&semaphore, 0, 0) == -1)
        errx(EXIT_FAILURE, "mtx_init, cnd_init or sem_init");
    clock_gettime(CLOCK_REALTIME, &real);
    clock_gettime(CLOCK_MONOTONIC, &boot);
    start = boot;
    real.tv_sec += 5;
    boot.tv_sec += 5;
    int result = calls[at].wait();
    int error = calls[at].is_error ? result : result == -1 ? errno : 0;
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.9f ", (double)(end.tv_sec - start.tv_sec) +
                        (double)(end.tv_nsec - start.tv_nsec) / 1e9);
    if (error != 0)
        printf("%s\n", strerrorname_np(error));
    else
        printf("%d\n", result);
    return EXIT_SUCCESS;
}
