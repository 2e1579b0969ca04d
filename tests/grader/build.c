/*
 * build.c - builds a submission, in the sandbox
 *
 * The command is that of the kit's own file of the same name.
 */
#define _GNU_SOURCE
#include "grader/build.h"
#include "grader/cause.h"
#include "grader/sandbox.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BINARY = 1 << 26,
    COMPILER_BYTES = 1 << 16,
    WORDS = 64,
    LINE_BYTES = 1024
};

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

/* What the "Build:" line of the kit's own file says, for this output. */
static void read_build_line(
    const char *source, const char *out, char *line, size_t size) {
    const char *argv[] = {"/bin/sh", "tests/run/build.sh", source, out, NULL};
    struct program program = {.argv = argv};
    struct run run;

    program_run(&program, &run);
    if (run.end != EXITED || run.code != 0 || run.count != 1)
        errx(EXIT_FAILURE, "%s: its Build: line cannot be read: %s%s", source,
            run.why, run.err_text);
    snprintf(line, size, "%s", run.lines[0].text);
    run_free(&run);
}

/* Splits at blanks, in place. Returns how many words are in argv now. */
static size_t split(char *text, const char **argv, size_t used, bool usual) {
    char *rest = NULL;

    char *word = strtok_r(text, " ", &rest);
    while (word != NULL && used < WORDS - 6) {
        if (usual || strncmp(word, "-O", 2) != 0)
            argv[used++] = word;
        word = strtok_r(NULL, " ", &rest);
    }
    return used;
}

/* The beginning of the first line that holds these words, without the folders
 * of the sandbox; NULL: there is none. */
static const char *line_with(const char *text, const char *words) {
    const char *at = strstr(text, words), *end;

    if (at == NULL)
        return NULL;
    while (at > text && at[-1] != '\n')
        at--;
    for (end = at + strcspn(at, ":\n"); end > at && end[-1] != '/';)
        end--;
    return end;
}

/* The names that the linker has not found, each once. */
static void undefined_names(const char *text, struct verdict *v) {
    static const char mark[] = "undefined reference to `";
    char names[400] = "", name[100];

    while ((text = strstr(text, mark)) != NULL) {
        text += sizeof mark - 1;
        snprintf(name, sizeof name, "%.*s()", (int)strcspn(text, "'\n"), text);
        size_t used = strlen(names);
        if (strstr(names, name) == NULL)
            snprintf(names + used, sizeof names - used, "%s%s",
                used > 0 ? ", " : "", name);
    }
    verdict_fault(v, FAULT_LINK,
        "the linker finds nothing that is called %s; expected: the program is "
        "whole, with its Build: line",
        names);
}

/* What the compiler complains of first, or the linker of. */
static void tell_words(const struct run *run, struct verdict *v) {
    static const char *const marks[] = {
        "error: ", "undefined reference to `", "warning: ", "", NULL};
    const char *text = run->err_text, *line = NULL;

    if (run->end != EXITED) {
        verdict_fault(
            v, FAULT_NONE, "the compiler %s; expected: it compiles", run->why);
        return;
    }
    for (int i = 0; marks[i] != NULL && line == NULL; i++) {
        line = line_with(text, marks[i]);
        if (line != NULL && strncmp(line, "collect2:", 9) == 0)
            line = NULL;
        if (line != NULL && i == 1) {
            undefined_names(text, v);
            return;
        }
    }
    verdict_fault(v, cause_of_words(line),
        "the compiler says: %.*s; expected: it compiles",
        (int)strcspn(line, "\n"), line);
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

/* Whatever the flags are, the preprocessor sees the same, so that no source is
 * another program for a check than it is for its author; and no function is
 * left out when accesses are looked at. See before[] in checks/orders.c. */
static const char *const alike[] = {"-D__OPTIMIZE__=1", "-D__NO_INLINE__=1",
    "-U__SANITIZE_THREAD__", "-U__SANITIZE_ADDRESS__", "-U_FORTIFY_SOURCE",
    "-D_REENTRANT=1", "-Wno-builtin-macro-redefined", "-D__has_feature(name)=0",
    "-D__has_extension(name)=0", "-Dno_sanitize(name)=unused",
    "-D__no_sanitize__(name)=unused", "-Dno_sanitize_thread=unused",
    "-D__no_sanitize_thread__=unused", "-Dno_sanitize_address=unused",
    "-D__no_sanitize_address__=unused",
    "-Ddisable_sanitizer_instrumentation=unused"};

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
    for (size_t i = 0; i < sizeof alike / sizeof alike[0]; i++)
        argv[used++] = alike[i];
    snprintf(line[0], LINE_BYTES, "%s", flags ? flags : "");
    used = split(line[0], argv, used, true);
    /* The runtime is to come before the preloaded shim: as clang has it. */
    if (strstr(argv[0], "clang") == NULL && flags != NULL) {
        if (strstr(flags, "=thread") != NULL)
            argv[used++] = "-static-libtsan";
        if (strstr(flags, "=address") != NULL)
            argv[used++] = "-static-libasan";
    }
    char *source = format("%s.c", g->path);
    read_build_line(source, out, line[1], LINE_BYTES);
    used = split(line[1], argv, used, flags == NULL);
    for (size_t i = 3; i < used; i++)
        if (strcmp(argv[i], source) == 0) /* it starts where that lies */
            argv[i] = last_part(argv[i]);
    argv[used] = NULL;
    free(source);
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
    p->sandbox = sandbox_at(p->dir, p->out);
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
        .box = &p->sandbox.box,
        .output_bytes = COMPILER_BYTES,
        .memory_kib = 1 << 20};
    struct run run;
    bool made;

    program_run(&program, &run);
    made = run.end == EXITED && run.code == 0 && fetch(p->made, path);
    if (!made)
        tell_words(&run, &f->verdict);
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

void grade_build_usual(struct grading *g, struct finding *f) {
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

/* Of the flags, those that a student can use: what comes after -w is the
 * kit's. */
static int own_length(const char *flags) {
    const char *end = strstr(flags, " -w ");

    return end != NULL ? (int)(end - flags) : (int)strlen(flags);
}

const char *grade_build(
    struct grading *g, const char *flags, struct finding *f) {
    unsigned long mark = 5381;
    const char *path;
    char folder[32];

    if (f->verdict.text[0] == '\0')
        snprintf(f->flags, sizeof f->flags, "%.*s", own_length(flags), flags);

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
    sandbox = sandbox_at(dir, NULL);
    program.box = &sandbox.box;
    argv[2] = sandbox_path(&sandbox, object, inside, sizeof inside);
    program_run(&program, &run);
    for (size_t i = 0; i < run.count; i++)
        early = early || strstr(run.lines[i].text, " .init") ||
                strstr(run.lines[i].text, " .preinit") ||
                strstr(run.lines[i].text, " .ctors");
    if (early || run.end != EXITED || run.code != 0)
        verdict_fault(&f->verdict, FAULT_NONE,
            "it has code that runs before main(); "
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

/* ---------- What it calls ---------- */

/* nm prints "U name" for each. */
static bool is_undefined(const struct run *run, const char *name) {
    for (size_t i = 0; i < run->count; i++) {
        const char *text = run->lines[i].text + strspn(run->lines[i].text, " ");
        if (strncmp(text, "U ", 2) == 0 && strcmp(text + 2, name) == 0)
            return true;
    }
    return false;
}

bool calls(struct grading *g, const char *const *names) {
    struct finding f = {.share = 0};
    const char *object = grade_build(g, "-c", &f);
    const char *argv[] = {"/usr/bin/nm", "-u", NULL, NULL};
    struct program program = {.argv = argv};
    char dir[512], inside[512];
    bool found = false;
    struct run run;

    if (object == NULL)
        return false;
    snprintf(
        dir, sizeof dir, "%.*s", (int)(strrchr(object, '/') - object), object);
    struct sandbox sandbox = sandbox_at(dir, NULL);
    program.box = &sandbox.box;
    argv[2] = sandbox_path(&sandbox, object, inside, sizeof inside);
    program_run(&program, &run);
    for (; *names != NULL && !found; names++)
        found = is_undefined(&run, *names);
    run_free(&run);
    return found;
}
