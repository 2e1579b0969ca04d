/*
 * enclose.c - a network and process numbers of the grader's own
 *
 * bubblewrap dies with its parent only once it has asked for that: killed
 * before, it leaves a process that waits for it for ever. Only the kernel can
 * see to such a one. It kills all of a namespace of processes with its first.
 */
#define _GNU_SOURCE
#include "grader/enclose.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static bool own_network;
static pid_t number;                 /* the caller's, as others see it */
static volatile sig_atomic_t inside; /* the child's */

bool enclosed_network(void) {
    return own_network;
}

pid_t enclosed_number(void) {
    return number;
}

static void write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd != -1 && write(fd, text, strlen(text)) == -1)
        warn("%s", path);
    if (fd != -1)
        close(fd);
}

/* unshare(), for an ordinary user in a user namespace where it stays itself. */
static bool leave(int flags) {
    uid_t uid = geteuid();
    gid_t gid = getegid();
    char map[64];

    if (uid == 0)
        return unshare(flags) == 0;
    if (unshare(flags | CLONE_NEWUSER) == -1)
        return false;
    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "%u %u 1", uid, uid);
    write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "%u %u 1", gid, gid);
    write_file("/proc/self/gid_map", map);
    return true;
}

static void start_loopback(void) {
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd == -1 || ioctl(fd, SIOCSIFFLAGS, &lo) == -1)
        err(EXIT_FAILURE, "the loopback device");
    close(fd);
}

static const int stops[] = {SIGINT, SIGTERM, SIGHUP};

static void pass_on(int stop) {
    int saved = errno;

    kill((pid_t)inside, stop);
    errno = saved;
}

static void catch_stops(void) {
    struct sigaction action = {.sa_handler = pass_on}, old;

    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++)
        if (sigaction(stops[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(stops[i], &action, NULL);
}

/* Waits for the child, and ends as it has. */
static void end_with(pid_t child, const sigset_t *mask) {
    int status;

    inside = child;
    catch_stops();
    sigprocmask(SIG_SETMASK, mask, NULL);
    while (waitpid(child, &status, 0) == -1 && errno == EINTR)
        ;
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* In the child. The pipe's other end is the parent's alone: when it is gone by
 * now, nobody would ever end us. */
static void begin(int from_parent) {
    struct pollfd parent = {.fd = from_parent};

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
        err(EXIT_FAILURE, "PR_SET_PDEATHSIG");
    if (poll(&parent, 1, 0) != 0)
        _exit(EXIT_FAILURE);
    close(from_parent);
    /* /proc is to show these processes, by these numbers. */
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
            NULL) == -1)
        err(EXIT_FAILURE, "/proc");
}

/* Is a /proc of our own to be had? In a container it may be forbidden. */
static bool may_mount(void) {
    pid_t child = fork();
    int status;

    if (child == -1)
        err(EXIT_FAILURE, "fork");
    if (child == 0) {
        if (!leave(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET) ||
            mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
            _exit(EXIT_FAILURE);
        child = fork();
        if (child == 0)
            _exit(mount("proc", "/proc", "proc", 0, NULL) == -1);
        if (child == -1 || waitpid(child, &status, 0) == -1)
            _exit(EXIT_FAILURE);
        _exit(status != 0);
    }
    while (waitpid(child, &status, 0) == -1 && errno == EINTR)
        ;
    return status == 0;
}

void enclose(void) {
    sigset_t all, mask;
    int ends[2];
    pid_t child;

    number = getpid();
    if (!may_mount()) {
        own_network = leave(CLONE_NEWNET);
        if (own_network)
            start_loopback();
        return;
    }
    if (!leave(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET))
        err(EXIT_FAILURE, "unshare");
    own_network = true;
    start_loopback();
    if (pipe2(ends, O_CLOEXEC) == -1)
        err(EXIT_FAILURE, "pipe2");
    fflush(stdout);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &mask); /* none is to be lost */
    child = fork();
    if (child == -1)
        err(EXIT_FAILURE, "fork");
    if (child != 0)
        end_with(child, &mask);
    close(ends[1]);
    begin(ends[0]);
    sigprocmask(SIG_SETMASK, &mask, NULL);
}
