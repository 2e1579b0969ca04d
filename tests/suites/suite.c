/*
 * suite.c - what every suite of tests uses: see suite.h
 */
#include "suites/suite.h"

#include <err.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATHS = 16, PATH_BYTES = 512 };

const char *const tools[] = {"01-sequential", "02-threads", "03-processes",
    "04-async", "05-queue", NULL};

void (*run_lesson)(const struct program *, struct run *) = program_run;

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

void set_build_dir(const char *path) {
    build_dir = path;
}

void judge_end(const struct run *run, int status, struct verdict *verdict) {
    char how[1024];
    const char *report = strstr(run->err_text, "Sanitizer");

    if (report == NULL)
        report = strstr(run->err_text, "runtime error:");
    if (report != NULL)
        verdict_fail(verdict, "a sanitizer reports: %.300s", report);
    if (run->end != EXITED || run->code != status || run->left_behind > 0 ||
        run->left_objects[0] != '\0')
        verdict_fail(verdict,
            "it %s; expected: exit status %d and nothing "
            "left behind",
            run_describe(run, how, sizeof how), status);
    if (run->unfinished)
        verdict_fail(verdict, "its last line has no newline");
    if (run->slept_past_clock)
        verdict_fail(verdict, "it slept by a way that the clock does not see");
}

struct sites *start_sites(
    const struct sites_options *options, char *base, size_t size) {
    char error[300];
    struct sites *sites = sites_start(options, error, sizeof error);

    if (sites == NULL)
        errx(EXIT_FAILURE, "%s", error);
    snprintf(base, size, "http://127.0.0.1:%d", sites_port(sites));
    return sites;
}

enum outside sites_will(struct sites *sites) {
    struct sites_counts now;

    sites_count(sites, &now);
    if (!now.settled || now.due > 0)
        return OUTSIDE_BUSY;
    return now.held > 0 ? OUTSIDE_HOLDS : OUTSIDE_IDLE;
}

bool look_again(int *looks) {
    if (++*looks > 5)
        return false;
    poll(NULL, 0, 20);
    return true;
}
