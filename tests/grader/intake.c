/*
 * submission.c - takes a submission in, and builds what it holds
 *
 * No name that the submission chose is ever used: the kit's own names are
 * looked for, one part at a time and never through a link. The command to
 * build is that of the kit's own file of the same name.
 */
#define _GNU_SOURCE
#include "grader/intake.h"
#include "grader/sandbox.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LARGEST = 1 << 20,
    BINARY = 1 << 26,
    COMPILER_BYTES = 1 << 16,
    WORDS = 64,
    LINE_BYTES = 1024
};
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

static int remove_one(
    const char *path, const struct stat *status, int type, struct FTW *where) {
    (void)status;
    (void)type;
    (void)where;
    if (remove(path) == -1)
        warn("%s", path);
    return 0;
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

/* Removes what is in a directory, through no link: a program that has outlived
 * its grader may still put one there. The mark goes last. Closes fd. */
static void empty_directory(int fd) {
    DIR *entries = fd == -1 ? NULL : fdopendir(fd);
    struct dirent *entry;

    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
            strcmp(name, MARK) == 0 || unlinkat(fd, name, 0) == 0)
            continue;
        empty_directory(
            openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (unlinkat(fd, name, AT_REMOVEDIR) == -1)
            warn("%s", name);
    }
    if (entries != NULL)
        closedir(entries);
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
            empty_directory(
                openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
            if (unlinkat(fd, MARK, AT_REMOVEDIR) == 0 && rmdir(path) == -1 &&
                mkdirat(fd, MARK, 0700) == -1) /* it is tried again */
                warn("%s", path);
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
    nftw(s->work, remove_one, 16, FTW_DEPTH | FTW_PHYS);
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

static void copy_source(int from, const char *to) {
    char *text = malloc(LARGEST);
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
    free(text);
}

int submission_take(const struct submission *s, const char *path,
    struct grading *g, struct verdict *v) {
    const char *name = last_part(path), *reason;
    int fd = open_source(s->dir, path);
    char *dir;

    g->path = path;
    if (fd == -1 && errno == ENOENT)
        return 0;
    reason = unfit(fd);
    if (reason != NULL) {
        verdict_fail(v, "%s.c cannot be graded: %s", path, reason);
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
    copy_source(fd, g->source);
    close(fd);
    return 1;
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

/* ---------- Building ---------- */

/* The "Build:" line of the kit's own file, without "cc". */
static void read_build_line(const char *path, char *line, size_t size) {
    static const char mark[] = " * Build: cc ";
    char *file_name = format("%s.c", path), row[LINE_BYTES];
    FILE *file = fopen(file_name, "re");

    line[0] = '\0';
    if (file == NULL)
        err(EXIT_FAILURE, "%s", file_name);
    while (line[0] == '\0' && fgets(row, sizeof row, file) != NULL)
        if (strncmp(row, mark, sizeof mark - 1) == 0)
            snprintf(line, size, "%.*s",
                (int)strcspn(row + sizeof mark - 1, "\n"),
                row + sizeof mark - 1);
    fclose(file);
    if (line[0] == '\0')
        errx(EXIT_FAILURE, "%s: no line \"Build: cc ...\"", file_name);
    free(file_name);
}

/* Splits at blanks, in place. Returns how many words are in argv now. */
static size_t split(char *text, const char **argv, size_t used, bool usual) {
    char *rest = NULL;

    for (char *word = strtok_r(text, " ", &rest);
         word != NULL && used < WORDS - 6; word = strtok_r(NULL, " ", &rest))
        if (usual || strncmp(word, "-O", 2) != 0)
            argv[used++] = word;
    return used;
}

/* The compiler's first error, or else its first word. */
static void first_words(const struct run *run, struct verdict *v) {
    const char *text = strstr(run->err_text, "error:");

    if (text == NULL)
        text = strstr(run->err_text, "warning:");
    while (text != NULL && text > run->err_text && text[-1] != '\n')
        text--;
    if (text == NULL)
        text = run->err_text;
    if (strrchr(text, '/') != NULL && strcspn(text, "\n") > 0) {
        const char *end = text + strcspn(text, ":");
        while (end > text && end[-1] != '/')
            end--;
        text = end;
    }
    if (run->end == EXITED)
        verdict_fail(v, "the compiler says: %.*s; expected: it compiles",
            (int)strcspn(text, "\n"), text);
    else
        verdict_fail(v, "the compiler %s; expected: it compiles", run->why);
}

/* Moves what the sandbox has built to where it can no longer be written. */
static bool fetch(const char *from, const char *to) {
    int in = open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    struct stat status;
    ssize_t got = 1;

    if (out == -1)
        err(EXIT_FAILURE, "%s", to);
    if (in == -1 || fstat(in, &status) == -1 || !S_ISREG(status.st_mode))
        got = -1;
    while (got > 0 && (got = copy_file_range(in, NULL, out, NULL, BINARY, 0)))
        ;
    if (got == -1)
        unlink(to);
    if (in != -1)
        close(in);
    close(out);
    unlink(from);
    return got == 0;
}

/* The compiler's command: the words lie in line, more and name. With flags:
 * these instead of -O2. What it builds is to be `out`. */
static void read_command(const struct grading *g, const char *flags,
    const char *out, const char **argv, char line[2][LINE_BYTES]) {
    const char *cc = getenv("CC");
    size_t used = 3;

    argv[0] = cc != NULL && strcmp(cc, "gcc") == 0     ? "/usr/bin/gcc"
              : cc != NULL && strcmp(cc, "clang") == 0 ? "/usr/bin/clang"
                                                       : "/usr/bin/cc";
    argv[1] = "-Wall";
    argv[2] = "-Wextra";
    snprintf(line[0], LINE_BYTES, "%s", flags ? flags : "");
    used = split(line[0], argv, used, true);
    /* The runtime is to come before the preloaded shim: as clang has it. */
    if (strstr(argv[0], "clang") == NULL && flags != NULL) {
        if (strstr(flags, "=thread") != NULL)
            argv[used++] = "-static-libtsan";
        if (strstr(flags, "=address") != NULL)
            argv[used++] = "-static-libasan";
    }
    read_build_line(g->path, line[1], LINE_BYTES);
    used = split(line[1], argv, used, flags == NULL);
    for (size_t i = 3; i < used; i++)
        if (strcmp(argv[i], last_part(g->path)) == 0)
            argv[i] = out;
    argv[used] = NULL;
}

/* Where the sandbox builds: in `dir` it reads, in `out` it writes. */
struct place {
    char *dir, *out, *made;
    struct sandbox sandbox;
    char inside[512]; /* `made` as the sandbox sees it */
};

static void open_place(struct place *p, const struct grading *g) {
    size_t length = strlen(g->source), name = strlen(last_part(g->path));

    p->dir = format("%.*s", (int)(length - name - 3), g->source);
    p->out = format("%.*sout", (int)(length - strlen(g->path) - 2), g->source);
    p->made = format("%s/%s", p->out, last_part(g->path));
    p->sandbox = (struct sandbox){.dir = p->dir, .out = p->out};
    sandbox_own(p->out);
    sandbox_path(&p->sandbox, p->made, p->inside, sizeof p->inside);
}

static void close_place(struct place *p) {
    sandbox_empty(p->out);
    free(p->made);
    free(p->out);
    free(p->dir);
}

/* Runs a command that makes p->made, and moves that to path. */
static bool make(struct place *p, const char *const *argv,
    const char *const *more, const char *path, struct finding *f) {
    struct program program = {.argv = argv,
        .env = more,
        .sandbox = &p->sandbox,
        .output_bytes = COMPILER_BYTES,
        .memory_kib = 1 << 20};
    struct run run;
    bool made;

    program_run(&program, &run);
    made = run.end == EXITED && run.code == 0 && fetch(p->made, path);
    if (!made)
        first_words(&run, &f->verdict);
    run_free(&run);
    return made;
}

/* Compiles g->source, in the sandbox, to path. */
static bool compile(
    struct grading *g, const char *flags, const char *path, struct finding *f) {
    char line[2][LINE_BYTES];
    const char *argv[WORDS];
    struct place place;
    bool made;

    open_place(&place, g);
    read_command(g, flags, place.inside, argv, line);
    made = make(&place, argv, NULL, path, f);
    close_place(&place);
    return made;
}

void submission_build(struct grading *g, struct finding *f) {
    compile(g, NULL, g->binary, f);
}

/* The path of one more binary of this submission; it lives on until the next
 * call. */
static const char *another(const struct grading *g, const char *folder) {
    static char path[512];
    char *dir = format(
        "%.*s%s", (int)(last_part(g->binary) - g->binary), g->binary, folder);

    make_dir(dir);
    snprintf(path, sizeof path, "%s/%s", dir, last_part(g->path));
    free(dir);
    return path;
}

const char *grade_build(
    struct grading *g, const char *flags, struct finding *f) {
    unsigned long mark = 5381;
    const char *path;
    char folder[32];

    for (const char *at = flags; *at != '\0'; at++)
        mark = mark * 33 + (unsigned char)*at;
    snprintf(folder, sizeof folder, "%lx", mark);
    path = another(g, folder);
    /* The same flags give the same binary: it is kept for the next check. */
    if (access(path, X_OK) == -1 && !compile(g, flags, path, f))
        return NULL;
    return path;
}

/* Code of the submission that runs before main() could make up what explore
 * reports: explore runs in the same process. */
static bool has_early_code(struct grading *g, struct finding *f) {
    const char *object = grade_build(g, "-c", f);
    const char *argv[] = {"/usr/bin/readelf", "-SW", NULL, NULL};
    struct program program = {.argv = argv};
    struct sandbox sandbox;
    char dir[512], inside[512];
    struct run run;
    bool early = false;

    if (object == NULL)
        return true;
    snprintf(
        dir, sizeof dir, "%.*s", (int)(last_part(object) - object - 1), object);
    sandbox = (struct sandbox){.dir = dir};
    program.sandbox = &sandbox;
    argv[2] = sandbox_path(&sandbox, object, inside, sizeof inside);
    program_run(&program, &run);
    for (size_t i = 0; i < run.count; i++)
        early = early || strstr(run.lines[i].text, " .init") ||
                strstr(run.lines[i].text, " .preinit") ||
                strstr(run.lines[i].text, " .ctors");
    if (early || run.end != EXITED || run.code != 0)
        verdict_fail(&f->verdict, "it has code that runs before main(); "
                                  "expected: none, to be explored");
    run_free(&run);
    return f->verdict.text[0] != '\0';
}

const char *grade_build_explore(struct grading *g, struct finding *f) {
    char *script = format("%s/explore.sh", sandbox_kit());
    char *parts = format("EXPLORE_PARTS=%s", sandbox_kit());
    const char *argv[] = {"/bin/sh", script, NULL};
    const char *env[] = {parts, NULL, NULL, NULL};
    const char *path;
    struct place place;
    char inside[512];
    bool made;

    if (has_early_code(g, f))
        return NULL;
    path = another(g, "explore");
    if (access(path, X_OK) == -1) {
        open_place(&place, g);
        sandbox_path(&place.sandbox, g->source, inside, sizeof inside);
        char *program = format("PROGRAM=%s", inside);
        char *dir = format("EXPLORE_DIR=%.*s",
            (int)(last_part(place.inside) - place.inside - 1), place.inside);
        env[1] = program;
        env[2] = dir;
        made = make(&place, argv, env, path, f);
        close_place(&place);
        free(program);
        free(dir);
        if (!made)
            path = NULL;
    }
    free(script);
    free(parts);
    return path;
}
