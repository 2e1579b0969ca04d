/*
 * program.c - run a program under test and gather the evidence
 *
 * DESIGN. One loop (watch) reads the program's pipes and looks at its tree in
 * /proc until the program has ended or the harness has decided.
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
 *
 * At quiet, in this order: at_quiet may act; the clock moves to the next
 * deadline; a task that sleeps past the shim is waited for in real time; else
 * it is a deadlock.
 */
#define _GNU_SOURCE
#include "run/program.h"
#include "grader/sandbox.h"
#include "run/clock.h"
#include "run/launcher.h"
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS INT64_C(1000000)
#define SPIN_CALLS 1000000 /* clock readings or yields that prove a spin */
#define LONGEST_WAIT (10 * MS)
/* Signals 9, 19, those of glibc (32, 33), and 31, which the runtime of clang
 * leaves open: bit N - 1 each. */
#define UNBLOCKABLE UINT64_C(0x1c0040100)
#define LONGEST_TURN (20 * MS)
#define LEAST_SHARE 8      /* of a turn that counts at least: one in so many */
#define MOST_PROCESSES 100 /* in a sandbox, at once */
#define MOST_STARTED 1000  /* and one after another */
#define KILL_ROUNDS 10000  /* of a millisecond and more */
#define LAUNCH_MS 60000    /* for the sandbox to be set up */
#define CONFIRM (20 * MS)  /* before a deadlock is looked for once more */

struct stream {
    int fd; /* -1 at end of file */
    char *text;
    size_t length, cap, line_start;
    bool flooded;
};

struct task {
    pid_t pid, tid;
    pid_t inner_pid, inner_tid; /* as it sees itself */
    char state;
    bool own;          /* a thread of the harness */
    bool shielded;     /* blocks every signal */
    bool helper;       /* of a sanitizer runtime, not of the program */
    uint64_t waits;    /* how often it stopped running to wait, */
    uint64_t switches; /* or was made to stop as well */
    int64_t ran_ns;    /* CPU time, of a task ready to run; else 0 */
    long call;         /* -1: not in a system call, or not known */
    unsigned long args[6];
};

/* One look at the tree. */
struct look {
    struct task *tasks;
    size_t count;
    pid_t *pids;
    size_t pid_count;
    bool still; /* all were asleep and could be read */
    int alive, zombies, processes;
    bool ready; /* one wants a CPU that was there in the look before as well */
    int64_t cpu_ms;
    long memory_kib;
};

struct driver {
    const struct program *program;
    struct run *run;
    pid_t pid; /* 0 once it is reaped */
    int pidfd;
    pid_t launcher;   /* in a sandbox: the parent of the program; .pid is then
                       the outermost wrapper, .pidfd the launcher's reports */
    bool dismantling; /* the wrappers are to be seen, and killed, as well */
    struct stream out, err;
    struct clock clock;
    int64_t start, last, spent; /* .spent counts towards the deadline */
    int64_t cpu_last;           /* the tree's CPU time at the last turn */
    int64_t own_last;           /* and ours */
    size_t most_pids, seen;     /* processes in one look, and in all of them */
    pid_t *known;               /* those of the last look */
    size_t known_count;
    pid_t *before; /* the harness's children that are not of the tree */
    size_t before_count;
    struct look first, second, since;
    bool decided;
    int deadlocks; /* quiet moments in a row with nobody to wake anyone */
    int64_t cpu_base, looks_base, idles_base; /* when last not stuck */
};

static volatile sig_atomic_t interrupted;
static int64_t budget = INT64_MAX; /* of the runs to come */

static void note_interrupt(int number) {
    interrupted = number;
}

int program_interrupted(void) {
    return interrupted;
}

void program_budget(int64_t ms) {
    budget = ms * MS;
}

/* The CPU time of this thread. */
static int64_t own_now(void) {
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * (1000 * MS) + ts.tv_nsec;
}

static int64_t real_now(void) {
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * (1000 * MS) + ts.tv_nsec;
}

static void *grow(void *array, size_t count, size_t size) {
    if (count & (count - 1)) /* room is the next power of two */
        return array;
    array = realloc(array, (count ? 2 * count : 1) * size);
    if (array == NULL)
        err(EXIT_FAILURE, "realloc");
    return array;
}

/* Keeps the first decision. The sentence goes to run->why. */
__attribute__((format(printf, 4, 5))) static void decide(
    struct driver *d, enum program_end end, int code, const char *format, ...) {
    va_list args;

    if (d->decided)
        return;
    d->decided = true;
    d->run->end = end;
    d->run->code = code;
    d->run->wall_ns = real_now() - d->start;
    va_start(args, format);
    vsnprintf(d->run->why, sizeof(d->run->why), format, args);
    va_end(args);
}

/* ---------- Looking at the tree ---------- */

/* Reads a file of /proc whole into buf, as a string. False if it is gone. */
__attribute__((format(printf, 3, 4))) static bool read_proc(
    char *buf, size_t size, const char *format, ...) {
    char path[96];
    va_list args;
    ssize_t got;
    int fd;

    va_start(args, format);
    vsnprintf(path, sizeof(path), format, args);
    va_end(args);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return false;
    got = read(fd, buf, size - 1);
    close(fd);
    buf[got > 0 ? got : 0] = '\0';
    return got >= 0;
}

/* The number after "\nname:" in a status file. */
static uint64_t field(const char *status, const char *name, int base) {
    const char *at = strstr(status, name);

    return at ? strtoull(at + strlen(name), NULL, base) : 0;
}

/* The last number after "\nname:". */
static pid_t last_number(const char *status, const char *name) {
    const char *at = strstr(status, name);
    long number = 0;
    char *end;

    if (at == NULL)
        return 0;
    at += strlen(name);
    while (at += strspn(at, " \t"), isdigit((unsigned char)*at)) {
        number = strtol(at, &end, 10);
        at = end;
    }
    return (pid_t)number;
}

static void add_pid(struct look *look, pid_t pid) {
    look->pids = grow(look->pids, look->pid_count, sizeof(pid_t));
    look->pids[look->pid_count++] = pid;
}

/* Adds the children of one task. The list can be long: read by line. */
static void add_children(
    const struct driver *d, struct look *look, pid_t pid, pid_t tid) {
    char path[64];
    FILE *file;
    int child;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, tid);
    file = fopen(path, "re");
    if (file == NULL)
        return;
    while (fscanf(file, "%d", &child) == 1) {
        bool known = child == d->pid;

        for (size_t i = 0; pid == getpid() && i < d->before_count; i++)
            known = known || d->before[i] == child;
        if (!known)
            add_pid(look, child);
    }
    fclose(file);
}

static bool read_task(struct task *task, struct look *look, struct run *run) {
    char text[4096];
    const char *state;
    bool read;

    task->call = -1;
    if (read_proc(text, sizeof(text), "/proc/%d/task/%d/syscall", task->pid,
            task->tid)) {
        if (strncmp(text, "running", 7) == 0)
            look->still = false;
        sscanf(text, "%ld %lx %lx %lx %lx %lx %lx", &task->call, &task->args[0],
            &task->args[1], &task->args[2], &task->args[3], &task->args[4],
            &task->args[5]);
    }
    read = read_proc(
        text, sizeof(text), "/proc/%d/task/%d/status", task->pid, task->tid);
    state = read ? strstr(text, "\nState:\t") : NULL;
    if (state == NULL)
        return false;
    task->state = state[8];
    task->inner_pid = last_number(text, "\nNStgid:");
    task->inner_tid = last_number(text, "\nNSpid:");
    if (!task->own && task->tid == task->pid)
        look->memory_kib += (long)field(text, "\nVmRSS:", 10);
    task->waits = field(text, "\nvoluntary_ctxt_switches:", 10);
    task->switches =
        task->waits + field(text, "\nnonvoluntary_ctxt_switches:", 10);
    /* ThreadSanitizer's background thread blocks all that can be blocked and
     * sleeps by a bare nanosleep, which glibc's nanosleep does not use. */
    task->shielded = (field(text, "\nSigBlk:", 16) | UNBLOCKABLE) == UINT64_MAX;
    if (task->shielded && (task->state != 'S' || task->call == SYS_nanosleep))
        task->helper = true;
    if (!task->own && (long)field(text, "\nVmHWM:", 10) > run->peak_kib)
        run->peak_kib = (long)field(text, "\nVmHWM:", 10);
    if (task->state == 'R' &&
        read_proc(text, sizeof(text), "/proc/%d/task/%d/schedstat", task->pid,
            task->tid))
        task->ran_ns = strtoll(text, NULL, 10);
    return true;
}

/* Adds the process's CPU time. False when it is a helper: the memory-sharing
 * clone that LeakSanitizer makes has no exit signal, a fork has SIGCHLD. */
static bool read_cpu(struct look *look, pid_t pid) {
    long long value, cpu = 0;
    char text[1024], *at;

    if (!read_proc(text, sizeof(text), "/proc/%d/stat", pid))
        return true;
    at = strrchr(text, ')');
    if (at == NULL)
        return true;
    at += strlen(") S");
    for (int field = 4; field <= 38; field++) {
        value = strtoll(at, &at, 10);
        if (field >= 14 && field <= 17)
            cpu += value;
    }
    look->cpu_ms += cpu * 1000 / sysconf(_SC_CLK_TCK);
    return value == SIGCHLD;
}

/* Root without CAP_SYS_PTRACE, as in most containers, may look closely only at
 * processes of the user it acts as. The change clears the signal that shall
 * come when the parent dies. */
static void look_as_user(const struct driver *d, bool begin) {
    static int may = -1;
    char status[4096];
    int number = 0;

    if (d->launcher == 0 || sandbox_uid() == 0)
        return;
    if (may == -1)
        may = read_proc(status, sizeof(status), "/proc/self/status") &&
              (field(status, "\nCapEff:", 16) >> CAP_SYS_PTRACE & 1);
    if (may)
        return;
    prctl(PR_GET_PDEATHSIG, &number);
    setfsuid(begin ? sandbox_uid() : geteuid());
    prctl(PR_SET_PDEATHSIG, number);
}

/* Adds a process to the look: its tasks, and their children to the list. */
static void read_process(struct driver *d, struct look *look, pid_t pid) {
    bool own = pid == getpid() || (pid == d->launcher && !d->dismantling);
    bool helper, alive = false;
    struct dirent *entry;
    char path[32];
    DIR *tasks;

    if (!own)
        look_as_user(d, true);
    helper = !own && !read_cpu(look, pid);
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    tasks = opendir(path);
    while (tasks != NULL && (entry = readdir(tasks)) != NULL) {
        struct task task = {.pid = pid, .own = own, .helper = helper};

        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        task.tid = atoi(entry->d_name);
        add_children(d, look, pid, task.tid);
        if (own && task.tid == gettid())
            continue;
        if (!read_task(&task, look, d->run))
            look->still = false;
        look->tasks = grow(look->tasks, look->count, sizeof(task));
        look->tasks[look->count++] = task;
        if (!own && !task.helper && strchr("ZX", task.state) == NULL)
            alive = true;
    }
    if (tasks != NULL)
        closedir(tasks);
    else
        look->still = false;
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

static bool is_known(const struct driver *d, pid_t pid) {
    for (size_t i = 0; i < d->known_count; i++)
        if (d->known[i] == pid)
            return true;
    return false;
}

static void count_processes(struct driver *d, struct look *look) {
    pid_t *copy = malloc((look->pid_count + 1) * sizeof(pid_t));

    if (copy == NULL)
        err(EXIT_FAILURE, "malloc");
    for (size_t i = 0; i < look->count && !look->ready; i++)
        look->ready = !look->tasks[i].own && look->tasks[i].state == 'R' &&
                      is_known(d, look->tasks[i].pid);
    for (size_t i = 0; i < look->pid_count; i++) {
        copy[i] = look->pids[i];
        d->seen += !is_known(d, copy[i]);
    }
    free(d->known);
    d->known = copy;
    d->known_count = look->pid_count;
    if (look->pid_count > d->most_pids)
        d->most_pids = look->pid_count;
}

static void take_look(struct driver *d, struct look *look) {
    struct run *run = d->run;

    look->count = look->pid_count = 0;
    look->alive = look->zombies = look->processes = 0;
    look->cpu_ms = 0;
    look->memory_kib = 0;
    look->ready = false;
    look->still = true;
    if (d->launcher != 0 && !d->dismantling)
        read_process(d, look, d->launcher); /* its first child: the program */
    else if (d->pid != 0)
        add_pid(look, d->pid);
    read_process(d, look, getpid());
    for (size_t i = 0; i < look->pid_count; i++)
        read_process(d, look, look->pids[i]);
    for (size_t i = 0; i < look->count; i++) {
        const struct task *task = &look->tasks[i];

        if (strchr("SZ", task->state) == NULL)
            look->still = false;
        if (!task->own && d->program->virtual_time &&
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

/* After a look that was not still: how many tasks computed at the same moment,
 * since an earlier look that is kept for as long as two of them may have. */
static void note_parallel(struct driver *d) {
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

static enum outside outside(const struct driver *d) {
    const struct program *program = d->program;

    return program->outside ? program->outside(program->arg) : OUTSIDE_IDLE;
}

/* Waits until a pipe or the program's end has something for us. */
static bool wait_for(const struct driver *d, int64_t ns) {
    struct pollfd fds[] = {{.fd = d->out.fd, .events = POLLIN},
        {.fd = d->err.fd, .events = POLLIN},
        {.fd = d->pidfd, .events = POLLIN}};
    struct timespec timeout = {0, ns};

    return ppoll(fds, 3, &timeout, NULL) > 0;
}

static bool is_quiet(struct driver *d) {
    take_look(d, &d->first);
    if (!d->first.still || outside(d) == OUTSIDE_BUSY || packets_under_way())
        return false;
    take_look(d, &d->second);
    return d->second.still && same(&d->first, &d->second) &&
           outside(d) != OUTSIDE_BUSY && !packets_under_way() &&
           !wait_for(d, 0);
}

/* ---------- Where a task is blocked ---------- */

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

/* Whether the task will wake by itself in real time. */
static bool sleeps_in_real_time(
    const struct driver *d, const struct task *task) {
    const struct call *call = find_call(task);

    if (call == NULL || task->own || task->helper ||
        (d->program->virtual_time &&
            clock_state(&d->clock, task->inner_tid) != SLOT_IDLE))
        return false;
    return call->timed == ALWAYS ||
           (call->timed == IF_POINTER && task->args[call->arg] != 0) ||
           (call->timed == IF_POSITIVE && (int)task->args[call->arg] > 0);
}

/* Whether a timer of the process may wake it: a running timerfd, a POSIX
 * timer, or alarm(), which /proc does not show, when SIGALRM is caught. */
static bool has_timer(const struct driver *d, pid_t pid) {
    char text[4096], path[64];
    struct dirent *entry;
    bool found;
    DIR *dir;

    found = read_proc(text, sizeof(text), "/proc/%d/timers", pid) && text[0];
    if (!d->program->virtual_time &&
        read_proc(text, sizeof(text), "/proc/%d/status", pid))
        found = found || (field(text, "\nSigCgt:", 16) >> (SIGALRM - 1) & 1);
    snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
    look_as_user(d, true);
    dir = opendir(path);
    while (dir != NULL && !found && (entry = readdir(dir)) != NULL)
        if (isdigit((unsigned char)entry->d_name[0]) &&
            read_proc(text, sizeof(text), "%s/%s", path, entry->d_name))
            found = strstr(text, "it_value: (") != NULL &&
                    strstr(text, "it_value: (0, 0)") == NULL;
    if (dir != NULL)
        closedir(dir);
    look_as_user(d, false);
    return found;
}

/* Appends "NAME (tid N) in CALL"; size is that of the whole buffer. */
static void describe_task(const struct task *task, char *buf, size_t size) {
    const struct call *call = find_call(task);
    char name[32], where[64], file[80] = "";
    size_t used = strlen(buf);

    if (!read_proc(
            name, sizeof(name), "/proc/%d/task/%d/comm", task->pid, task->tid))
        return;
    name[strcspn(name, "\n")] = '\0';
    if (call == NULL || !read_proc(where, sizeof(where),
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
    snprintf(buf + used, size - used, "%s%s (%s %d) in %s%s",
        used > 0 ? ", " : "", name, task->tid == task->pid ? "pid" : "tid",
        task->tid, call ? call->name : where, file);
}

/* ---------- The loop ---------- */

static int64_t stamp(const struct driver *d) {
    return d->program->virtual_time ? clock_now(&d->clock)
                                    : real_now() - d->start;
}

static void decide_deadlock(struct driver *d) {
    const struct look *look = &d->second;
    char tasks[400] = "";
    int shown = 0;

    for (size_t i = 0; i < look->count && shown < 6; i++) {
        if (look->tasks[i].own || look->tasks[i].helper ||
            look->tasks[i].state == 'Z')
            continue;
        describe_task(&look->tasks[i], tasks, sizeof(tasks));
        shown++;
    }
    decide(d, DEADLOCK, 0,
        "deadlocked at %.3f s: %d task%s asleep and nobody to wake %s: %s%s",
        (double)stamp(d) / 1e9, look->alive, look->alive == 1 ? "" : "s",
        look->alive == 1 ? "it" : "them", tasks,
        look->alive > shown ? ", and more" : "");
}

/* The tasks of a look as the clock wants them; to be freed. */
static struct clock_task *clock_tasks(const struct look *look) {
    struct clock_task *tasks = calloc(look->count + 1, sizeof(*tasks));

    if (tasks == NULL)
        err(EXIT_FAILURE, "calloc");
    for (size_t i = 0; i < look->count; i++)
        tasks[i] = (struct clock_task){look->tasks[i].pid, look->tasks[i].tid,
            look->tasks[i].inner_pid, look->tasks[i].inner_tid};
    return tasks;
}

/* The next deadline of a look's tasks, or of at_quiet if that is earlier, to
 * which the clock is moved if wanted; -1 when there is none. */
static int64_t next_deadline(
    struct driver *d, const struct look *look, bool move) {
    struct clock_task *tasks;
    int64_t next, due = -1;

    if (!d->program->virtual_time)
        return -1;
    tasks = clock_tasks(look);
    next = clock_next(&d->clock, tasks, look->count);
    if (move && d->program->due != NULL)
        due = d->program->due(d->program->arg);
    if (due > clock_now(&d->clock) && (next == -1 || due < next))
        next = due;
    if (move && next != -1)
        clock_advance(&d->clock, next, tasks, look->count);
    free(tasks);
    return next;
}

static bool ask_at_quiet(struct driver *d) {
    struct quiet quiet = {.now_ns = stamp(d),
        .pids = d->second.pids,
        .processes = d->second.pid_count,
        .lines = d->run->lines,
        .count = d->run->count};

    return d->program->at_quiet &&
           d->program->at_quiet(&quiet, d->program->arg);
}

/* At quiet: makes something happen. False when there is only to wait. */
static bool act(struct driver *d) {
    const struct look *look = &d->second;
    bool real = false;

    if (look->zombies > d->run->most_zombies)
        d->run->most_zombies = look->zombies;
    if (ask_at_quiet(d))
        return true;
    for (size_t i = 0; i < look->count; i++)
        real = real || sleeps_in_real_time(d, &look->tasks[i]);
    if (d->program->virtual_time && real)
        d->run->slept_past_clock = true;
    if (next_deadline(d, look, true) != -1)
        return true;
    for (size_t i = 0; i < look->pid_count && !real; i++)
        real = has_timer(d, look->pids[i]);
    if (real)
        d->run->slept_past_clock = d->program->virtual_time;
    else if (++d->deadlocks == 2)
        decide_deadlock(d);
    return false;
}

/* Not quiet: is it because something runs without end? */
static void check_spin(struct driver *d) {
    bool virtual = d->program->virtual_time;
    int64_t limit = d->program->busy_cpu_ms ? d->program->busy_cpu_ms : 1000;
    int64_t looks = virtual ? atomic_load(&d->clock.page->looks) : 0;
    int64_t idles = virtual ? atomic_load(&d->clock.page->idles) : 0;
    int64_t cpu = d->first.cpu_ms, next = next_deadline(d, &d->first, false);
    bool stuck = next != -1 || outside(d) == OUTSIDE_HOLDS;
    char waits[80] = "nobody sleeps";

    if (next != -1)
        snprintf(waits, sizeof(waits), "a task sleeps until %.3f s",
            (double)next / 1e9);
    else if (stuck)
        snprintf(waits, sizeof(waits), "an answer is held for it");
    if (looks - d->looks_base > SPIN_CALLS)
        decide(d, BUSY_WAIT, 0,
            "busy wait: read the clock %" PRId64
            " times while it stood at %.3f s and %s",
            looks - d->looks_base, (double)stamp(d) / 1e9, waits);
    else if (stuck && idles - d->idles_base > SPIN_CALLS)
        decide(d, BUSY_WAIT, 0,
            "busy wait: yielded or looked without waiting %" PRId64
            " times while the clock stood at %.3f s and %s",
            idles - d->idles_base, (double)stamp(d) / 1e9, waits);
    else if (stuck && cpu - d->cpu_base > limit)
        decide(d, BUSY_WAIT, 0,
            "busy wait: used %.1f s of CPU time while the "
            "clock stood at %.3f s and %s",
            (double)(cpu - d->cpu_base) / 1e3, (double)stamp(d) / 1e9, waits);
    if (!stuck) {
        d->cpu_base = cpu;
        d->idles_base = idles;
    }
}

static void note_progress(struct driver *d) {
    d->deadlocks = 0;
    d->cpu_base = d->second.cpu_ms;
    if (d->program->virtual_time) {
        d->looks_base = atomic_load(&d->clock.page->looks);
        d->idles_base = atomic_load(&d->clock.page->idles);
    }
}

static void add_line(struct driver *d, const char *text, size_t length) {
    struct run *run = d->run;
    char *copy = malloc(length + 1);

    if (copy == NULL)
        err(EXIT_FAILURE, "malloc");
    for (size_t i = 0; i < length; i++)
        copy[i] = text[i] ? text[i] : '?';
    copy[length] = '\0';
    run->lines = grow(run->lines, run->count, sizeof(struct line));
    run->lines[run->count++] = (struct line){stamp(d), copy};
}

/* Reads all there is now. A flood is cut off at the cap. */
static bool drain(struct stream *stream) {
    bool any = false;
    ssize_t got;

    while (stream->fd != -1 && !stream->flooded) {
        char *room = realloc(stream->text, stream->length + 4097);

        if (room == NULL)
            err(EXIT_FAILURE, "realloc");
        stream->text = room;
        got = read(stream->fd, room + stream->length, 4096);
        if (got == -1 && errno != EINTR)
            break;
        if (got == 0) {
            close(stream->fd);
            stream->fd = -1;
        }
        if (got > 0) {
            stream->length += (size_t)got;
            any = true;
        }
        stream->flooded = stream->length > stream->cap;
    }
    if (stream->flooded)
        stream->length = stream->cap;
    if (stream->text != NULL)
        stream->text[stream->length] = '\0';
    return any;
}

static bool drain_both(struct driver *d) {
    struct stream *out = &d->out;
    bool any = drain(&d->err);
    char *end;

    if (!drain(out))
        return any;
    while ((end = memchr(out->text + out->line_start, '\n',
                out->length - out->line_start)) != NULL) {
        char *line = out->text + out->line_start;

        add_line(d, line, (size_t)(end - line));
        out->line_start += (size_t)(end - line) + 1;
    }
    return true;
}

static void decide_flood(struct driver *d) {
    decide(d, FLOODED, 0, "printed more than %zu bytes on %s", d->out.cap,
        d->out.flooded ? "stdout" : "stderr");
}

/* The time in which the harness got no CPU, or the machine stood still, is not
 * the program's: a turn of the loop counts as at most LONGEST_TURN, or as the
 * CPU time that the program used in it, if that is more. Nor is the time in
 * which the program wanted a CPU and got none: then only what it used counts.
 * Not all of that is seen, as a process that nobody waits for takes it away, so
 * a part of the turn counts always. */
static void note_spent(struct driver *d) {
    int64_t now = real_now(), turn = now - d->last;
    int64_t used = d->first.cpu_ms * MS - d->cpu_last;
    int64_t counted = turn < LONGEST_TURN ? turn : LONGEST_TURN;
    int64_t own = own_now(), looking = own - d->own_last;

    d->last = now;
    d->own_last = own;
    d->cpu_last = d->first.cpu_ms * MS;
    if (d->first.ready)
        counted /= LEAST_SHARE;
    if (counted < used)
        counted = used;
    if (counted < looking) /* it decides how much there is to look at */
        counted = looking;
    d->spent += counted < turn ? counted : turn;
}

static void check_time(struct driver *d) {
    int64_t limit = d->program->deadline_ms ? d->program->deadline_ms : 60000;

    if (d->spent > limit * MS)
        decide(
            d, TIMED_OUT, 0, "did not end within %.3g s", (double)limit / 1e3);
    if (d->spent > budget)
        decide(d, TIMED_OUT, 0,
            "did not end: it and the runs before it have used up their time");
}

/* The limit of a user's processes holds it, but not what it costs us. */
static void check_processes(struct driver *d) {
    if (d->launcher == 0)
        return;
    if (d->most_pids > MOST_PROCESSES)
        decide(
            d, GREEDY, 0, "had more than %d processes at once", MOST_PROCESSES);
    if (d->seen > MOST_STARTED && !d->program->forks)
        decide(d, GREEDY, 0, "started more than %d processes", MOST_STARTED);
}

static void check_end(struct driver *d) {
    struct pollfd ended = {.fd = d->pidfd, .events = POLLIN};

    if (interrupted)
        decide(d, INTERRUPTED, interrupted,
            "was stopped: the tests got signal "
            "%d (%s)",
            interrupted, strsignal(interrupted));
    if (poll(&ended, 1, 0) == 1)
        decide(d, EXITED, 0, " ");
    if (d->out.flooded || d->err.flooded)
        decide_flood(d);
    if (d->program->memory_kib > 0 &&
        d->first.memory_kib > d->program->memory_kib)
        decide(d, GREEDY, 0, "used more than %ld MiB of memory",
            d->program->memory_kib / 1024);
    if (d->launcher != 0 && sandbox_overfull())
        decide(d, GREEDY, 0, "wrote more than 256 MiB of files");
    check_processes(d);
    check_time(d);
}

static void watch(struct driver *d) {
    int64_t wait = MS / 20;
    bool quiet;

    while (!d->decided) {
        wait_for(d, wait);
        if (drain_both(d))
            wait = MS / 20;
        check_end(d);
        if (d->decided)
            break;
        quiet = is_quiet(d);
        note_spent(d);
        if (quiet) {
            wait = act(d) ? MS / 20 : CONFIRM;
            if (wait != CONFIRM)
                note_progress(d);
        } else {
            d->deadlocks = 0;
            check_spin(d);
            note_parallel(d);
            wait = wait * 2 < LONGEST_WAIT ? wait * 2 : LONGEST_WAIT;
        }
    }
}

/* ---------- Start and end ---------- */

/* Another user may not get through all folders above this one. */
static void make_relative(char *path) {
    char here[PATH_MAX];
    size_t length = getcwd(here, sizeof here) == NULL ? 0 : strlen(here);

    if (length > 1 && strncmp(path, here, length) == 0 && path[length] == '/')
        memmove(path, path + length + 1, strlen(path + length));
}

/* The shim lies beside the harness. LD_PRELOAD cannot take a path with a
 * space or a colon in it; such a one is reached through a descriptor of ours.
 */
static void find_shim(const struct program *program, char *path, size_t size) {
    static int fd = -1;
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    char *slash;

    if (program->sandbox != NULL) {
        snprintf(path, size, "%s", sandbox_shim());
        return;
    }
    if (length == -1)
        err(EXIT_FAILURE, "/proc/self/exe");
    path[length] = '\0';
    slash = strrchr(path, '/');
    snprintf(slash, size - (size_t)(slash - path), "/clock_shim.so");
    if (access(path, R_OK) == -1)
        err(EXIT_FAILURE, "%s", path);
    if (program->uid != 0)
        make_relative(path);
    if (strpbrk(path, " :") == NULL)
        return;
    if (fd == -1)
        fd = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, size, "/proc/%d/fd/%d", getpid(), fd);
}

static bool sets(const char *const *list, const char *variable) {
    size_t length = strcspn(variable, "=") + 1;

    for (; list != NULL && *list != NULL; list++)
        if (strncmp(*list, variable, length) == 0)
            return true;
    return false;
}

/* Our environment, then the run's own; what comes later replaces. The array is
 * to be freed, the strings are not. */
static const char **make_environment(
    const struct program *program, const char *const *clock) {
    size_t count = 0, used = 0;
    const char **list;

    for (char **e = environ; *e != NULL; e++)
        count++;
    for (const char *const *e = program->env; e != NULL && *e != NULL; e++)
        count++;
    list = calloc(count + 3, sizeof(*list));
    if (list == NULL)
        err(EXIT_FAILURE, "calloc");
    for (char **e = environ; *e != NULL; e++)
        if (!sets(program->env, *e) && !sets(clock, *e))
            list[used++] = *e;
    for (const char *const *e = program->env; e != NULL && *e != NULL; e++)
        list[used++] = *e;
    for (; *clock != NULL; clock++)
        list[used++] = *clock;
    return list;
}

/* The same for the command of a sandbox: the launcher does the rest. It wants
 * a session of its own, which the leader of a group cannot have. */
static void enter_sandbox(
    const struct driver *d, char **command, int report, pid_t parent) {
    sigset_t none;

    if (sandbox_depth() > 1 && setpgid(0, 0) == -1)
        return;
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    fcntl(report, F_SETFD, 0);
    if (d->program->virtual_time)
        fcntl(d->clock.fd, F_SETFD, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent)
        return;
    execve(command[0], command, (char *[]){NULL});
}

/* The child up to exec. Returns only on failure, with errno set. */
static void become(const struct program *p, const struct driver *d,
    const int *out, const int *err, pid_t parent, const char *const *env,
    char **command, int report) {
    int in = open(p->stdin_path ? p->stdin_path : "/dev/null", O_RDONLY);
    int to = p->stdout_path ? open(p->stdout_path, O_WRONLY) : out[1];
    sigset_t none;

    if (in == -1 || to == -1 || dup2(in, 0) == -1 || dup2(to, 1) == -1 ||
        dup2(err[1], 2) == -1)
        return;
    if (command != NULL) {
        enter_sandbox(d, command, report, parent);
        return;
    }
    if (setpgid(0, 0) == -1)
        return;
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    if (p->virtual_time)
        fcntl(d->clock.fd, F_SETFD, 0);
    signal(SIGPIPE, SIG_DFL); /* an ignored signal stays so across exec */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (size_t i = 0; i < p->limit_count; i++)
        if (prlimit(0, (__rlimit_resource_t)p->limits[i].resource,
                &(struct rlimit){p->limits[i].value, p->limits[i].value},
                NULL) == -1)
            return;
    if (p->uid != 0 && (setgroups(0, NULL) == -1 || setgid(p->uid) == -1 ||
                           setuid(p->uid) == -1))
        return;
    /* After setuid, which clears it. The parent may be gone by now. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent)
        return;
    execve(p->argv[0], (char *const *)p->argv, (char *const *)env);
}

static void make_pipe(int fds[2]) {
    if (pipe2(fds, O_CLOEXEC) == -1)
        err(EXIT_FAILURE, "pipe2");
}

/* Waits until the launcher has started the program; returns why not. A sandbox
 * that does not work is our own fault. */
static int await_launcher(struct driver *d) {
    struct launch_report report = {.value = 0};
    struct pollfd ready = {.fd = d->pidfd, .events = POLLIN};
    struct look *look = &d->first;

    if (poll(&ready, 1, LAUNCH_MS) != 1 ||
        read(d->pidfd, &report, sizeof(report)) != (ssize_t)sizeof(report)) {
        drain(&d->err);
        errx(EXIT_FAILURE, "the sandbox does not work: %s",
            d->err.text ? d->err.text : "no answer");
    }
    d->launcher = d->pid;
    if (sandbox_depth() > 1) {
        look->pid_count = 0;
        add_children(d, look, d->pid, d->pid);
        if (look->pid_count != 1)
            errx(EXIT_FAILURE, "the launcher is not to be found");
        d->launcher = look->pids[0];
    }
    return report.value;
}

/* Waits until the program is running in the child, or cannot be. */
static void await_start(struct driver *d, int failure) {
    int code = 0;

    while (read(failure, &code, sizeof(code)) == -1 && errno == EINTR)
        ;
    close(failure);
    if (d->program->sandbox != NULL && code == 0)
        code = await_launcher(d);
    else if (d->program->sandbox == NULL)
        d->pidfd = (int)syscall(SYS_pidfd_open, d->pid, 0);
    if (d->pidfd == -1)
        err(EXIT_FAILURE, "pidfd_open");
    if (code != 0)
        decide(
            d, NOT_STARTED, code, "could not be started: %s", strerror(code));
}

static void start(struct driver *d, const char *const *env) {
    int out[2], error[2], failure[2], report[2] = {-1, -1}, code;
    char **command = NULL;
    pid_t parent = getpid();

    make_pipe(out);
    make_pipe(error);
    make_pipe(failure);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(error[0], F_SETFL, O_NONBLOCK);
    if (d->program->sandbox != NULL) {
        make_pipe(report);
        command = sandbox_command(d->program, env, report[1],
            d->program->virtual_time ? d->clock.fd : -1);
    }
    if (d->program->stdout_broken)
        close(out[0]);
    d->pid = fork();
    if (d->pid == -1)
        err(EXIT_FAILURE, "fork");
    if (d->pid == 0) {
        become(d->program, d, out, error, parent, env, command, report[1]);
        code = errno;
        if (write(failure[1], &code, sizeof(code)) == -1)
            _exit(EXIT_FAILURE);
        _exit(EXIT_FAILURE);
    }
    sandbox_free(command);
    close(out[1]);
    close(error[1]);
    close(failure[1]);
    close(report[1]);
    d->out.fd = d->program->stdout_broken ? -1 : out[0];
    d->err.fd = error[0];
    d->pidfd = report[0];
    await_start(d, failure[0]);
}

/* Counts and names what the ended program has left. */
static void note_left_behind(struct driver *d) {
    struct look *look = &d->first;
    struct run *run = d->run;
    char text[4096], name[32] = "";

    take_look(d, look);
    for (size_t i = 1; i < look->pid_count; i++) {
        size_t used = strlen(run->left_names);
        char *zombie;

        if (!read_proc(text, sizeof(text), "/proc/%d/status", look->pids[i]))
            continue;
        run->left_behind++;
        if (sizeof(run->left_names) - used < 80) {
            if (strstr(run->left_names, " ...") == NULL)
                snprintf(run->left_names + used, sizeof(run->left_names) - used,
                    ", ...");
            continue;
        }
        zombie = strstr(text, "\nState:\tZ");
        sscanf(text, "Name:\t%31[^\n]", name);
        snprintf(run->left_names + used, sizeof(run->left_names) - used,
            "%s%s (pid %d%s)", used > 0 ? ", " : "", name, look->pids[i],
            zombie ? ", not waited for" : "");
    }
}

/* How the program ended, as its parent saw it. */
static void note_end(struct driver *d, int status, const struct rusage *use) {
    d->run->cpu_ns = (use->ru_utime.tv_sec + use->ru_stime.tv_sec) * 1000 * MS +
                     (use->ru_utime.tv_usec + use->ru_stime.tv_usec) * 1000;
    if (d->run->peak_kib == 0) /* too short to be seen: an upper bound */
        d->run->peak_kib = use->ru_maxrss;
    if (d->run->end != EXITED)
        return;
    d->run->code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
    d->run->end = WIFEXITED(status) ? EXITED : SIGNALLED;
    if (WIFEXITED(status))
        snprintf(d->run->why, sizeof(d->run->why), "exited with status %d",
            d->run->code);
    else
        snprintf(d->run->why, sizeof(d->run->why),
            "was killed by signal %d (%s)", d->run->code,
            strsignal(d->run->code));
}

static bool reap_program(struct driver *d) {
    struct rusage use;
    int status;

    if (wait4(d->pid, &status, WNOHANG, &use) != d->pid)
        return false;
    d->pid = 0;
    if (d->launcher == 0)
        note_end(d, status, &use);
    return true;
}

/* In a sandbox: what the launcher has to report. Without a word it is gone,
 * and nobody but the program can have ended it. */
static void read_end(struct driver *d) {
    struct launch_report report;

    sandbox_left(
        d->launcher, d->run->left_objects, sizeof(d->run->left_objects));
    if (read(d->pidfd, &report, sizeof(report)) == (ssize_t)sizeof(report)) {
        note_end(d, report.value, &report.use);
        return;
    }
    d->run->end = SIGNALLED;
    d->run->code = SIGKILL;
    snprintf(
        d->run->why, sizeof(d->run->why), "ended the process that started it");
}

/* Kills and reaps until nothing of the tree is left. The group goes first and
 * at once, so that a fork bomb cannot outrun us; its number is the program's,
 * which is not reaped yet. A process of the tree is reaped only by one of the
 * tree or by us, so a number just read from the list is still its own. Rounds
 * are counted, not time: the machine may stand still for a while. */
static void kill_tree(struct driver *d) {
    const struct look *look = &d->first;
    char stat[512] = "(gone)";
    size_t left = 1;

    kill(-d->pid, SIGKILL);
    if (d->launcher != 0)
        sandbox_kill(d->launcher);
    for (int round = 0; left > 0; round++) {
        take_look(d, &d->first);
        left = 0;
        for (size_t i = 0; i < look->pid_count; i++) {
            pid_t pid = look->pids[i];

            kill(pid, SIGKILL);
            if (pid == d->pid ? !reap_program(d)
                              : waitpid(pid, NULL, WNOHANG) != pid)
                left++;
        }
        if (round == KILL_ROUNDS) {
            read_proc(stat, sizeof(stat), "/proc/%d/stat", look->pids[0]);
            errx(EXIT_FAILURE, "cannot be killed: %s", stat);
        }
        if (left > 0)
            poll(NULL, 0, 1);
        else if (look->pid_count > 0)
            left = 1; /* what they left is ours only now: look again */
    }
}

static void finish(struct driver *d) {
    struct run *run = d->run;
    int most[] = {run->most_tasks, run->most_processes};

    if (run->end == EXITED) {
        note_left_behind(d);
        if (d->launcher != 0)
            read_end(d);
    }
    d->dismantling = true;
    kill_tree(d);
    if (d->launcher != 0)
        sandbox_clean();
    run->most_tasks = most[0];
    run->most_processes = most[1];
    drain_both(d);
    if ((run->end == EXITED || run->end == SIGNALLED) &&
        (d->out.flooded || d->err.flooded)) {
        d->decided = false;
        decide_flood(d);
    }
    run->unfinished = d->out.line_start < d->out.length;
    if (run->unfinished)
        add_line(d, d->out.text + d->out.line_start,
            d->out.length - d->out.line_start);
    run->err_text = d->err.text ? d->err.text : calloc(1, 1);
    if (d->program->virtual_time) {
        const struct clock_page *page = d->clock.page;

        run->virtual_ns = clock_now(&d->clock);
        run->sleeps = atomic_load(&page->sleeps);
        run->slept_ns = atomic_load(&page->slept);
        run->looks = atomic_load(&page->looks);
    }
}

static void close_all(struct driver *d) {
    if (d->out.fd != -1)
        close(d->out.fd);
    if (d->err.fd != -1)
        close(d->err.fd);
    close(d->pidfd);
    if (d->program->virtual_time)
        clock_close(&d->clock);
    free(d->out.text);
    free(d->before);
    free(d->known);
    free(d->since.tasks);
    free(d->since.pids);
    free(d->first.tasks);
    free(d->first.pids);
    free(d->second.tasks);
    free(d->second.pids);
}

/* The children that are there before the run. */
static void note_before(struct driver *d) {
    if (access("/proc/thread-self/children", R_OK) == -1)
        err(EXIT_FAILURE, "/proc/thread-self/children");
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
        err(EXIT_FAILURE, "PR_SET_CHILD_SUBREAPER");
    read_process(d, &d->first, getpid());
    d->before = d->first.pids;
    d->before_count = d->first.pid_count;
    d->first.pids = NULL;
}

/* What ends a run as INTERRUPTED; an ignored one stays so (nohup). */
static const int stops[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM};

static void catch_stops(struct sigaction *old) {
    static const struct sigaction note = {.sa_handler = note_interrupt};

    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++) {
        sigaction(stops[i], &note, &old[i]);
        if (old[i].sa_handler == SIG_IGN)
            sigaction(stops[i], &old[i], NULL);
    }
}

void program_run(const struct program *program, struct run *run) {
    size_t cap = program->output_bytes ? program->output_bytes : 1 << 20;
    struct driver d = {.program = program,
        .run = run,
        .out = {.cap = cap},
        .err = {.cap = cap},
        .start = real_now(),
        .own_last = own_now()};
    struct sigaction old[sizeof stops / sizeof stops[0]];
    char shim[PATH_MAX + 32] = "LD_PRELOAD=", variable[64];
    const char *clock[] = {NULL, NULL, NULL}, **env;

    *run = (struct run){0};
    interrupted = 0;
    d.last = d.start;
    catch_stops(old);
    note_before(&d);
    if (program->virtual_time) {
        if (clock_open(&d.clock) == -1)
            err(EXIT_FAILURE, "clock_open");
        d.clock.page->cpu_permille = program->cpu_permille;
        find_shim(program, shim + strlen(shim), PATH_MAX);
        snprintf(variable, sizeof(variable), CLOCK_VARIABLE "=%d", d.clock.fd);
        clock[0] = shim;
        clock[1] = variable;
    }
    env = make_environment(program, clock);
    start(&d, program->sandbox ? clock : env);
    watch(&d);
    finish(&d);
    close_all(&d);
    free(env);
    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++)
        sigaction(stops[i], &old[i], NULL);
    budget -= d.spent < budget ? d.spent : budget;
    if (interrupted && run->end != INTERRUPTED) /* came too late for the run */
        raise(interrupted);
}

void run_free(struct run *run) {
    for (size_t i = 0; i < run->count; i++)
        free(run->lines[i].text);
    free(run->lines);
    free(run->err_text);
}

const char *run_describe(const struct run *run, char *buf, size_t size) {
    int used = snprintf(buf, size, "%s", run->why);

    if (run->left_behind > 0 && (size_t)used < size)
        used += snprintf(buf + used, size - (size_t)used,
            " and left %d process%s behind: %s", run->left_behind,
            run->left_behind == 1 ? "" : "es", run->left_names);
    if (run->left_objects[0] != '\0' && (size_t)used < size)
        snprintf(buf + used, size - (size_t)used, " and left behind: %s",
            run->left_objects);
    return buf;
}
