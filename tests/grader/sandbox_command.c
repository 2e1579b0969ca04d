/*
 * sandbox_command.c - the command line that starts a program in the sandbox
 */
#define _GNU_SOURCE
#include "grader/sandbox_command.h"

#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BWRAP "/usr/bin/bwrap"
#define TMP_BYTES "67108864"

static const struct limit limits[] = {
    {RLIMIT_NPROC, 128},
    {RLIMIT_FSIZE, 64 << 20},
    {RLIMIT_CORE, 0},
    {RLIMIT_CPU, 120},
    {RLIMIT_NOFILE, 20000},
};

struct command {
    char **words;
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(
    struct command *c, const char *format, ...) {
    va_list args;

    /* Room for this one and the NULL; doubled when it is used up. */
    if ((c->used & (c->used + 1)) == 0) {
        c->words = realloc(c->words, (2 * c->used + 3) * sizeof *c->words);
        if (c->words == NULL)
            err(EXIT_FAILURE, "realloc");
    }
    va_start(args, format);
    if (vasprintf(&c->words[c->used++], format, args) == -1)
        err(EXIT_FAILURE, "vasprintf");
    va_end(args);
    c->words[c->used] = NULL;
}

static void add_words(struct command *c, const char *const *words) {
    for (; *words != NULL; words++)
        add(c, "%s", *words);
}

/* A directory of the top: a link into /usr on most systems. */
static void add_top(struct command *c, const char *path) {
    char target[256];
    ssize_t length = readlink(path, target, sizeof target - 1);
    struct stat status;

    if (length > 0)
        add_words(c, (const char *[]){"--symlink",
                         (target[length] = '\0', target), path, NULL});
    else if (stat(path, &status) == 0)
        add_words(c, (const char *[]){"--ro-bind", path, path, NULL});
}

static void add_bwrap(
    struct command *c, const struct walls *walls, const struct sandbox *s) {
    static const char *const first[] = {BWRAP, "--die-with-parent",
        "--as-pid-1", "--new-session", "--unshare-pid", "--unshare-ipc",
        "--unshare-uts", "--unshare-cgroup-try", "--ro-bind", "/usr", "/usr",
        NULL};
    static const char *const tops[] = {
        "/bin", "/sbin", "/lib", "/lib64", "/lib32", NULL};
    static const char *const etc[] = {"/etc/ld.so.cache", "/etc/alternatives",
        "/etc/nsswitch.conf", "/etc/hosts", "/etc/ssl/openssl.cnf", NULL};
    static const char *const rest[] = {"--proc", "/proc", "--dev", "/dev",
        "--mqueue", "/dev/mqueue", "--perms", "1777", "--size", TMP_BYTES,
        "--tmpfs", "/dev/shm", "--perms", "1777", "--size", TMP_BYTES,
        "--tmpfs", "/tmp", NULL};

    add_words(c, first);
    /* Else it is for root alone. */
    add_words(c, (const char *[]){"--perms", "0755", "--dir", "/etc", NULL});
    if (walls->uid == 0)
        add_words(
            c, (const char *[]){"--unshare-user", "--disable-userns", NULL});
    else
        add_words(c, (const char *[]){"--cap-drop", "ALL", "--cap-add",
                         "CAP_SETUID", "--cap-add", "CAP_SETGID", NULL});
    for (int i = 0; tops[i] != NULL; i++)
        add_top(c, tops[i]);
    for (int i = 0; etc[i] != NULL; i++)
        add_words(c, (const char *[]){"--ro-bind-try", etc[i], etc[i], NULL});
    add_words(c, rest);
    add_words(c, (const char *[]){"--ro-bind", walls->kit, "/kit", "--ro-bind",
                     s->dir, "/program", NULL});
    if (s->out != NULL)
        add_words(c, (const char *[]){"--bind", s->out, "/out", NULL});
    add(c, "--");
}

/* The limits of all runs, but for those that the run has of its own. */
static void add_limits(struct command *c, const struct program *p) {
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        add(c, "-l");
        add(c, "%d=%llu", limits[i].resource,
            (unsigned long long)limits[i].value);
    }
    for (size_t i = 0; i < p->limit_count; i++) {
        add(c, "-l");
        add(c, "%d=%llu", p->limits[i].resource,
            (unsigned long long)p->limits[i].value);
    }
}

/* What bubblewrap would have shown. */
static void add_paths(
    struct command *c, const struct walls *walls, const struct sandbox *s) {
    static const char *const reads[] = {"/usr", "/bin", "/sbin", "/lib",
        "/lib64", "/lib32", "/etc/ld.so.cache", "/etc/alternatives",
        "/etc/nsswitch.conf", "/etc/hosts", "/etc/ssl/openssl.cnf", "/proc",
        "/sys/devices/system/cpu", NULL};
    static const char *const writes[] = {"/dev/null", "/dev/zero", "/dev/full",
        "/dev/random", "/dev/urandom", "/dev/shm", "/dev/mqueue", NULL};

    if (walls->level == SANDBOX_BWRAP || !walls->landlock)
        return;
    for (int i = 0; reads[i] != NULL; i++)
        add(c, "-a%s", reads[i]);
    for (int i = 0; writes[i] != NULL; i++)
        add(c, "-w%s", writes[i]);
    add(c, "-a%s", walls->kit);
    add(c, "-a%s", s->dir);
    add(c, "-w%s", s->out ? s->out : walls->scratch);
}

static void add_env(struct command *c, const char *const *variables) {
    for (; variables != NULL && *variables != NULL; variables++) {
        add(c, "-e");
        add(c, "%s", *variables);
    }
}

const char *command_path(const struct walls *walls, const struct sandbox *s,
    const char *path, char *buf, size_t size) {
    size_t dir = strlen(s->dir), out = s->out ? strlen(s->out) : 0;

    snprintf(buf, size, "%s", path);
    if (walls->level != SANDBOX_BWRAP)
        return buf;
    if (strncmp(path, s->dir, dir) == 0 && path[dir] == '/')
        snprintf(buf, size, "/program%s", path + dir);
    else if (out > 0 && strncmp(path, s->out, out) == 0 && path[out] == '/')
        snprintf(buf, size, "/out%s", path + out);
    return buf;
}

const char *command_kit(const struct walls *walls) {
    return walls->level == SANDBOX_BWRAP ? "/kit" : walls->kit;
}

/* What the launcher is told of itself. */
static void add_launcher(struct command *c, const struct walls *walls,
    const struct sandbox *s, int report_fd, int clock_fd) {
    bool bwrap = walls->level == SANDBOX_BWRAP;

    add(c, "%s/launcher", command_kit(walls));
    add(c, "-r%d", report_fd);
    if (clock_fd != -1)
        add(c, "-k%d", clock_fd);
    if (walls->uid != 0)
        add(c, "-u%u", (unsigned)walls->uid);
    if (bwrap && walls->uid == 0)
        add(c, "-o");
    add(c, "-c%s",
        s->out && bwrap ? "/program"
        : s->out        ? s->dir
        : bwrap         ? "/tmp"
                        : walls->scratch);
}

/* Where it may write. */
static void add_own(
    struct command *c, const struct walls *walls, const struct sandbox *s) {
    bool bwrap = walls->level == SANDBOX_BWRAP;
    const char *own = s->out && bwrap ? "/out"
                      : s->out        ? s->out
                      : bwrap         ? "/tmp"
                                      : walls->scratch;

    add(c, "-eHOME=%s", own);
    add(c, "-eTMPDIR=%s", own);
}

char **command_words(const struct walls *walls, const struct program *p,
    const char *const *clock_env, int report_fd, int clock_fd) {
    static const char *const always[] = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8",
        "TSAN_OPTIONS=atexit_sleep_ms=0", NULL};
    const struct sandbox *s = (const struct sandbox *)p->box;
    struct command c = {.words = NULL};
    char path[4096];

    if (walls->level == SANDBOX_BWRAP)
        add_bwrap(&c, walls, s);
    add_launcher(&c, walls, s, report_fd, clock_fd);
    add_limits(&c, p);
    add_paths(&c, walls, s);
    add_own(&c, walls, s);
    add_env(&c, always);
    add_env(&c, p->env);
    add_env(&c, clock_env);
    add(&c, "--");
    add(&c, "%s", command_path(walls, s, p->argv[0], path, sizeof path));
    add_words(&c, p->argv + 1);
    return c.words;
}
