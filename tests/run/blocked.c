/*
 * blocked.c - in which call a task waits, and whether it wakes by itself
 */
#define _GNU_SOURCE
#include "run/driver.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum timed { NEVER, ALWAYS, IF_POINTER, IF_POSITIVE };

static const struct call {
    long number;
    const char *name;
    enum timed timed; /* when the call ends by itself, */
    int arg;          /* by which argument */
} calls[] = {
    {SYS_futex, "futex (a lock, a condition or a join)", IF_POINTER, 3},
    {SYS_wait4, "wait4 (for a child)", NEVER, 0},
    {SYS_waitid, "waitid (for a child)", NEVER, 0},
    {SYS_read, "read", NEVER, 0},
    {SYS_write, "write", NEVER, 0},
    {SYS_mq_timedreceive, "mq_receive", IF_POINTER, 4},
    {SYS_mq_timedsend, "mq_send", IF_POINTER, 4},
    {SYS_nanosleep, "nanosleep", ALWAYS, 0},
    {SYS_clock_nanosleep, "clock_nanosleep", ALWAYS, 0},
    {SYS_restart_syscall, "restart_syscall", ALWAYS, 0},
    {SYS_ppoll, "ppoll", IF_POINTER, 2},
    {SYS_pselect6, "pselect", IF_POINTER, 4},
    {SYS_epoll_pwait, "epoll_pwait", IF_POSITIVE, 3},
    {SYS_epoll_pwait2, "epoll_pwait2", IF_POINTER, 3},
    {SYS_rt_sigtimedwait, "sigwait", IF_POINTER, 2},
    {SYS_rt_sigsuspend, "sigsuspend", NEVER, 0},
    {SYS_semtimedop, "semtimedop", IF_POINTER, 3},
    {SYS_io_getevents, "io_getevents", IF_POINTER, 4},
    {SYS_recvmmsg, "recvmmsg", IF_POINTER, 4},
    {SYS_accept, "accept", NEVER, 0},
    {SYS_accept4, "accept", NEVER, 0},
    {SYS_connect, "connect", NEVER, 0},
    {SYS_recvfrom, "recv", NEVER, 0},
    {SYS_recvmsg, "recvmsg", NEVER, 0},
    {SYS_sendto, "send", NEVER, 0},
    {SYS_sendmsg, "sendmsg", NEVER, 0},
    {SYS_flock, "flock", NEVER, 0},
    {SYS_fcntl, "fcntl (a file lock)", NEVER, 0},
    {SYS_msgrcv, "msgrcv", NEVER, 0},
#ifdef SYS_poll /* the calls that newer architectures do without */
    {SYS_poll, "poll", IF_POSITIVE, 2},
    {SYS_select, "select", IF_POINTER, 4},
    {SYS_epoll_wait, "epoll_wait", IF_POSITIVE, 3},
    {SYS_pause, "pause", NEVER, 0},
#endif
};

static const struct call *find_call(const struct task *task) {
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (calls[i].number == task->call)
            return &calls[i];
    return NULL;
}

const char *real_sleep(const struct driver *d, const struct task *task) {
    const struct call *call = find_call(task);
    bool sleeps;

    if (call == NULL || task->own || task->helper ||
        (d->program->virtual_time &&
            clock_state(&d->clock, task->inner_tid) != SLOT_IDLE))
        return NULL;
    sleeps = call->timed == ALWAYS ||
             (call->timed == IF_POINTER && task->args[call->arg] != 0) ||
             (call->timed == IF_POSITIVE && (int)task->args[call->arg] > 0);
    return sleeps ? call->name : NULL;
}

/* Is there a POSIX timer, of a clock that goes on while all sleep? A clock of
 * CPU time is shown as a negative number. */
static bool has_posix_timer(pid_t pid) {
    static const char word[] = "ClockID:";
    char text[4096];
    const char *at = text;
    bool found = false;

    if (!proc_read(text, sizeof(text), "/proc/%d/timers", pid))
        return false;
    while (!found && (at = strstr(at, word)) != NULL) {
        at += strlen(word);
        found = atoi(at) >= 0;
    }
    return found;
}

static bool has_timerfd(const struct driver *d, pid_t pid) {
    char text[4096], path[64];
    struct dirent *entry;
    bool found = false;
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
    look_as_user(d, true);
    dir = opendir(path);
    while (dir != NULL && !found && (entry = readdir(dir)) != NULL)
        if (isdigit((unsigned char)entry->d_name[0]) &&
            proc_read(text, sizeof(text), "%s/%s", path, entry->d_name))
            found = strstr(text, "it_value: (") != NULL &&
                    strstr(text, "it_value: (0, 0)") == NULL;
    if (dir != NULL)
        closedir(dir);
    look_as_user(d, false);
    return found;
}

const char *real_timer(const struct driver *d, pid_t pid) {
    char text[4096];

    if (has_posix_timer(pid))
        return "a timer of timer_create()";
    if (has_timerfd(d, pid))
        return "a timerfd";
    /* /proc does not show it */
    if (!d->program->virtual_time &&
        proc_read(text, sizeof(text), "/proc/%d/status", pid) &&
        proc_field(text, "\nSigCgt:", 16) >> (SIGALRM - 1) & 1)
        return "alarm()";
    return NULL;
}

void describe_task(const struct task *task, char *buf, size_t size) {
    const struct call *call = find_call(task);
    char where[64], file[80] = "";

    if (call == NULL || !proc_read(where, sizeof(where),
                            "/proc/%d/task/%d/wchan", task->pid, task->tid))
        snprintf(where, sizeof(where), "system call %ld", task->call);
    if (task->call == SYS_read || task->call == SYS_write) {
        char path[64];
        ssize_t length;

        snprintf(
            path, sizeof(path), "/proc/%d/fd/%lu", task->pid, task->args[0]);
        length = readlink(path, where, sizeof(where) - 1);
        where[length > 0 ? length : 0] = '\0';
        where[strcspn(where, ":")] = '\0';
        snprintf(file, sizeof(file), " of %s", where);
    }
    snprintf(buf, size, "%s%s", call ? call->name : where, file);
}
