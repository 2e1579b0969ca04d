/*
 * clock.c - virtual time, the harness side
 *
 * DESIGN. The page is a memfd: it has no name that could be left over, and it
 * goes when the last process that maps it goes. Slots are looked up by task,
 * not scanned: the harness asks only for tasks it has just seen alive, so the
 * stale slot of a killed one is never found and never waited for.
 *
 * A pure sleeper blocks in a futex on its slot's state and is woken there. A
 * task that waits for something else as well (poll, a condition variable) is
 * blocked in the real call, whose real time-out is far away and lies in the
 * slot. It is put into the past and the task interrupted by CLOCK_SIGNAL: the
 * C library's own waiting loops then see it, and end as with any time-out.
 */
#define _GNU_SOURCE
#include "run/clock.h"
#include "run/proc.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOWEST_FD 200 /* above what a program under test opens itself */

static int64_t real_now(clockid_t id) {
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int clock_open(struct clock *clock) {
    int low = memfd_create("kit-clock", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int saved;

    if (low == -1)
        return -1;
    clock->fd = fcntl(low, F_DUPFD_CLOEXEC, LOWEST_FD);
    saved = errno;
    close(low);
    errno = saved;
    if (clock->fd == -1)
        return -1;
    /* Sealed: a program that cut it short would end the harness by SIGBUS. */
    if (ftruncate(clock->fd, sizeof(struct clock_page)) == -1 ||
        fcntl(clock->fd, F_ADD_SEALS,
            F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == -1)
        goto fail;
    clock->page = mmap(NULL, sizeof(struct clock_page), PROT_READ | PROT_WRITE,
        MAP_SHARED, clock->fd, 0);
    if (clock->page == MAP_FAILED)
        goto fail;
    clock->page->real_start = clock->real_start = real_now(CLOCK_REALTIME);
    clock->page->mono_start = clock->mono_start = real_now(CLOCK_MONOTONIC);
    clock->page->magic = CLOCK_MAGIC;
    return 0;
fail:
    saved = errno;
    close(clock->fd);
    errno = saved;
    return -1;
}

void clock_close(struct clock *clock) {
    munmap(clock->page, sizeof(struct clock_page));
    close(clock->fd);
}

bool clock_is_intact(const struct clock *clock) {
    return clock->page->magic == CLOCK_MAGIC &&
           clock->page->real_start == clock->real_start &&
           clock->page->mono_start == clock->mono_start;
}

int64_t clock_now(const struct clock *clock) {
    return clock->now;
}

static struct slot *find(const struct clock *clock, int32_t id) {
    for (unsigned i = 0; i < CLOCK_PROBES; i++) {
        struct slot *slot = clock_slot(clock->page, id, i);

        if (atomic_load(&slot->id) == id)
            return slot;
    }
    return NULL;
}

enum slot_state clock_state(const struct clock *clock, pid_t tid) {
    struct slot *slot = find(clock, tid);

    return slot ? (enum slot_state)atomic_load(&slot->state) : SLOT_IDLE;
}

/* The deadline in this id's slot, or INT64_MAX. */
static int64_t deadline(const struct clock *clock, int32_t id) {
    struct slot *slot = find(clock, id);
    uint32_t state = slot ? atomic_load(&slot->state) : SLOT_IDLE;

    if (state == SLOT_SLEEPING || state == SLOT_WAITING || state == SLOT_ALARM)
        return atomic_load(&slot->wake_at);
    return INT64_MAX;
}

bool clock_timers(uid_t uid) {
    int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    int copy = (int)syscall(SYS_pidfd_getfd, self, self, 0);
    char status[4096];
    bool may = copy != -1;

    close(copy);
    close(self);
    if (may && uid != 0 && uid != geteuid())
        may = proc_read(status, sizeof(status), "/proc/self/status") &&
              (proc_field(status, "\nCapEff:", 16) >> CAP_SYS_PTRACE & 1);
    return may;
}

/* The process that has this id as it sees itself, or 0. */
static pid_t owner(const struct clock_task *tasks, size_t n, int32_t inner) {
    for (size_t i = 0; i < n; i++)
        if (tasks[i].inner_pid == inner)
            return tasks[i].pid;
    return 0;
}

static bool is_eventfd(int fd) {
    char path[40], target[40];
    ssize_t length;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    length = readlink(path, target, sizeof(target) - 1);
    target[length > 0 ? length : 0] = '\0';
    return strcmp(target, "anon_inode:[eventfd]") == 0;
}

/* Adds 1 to the eventfd that stands for the timer. */
static bool tick(int32_t number, pid_t pid) {
    const uint64_t one = 1;
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    int fd = (int)syscall(SYS_pidfd_getfd, process, number, 0);
    /* It may have been closed: another file is not touched. */
    bool done = fd != -1 && is_eventfd(fd) &&
                write(fd, &one, sizeof(one)) == (ssize_t)sizeof(one);

    close(fd);
    close(process);
    return done;
}

static bool send_signal(const struct clock_timer *timer,
    const struct clock_task *tasks, size_t n, pid_t pid) {
    siginfo_t info = {.si_signo = timer->number, .si_code = SI_TIMER};

    info.si_value.sival_ptr = timer->value;
    if (timer->number == 0)
        return true;
    if (timer->tid == 0)
        return syscall(SYS_rt_sigqueueinfo, pid, timer->number, &info) == 0;
    for (size_t i = 0; i < n; i++)
        if (tasks[i].pid == pid && tasks[i].inner_tid == timer->tid)
            return syscall(SYS_rt_tgsigqueueinfo, pid, tasks[i].tid,
                       timer->number, &info) == 0;
    return false;
}

static void fire(struct clock_timer *timer, const struct clock_task *tasks,
    size_t n, pid_t pid) {
    int64_t interval = atomic_load(&timer->interval);

    if (interval > 0)
        atomic_fetch_add(&timer->wake_at, interval);
    else
        atomic_store(&timer->wake_at, INT64_MAX);
    if (timer->fd != -1 ? !tick(timer->fd, pid)
                        : !send_signal(timer, tasks, n, pid))
        atomic_store(&timer->pid, 0);
}

int64_t clock_next(
    const struct clock *clock, const struct clock_task *tasks, size_t n) {
    int64_t next = INT64_MAX, now = clock_now(clock);

    for (size_t i = 0; i < n; i++) {
        int64_t own = deadline(clock, tasks[i].inner_tid);
        int64_t alarm = deadline(clock, -tasks[i].inner_pid);

        if (own < next)
            next = own;
        if (alarm < next)
            next = alarm;
    }
    for (size_t i = 0; i < CLOCK_TIMERS; i++) {
        const struct clock_timer *timer = &clock->page->timer[i];
        int32_t pid = atomic_load(&timer->pid);

        if (pid != 0 && atomic_load(&timer->wake_at) < next &&
            owner(tasks, n, pid) != 0)
            next = atomic_load(&timer->wake_at);
    }
    if (next == INT64_MAX)
        return -1;
    return next > now ? next : now;
}

static void wake(const struct clock *clock, const struct clock_task *task) {
    struct slot *slot = find(clock, task->inner_tid);

    if (slot == NULL) /* the program can write to the page as well */
        return;
    switch (atomic_load(&slot->state)) {
    case SLOT_SLEEPING:
        atomic_store(&slot->state, SLOT_WOKEN);
        syscall(SYS_futex, &slot->state, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
        break;
    case SLOT_WAITING:
        /* The signal comes after the limit: whoever is interrupted by it
         * finds the limit in the past. */
        slot->limit = (struct timespec){0, 0};
        atomic_store(&slot->state, SLOT_DUE);
        syscall(SYS_tgkill, task->pid, task->tid, CLOCK_SIGNAL);
        break;
    default: break;
    }
}

static void ring(struct slot *slot, pid_t pid) {
    int64_t interval;

    if (slot == NULL)
        return;
    interval = atomic_load(&slot->interval);
    if (interval > 0)
        atomic_fetch_add(&slot->wake_at, interval);
    else
        atomic_store(&slot->state, SLOT_IDLE);
    kill(pid, SIGALRM);
}

void clock_advance(
    struct clock *clock, int64_t to, const struct clock_task *tasks, size_t n) {
    clock->now = to;
    atomic_store(&clock->page->now, to);
    for (size_t i = 0; i < n; i++)
        if (deadline(clock, tasks[i].inner_tid) <= to)
            wake(clock, &tasks[i]);
    /* Alarms last: a sleep that ends at the same instant has then ended. A
     * process is in the list once for each of its tasks; ringing moves the
     * deadline on, so it rings once. */
    for (size_t i = 0; i < n; i++)
        if (deadline(clock, -tasks[i].inner_pid) <= to)
            ring(find(clock, -tasks[i].inner_pid), tasks[i].pid);
    for (size_t i = 0; i < CLOCK_TIMERS; i++) {
        struct clock_timer *timer = &clock->page->timer[i];
        int32_t inner = atomic_load(&timer->pid);
        pid_t pid = inner != 0 ? owner(tasks, n, inner) : 0;

        if (pid != 0 && atomic_load(&timer->wake_at) <= to)
            fire(timer, tasks, n, pid);
    }
}
