/*
 * repeat.c - what whoever reads a finding needs to see it again
 */
#include "grader/repeat.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { REPORT_LINES = 14, LAST_LINES = 6, LAST_BYTES = 200 };

/* Appends to a buffer of this size, as much as fits. */
__attribute__((format(printf, 3, 4))) static void add(
    char *buf, size_t size, const char *format, ...) {
    size_t used = strlen(buf);
    va_list args;

    va_start(args, format);
    vsnprintf(buf + used, size - used, format, args);
    va_end(args);
}

/* Appends a word as a shell reads it. */
static void add_word(char *buf, size_t size, const char *word) {
    bool plain =
        word[0] != '\0' && word[strspn(word, "abcdefghijklmnopqrstuvwxyz"
                                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                             "0123456789_-+=./:,@%")] == '\0';

    if (plain) {
        add(buf, size, "%s", word);
        return;
    }
    add(buf, size, "'");
    for (; *word != '\0'; word++)
        add(buf, size, *word == '\'' ? "'\\''" : "%c", *word);
    add(buf, size, "'");
}

/* The check's own site is gone with it: that of "make sites". */
static const char *site_of(const char *word) {
    static const char here[] = "http://127.0.0.1:";

    return strncmp(word, here, sizeof here - 1) == 0 ? "http://127.0.0.1:8000"
                                                     : word;
}

/* Appends words, with a blank before each but the first of all. */
static void add_words(char *buf, size_t size, const char *const *words) {
    static const char cut[] = " ...";

    for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
        if (strlen(buf) + strlen(words[i]) * 4 + sizeof cut > size) {
            add(buf, size, "%s", cut);
            return;
        }
        size_t used = strlen(buf);
        if (used > 0 && buf[used - 1] != ' ' && buf[used - 1] != '"')
            add(buf, size, " ");
        add_word(buf, size, site_of(words[i]));
    }
}

/* Compiles the source as it is now, with these flags besides. */
static void add_build(
    char *buf, size_t size, const char *path, const char *flags) {
    add(buf, size, "make -sB build/%s ", path);
    if (flags[0] != '\0')
        add(buf, size, "EXTRA='%s' ", flags);
    add(buf, size, "&& ");
}

/* In the units of the shell. */
static void add_limits(char *buf, size_t size, const struct program *program) {
    static const struct {
        int resource;
        char letter;
        rlim_t unit;
    } letters[] = {{RLIMIT_AS, 'v', 1024}, {RLIMIT_STACK, 's', 1024},
        {RLIMIT_NPROC, 'u', 1}, {RLIMIT_NOFILE, 'n', 1},
        {RLIMIT_FSIZE, 'f', 512}, {RLIMIT_CPU, 't', 1},
        {RLIMIT_DATA, 'd', 1024}, {RLIMIT_MEMLOCK, 'l', 1024}};

    for (size_t i = 0; i < program->limit_count; i++)
        for (size_t k = 0; k < sizeof letters / sizeof letters[0]; k++)
            if (letters[k].resource == program->limits[i].resource)
                add(buf, size, "ulimit -%c %llu; ", letters[k].letter,
                    (unsigned long long)(program->limits[i].value /
                                         letters[k].unit));
}

/* make explore PROGRAM=... ARGS="..." BOUND=1 ... */
static void add_explore(char *buf, size_t size, const struct grading *g,
    const struct program *program) {
    add(buf, size, "make explore PROGRAM=%s ARGS=\"", g->path);
    add_words(buf, size / 2, program->argv + 1);
    add(buf, size, "\" ");
    add_words(buf, size, program->env);
}

/* What is asked of the kit's own part of a build, see rare_wrap.c, is for the
 * kit alone: "again:" repeats it. */
static bool is_for_kit(const struct program *program) {
    for (const char *const *e = program->env; e != NULL && *e != NULL; e++)
        if (strncmp(*e, "KIT_", 4) == 0)
            return true;
    return false;
}

void repeat_command(const struct grading *g, const struct program *program,
    bool explored, const char *flags, char *buf, size_t size) {
    buf[0] = '\0';
    if (explored) {
        add_explore(buf, size, g, program);
        return;
    }
    if (is_for_kit(program))
        return;
    add_build(buf, size, g->path, flags);
    add_limits(buf, size, program);
    add_words(buf, size, program->env);
    add(buf, size, "%sbuild/%s", program->env ? " " : "", g->path);
    add_words(buf, size, program->argv + 1);
    if (program->stdin_path != NULL)
        add(buf, size, " <%s", program->stdin_path);
    if (program->stdout_path != NULL)
        add(buf, size, " >%s", program->stdout_path);
    if (program->stdout_broken)
        add(buf, size, " | true");
}

/* The beginning of the line that `at` is in. */
static const char *line_of(const char *text, const char *at) {
    while (at > text && at[-1] != '\n')
        at--;
    return at;
}

/* Takes out the lines that rare_wrap.c has written: they are the kit's. */
static void drop_own(char *text) {
    static const char mark[] = "kit: ";

    while (*text != '\0') {
        char *next = text + strcspn(text, "\n");
        next += *next == '\n';
        if (strncmp(text, mark, sizeof mark - 1) == 0)
            memmove(text, next, strlen(next) + 1);
        else
            text = next;
    }
}

void repeat_words(const struct run *run, char *buf, size_t size) {
    const char *text = run->err_text, *at = strstr(text, "Sanitizer: ");
    int lines = REPORT_LINES;

    if (at == NULL)
        at = strstr(text, "runtime error: ");
    if (at == NULL) {
        at = text + strlen(text);
        for (lines = 0; at > text && lines < LAST_LINES; lines++)
            at = line_of(text, at - 1);
    } else {
        at = line_of(text, at);
    }
    const char *end = at;
    for (int i = 0; i < lines && *end != '\0'; i++)
        end += strcspn(end, "\n") + (end[strcspn(end, "\n")] == '\n');
    snprintf(buf, size, "%.*s", (int)(end - at), at);
    drop_own(buf);
}

void repeat_schedule(const struct run *run, char *buf, size_t size) {
    bool inside = false;

    buf[0] = '\0';
    for (size_t i = 0; i < run->count; i++) {
        const char *line = run->lines[i].text;
        bool last = strncmp(line, "REPLAY=", 7) == 0;
        inside = inside || strncmp(line, "The first schedule", 18) == 0;
        /* Its outcome stands above; what is too long for all of it has an
         * end all the same. */
        if (last) {
            add(buf, size, "%.*s\n", (int)strcspn(line, ":"), line);
            return;
        }
        if (inside && line[0] != '\0' &&
            strlen(buf) + strlen(line) + LAST_BYTES < size)
            add(buf, size, "%s\n", line);
    }
}
