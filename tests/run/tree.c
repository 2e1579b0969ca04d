/*
 * tree.c - a look at the process tree: who is there, who sleeps, who computes
 *
 * The tree. The harness is a subreaper, so an orphan becomes its child and
 * can be found through /proc/PID/task/TID/children, whatever it did to escape.
 * Children the harness had before belong to others and are left alone.
 *
 * Quiet. A look reads for each task first .../syscall, for which the kernel
 * waits until the task is off its CPU, then .../status: state and count of
 * context switches. In two looks, one after the other, all tasks are the same,
 * all are asleep (S, or Z), and no count has changed. Take the moment between
 * the looks. A task that ran then would have been switched out before its
 * second reading, and counted; one that was woken before and had not run yet
 * would have been R, or have run and been counted. So nothing ran, and nothing
 * was to run. The harness's own other threads (the practice sites) are part of
 * the looks; packets still on their way through the loopback device and bytes
 * in the pipes are asked for as well. A look in which a listed task could not
 * be read proves nothing: a list shifts only when one of its members goes.
 */
#define _GNU_SOURCE
#include "run/driver.h"

#include <err.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Signals 9, 19, those of glibc (32, 33), and 31, which the runtime of clang
 * leaves open: bit N - 1 each. */
#define UNBLOCKABLE UINT64_C(0x1c0040100)

void tree_children(
    const struct driver *d, pid_t pid, pid_t tid, struct pids *list) {
    size_t kept = list->count, from = kept;

    proc_children(pid, tid, list);
    for (size_t i = from; i < list->count; i++)
        if (list->ids[i] != d->pid &&
            (pid != getpid() || !pids_has(&d->before, list->ids[i])))
            list->ids[kept++] = list->ids[i];
    list->count = kept;
}

static bool read_task(struct task *task, struct look *look, struct run *run) {
    char text[4096];
    const char *state;
    bool read;

    task->call = proc_call(task->pid, task->tid, task->args);
    if (task->call == -2)
        look->still = false;
    read = proc_read(
        text, sizeof(text), "/proc/%d/task/%d/status", task->pid, task->tid);
    state = read ? strstr(text, "\nState:\t") : NULL;
    if (state == NULL)
        return false;
    task->state = state[8];
    task->inner_pid = proc_last(text, "\nNStgid:");
    task->inner_tid = proc_last(text, "\nNSpid:");
    if (!task->own && task->tid == task->pid)
        look->memory_kib += (long)proc_field(text, "\nVmRSS:", 10);
    task->waits = proc_field(text, "\nvoluntary_ctxt_switches:", 10);
    task->switches =
        task->waits + proc_field(text, "\nnonvoluntary_ctxt_switches:", 10);
    /* ThreadSanitizer's background thread blocks all that can be blocked and
     * sleeps by a bare nanosleep, which glibc's nanosleep does not use. */
    task->shielded =
        (proc_field(text, "\nSigBlk:", 16) | UNBLOCKABLE) == UINT64_MAX;
    if (task->shielded && (task->state != 'S' || task->call == SYS_nanosleep))
        task->helper = true;
    if (!task->own && (long)proc_field(text, "\nVmHWM:", 10) > run->peak_kib)
        run->peak_kib = (long)proc_field(text, "\nVmHWM:", 10);
    if (task->state == 'R' &&
        proc_read(text, sizeof(text), "/proc/%d/task/%d/schedstat", task->pid,
            task->tid))
        task->ran_ns = strtoll(text, NULL, 10);
    return true;
}

/* Adds the process's CPU time. False when it is a helper: the memory-sharing
 * clone that LeakSanitizer makes has no exit signal, a fork has SIGCHLD. */
static bool read_cpu(struct look *look, pid_t pid) {
    struct proc_stat stat;

    if (!proc_stat(pid, 0, &stat))
        return true;
    look->cpu_ms += stat.all_ms;
    return stat.exit_signal == SIGCHLD;
}

void look_as_user(const struct driver *d, bool begin) {
    static int may = -1;
    char status[4096];
    int number = 0;

    if (d->launcher == 0 || d->program->box->uid == 0)
        return;
    if (may == -1)
        may = proc_read(status, sizeof(status), "/proc/self/status") &&
              (proc_field(status, "\nCapEff:", 16) >> CAP_SYS_PTRACE & 1);
    if (may)
        return;
    /* The change clears the signal that shall come when the parent dies. */
    prctl(PR_GET_PDEATHSIG, &number);
    setfsuid(begin ? d->program->box->uid : geteuid());
    prctl(PR_SET_PDEATHSIG, number);
}

/* Adds a process to the look: its tasks, and their children to the list. */
static void read_process(struct driver *d, struct look *look, pid_t pid) {
    bool own = pid == getpid() || (pid == d->launcher && !d->dismantling);
    bool helper, alive = false;
    struct pids tasks = {0};

    if (!own)
        look_as_user(d, true);
    helper = !own && !read_cpu(look, pid);
    if (!proc_tasks(pid, &tasks))
        look->still = false;
    for (size_t i = 0; i < tasks.count; i++) {
        struct task task = {
            .pid = pid, .tid = tasks.ids[i], .own = own, .helper = helper};

        tree_children(d, pid, task.tid, &look->pids);
        if (own && task.tid == gettid())
            continue;
        if (!read_task(&task, look, d->run))
            look->still = false;
        look->tasks = grow(look->tasks, look->count, sizeof(task));
        look->tasks[look->count++] = task;
        if (!own && !task.helper && strchr("ZX", task.state) == NULL)
            alive = true;
    }
    free(tasks.ids);
    if (!own)
        look_as_user(d, false);
    look->processes += alive;
}

/* A shielded task counts only where all are asleep: a background thread is
 * then surely in its nanosleep, while it starts it can be anywhere. */
static bool counts(const struct look *look, const struct task *task) {
    return !task->own && !task->helper && strchr("ZX", task->state) == NULL &&
           (look->still || !task->shielded);
}

static void count_processes(struct driver *d, struct look *look) {
    struct pids seen = {0};

    for (size_t i = 0; i < look->count && !look->ready; i++)
        look->ready = !look->tasks[i].own && look->tasks[i].state == 'R' &&
                      pids_has(&d->known, look->tasks[i].pid);
    for (size_t i = 0; i < look->pids.count; i++) {
        pids_add(&seen, look->pids.ids[i]);
        d->seen += !pids_has(&d->known, look->pids.ids[i]);
    }
    free(d->known.ids);
    d->known = seen;
    if (seen.count > d->most_pids)
        d->most_pids = seen.count;
}

void take_look(struct driver *d, struct look *look) {
    struct run *run = d->run;

    look->count = look->pids.count = 0;
    look->alive = look->zombies = look->processes = 0;
    look->cpu_ms = 0;
    look->memory_kib = 0;
    look->ready = false;
    look->still = true;
    if (d->launcher != 0 && !d->dismantling)
        read_process(d, look, d->launcher); /* its first child: the program */
    else if (d->pid != 0)
        pids_add(&look->pids, d->pid);
    read_process(d, look, getpid());
    for (size_t i = 0; i < look->pids.count; i++)
        read_process(d, look, look->pids.ids[i]);
    for (size_t i = 0; i < look->count; i++) {
        const struct task *task = &look->tasks[i];

        if (strchr("SZ", task->state) == NULL)
            look->still = false;
        if (!task->own && d->program->virtual_time &&
            strchr("ZX", task->state) == NULL &&
            clock_state(&d->clock, task->inner_tid) == SLOT_WOKEN)
            look->still = false;
        if (task->state == 'Z' && task->tid == task->pid)
            look->zombies++;
    }
    count_processes(d, look);
    for (size_t i = 0; i < look->count; i++)
        look->alive += counts(look, &look->tasks[i]);
    if (look->alive > run->most_tasks)
        run->most_tasks = look->alive;
    if (look->processes > run->most_processes)
        run->most_processes = look->processes;
}

/* The CPUs a task may run on; 0: this process. None when it is gone. */
static cpu_set_t allowed(pid_t tid) {
    cpu_set_t cpus;

    if (sched_getaffinity(tid, sizeof(cpus), &cpus) == -1)
        CPU_ZERO(&cpus);
    return cpus;
}

/* A stretch of computing, told from a task that wakes to find a lock taken. */
#define STRETCH (MS / 2)

/* Whether a task computed from one look to another and never waited. */
static bool computed(const struct task *from, const struct task *to) {
    return from->tid == to->tid && from->waits == to->waits &&
           from->ran_ns != 0 && to->ran_ns > from->ran_ns + STRETCH;
}

/* Counts the tasks that had work all the time between two looks: they ran on
 * parts of it, and others kept them from it at most. They confine themselves
 * to *cpus. In *ready those that could have been waiting since. */
static int computing(const struct look *from, const struct look *to,
    cpu_set_t *cpus, int *ready) {
    int count = 0;

    CPU_ZERO(cpus);
    *ready = 0;
    for (size_t i = 0; i < to->count; i++)
        for (size_t j = 0; j < from->count; j++) {
            const struct task *task = &to->tasks[i], *was = &from->tasks[j];
            cpu_set_t own;

            if (task->tid != was->tid || !counts(to, task))
                continue;
            *ready += was->ran_ns != 0 && task->waits == was->waits;
            if (!computed(was, task))
                continue;
            own = allowed(task->tid);
            CPU_OR(cpus, cpus, &own);
            count++;
        }
    return count;
}

void note_parallel(struct driver *d) {
    cpu_set_t ours = allowed(0), theirs;
    struct look swap = d->since;
    int ready, count = computing(&d->since, &d->first, &theirs, &ready);

    if (CPU_COUNT(&theirs) < CPU_COUNT(&ours) && CPU_COUNT(&theirs) < count)
        count = CPU_COUNT(&theirs);
    if (count > d->run->most_parallel)
        d->run->most_parallel = count;
    if (ready >= 2 && count < 2)
        return;
    d->since = d->first;
    d->first = swap;
}

static bool same(const struct look *a, const struct look *b) {
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->tasks[i].tid != b->tasks[i].tid ||
            a->tasks[i].state != b->tasks[i].state ||
            a->tasks[i].switches != b->tasks[i].switches)
            return false;
    return true;
}

/* Column 12 of each CPU's row is the length of its receive backlog, which all
 * that is sent to the own machine goes through. */
static bool packets_under_way(void) {
    FILE *file = fopen("/proc/net/softnet_stat", "re");
    char row[512];
    unsigned queued = 0;

    while (file != NULL && queued == 0 && fgets(row, sizeof(row), file))
        sscanf(row, "%*x %*x %*x %*x %*x %*x %*x %*x %*x %*x %*x %x", &queued);
    if (file != NULL)
        fclose(file);
    return queued != 0;
}

enum outside outside(const struct driver *d) {
    const struct program *program = d->program;

    return program->outside ? program->outside(program->arg) : OUTSIDE_IDLE;
}

bool wait_for(const struct driver *d, int64_t ns) {
    struct pollfd fds[] = {{.fd = d->out.fd, .events = POLLIN},
        {.fd = d->err.fd, .events = POLLIN},
        {.fd = d->pidfd, .events = POLLIN}};
    struct timespec timeout = {0, ns};

    return ppoll(fds, 3, &timeout, NULL) > 0;
}

bool is_quiet(struct driver *d) {
    take_look(d, &d->first);
    if (!d->first.still || outside(d) == OUTSIDE_BUSY || packets_under_way())
        return false;
    take_look(d, &d->second);
    return d->second.still && same(&d->first, &d->second) &&
           outside(d) != OUTSIDE_BUSY && !packets_under_way() &&
           !wait_for(d, 0);
}

void note_before(struct driver *d) {
    if (access("/proc/thread-self/children", R_OK) == -1)
        err(EXIT_FAILURE, "/proc/thread-self/children");
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
        err(EXIT_FAILURE, "PR_SET_CHILD_SUBREAPER");
    proc_children(getpid(), 0, &d->before);
}
