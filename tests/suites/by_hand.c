/*
 * by_hand.c - a program that the test drives itself: see by_hand.h
 */
#define _GNU_SOURCE
#include "suites/by_hand.h"

#include <err.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SAFETY_MS = 20000 };

/* Removes what a program with this name and id has left in the kernel: they
 * name it after themselves and their id. */
static void clear_names(const char *program, pid_t pid, struct verdict *v) {
    const char *slash = strrchr(program, '/');
    char path[100];

    snprintf(path, sizeof path, "/dev/shm/%s-%d",
        slash == NULL ? program : slash + 1, (int)pid);
    if (unlink(path) == 0)
        verdict_fail(v, "it left %s", path);
    if (mq_unlink(path + strlen("/dev/shm")) == 0)
        verdict_fail(
            v, "it left the message queue %s", path + strlen("/dev/shm"));
}

void hand_start(struct hand *hand, const char *const *argv) {
    int ends[2];

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    *hand = (struct hand){.program = argv[0]};
    if (pipe2(ends, O_CLOEXEC) == -1 || (hand->pid = fork()) == -1)
        err(EXIT_FAILURE, "fork");
    if (hand->pid == 0) {
        struct verdict of_another = {0}; /* which had this id before */
        clear_names(argv[0], getpid(), &of_another);
        signal(SIGINT, SIG_DFL);
        signal(SIGPIPE, SIG_DFL);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && setpgid(0, 0) == 0 &&
            dup2(ends[1], 1) != -1 && dup2(ends[1], 2) != -1)
            execv(argv[0], (char *const *)argv);
        _exit(127);
    }
    close(ends[1]);
    hand->fd = ends[0];
    hand->pidfd = (int)syscall(SYS_pidfd_open, hand->pid, 0);
}

static int64_t now_ms(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool hand_read(struct hand *hand, const char *words) {
    struct pollfd pipe = {.fd = hand->fd, .events = POLLIN};
    int64_t deadline = now_ms() + SAFETY_MS;

    while (words == NULL || strstr(hand->text, words) == NULL) {
        size_t room = sizeof hand->text - 1 - hand->length;
        int64_t left = deadline - now_ms();
        if (room == 0 || left <= 0 || poll(&pipe, 1, (int)left) != 1)
            return false;
        ssize_t got = read(hand->fd, hand->text + hand->length, room);
        if (got <= 0)
            return false;
        hand->length += (size_t)got;
    }
    return true;
}

int hand_wait(struct hand *hand) {
    struct pollfd end = {.fd = hand->pidfd, .events = POLLIN};
    int status = -1;

    if (poll(&end, 1, SAFETY_MS) != 1)
        kill(hand->pid, SIGKILL), kill(-hand->pid, SIGKILL);
    else
        waitpid(hand->pid, &status, 0);
    if (status == -1)
        waitpid(hand->pid, NULL, 0);
    return status;
}

/* The number behind "\nName:" in a status file. */
static unsigned long long field(
    const char *status, const char *name, int base) {
    const char *at = strstr(status, name);

    return at == NULL ? 0 : strtoull(at + strlen(name), NULL, base);
}

/* The CPU time that a process has used, or 0 when it is gone. */
static int64_t cpu_ms(pid_t pid) {
    struct timespec used;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) != 0 ||
        clock_gettime(clock, &used) == -1)
        return 0;
    return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

/* An orphan that was sent a deadly signal ends soon, however busy the machine
 * is: it is waited for. One that sleeps, in two looks, without having run and
 * with no signal pending, was sent none; nor was one that goes on to compute
 * for half a second of CPU time. */
static bool lives_on(pid_t pid) {
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd end = {.fd = pidfd, .events = POLLIN};
    unsigned long long before = 0, switches = 0;
    int64_t cpu = cpu_ms(pid);
    bool asleep = false;

    for (int look = 0; look < SAFETY_MS / 10 && !asleep; look++) {
        char path[40], text[4096] = "";
        if (poll(&end, 1, 10) == 1 || cpu_ms(pid) > cpu + 500)
            break;
        snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd == -1 || read(fd, text, sizeof text - 1) == -1)
            text[0] = '\0';
        close(fd);
        before = switches;
        switches = field(text, "\nvoluntary_ctxt_switches:", 10);
        asleep = look > 0 && switches == before &&
                 strstr(text, "\nState:\tS") != NULL &&
                 field(text, "\nSigPnd:", 16) == 0 &&
                 field(text, "\nShdPnd:", 16) == 0;
    }
    bool ended = poll(&end, 1, 0) == 1;
    if (!ended)
        kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(pidfd);
    return !ended;
}

/* Orphans become children of this process, the subreaper. */
static void judge_orphans(struct verdict *v) {
    char path[64];
    int pid;

    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)gettid());
    for (;;) {
        FILE *children = fopen(path, "re");
        if (children == NULL)
            err(EXIT_FAILURE, "%s", path);
        int found = fscanf(children, "%d", &pid);
        fclose(children);
        if (found != 1)
            return;
        if (lives_on(pid))
            verdict_fail(v, "a child (pid %d) lives on", pid);
    }
}

void hand_end(struct hand *hand, struct verdict *v) {
    judge_orphans(v);
    clear_names(hand->program, hand->pid, v);
    close(hand->fd);
    close(hand->pidfd);
}

pid_t hand_child(const struct hand *hand, int wanted) {
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)hand->pid,
        (int)hand->pid);
    for (int look = 0; look < SAFETY_MS; look++) {
        int count = 0, pid = 0;
        FILE *children = fopen(path, "re");
        while (children != NULL && fscanf(children, "%d", &pid) == 1)
            if (++count == wanted)
                break;
        if (children != NULL)
            fclose(children);
        if (count == wanted)
            return pid;
        poll(NULL, 0, 1);
    }
    return 0;
}

bool hand_kill(const struct hand *hand, int number) {
    pid_t child = hand_child(hand, number);

    return child != 0 && kill(child, SIGKILL) == 0;
}
