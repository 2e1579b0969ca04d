/*
 * start.c - starts the program: environment, shim, pipes, from fork to exec
 */
#define _GNU_SOURCE
#include "run/driver.h"
#include "run/launcher.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LAUNCH_MS 60000 /* for the sandbox to be set up */

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
void find_shim(const struct program *program, char *path, size_t size) {
    static int fd = -1;
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    char *slash;

    if (program->box != NULL) {
        snprintf(path, size, "%s", program->box->shim);
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

const char **make_environment(
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

    if (d->program->box->depth > 1 && setpgid(0, 0) == -1)
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
    struct pids inner = {0};

    if (poll(&ready, 1, LAUNCH_MS) != 1 ||
        read(d->pidfd, &report, sizeof(report)) != (ssize_t)sizeof(report)) {
        drain(d);
        errx(EXIT_FAILURE, "the sandbox does not work: %s",
            d->err.text ? d->err.text : "no answer");
    }
    d->launcher = d->pid;
    if (d->program->box->depth > 1) {
        proc_children(d->pid, d->pid, &inner);
        if (inner.count != 1)
            errx(EXIT_FAILURE, "the launcher is not to be found");
        d->launcher = inner.ids[0];
        free(inner.ids);
    }
    return report.value;
}

/* Waits until the program is running in the child, or cannot be. */
static void await_start(struct driver *d, int failure) {
    int code = 0;

    while (read(failure, &code, sizeof(code)) == -1 && errno == EINTR)
        ;
    close(failure);
    if (d->program->box != NULL && code == 0)
        code = await_launcher(d);
    else if (d->program->box == NULL)
        d->pidfd = (int)syscall(SYS_pidfd_open, d->pid, 0);
    if (d->pidfd == -1)
        err(EXIT_FAILURE, "pidfd_open");
    if (code != 0)
        decide(
            d, NOT_STARTED, code, "could not be started: %s", strerror(code));
}

static void free_words(char **words) {
    for (char **word = words; word != NULL && *word != NULL; word++)
        free(*word);
    free(words);
}

void start(struct driver *d, const char *const *env) {
    int out[2], error[2], failure[2], report[2] = {-1, -1}, code;
    char **command = NULL;
    pid_t parent = getpid();

    make_pipe(out);
    make_pipe(error);
    make_pipe(failure);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(error[0], F_SETFL, O_NONBLOCK);
    if (d->program->box != NULL) {
        make_pipe(report);
        command = d->program->box->command(d->program, env, report[1],
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
    free_words(command);
    close(out[1]);
    close(error[1]);
    close(failure[1]);
    close(report[1]);
    d->out.fd = d->program->stdout_broken ? -1 : out[0];
    d->err.fd = error[0];
    d->pidfd = report[0];
    await_start(d, failure[0]);
}
