/*
 * waits - waits five seconds by the call that is named, and says how long
 * The suite "program" runs it in virtual time: each must take exactly 5 s.
 * Build: cc -O2 -pthread -o waits waits.c
 * Usage: ./waits CALL
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
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
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static const struct timespec five = {5, 0};

static struct timespec in_five(clockid_t which) {
    struct timespec time;
    clock_gettime(which, &time);
    time.tv_sec += 5;
    return time;
}

static void by_cond(void) {
    struct timespec until = in_five(CLOCK_REALTIME);
    pthread_mutex_lock(&mutex);
    while (pthread_cond_timedwait(&cond, &mutex, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&mutex);
}

static void by_semaphore(void) {
    struct timespec until = in_five(CLOCK_REALTIME);
    sem_t semaphore;
    sem_init(&semaphore, 0, 0);
    while (sem_timedwait(&semaphore, &until) == -1 && errno == EINTR)
        ;
}

static void by_queue(void) {
    struct timespec until = in_five(CLOCK_REALTIME);
    char message[64];
    struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = sizeof message};
    mqd_t queue = mq_open("/kit-waits", O_RDWR | O_CREAT, 0600, &attributes);
    if (queue == (mqd_t)-1)
        err(EXIT_FAILURE, "mq_open");
    mq_unlink("/kit-waits");
    mq_timedreceive(queue, message, sizeof message, NULL, &until);
}

/* Another thread computes for a while: the clock must not move before it. */
static void *compute(void *unused) {
    for (volatile long i = 0; i < 20000000; i++)
        ;
    return unused;
}

static void by_sleep_beside_work(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, compute, NULL);
    sleep(5);
    pthread_join(thread, NULL);
}

static void by_child(void) {
    pid_t child = fork();
    if (child == 0)
        _exit(sleep(5) != 0);
    waitpid(child, NULL, 0);
}

static void on_alarm(int number) {
    (void)number;
}

static void by_alarm(void) {
    signal(SIGALRM, on_alarm);
    alarm(5);
    pause();
}

static void by_sleep_beside_zombie(void) {
    if (fork() == 0)
        _exit(0);
    sleep(5);
}

/* Its own sleep would have ended before this one. */
static void by_sleep_beside_killed(void) {
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
}

static void wait_by(const char *call) {
    struct timespec until = in_five(CLOCK_MONOTONIC);
    struct timeval timeval = {5, 0};
    struct epoll_event event;
    if (strcmp(call, "sleep") == 0)
        sleep(5);
    else if (strcmp(call, "usleep") == 0)
        usleep(5000000);
    else if (strcmp(call, "nanosleep") == 0)
        nanosleep(&five, NULL);
    else if (strcmp(call, "thrd_sleep") == 0)
        thrd_sleep(&five, NULL);
    else if (strcmp(call, "clock_nanosleep") == 0)
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    else if (strcmp(call, "poll") == 0)
        poll(NULL, 0, 5000);
    else if (strcmp(call, "select") == 0)
        select(0, NULL, NULL, NULL, &timeval);
    else if (strcmp(call, "epoll_wait") == 0)
        epoll_wait(epoll_create1(0), &event, 1, 5000);
    else if (strcmp(call, "pthread_cond_timedwait") == 0)
        by_cond();
    else if (strcmp(call, "sem_timedwait") == 0)
        by_semaphore();
    else if (strcmp(call, "mq_timedreceive") == 0)
        by_queue();
    else if (strcmp(call, "waitpid") == 0)
        by_child();
    else if (strcmp(call, "alarm") == 0)
        by_alarm();
    else if (strcmp(call, "sleep beside work") == 0)
        by_sleep_beside_work();
    else if (strcmp(call, "past the clock") == 0)
        syscall(SYS_nanosleep, &(struct timespec){0, 50000000}, NULL);
    else if (strcmp(call, "for ever") == 0)
        pause();
    else if (strcmp(call, "zombie") == 0)
        by_sleep_beside_zombie();
    else if (strcmp(call, "killed") == 0)
        by_sleep_beside_killed();
    else
        errx(2, "%s: no such call", call);
}

int main(int argc, char *argv[]) {
    struct timespec start, end;
    if (argc != 2)
        errx(2, "usage: waits CALL");
    clock_gettime(CLOCK_MONOTONIC, &start);
    wait_by(argv[1]);
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.9f\n", (double)(end.tv_sec - start.tv_sec) +
                         (double)(end.tv_nsec - start.tv_nsec) / 1e9);
    return EXIT_SUCCESS;
}
