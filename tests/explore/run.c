/*
 * run.c - the parent: one run of the program in a child, and how it ended
 *
 * A run that never comes back is no verdict on the program. It is told from a
 * long one by facts: the CPU time it had, or that all its threads are asleep in
 * the system.
 */
#define _GNU_SOURCE
#include "explore/parent.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_US = 250000 };

struct settings settings;
long runs;
static int nargs;
static char **arguments;
static int in, out, errors; /* the child's standard files */

static void look_around(int number) {
    (void)number; /* waitpid is interrupted */
}

void run_prepare(int argc, char *argv[]) {
    static char buffer[BUFSIZ]; /* malloc would move what programs allocate */
    struct sigaction action = {.sa_handler = look_around};
    nargs = argc;
    arguments = argv;
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    in = settings.input == NULL ? memfd_create("input", MFD_CLOEXEC)
                                : open(settings.input, O_RDONLY | O_CLOEXEC);
    if (in == -1)
        err(2, "explore: INPUT=%s", settings.input);
    out = memfd_create("output", MFD_CLOEXEC);
    errors = memfd_create("errors", MFD_CLOEXEC);
    if (out == -1 || errors == -1 ||
        (settings.input == NULL && pwrite(in, "\n", 1, 0) != 1))
        err(2, "explore: memory for output");
    sigaction(SIGALRM, &action, NULL);
    memory_reserve();
}

static double seconds_of(int who) {
    struct rusage u;
    getrusage(who, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

double cpu_seconds(void) {
    return seconds_of(RUSAGE_SELF) + seconds_of(RUSAGE_CHILDREN);
}

static void limit(int what, rlim_t soft, rlim_t hard) {
    setrlimit((__rlimit_resource_t)what, &(struct rlimit){soft, hard});
}

static _Noreturn void child(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    signal(SIGINT, SIG_DFL);
    limit(RLIMIT_CORE, 0, 0);
    limit(RLIMIT_FSIZE, MOST_OUTPUT, MOST_OUTPUT);
    limit(RLIMIT_CPU, PATIENCE_S - 1, PATIENCE_S + 1); /* see takes_long() */
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    run_begin(nargs, arguments);
}

/* ---------- Does it still move? ---------- */

static bool task_sleeps(const char *pid, const char *tid, unsigned long *cpu) {
    char path[300], text[600];
    unsigned long user, kernel;
    snprintf(path, sizeof path, "/proc/%s/task/%s/stat", pid, tid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = '\0';
    const char *after = strrchr(text, ')');
    char how;
    if (after == NULL ||
        sscanf(after, ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
            &how, &user, &kernel) != 3)
        return false;
    *cpu += user + kernel;
    return how == 'S';
}

/* Are all its threads asleep, and how much CPU time have they had? */
static bool asleep(const char *pid, unsigned long *cpu) {
    char path[100];
    bool all = true;
    snprintf(path, sizeof path, "/proc/%s/task", pid);
    DIR *tasks = opendir(path);
    *cpu = 0;
    for (const struct dirent *d; tasks != NULL && (d = readdir(tasks)) != NULL;)
        if (d->d_name[0] != '.')
            all &= task_sleeps(pid, d->d_name, cpu);
    if (tasks != NULL)
        closedir(tasks);
    return tasks != NULL && all;
}

static const char *call_name(long number) {
    static const struct {
        long number;
        const char *name;
    } calls[] = {{SYS_read, "read"}, {SYS_futex, "futex"},
        {SYS_recvfrom, "recv"}, {SYS_recvmsg, "recvmsg"},
        {SYS_accept, "accept"}, {SYS_accept4, "accept"},
        {SYS_connect, "connect"}, {SYS_semtimedop, "semop"},
        {SYS_msgrcv, "msgrcv"}, {SYS_mq_timedreceive, "mq_receive"},
        {SYS_wait4, "wait"}, {SYS_waitid, "waitid"}, {SYS_write, "write"},
        {SYS_rt_sigtimedwait, "sigwait"}, {SYS_rt_sigsuspend, "sigsuspend"},
        {SYS_epoll_pwait, "epoll_wait"}, {SYS_ppoll, "poll"},
        {SYS_pselect6, "select"}, {SYS_flock, "flock"}, {SYS_fcntl, "fcntl"},
        {SYS_openat, "open"}, {SYS_clock_nanosleep, "clock_nanosleep"},
#ifdef SYS_poll /* the older machines have these as well */
        {SYS_poll, "poll"}, {SYS_select, "select"}, {SYS_pause, "pause"},
        {SYS_epoll_wait, "epoll_wait"},
#endif
        {SYS_semop, "semop"}};
    static char other[40];
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i].number == number)
            return calls[i].name;
    snprintf(other, sizeof other, "system call %ld", number);
    return other;
}

static void tell_blocked(const char *pid) {
    char path[100];
    long number = -1;
    snprintf(
        path, sizeof path, "/proc/%s/task/%d/syscall", pid, sh->running_tid);
    FILE *file = fopen(path, "re");
    if (file == NULL || fscanf(file, "%ld", &number) != 1)
        number = -1;
    if (file != NULL)
        fclose(file);
    sh->fault = UNFIT;
    snprintf(sh->text, sizeof sh->text,
        "%s waits in %s, where explore cannot let the others go on",
        thread_name(sh->running),
        number == -1 ? "the system" : call_name(number));
}

/* Twice asleep, and no CPU time in between: on however busy a machine. */
static int wait_for_end(pid_t child_pid) {
    char pid[20];
    int status;
    unsigned long had = 0, has;
    bool slept = false;
    struct itimerval look = {{0, LOOK_US}, {0, LOOK_US}}, none = {{0}, {0}};
    snprintf(pid, sizeof pid, "%d", child_pid);
    setitimer(ITIMER_REAL, &look, NULL);
    while (waitpid(child_pid, &status, 0) == -1) {
        if (errno != EINTR)
            err(2, "explore: waitpid");
        bool sleeps = asleep(pid, &has);
        if (sleeps && slept && has == had) {
            tell_blocked(pid);
            kill(child_pid, SIGKILL);
        }
        slept = sleeps;
        had = has;
    }
    setitimer(ITIMER_REAL, &none, NULL);
    kill(-child_pid, SIGKILL); /* whatever it started in spite of us */
    return status;
}

/* ---------- A run ---------- */

int run(void) {
    sh->nsteps = sh->nthreads = sh->cost = sh->used = 0;
    sh->fault = NONE;
    sh->news = false;
    sh->text[0] = sh->race[0] = sh->table[0] = '\0';
    sh->kept = sh->lost_by = -1;
    fflush(stdout);
    pid_t pid;
    if (ftruncate(errors, 0) == -1 || lseek(errors, 0, SEEK_SET) == -1 ||
        ftruncate(out, 0) == -1 || lseek(out, 0, SEEK_SET) == -1 ||
        (settings.input != NULL && lseek(in, 0, SEEK_SET) == -1))
        err(2, "explore: the output of a run");
    for (int tries = 0; (pid = fork()) == -1 && tries < 1000; tries++)
        usleep(10000); /* the machine may be full for a while */
    if (pid == -1)
        err(2, "explore: a run");
    if (pid == 0)
        child();
    runs++;
    return wait_for_end(pid);
}

/* One that refuses its arguments says why on its last line. */
static const char *no_threads(int exit_status) {
    static char text[MOST_TEXT + 100];
    const char *line;
    size_t n = run_errors(&line), begin;

    if (exit_status == 0)
        return "it starts no threads, so it has one schedule";
    while (n > 0 && line[n - 1] == '\n')
        n--;
    for (begin = n; begin > 0 && line[begin - 1] != '\n';)
        begin--;
    snprintf(text, sizeof text,
        "it exits with status %d%s%.*s; it starts no threads, so it has one "
        "schedule",
        exit_status, n > 0 ? ", saying: " : "", (int)(n - begin), line + begin);
    return text;
}

const char *run_unfit(int status) {
    bool ended = sh->fault == NONE && WIFEXITED(status);
    if (sh->fault == UNFIT)
        return sh->text;
    if (settings.input == NULL && lseek(in, 0, SEEK_CUR) != 0)
        return "it reads input: name a file by INPUT=, or give it arguments";
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ)
        return "it writes more than 1 MiB";
    if (WIFSIGNALED(status) &&
        (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGXCPU))
        return "it was killed, most likely after 10 s of CPU time in a run: "
               "give it less work";
    if (sh->nthreads < 2 && ended)
        return no_threads(WEXITSTATUS(status));
    return NULL;
}

static size_t contents(int file, char *text, size_t size) {
    ssize_t n = pread(file, text, size - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

size_t run_output(const char **text, const char **lost) {
    static char buffer[MOST_OUTPUT + 1];
    size_t n = contents(out, buffer, sizeof buffer);
    *text = buffer;
    if (lost != NULL)
        *lost = sh->kept >= 0 && (size_t)sh->kept < n ? buffer + sh->kept : "";
    if (sh->kept >= 0 && (size_t)sh->kept < n)
        n = (size_t)sh->kept;
    return n;
}

size_t run_errors(const char **text) {
    static char buffer[600];
    *text = buffer;
    return contents(errors, buffer, sizeof buffer);
}
