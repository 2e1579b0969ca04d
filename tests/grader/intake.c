/*
 * intake.c - takes a submission in
 *
 * No name that the submission chose is ever used: the kit's own names are
 * looked for, one part at a time and never through a link.
 */
#define _GNU_SOURCE
#include "grader/intake.h"
#include "grader/near.h"
#include "run/remove.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARGEST = 1 << 20 };
#define LARGEST_NAMED "1 MiB"
#define WORK "grading."
#define MARK ".kit-grader" /* in a work directory: nobody else's is removed */

/* ---------- Strings and files ---------- */

__attribute__((format(printf, 1, 2))) static char *format(
    const char *form, ...) {
    va_list args;
    char *text;

    va_start(args, form);
    if (vasprintf(&text, form, args) == -1)
        err(EXIT_FAILURE, "vasprintf");
    va_end(args);
    return text;
}

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void make_dir(const char *path) {
    if (mkdir(path, 0755) == -1 && errno != EEXIST)
        err(EXIT_FAILURE, "%s", path);
}

/* ---------- Intake ---------- */

/* Opens and locks a directory. -1: it is gone, or another one has the lock. */
static int lock_directory(const char *path, int wait) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;

    if (fd == -1)
        return -1;
    if (flock(fd, LOCK_EX | wait) == 0 && fstat(fd, &status) == 0 &&
        status.st_nlink > 0 && status.st_uid == geteuid())
        return fd;
    close(fd);
    return -1;
}

/* A grader that was killed leaves its work directory, and no lock on it. */
static void remove_stale(const char *tmp) {
    DIR *entries = opendir(tmp);
    struct dirent *entry;
    char path[320];

    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        if (strncmp(entry->d_name, WORK, sizeof WORK - 1) != 0 ||
            strlen(entry->d_name) != sizeof WORK + 5)
            continue;
        snprintf(path, sizeof path, "%s/%s", tmp, entry->d_name);
        int fd = lock_directory(path, LOCK_NB);
        if (fd == -1)
            continue;
        if (faccessat(fd, MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
            /* The mark goes last. */
            remove_inside(
                openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), MARK);
            if (unlinkat(fd, MARK, AT_REMOVEDIR) == 0 && rmdir(path) == -1 &&
                mkdirat(fd, MARK, 0700) == -1) /* it is tried again */
                warn("%s", path);
        } else {
            rmdir(path); /* killed before it could put the mark there */
        }
        close(fd);
    }
    if (entries != NULL)
        closedir(entries);
}

/* Another grader may take a new one for stale, before it is locked. */
static void make_work(struct submission *s, const char *tmp) {
    do {
        snprintf(s->work, sizeof s->work, "%s/" WORK "XXXXXX", tmp);
        if (mkdtemp(s->work) == NULL)
            err(EXIT_FAILURE, "%s", s->work);
        s->lock = lock_directory(s->work, 0);
        if (s->lock == -1 && access(s->work, F_OK) == 0)
            err(EXIT_FAILURE, "%s cannot be locked", s->work);
    } while (s->lock == -1);
    if (mkdirat(s->lock, MARK, 0700) == -1)
        err(EXIT_FAILURE, "%s", s->work);
}

const char *submission_open(struct submission *s, const char *path) {
    static char reason[512];
    const char *tmp = getenv("TMPDIR");

    s->dir = -1;
    if (tmp == NULL || strlen(tmp) >= 40)
        tmp = "/tmp";
    remove_stale(tmp);
    make_work(s, tmp);
    /* Another user is to reach the programs in it, and to list nothing. */
    if (chmod(s->work, 0711) == -1)
        err(EXIT_FAILURE, "%s", s->work);
    s->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->dir != -1)
        return NULL;
    snprintf(reason, sizeof reason,
        "%s: %s; expected: a directory with the "
        "kit's layout",
        path, strerror(errno));
    return reason;
}

void submission_close(struct submission *s) {
    if (s->dir != -1)
        close(s->dir);
    remove_tree(s->work);
    close(s->lock);
}

/* Opens NN-tool/NAME.c, neither part being a link. -1 and errno. */
static int open_source(int dir, const char *path) {
    char folder[64], file[128];
    int in, fd, saved;

    snprintf(folder, sizeof folder, "%.*s", (int)strcspn(path, "/"), path);
    snprintf(file, sizeof file, "%s.c", last_part(path));
    in = openat(dir, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (in == -1)
        return -1;
    /* O_NONBLOCK: a pipe without a writer shall not hold us. */
    fd = openat(in, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    saved = errno;
    close(in);
    errno = saved;
    return fd;
}

/* Why this file is not fit for grading, or NULL. */
static const char *unfit(int fd) {
    struct stat status;

    if (fd == -1)
        return errno == ELOOP || errno == ENOTDIR
                   ? "it is a link, or lies behind one; expected: the file "
                     "itself"
                   : strerror(errno);
    if (fstat(fd, &status) == -1)
        return strerror(errno);
    if (!S_ISREG(status.st_mode))
        return "it is not a regular file; expected: C source";
    if (status.st_size > LARGEST)
        return "it is larger than " LARGEST_NAMED
               "; expected: C source of a few KiB";
    return NULL;
}

/* Copies the source; returns why it is not fit for grading, or NULL. */
static const char *copy_source(int from, const char *to) {
    char *text = malloc(LARGEST);
    const char *reason;
    FILE *file = fopen(to, "w");
    size_t used = 0;
    ssize_t got;

    if (text == NULL || file == NULL)
        err(EXIT_FAILURE, "%s", to);
    /* It may grow while it is read. */
    while (
        used < LARGEST && (got = read(from, text + used, LARGEST - used)) > 0)
        used += (size_t)got;
    if (fwrite(text, 1, used, file) != used || fclose(file) == EOF)
        err(EXIT_FAILURE, "%s", to);
    reason = near_text(text, used);
    free(text);
    return reason;
}

/* It is not there: is it elsewhere? */
static int not_there(
    const struct submission *s, const char *path, struct verdict *v) {
    char near[1100];

    if (near_archive(s->dir, near, sizeof near)) {
        verdict_fault(v, FAULT_NONE,
            "%s.c was not handed in, only %.300s; expected: that file, "
            "unpacked if it is in there",
            path, near);
        return -1;
    }
    if (!near_miss(s->dir, path, near, sizeof near))
        return 0;
    verdict_fault(v, FAULT_NONE,
        "%s.c was not handed in, but found %.300s; expected: it belongs at "
        "%s.c",
        path, near, path);
    return -1;
}

int submission_take(const struct submission *s, const char *path,
    struct grading *g, struct verdict *v) {
    const char *name = last_part(path), *reason;
    int fd = open_source(s->dir, path);
    char *dir;

    g->path = path;
    if (fd == -1 && errno == ENOENT)
        return not_there(s, path, v);
    reason = unfit(fd);
    if (reason != NULL) {
        verdict_fault(v, FAULT_NONE, "%s.c cannot be graded: %s", path, reason);
        if (fd != -1)
            close(fd);
        return -1;
    }
    dir = format("%s/%.*s", s->work, (int)strcspn(path, "/"), path);
    make_dir(dir);
    g->source = format("%s/%s.c", dir, name);
    free(dir);
    dir = format("%s/%s.bin", s->work, path);
    make_dir(dir);
    g->binary = format("%s/%s", dir, name);
    free(dir);
    reason = copy_source(fd, g->source);
    close(fd);
    if (reason != NULL)
        verdict_fault(v, FAULT_NONE, "%s.c cannot be graded: %s", path, reason);
    return reason == NULL ? 1 : -1;
}

bool submission_replaces(const struct submission *s, const char *path) {
    char *own_name = format("%s.c", path), text[2][4096];
    int fds[2] = {s->dir == -1 ? -1 : open_source(s->dir, path),
        open(own_name, O_RDONLY | O_CLOEXEC)};
    ssize_t got[2] = {1, 1};
    bool differs = false;

    if (fds[0] != -1 && unfit(fds[0]) != NULL)
        differs = true;
    while (fds[0] != -1 && !differs && got[0] > 0) {
        for (int i = 0; i < 2; i++)
            got[i] = read(fds[i], text[i], sizeof text[i]);
        differs = got[0] != got[1] ||
                  (got[0] > 0 && memcmp(text[0], text[1], (size_t)got[0]) != 0);
    }
    for (int i = 0; i < 2; i++)
        if (fds[i] != -1)
            close(fds[i]);
    free(own_name);
    return differs;
}

void submission_free(struct grading *g) {
    free((char *)g->source);
    free((char *)g->binary);
}
