/*
 * launcher.c - starts one program inside the sandbox, and tells how it ended
 *
 * Usage: launcher -r FD [-u UID] [-c DIR] [-k FD] [-l RESOURCE=VALUE]...
 *            [-e NAME=VALUE]... [-o] [-a PATH]... [-w PATH]...
 *            -- PROGRAM [ARGUMENT...]
 *
 * It is the parent of the program and, as process 1 or as a subreaper, of all
 * that the program leaves. It reports on FD, which the program does not get,
 * and then waits to be killed: what is left behind stays to be looked at, the
 * ended program, not reaped, among it. With -u the program runs as another
 * user, so it can neither signal nor trace the launcher; -o: it must not be
 * opened by the program's user either. With -a and -w it may read (and execute)
 * and write only below these paths, by Landlock, and signal only its own.
 */
#define _GNU_SOURCE
#include "run/launcher.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 128 };

struct launch {
    int report, keep;
    uid_t uid;
    const char *directory;
    struct {
        int resource;
        rlim_t value;
    } limits[MOST];
    char *env[MOST + 1];
    size_t limit_count, env_count;
    bool opaque, confined;
    struct path {
        const char *path;
        bool write;
    } paths[MOST];
    size_t path_count;
    char **argv;
};

static void add_limit(struct launch *l, const char *text) {
    char *end;

    if (l->limit_count == MOST)
        errx(2, "too many limits");
    l->limits[l->limit_count].resource = (int)strtol(text, &end, 10);
    l->limits[l->limit_count++].value = strtoull(end + 1, NULL, 10);
}

static void add_path(struct launch *l, const char *path, bool write) {
    if (l->path_count == MOST)
        errx(2, "too many paths");
    l->confined = true;
    l->paths[l->path_count++] = (struct path){path, write};
}

static void read_options(struct launch *l, int argc, char *argv[]) {
    int letter;

    while ((letter = getopt(argc, argv, "+r:u:c:k:l:e:oa:w:")) != -1)
        switch (letter) {
        case 'r': l->report = atoi(optarg); break;
        case 'u': l->uid = (uid_t)atol(optarg); break;
        case 'c': l->directory = optarg; break;
        case 'k': l->keep = atoi(optarg); break;
        case 'l': add_limit(l, optarg); break;
        case 'e':
            if (l->env_count == MOST)
                errx(2, "too many variables");
            /* The program can read our command line. */
            l->env[l->env_count++] = strdup(optarg);
            memset(optarg, 0, strlen(optarg));
            break;
        case 'o': l->opaque = true; break;
        case 'a': add_path(l, optarg, false); break;
        case 'w': add_path(l, optarg, true); break;
        default: exit(2);
        }
    if (optind >= argc)
        errx(2, "no program");
    l->argv = argv + optind;
}

static void report(const struct launch *l, const struct launch_report *what) {
    if (write(l->report, what, sizeof *what) != (ssize_t)sizeof *what)
        err(EXIT_FAILURE, "report");
}

#define FILE_RIGHTS                                              \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | \
        LANDLOCK_ACCESS_FS_WRITE_FILE)
#define READ_RIGHTS                                              \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | \
        LANDLOCK_ACCESS_FS_READ_DIR)
/* All of the first version. Later ones add to what can be denied. */
#define ALL_RIGHTS UINT64_C(0x1fff)

static bool allow(int rules, const struct path *path) {
    struct landlock_path_beneath_attr rule = {
        .allowed_access = path->write ? ALL_RIGHTS : READ_RIGHTS};
    struct stat status;
    int done;

    rule.parent_fd = open(path->path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd == -1)
        return errno == ENOENT;
    if (fstat(rule.parent_fd, &status) == 0 && !S_ISDIR(status.st_mode))
        rule.allowed_access &= FILE_RIGHTS;
    done = (int)syscall(
        SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(rule.parent_fd);
    return done == 0;
}

/* False, with errno, when the system cannot. */
static bool confine(const struct launch *l) {
    /* As of version 6: files, network, scope (1: abstract sockets, 2: signals).
     * The headers may be older. */
    struct {
        uint64_t files, network, scope;
    } denied = {ALL_RIGHTS, 0, 3};
    long version = syscall(
        SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    size_t known = version >= 6 ? 3 : version >= 4 ? 2 : 1;
    int rules = (int)syscall(
        SYS_landlock_create_ruleset, &denied, known * sizeof(uint64_t), 0);
    bool done = rules != -1;

    for (size_t i = 0; i < l->path_count && done; i++)
        done = allow(rules, &l->paths[i]);
    return done && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
}

/* The child up to exec. Returns only on failure, with errno set. */
static void become(const struct launch *l, pid_t parent) {
    sigset_t none;

    if (setpgid(0, 0) == -1 || chdir(l->directory) == -1)
        return;
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    if (l->keep != -1)
        fcntl(l->keep, F_SETFD, 0);
    for (size_t i = 0; i < l->limit_count; i++) {
        rlim_t value = l->limits[i].value;
        struct rlimit old;

        if (getrlimit((__rlimit_resource_t)l->limits[i].resource, &old) == -1)
            return;
        if (value > old.rlim_max) /* it may only be lowered */
            value = old.rlim_max;
        if (setrlimit((__rlimit_resource_t)l->limits[i].resource,
                &(struct rlimit){value, value}) == -1)
            return;
    }
    if (l->uid != 0 &&
        (setgroups(0, NULL) == -1 || setresgid(l->uid, l->uid, l->uid) == -1 ||
            setresuid(l->uid, l->uid, l->uid) == -1))
        return;
    umask(022);
    if (l->confined && !confine(l))
        return;
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* After setresuid, which clears it. The parent may be gone by now. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent)
        return;
    execve(l->argv[0], l->argv, l->env);
}

/* Forks and waits until the program runs in the child, or cannot. */
static pid_t start(const struct launch *l) {
    struct launch_report started = {.event = LAUNCH_STARTED};
    int failure[2], code = 0;
    pid_t parent = getpid(), child;

    if (pipe2(failure, O_CLOEXEC) == -1)
        err(EXIT_FAILURE, "pipe2");
    child = fork();
    if (child == -1)
        err(EXIT_FAILURE, "fork");
    if (child == 0) {
        become(l, parent);
        code = errno;
        _exit(write(failure[1], &code, sizeof code) == -1);
    }
    close(failure[1]);
    while (read(failure[0], &code, sizeof code) == -1 && errno == EINTR)
        ;
    close(failure[0]);
    started.value = code;
    report(l, &started);
    return child;
}

/* The kernel's lists of what has a number and outlives its maker; the owner is
 * in one of the columns. */
struct list {
    const char *path, *name;
    int owner;
    int (*remove)(int);
};

static int remove_queue(int id) {
    return msgctl(id, IPC_RMID, NULL);
}

static int remove_semaphores(int id) {
    return semctl(id, 0, IPC_RMID);
}

static int remove_memory(int id) {
    return shmctl(id, IPC_RMID, NULL);
}

static const struct list lists[] = {
    {"/proc/sysvipc/msg", "a message queue", 7, remove_queue},
    {"/proc/sysvipc/sem", "semaphores", 4, remove_semaphores},
    {"/proc/sysvipc/shm", "shared memory", 7, remove_memory},
};

/* The owner of the object in this row, and its number. */
static bool read_row(const struct list *list, char *row, long *owner, int *id) {
    char *rest = NULL, *end, *word = strtok_r(row, " ", &rest);

    for (int column = 0; word != NULL; column++) {
        long value = strtol(word, &end, 10);
        if (*end != '\0' && *end != '\n')
            return false; /* the heading */
        if (column == 1)
            *id = (int)value;
        if (column == list->owner) {
            *owner = value;
            return true;
        }
        word = strtok_r(NULL, " ", &rest);
    }
    return false;
}

/* Names what the program has left in System V's queues and the like, and
 * removes what would stay for others. Where nobody tells its owner from ours
 * nothing can be said, unless the namespace is its own. */
static void note_left(const struct launch *l, char *buf, size_t size) {
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        FILE *file = fopen(lists[i].path, "re");
        char row[512];
        long owner;
        int id;
        while (file != NULL && fgets(row, sizeof row, file) != NULL) {
            size_t used = strlen(buf);
            if ((l->uid == 0 && !l->opaque) ||
                !read_row(&lists[i], row, &owner, &id) ||
                (l->uid != 0 && owner != (long)l->uid))
                continue;
            snprintf(buf + used, size - used, "%s%s of System V (number %d)",
                used > 0 ? ", " : "", lists[i].name, id);
            if (l->uid != 0)
                lists[i].remove(id);
        }
        if (file != NULL)
            fclose(file);
    }
}

int main(int argc, char *argv[]) {
    struct launch_report ended = {.event = LAUNCH_ENDED};
    struct launch launch = {.report = -1, .keep = -1, .directory = "/"};
    siginfo_t info;
    sigset_t all;
    pid_t child;
    int fd;

    read_options(&launch, argc, argv);
    fcntl(launch.report, F_SETFD, FD_CLOEXEC);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid(); /* fails where it has a session of its own already */
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) == -1 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
        err(EXIT_FAILURE, "prctl");
    /* When memory runs out it is the program that goes. */
    fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd != -1) {
        if (write(fd, "1000", 4) == -1)
            warn("oom_score_adj");
        close(fd);
    }
    if (launch.opaque && prctl(PR_SET_DUMPABLE, 0) == -1)
        err(EXIT_FAILURE, "PR_SET_DUMPABLE");
    child = start(&launch);
    while (syscall(SYS_waitid, P_PID, child, &info, WEXITED | WNOWAIT,
               &ended.use) == -1 &&
           errno == EINTR)
        ;
    ended.value = info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0)
                                             : W_EXITCODE(0, info.si_status);
    note_left(&launch, ended.left, sizeof ended.left);
    report(&launch, &ended);
    for (;;)
        pause();
}
