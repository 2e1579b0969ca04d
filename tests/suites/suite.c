/*
 * suite.c - what every suite of tests uses: see suite.h
 */
#include "suites/suite.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { PATHS = 16, PATH_BYTES = 512 };

const char *const tools[] = {"01-sequential", "02-threads", "03-processes",
    "04-async", "05-queue", NULL};

static const char *build_dir = "build";
static char skip_reason[512];

bool expect(bool ok, const char *format, ...) {
    char sentence[2048];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    CU_assertImplementation(ok, 0, sentence, "", "", CU_FALSE);
    return ok;
}

void expect_xml(const char *path) {
    const char *argv[] = {"/usr/bin/xmllint", "--noout", path, NULL};
    struct program program = {.argv = argv};
    struct run run;

    program_run(&program, &run);
    expect(run.end == EXITED && run.code == 0, "%s: %s", path, run.err_text);
    run_free(&run);
}

bool expect_right(const struct verdict *verdict) {
    return expect(verdict->text[0] == '\0', "%s", verdict->text);
}

/* The words after "Rejected because: " in the wrong program's header. */
static void reason_of(const char *name, char *reason, size_t size) {
    static const char mark[] = " * Rejected because: ";
    char path[PATH_BYTES], line[PATH_BYTES];

    snprintf(path, sizeof path, "tests/suites/wrong/%s.c", name);
    reason[0] = '\0';
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, mark, sizeof mark - 1) == 0)
            snprintf(reason, size, "%.*s",
                (int)strcspn(line + sizeof mark - 1, "\n"),
                line + sizeof mark - 1);
    if (file != NULL)
        fclose(file);
}

bool expect_rejected(const struct verdict *verdict, const char *name) {
    char reason[PATH_BYTES];

    reason_of(name, reason, sizeof reason);
    if (!expect(
            reason[0] != '\0', "tests/suites/wrong/%s.c names no reason", name))
        return false;
    if (!expect(verdict->text[0] != '\0', "%s was not rejected; expected: %s",
            name, reason))
        return false;
    return expect(strstr(verdict->text, reason) != NULL,
        "%s was rejected for another reason: %s; expected: %s", name,
        verdict->text, reason);
}

void expect_story(
    const char *story, void (*judge)(const struct lesson *, struct verdict *)) {
    for (size_t t = 0; tools[t] != NULL; t++) {
        char name[64];
        struct lesson lesson = {.tool = tools[t]};
        struct verdict verdict = {0};
        snprintf(name, sizeof name, "%s/%s", tools[t], story);
        lesson.path = built(name);
        judge(&lesson, &verdict);
        expect(verdict.text[0] == '\0', "%s: %s", name, verdict.text);
    }
}

void expect_all_rejected(const char *const *wrong, const char *tool,
    void (*judge)(const struct lesson *, struct verdict *)) {
    for (; *wrong != NULL; wrong++) {
        char name[64];
        struct lesson lesson = {.tool = tool};
        struct verdict verdict = {0};
        snprintf(name, sizeof name, "tests/suites/wrong/%s", *wrong);
        lesson.path = built(name);
        judge(&lesson, &verdict);
        expect_rejected(&verdict, *wrong);
    }
}

void skip(const char *format, ...) {
    va_list args;

    va_start(args, format);
    vsnprintf(skip_reason, sizeof skip_reason, format, args);
    va_end(args);
}

const char *skipped(void) {
    static char reason[sizeof skip_reason];

    memcpy(reason, skip_reason, sizeof reason);
    skip_reason[0] = '\0';
    return reason;
}

const char *built(const char *relative) {
    static char paths[PATHS][PATH_BYTES];
    static int next;
    char *path = paths[next++ % PATHS];

    snprintf(path, PATH_BYTES, "%s/%s", build_dir, relative);
    return path;
}

bool is_built(const char *relative) {
    return access(built(relative), X_OK) == 0;
}

const char *scratch(void) {
    return getenv("TMPDIR"); /* main.c has made it */
}

uid_t lone_user(void) {
    static uid_t user;
    unsigned drawn;

    if (user == 0 && geteuid() == 0 &&
        getrandom(&drawn, sizeof drawn, 0) == (ssize_t)sizeof drawn)
        user = 20000 + drawn % 40000;
    return user;
}

void set_build_dir(const char *path) {
    build_dir = path;
}
