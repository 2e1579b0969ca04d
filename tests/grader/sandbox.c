/*
 * sandbox.c - where a submission is built and run
 *
 * DESIGN. As root the program gets a user id of its own at both upper levels:
 * the limit on processes counts per user, and it can neither signal, trace nor
 * open anything of the grader's. As an ordinary user bubblewrap makes a user
 * namespace, in which the count begins anew.
 *
 * In bubblewrap: only /usr, a few files of /etc, the launcher, the shim and
 * one directory of the submission, all read-only; /tmp and /dev/shm of a
 * bounded size; processes, queues and names of its own. It shares the
 * network of the harness, which has one of its own with nothing in it but the
 * loopback device: there are the practice sites and nobody else.
 *
 * Without bubblewrap, Landlock keeps the program to its files where the kernel
 * has it.
 */
#define _GNU_SOURCE
#include "grader/sandbox.h"
#include "grader/sandbox_command.h"
#include "run/remove.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_UID = 20000, UIDS = 40000, MOST_BLOCKS = 1 << 19 };

static struct walls walls;

enum sandbox_level sandbox_level(void) {
    return walls.level;
}

const char *sandbox_describe(void) {
    return walls.sentence;
}

const char *sandbox_kit(void) {
    return command_kit(&walls);
}

const char *sandbox_path(
    const struct sandbox *s, const char *path, char *buf, size_t size) {
    return command_path(&walls, s, path, buf, size);
}

/* ---------- What is left ---------- */

static void list_left(const char *dir, const char *prefix, uid_t uid,
    bool remove, char *buf, size_t size) {
    DIR *entries = opendir(dir);
    struct dirent *entry;
    struct stat status;

    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        size_t used = strlen(buf);
        if (entry->d_name[0] == '.' ||
            fstatat(dirfd(entries), entry->d_name, &status,
                AT_SYMLINK_NOFOLLOW) == -1 ||
            (uid != 0 && status.st_uid != uid))
            continue;
        snprintf(buf + used, size - used, "%s%s%.60s", used > 0 ? ", " : "",
            prefix, entry->d_name);
        if (remove)
            unlinkat(dirfd(entries), entry->d_name, 0);
    }
    if (entries != NULL)
        closedir(entries);
}

static void list_all_left(pid_t launcher, char *buf, size_t size) {
    char dir[64] = "";

    buf[0] = '\0';
    if (walls.level == SANDBOX_LIMITS) /* nobody can tell whose they are */
        return;
    if (walls.level == SANDBOX_BWRAP)
        snprintf(dir, sizeof dir, "/proc/%d/root", launcher);
    size_t used = strlen(dir);
    snprintf(dir + used, sizeof dir - used, "/dev/shm");
    list_left(dir, "shared memory /", walls.uid, false, buf, size);
    snprintf(dir + used, sizeof dir - used, "/dev/mqueue");
    list_left(dir, "message queue /", walls.uid, false, buf, size);
    if (walls.level == SANDBOX_BWRAP) {
        snprintf(dir + used, sizeof dir - used, "/tmp");
        list_left(dir, "the file /tmp/", walls.uid, false, buf, size);
    } else {
        list_left(walls.scratch, "the file ", walls.uid, false, buf, size);
    }
}

void sandbox_empty(const char *dir) {
    remove_inside(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), NULL);
}

static int64_t disk_blocks;

static int add_size(
    const char *path, const struct stat *status, int type, struct FTW *where) {
    (void)path;
    (void)type;
    (void)where;
    disk_blocks += status->st_blocks;
    return 0;
}

static bool overfull(void) {
    static struct timespec last;
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (walls.level == SANDBOX_BWRAP || now.tv_sec == last.tv_sec)
        return false;
    last = now;
    disk_blocks = 0;
    nftw(walls.scratch, add_size, 16, FTW_PHYS);
    return disk_blocks > MOST_BLOCKS;
}

static void clean(void) {
    char left[400] = "";

    if (walls.level == SANDBOX_BWRAP)
        return;
    sandbox_empty(walls.scratch);
    if (walls.uid == 0)
        return;
    list_left("/dev/shm", "", walls.uid, true, left, sizeof left);
    list_left("/dev/mqueue", "", walls.uid, true, left, sizeof left);
}

/* Another user's processes all at once: they cannot fork away from it. */
static void kill_all(pid_t launcher) {
    kill(launcher, SIGKILL);
    sandbox_sweep();
}

void sandbox_sweep(void) {
    pid_t child;

    if (walls.level != SANDBOX_USER || (child = fork()) == -1)
        return;
    if (child == 0) {
        if (setresuid(walls.uid, walls.uid, walls.uid) == 0)
            kill(-1, SIGKILL);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

/* ---------- For the runner ---------- */

static const char *shim(void) {
    static char path[200];

    snprintf(path, sizeof path, "%s/clock_shim.so", sandbox_kit());
    return path;
}

static char **command(const struct program *p, const char *const *clock_env,
    int report_fd, int clock_fd) {
    return command_words(&walls, p, clock_env, report_fd, clock_fd);
}

struct sandbox sandbox_at(const char *dir, const char *out) {
    return (struct sandbox){.box = {.command = command,
                                .shim = shim(),
                                .depth = walls.level == SANDBOX_BWRAP ? 2 : 1,
                                .uid = walls.uid,
                                .left = list_all_left,
                                .overfull = overfull,
                                .kill = kill_all,
                                .clean = clean},
        .dir = dir,
        .out = out};
}

/* ---------- Choosing ---------- */

static void copy_file(const char *from, const char *to) {
    char buffer[1 << 14];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    ssize_t got;

    if (in == -1 || out == -1)
        err(EXIT_FAILURE, "%s", in == -1 ? from : to);
    while ((got = read(in, buffer, sizeof buffer)) > 0)
        if (write(out, buffer, (size_t)got) != got)
            err(EXIT_FAILURE, "%s", to);
    if (got == -1)
        err(EXIT_FAILURE, "%s", from);
    close(in);
    close(out);
}

/* What the sandbox is to see, from beside this program or the sources. */
static void copy_kit(void) {
    static const char *const built[] = {
        "launcher", "clock_shim.so", "explore.o", "rare.o", "rare.wraps", NULL};
    static const char *const scripts[] = {"tests/explore/explore.sh",
        "tests/explore/debug.awk", "tests/explore/names.awk",
        "tests/run/build.sh", NULL};
    char from[4096], to[200];
    ssize_t length = readlink("/proc/self/exe", from, sizeof from - 32);

    if (length == -1 || mkdir(walls.kit, 0755) == -1)
        err(EXIT_FAILURE, "%s", walls.kit);
    from[length] = '\0';
    for (int i = 0; built[i] != NULL; i++) {
        snprintf(strrchr(from, '/'), 32, "/%s", built[i]);
        snprintf(to, sizeof to, "%s/%s", walls.kit, built[i]);
        copy_file(from, to);
    }
    for (int i = 0; scripts[i] != NULL; i++) {
        snprintf(to, sizeof to, "%s%s", walls.kit, strrchr(scripts[i], '/'));
        copy_file(scripts[i], to);
    }
}

void sandbox_own(const char *dir) {
    if (mkdir(dir, 0755) == -1 && errno != EEXIST)
        err(EXIT_FAILURE, "%s", dir);
    if (walls.uid != 0 && chown(dir, walls.uid, (gid_t)walls.uid) == -1)
        err(EXIT_FAILURE, "%s", dir);
}

/* Does a program run here and end as it should? In a process of its own: a
 * level that does not work ends it. */
static bool works(void) {
    const char *argv[] = {"/usr/bin/test", "-r", "/program/launcher", NULL};
    struct sandbox s = sandbox_at(walls.kit, NULL);
    struct program p = {.argv = argv, .box = &s.box, .deadline_ms = 20000};
    struct run run;
    int status;
    pid_t parent = getpid(), child;

    if (walls.level == SANDBOX_USER && geteuid() != 0)
        return false;
    if (walls.level != SANDBOX_BWRAP)
        argv[2] = shim();
    child = fork();
    if (child == -1)
        err(EXIT_FAILURE, "fork");
    if (child == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent ||
            freopen("/dev/null", "w", stderr) == NULL)
            _exit(EXIT_FAILURE);
        program_run(&p, &run);
        _exit(run.end == EXITED && run.code == 0 ? 0 : EXIT_FAILURE);
    }
    while (waitpid(child, &status, 0) == -1 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void describe(void) {
    static const char *const names[] = {
        "bubblewrap", "another user id", "limits only"};
    static const char *const sight[] = {"",
        "it sees what every user of this system may read",
        "it sees and reaches what this user does"};

    snprintf(walls.sentence, sizeof walls.sentence, "%s%s, %s",
        names[walls.level],
        walls.level == SANDBOX_BWRAP && walls.uid != 0 ? " and another user id"
                                                       : "",
        walls.own_network ? "no network but the practice sites"
                          : "network not separated");
    size_t used = strlen(walls.sentence);
    if (walls.level != SANDBOX_BWRAP)
        snprintf(walls.sentence + used, sizeof walls.sentence - used, ", %s",
            walls.landlock ? "files kept apart by Landlock"
                           : sight[walls.level]);
}

void sandbox_open(const char *work, enum sandbox_level first, bool own_network,
    pid_t number) {
    bool root = geteuid() == 0;

    snprintf(walls.work, sizeof walls.work, "%s", work);
    snprintf(walls.kit, sizeof walls.kit, "%s/kit", work);
    snprintf(walls.scratch, sizeof walls.scratch, "%s/scratch", work);
    walls.own_network = own_network;
    walls.landlock = syscall(SYS_landlock_create_ruleset, NULL, 0,
                         LANDLOCK_CREATE_RULESET_VERSION) >= 1;
    copy_kit();
    for (walls.level = first; walls.level < SANDBOX_LIMITS; walls.level++) {
        walls.uid = root ? FIRST_UID + (uid_t)number % UIDS : 0;
        sandbox_own(walls.scratch);
        if (works())
            break;
    }
    if (walls.level == SANDBOX_LIMITS)
        walls.uid = 0;
    sandbox_own(walls.scratch);
    describe();
}

void sandbox_close(void) {
    clean();
}
