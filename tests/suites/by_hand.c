/*
 * by_hand.c - a program that the test drives itself: see by_hand.h
 */
#define _GNU_SOURCE
#include "suites/by_hand.h"

#include "run/proc.h"

#include <err.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
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

/* In the child. */
static bool confine(const struct limit *limit, uid_t uid) {
    if (limit != NULL) {
        const struct rlimit both = {limit->value, limit->value};
        if (setrlimit((__rlimit_resource_t)limit->resource, &both) == -1)
            return false;
    }
    return uid == 0 || (setgid(uid) == 0 && setuid(uid) == 0);
}

void hand_become(
    const char *const *argv, pid_t parent, int in, int out, int error) {
    const int ends[3] = {in, out, error};

    signal(SIGINT, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent ||
        setpgid(0, 0) == -1)
        _exit(126);
    for (int fd = 0; fd < 3; fd++)
        if (dup2(ends[fd], fd) == -1)
            _exit(126);
    close_range(3, ~0U, 0); /* ours, and make's */
    execvp(argv[0], (char *const *)argv);
    _exit(127);
}

/* ends: to read from, to write to; the latter is closed here. */
static void start(struct hand *hand, const char *const *argv,
    const struct limit *limit, uid_t uid, bool traced, const int ends[2]) {
    pid_t parent = getpid();

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    *hand = (struct hand){.program = argv[0]};
    if ((hand->pid = fork()) == -1)
        err(EXIT_FAILURE, "fork");
    if (hand->pid == 0) {
        struct verdict of_another = {0}; /* which had this id before */
        clear_names(argv[0], getpid(), &of_another);
        if (confine(limit, uid) &&
            (!traced || ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0))
            hand_become(argv, parent, 0, ends[1], ends[1]);
        _exit(126);
    }
    close(ends[1]);
    hand->fd = ends[0];
    hand->pidfd = (int)syscall(SYS_pidfd_open, hand->pid, 0);
}

static void begin(struct hand *hand, const char *const *argv,
    const struct limit *limit, uid_t uid, bool traced) {
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) == -1)
        err(EXIT_FAILURE, "pipe2");
    start(hand, argv, limit, uid, traced, ends);
}

bool hand_start_on_terminal(
    struct hand *hand, const char *const *argv, unsigned short columns) {
    struct winsize window = {.ws_row = 24, .ws_col = columns};
    char name[100];
    int ends[2] = {posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), -1};

    if (ends[0] == -1 || grantpt(ends[0]) == -1 || unlockpt(ends[0]) == -1 ||
        ptsname_r(ends[0], name, sizeof name) != 0 ||
        (ends[1] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) == -1 ||
        ioctl(ends[1], TIOCSWINSZ, &window) == -1) {
        close(ends[0]);
        close(ends[1]);
        return false;
    }
    start(hand, argv, NULL, 0, false, ends);
    return true;
}

void hand_start(struct hand *hand, const char *const *argv) {
    begin(hand, argv, NULL, 0, false);
}

void hand_start_limited(struct hand *hand, const char *const *argv,
    const struct limit *limit, uid_t uid) {
    begin(hand, argv, limit, uid, false);
}

bool hand_start_traced(struct hand *hand, const char *const *argv) {
    int status = 0;

    begin(hand, argv, NULL, 0, true);
    if (waitpid(hand->pid, &status, 0) == hand->pid && WIFSTOPPED(status) &&
        ptrace(PTRACE_SETOPTIONS, hand->pid, NULL,
            PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) == 0)
        return true;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        errx(EXIT_FAILURE, "%s: cannot be run", argv[0]);
    if (WIFSTOPPED(status)) {
        kill(hand->pid, SIGKILL);
        waitpid(hand->pid, NULL, 0);
    }
    close(hand->fd);
    close(hand->pidfd);
    return false;
}

bool hand_stop_at(struct hand *hand, long moment, int number, bool group) {
    int status, deliver = 0;

    for (long seen = 0; seen < moment; seen += deliver == 0) {
        if (ptrace(PTRACE_SYSCALL, hand->pid, NULL, deliver) == -1 ||
            waitpid(hand->pid, &status, 0) == -1 || !WIFSTOPPED(status))
            return false;
        deliver = WSTOPSIG(status); /* a signal of its own, or a call's mark */
        if (deliver == (SIGTRAP | 0x80))
            deliver = 0;
    }
    kill(group ? -hand->pid : hand->pid, number);
    ptrace(PTRACE_DETACH, hand->pid, NULL, deliver);
    return true;
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

/* What is left of a program, at a glance. */
struct glance {
    bool asleep;       /* all of it, with no signal pending */
    uint64_t switches; /* how often its tasks went to sleep */
    int64_t cpu_ms;
};

/* Orphans become children of this process, the subreaper; in *left, with all
 * that they have started. */
static struct glance glance_at(struct pids *left) {
    struct glance seen = {.asleep = true};
    char text[4096];

    left->count = 0;
    proc_children(getpid(), 0, left);
    for (size_t i = 0; i < left->count; i++) {
        struct pids tasks = {0};
        struct proc_stat stat = {0};
        proc_children(left->ids[i], 0, left);
        proc_stat(left->ids[i], 0, &stat);
        seen.cpu_ms += stat.own_ms;
        seen.asleep = proc_tasks(left->ids[i], &tasks) && seen.asleep;
        for (size_t t = 0; t < tasks.count; t++) {
            bool there = proc_read(text, sizeof text, "/proc/%d/task/%d/status",
                left->ids[i], tasks.ids[t]);
            seen.asleep = seen.asleep && there &&
                          strstr(text, "\nState:\tS") != NULL &&
                          proc_field(text, "\nSigPnd:", 16) == 0 &&
                          proc_field(text, "\nShdPnd:", 16) == 0;
            seen.switches +=
                there ? proc_field(text, "\nvoluntary_ctxt_switches:", 10) : 0;
        }
        free(tasks.ids);
    }
    return seen;
}

/* What was sent a deadly signal ends soon, however busy the machine is, and so
 * does what waits for that: all of it is waited for. None of it comes to an end
 * where all sleep, in two looks, without having run and with no signal pending,
 * nor where it goes on to compute for half a second of CPU time. */
static void judge_orphans(struct verdict *v) {
    struct glance first = {.cpu_ms = -1}, before = {.asleep = false}, now;
    struct pids left = {0};

    for (int look = 0; look < SAFETY_MS / 10; look++, before = now) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        now = glance_at(&left);
        if (first.cpu_ms == -1)
            first = now;
        if (left.count == 0 || now.cpu_ms > first.cpu_ms + 500 ||
            (now.asleep && before.asleep && now.switches == before.switches))
            break;
        poll(NULL, 0, 10);
    }
    for (; left.count > 0; glance_at(&left)) { /* the first is our child */
        verdict_fail(v, "a child (pid %d) lives on", left.ids[0]);
        kill(left.ids[0], SIGKILL);
        waitpid(left.ids[0], NULL, 0);
    }
    free(left.ids);
}

void hand_end(struct hand *hand, struct verdict *v) {
    judge_orphans(v);
    clear_names(hand->program, hand->pid, v);
    close(hand->fd);
    close(hand->pidfd);
}

pid_t hand_child(const struct hand *hand, int wanted) {
    struct pids children = {0};
    pid_t child = 0;

    for (int look = 0; look < SAFETY_MS && child == 0; look++) {
        if (look > 0)
            poll(NULL, 0, 1);
        children.count = 0;
        proc_children(hand->pid, hand->pid, &children);
        if (children.count >= (size_t)wanted)
            child = children.ids[wanted - 1];
    }
    free(children.ids);
    return child;
}

bool hand_kill(const struct hand *hand, int number) {
    pid_t child = hand_child(hand, number);

    return child != 0 && kill(child, SIGKILL) == 0;
}
