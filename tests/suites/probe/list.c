/*
 * list.c - suites that show what the runner makes of a test: see test_runner.c
 */
#include "run/program.h"
#include "suites/suite.h"

#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static void pass(void) {
    expect(true, "never shown");
}

static void fail(void) {
    expect(false, "the sky is green");
}

static void skip_it(void) {
    skip("no sky here");
}

/* Judges a wrong program with these words: is it rejected as it should be? */
static void reject(const char *name, const char *words) {
    struct verdict verdict = {.text = ""};

    if (words != NULL)
        verdict_fail(&verdict, "%s", words);
    expect_rejected(&verdict, name);
}

static void reject_rightly(void) {
    reject("messages_deadlock", "it deadlocked at 0.000 s");
}

static void reject_for_another_reason(void) {
    reject("messages_deadlock", "it caught fire");
}

static void accept_wrong(void) {
    reject("messages_deadlock", NULL);
}

static void reject_unknown(void) {
    reject("no_such_program", "it caught fire");
}

/* A program that never ends, and a test after it. */
static void never_end(void) {
    const char *argv[] = {"/bin/sh", "-c", "while :; do :; done", NULL};
    struct program program = {.argv = argv, .deadline_ms = 100};
    struct run run;

    program_run(&program, &run);
    expect(run.end == EXITED, "it %s", run.why);
    run_free(&run);
}

static void end_early(void) {
    exit(EXIT_SUCCESS);
}

static void fail_at_end(void) {
    _exit(23);
}

/* As a sanitizer's report at the end does. */
static void end_badly(void) {
    expect(atexit(fail_at_end) == 0, "no atexit");
}

static void crash(void) {
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
}

/* A file, and a child that outlives whoever started it. */
static void leave(void) {
    char path[256];

    snprintf(path, sizeof path, "%s/left", scratch());
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    pid_t child = fork();
    if (fd == -1 || child == -1)
        err(EXIT_FAILURE, "%s", path);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, 0);
        setsid();
        for (;;)
            pause();
    }
    close(fd);
}

static void leave_and_wait(void) {
    leave();
    printf("asleep\n");
    for (;;)
        pause();
}

/* Two suites at once: the first ends only when the second has begun. Their
 * folder is the same. */
static const char *begun(void) {
    static char path[256];
    snprintf(path, sizeof path, "%s/begun", scratch());
    return path;
}

static void begin(void) {
    close(open(begun(), O_WRONLY | O_CREAT, 0600));
}

static void wait_for_second(void) {
    while (access(begun(), F_OK) == -1)
        sched_yield();
}

#define SUITE(name, test) \
    static CU_TestInfo name##_tests[] = {{#name, test}, CU_TEST_INFO_NULL}
SUITE(passes, pass);
SUITE(fails, fail);
SUITE(skips, skip_it);
SUITE(rejects, reject_rightly);
SUITE(rejects_otherwise, reject_for_another_reason);
SUITE(accepts, accept_wrong);
SUITE(unknown, reject_unknown);
static CU_TestInfo hangs_tests[] = {
    {"never_end", never_end}, {"pass", pass}, CU_TEST_INFO_NULL};
SUITE(exits, end_early);
SUITE(ends_badly, end_badly);
SUITE(crashes, crash);
SUITE(leaves, leave);
SUITE(waits, leave_and_wait);
SUITE(waits_for_second, wait_for_second);
SUITE(second, begin);

const struct suite all_suites[] = {
    {"passes", passes_tests, false},
    {"fails", fails_tests, false},
    {"skips", skips_tests, true},
    {"rejects", rejects_tests, true},
    {"rejects_otherwise", rejects_otherwise_tests, true},
    {"accepts", accepts_tests, true},
    {"unknown", unknown_tests, true},
    {"hangs", hangs_tests, true},
    {"exits", exits_tests, true},
    {"ends_badly", ends_badly_tests, true},
    {"crashes", crashes_tests, true},
    {"leaves", leaves_tests, true},
    {"waits", waits_tests, true},
    {"waits_for_second", waits_for_second_tests, true},
    {"second", second_tests, true},
    {NULL, NULL, false},
};
