/*
 * timers - lets five seconds pass by an alarm, a timer, or beside others
 * Says how long that took and how often the alarm or the timer came. The suite
 * "program" runs it in virtual time. See waits.c for calls that wait.
 * Build: cc -O2 -pthread -o timers timers.c
 * Usage: ./timers WAY
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct timespec five = {5, 0};
static struct timespec real; /* in five seconds */

/* ---------- Alarms and timers: how often they came ---------- */

static volatile sig_atomic_t rung;

static void on_alarm(int number) {
    (void)number;
    rung++;
}

static int by_alarm(void) {
    signal(SIGALRM, on_alarm);
    alarm(5);
    pause();
    return rung;
}

static int by_ualarm(void) {
    signal(SIGALRM, on_alarm);
    ualarm(500000, 500000);
    while (rung < 10)
        pause();
    return rung;
}

static int by_setitimer(void) {
    struct itimerval timer = {{1, 0}, {1, 0}};
    signal(SIGALRM, on_alarm);
    if (setitimer(ITIMER_REAL, &timer, NULL) == -1)
        err(EXIT_FAILURE, "setitimer");
    while (rung < 5)
        pause();
    return rung;
}

static int set_timerfd(clockid_t id, int flags, struct itimerspec when) {
    int fd = timerfd_create(id, TFD_CLOEXEC);
    if (fd == -1 || timerfd_settime(fd, flags, &when, NULL) == -1)
        err(EXIT_FAILURE, "timerfd");
    return fd;
}

static int expirations(int fd) {
    unsigned long count = 0;
    if (read(fd, &count, sizeof count) != (ssize_t)sizeof count)
        err(EXIT_FAILURE, "read");
    return (int)count;
}

static int by_timerfd(void) {
    return expirations(
        set_timerfd(CLOCK_MONOTONIC, 0, (struct itimerspec){{0, 0}, five}));
}

static int by_timerfd_until(void) {
    return expirations(set_timerfd(
        CLOCK_REALTIME, TFD_TIMER_ABSTIME, (struct itimerspec){{0, 0}, real}));
}

/* Two of its five ticks come while nobody reads; one timer that would come
 * later is switched off, and one is closed. */
static int by_timerfd_ticks(void) {
    struct itimerspec second = {{1, 0}, {1, 0}}, never = {{0, 0}, {0, 0}}, left;
    int fd = set_timerfd(CLOCK_MONOTONIC, 0, second), count = 0;
    int off = set_timerfd(CLOCK_MONOTONIC, 0, second);
    close(set_timerfd(CLOCK_MONOTONIC, 0, second));
    timerfd_gettime(off, &left);
    if (left.it_value.tv_sec != 1 || left.it_interval.tv_sec != 1 ||
        timerfd_settime(off, 0, &never, NULL) == -1)
        errx(EXIT_FAILURE, "timerfd_gettime");
    struct pollfd ready[] = {{fd, POLLIN, 0}, {off, POLLIN, 0}};
    sleep(2);
    while (count < 5 && poll(ready, 2, -1) == 1)
        count += expirations(fd);
    return count;
}

static timer_t make_timer(struct sigevent how, struct itimerspec when) {
    timer_t timer;
    if (timer_create(CLOCK_MONOTONIC, &how, &timer) == -1 ||
        timer_settime(timer, 0, &when, NULL) == -1)
        err(EXIT_FAILURE, "timer_create");
    return timer;
}

static void on_timer(int number, siginfo_t *info, void *context) {
    (void)number, (void)context;
    rung += info->si_value.sival_int;
}

/* Five ticks that say 1 each; another timer is deleted before it is due. */
static int by_timer_create(void) {
    struct sigaction action = {
        .sa_sigaction = on_timer, .sa_flags = SA_SIGINFO};
    struct itimerspec second = {{1, 0}, {1, 0}}, left;
    struct sigevent how = {.sigev_notify = SIGEV_SIGNAL,
        .sigev_signo = SIGRTMIN,
        .sigev_value.sival_int = 1};
    sigaction(SIGRTMIN, &action, NULL);
    timer_t timer = make_timer(how, second);
    timer_delete(make_timer(how, second));
    while (rung < 5)
        pause();
    timer_gettime(timer, &left);
    return left.it_value.tv_sec == 1 ? rung : -1;
}

static sem_t called;

static void call_back(union sigval value) {
    rung += value.sival_int;
    sem_post(&called);
}

/* The same by calls in another thread. */
static int by_function(void) {
    struct itimerspec second = {{1, 0}, {1, 0}}, left;
    struct sigevent how = {
        .sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = 1};
    how.sigev_notify_function = call_back;
    sem_init(&called, 0, 0);
    timer_t timer = make_timer(how, second);
    timer_delete(make_timer(how, second));
    for (int i = 0; i < 5; i++)
        sem_wait(&called);
    timer_gettime(timer, &left);
    timer_delete(timer);
    return left.it_value.tv_sec == 1 ? rung : -1;
}

static volatile pid_t thread_of_timer;

static void on_timer_of_thread(int number) {
    (void)number;
    rung += syscall(SYS_gettid) == thread_of_timer;
}

static void *wait_for_own_timer(void *unused) {
    struct itimerspec second = {{1, 0}, {1, 0}};
    struct sigevent how = {
        .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
    how._sigev_un._tid = thread_of_timer = (pid_t)syscall(SYS_gettid);
    make_timer(how, second);
    while (rung < 5)
        pause();
    return unused;
}

/* The ticks are for a thread that is not the first. */
static int by_thread_signal(void) {
    pthread_t thread;
    signal(SIGRTMIN, on_timer_of_thread);
    if ((errno = pthread_create(&thread, NULL, wait_for_own_timer, NULL)) != 0)
        err(EXIT_FAILURE, "pthread_create");
    return pthread_join(thread, NULL) == 0 ? rung : -1;
}

/* ---------- Beside others ---------- */

/* Another thread computes for a while: the clock must not move before it. */
static void *compute(void *unused) {
    for (volatile long i = 0; i < 20000000; i++)
        ;
    return unused;
}

static int sleep_beside_work(void) {
    pthread_t thread;
    if ((errno = pthread_create(&thread, NULL, compute, NULL)) != 0)
        err(EXIT_FAILURE, "pthread_create");
    sleep(5);
    return pthread_join(thread, NULL);
}

static int by_waitpid(void) {
    pid_t child = fork();
    if (child == 0)
        _exit(sleep(5) != 0);
    return waitpid(child, NULL, 0) == child ? 0 : -1;
}

static int sleep_beside_zombie(void) {
    if (fork() == 0)
        _exit(0);
    return (int)sleep(5);
}

/* Its own sleep would have ended before this one. */
static int sleep_beside_killed(void) {
    int ends[2];
    char byte;
    if (pipe(ends) == -1)
        exit(EXIT_FAILURE);
    pid_t pid = fork();
    if (pid == 0) {
        if (write(ends[1], "", 1) == 1)
            sleep(3);
        _exit(0);
    }
    if (read(ends[0], &byte, 1) != 1)
        exit(EXIT_FAILURE);
    sleep(1); /* it sleeps by now */
    kill(pid, SIGKILL);
    sleep(4);
    return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

/* ---------- What the clock does not see ---------- */

/* These wait until the suite has seen by what, and sends SIGTERM. */
static const struct timespec long_enough = {1000, 0};

static int past_the_clock(void) {
    signal(SIGTERM, on_alarm);
    return (int)syscall(SYS_nanosleep, &long_enough, NULL);
}

/* By system calls alone: the clock does not see that there is one. */
static int by_bare_timer(void) {
    struct itimerspec when = {{0, 0}, long_enough};
    int timer;
    signal(SIGTERM, on_alarm);
    if (syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &timer) == -1 ||
        syscall(SYS_timer_settime, timer, 0, &when, NULL) == -1)
        err(EXIT_FAILURE, "timer_create");
    return pause();
}

static int by_semtimedop(void) {
    struct sembuf take = {0, -1, 0};
    int set = semget(IPC_PRIVATE, 1, 0600);
    signal(SIGTERM, on_alarm);
    if (set == -1)
        err(EXIT_FAILURE, "semget");
    int got = semtimedop(set, &take, 1, &long_enough);
    semctl(set, 0, IPC_RMID);
    return got;
}

/* Comes while it computes, and then no more. */
static int for_ever_with_cpu_timer(void) {
    struct itimerspec moment = {{0, 0}, {0, 1000000}};
    timer_t timer;
    signal(SIGALRM, on_alarm);
    if (timer_create(CLOCK_PROCESS_CPUTIME_ID, NULL, &timer) == -1 ||
        timer_settime(timer, 0, &moment, NULL) == -1)
        err(EXIT_FAILURE, "timer_create");
    while (rung == 0)
        poll(NULL, 0, 0); /* ThreadSanitizer lets a signal through here */
    return pause();
}

static int for_ever(void) {
    return pause();
}

static const struct {
    const char *name;
    int (*wait)(void);
} calls[] = {
    {"alarm", by_alarm},
    {"ualarm", by_ualarm},
    {"setitimer", by_setitimer},
    {"timerfd", by_timerfd},
    {"timerfd until", by_timerfd_until},
    {"timerfd ticks", by_timerfd_ticks},
    {"timer_create", by_timer_create},
    {"timer_create with a function", by_function},
    {"timer for a thread", by_thread_signal},
    {"waitpid", by_waitpid},
    {"sleep beside work", sleep_beside_work},
    {"sleep beside zombie", sleep_beside_zombie},
    {"sleep beside killed", sleep_beside_killed},
    {"past the clock", past_the_clock},
    {"bare timer", by_bare_timer},
    {"semtimedop", by_semtimedop},
    {"for ever", for_ever},
    {"for ever with CPU timer", for_ever_with_cpu_timer},
};
enum { CALLS = sizeof calls / sizeof calls[0] };

int main(int argc, char *argv[]) {
    struct timespec start, end;
    int at = 0;
    while (argc == 2 && at < CALLS && strcmp(calls[at].name, argv[1]) != 0)
        at++;
    if (argc != 2 || at == CALLS)
        errx(2, "usage: timers WAY");
    clock_gettime(CLOCK_REALTIME, &real);
    real.tv_sec += 5;
    clock_gettime(CLOCK_MONOTONIC, &start);
    int result = calls[at].wait();
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.9f %d\n",
        (double)(end.tv_sec - start.tv_sec) +
            (double)(end.tv_nsec - start.tv_nsec) / 1e9,
        result);
    return EXIT_SUCCESS;
}
