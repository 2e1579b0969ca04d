/*
 * test_program.c - the harness reports what happens to a program, just that
 */
#include "suites/suite.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void run_shell(struct run *run, const char *script, bool virtual_time,
    int64_t deadline_ms) {
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    struct program program = {
        .argv = argv, .virtual_time = virtual_time, .deadline_ms = deadline_ms};

    program_run(&program, run);
}

static void expect_end(
    const struct run *run, enum program_end end, int code, const char *what) {
    char how[600];

    expect(run->end == end && run->code == code,
        "%s: reported that it %s; expected: end %d with %d", what,
        run_describe(run, how, sizeof how), (int)end, code);
}

static void test_never_starts(void) {
    const char *argv[] = {"/nowhere/program", NULL};
    struct program program = {.argv = argv};
    struct run run;

    program_run(&program, &run);
    expect_end(&run, NOT_STARTED, ENOENT, "/nowhere/program");
    run_free(&run);
}

static void test_ends(void) {
    struct run run;

    run_shell(&run, "exit 7", false, 0);
    expect_end(&run, EXITED, 7, "exit 7");
    run_free(&run);
    run_shell(&run, "kill -SEGV $$", false, 0);
    expect_end(&run, SIGNALLED, SIGSEGV, "kill -SEGV $$");
    run_free(&run);
}

static void test_hangs(void) {
    struct run run;

    run_shell(&run, "while :; do :; done", false, 300);
    expect_end(&run, TIMED_OUT, 0, "an endless loop");
    run_free(&run);
    run_shell(&run, "echo on; yes", false, 0);
    expect_end(&run, FLOODED, 0, "yes");
    run_free(&run);
}

static void run_waits(struct run *run, const char *call) {
    const char *argv[] = {built("tests/run/waits"), call, NULL};
    struct program program = {.argv = argv, .virtual_time = true};

    program_run(&program, run);
}

/* Whatever call it waits by, five seconds are five seconds, to the ns. */
static void test_virtual(void) {
    static const char *const calls[] = {"sleep", "usleep", "nanosleep",
        "thrd_sleep", "clock_nanosleep", "poll", "select", "epoll_wait",
        "pthread_cond_timedwait", "sem_timedwait", "mq_timedreceive", "waitpid",
        "alarm", "sleep beside work"};

    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        struct verdict verdict = {0};
        struct run run;
        run_waits(&run, calls[i]);
        judge_end(&run, 0, &verdict);
        if (run.virtual_ns != INT64_C(5000000000) || run.count != 1 ||
            strcmp(run.lines[0].text, "5.000000000") != 0)
            verdict_fail(&verdict, "took %.9f s and said %s; expected: 5 s",
                (double)run.virtual_ns / 1e9,
                run.count > 0 ? run.lines[0].text : "nothing");
        expect(verdict.text[0] == '\0', "%s: %s", calls[i], verdict.text);
        run_free(&run);
    }
}

static void test_not_virtual(void) {
    struct run run;

    run_waits(&run, "past the clock");
    expect_end(&run, EXITED, 0, "a sleep past the clock");
    expect(run.slept_past_clock, "a sleep past the clock was not noticed");
    run_free(&run);
    run_waits(&run, "for ever");
    expect_end(&run, DEADLOCK, 0, "a pause() that nobody ends");
    run_free(&run);
    run_waits(&run, "zombie");
    expect(run.most_zombies == 1, "%d zombies were seen; expected: 1",
        run.most_zombies);
    run_free(&run);
    run_waits(&run, "killed");
    expect_end(&run, EXITED, 0, "a child that was killed in its sleep");
    expect(run.virtual_ns == 5000000000, "beside it: %.3f s; expected: 5",
        (double)run.virtual_ns / 1e9);
    run_free(&run);
}

static void test_left_behind(void) {
    static const char *const scripts[] = {"sleep 1000 & echo $!",
        "setsid sleep 1000 & echo $!", "(trap '' TERM; sleep 1000) & echo $!"};

    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        struct run run;
        run_shell(&run, scripts[i], false, 0);
        expect_end(&run, EXITED, 0, scripts[i]);
        expect(run.left_behind > 0, "%s: nothing was said to be left behind",
            scripts[i]);
        pid_t pid = run.count == 1 ? atoi(run.lines[0].text) : 0;
        expect(pid > 0 && kill(pid, 0) == -1 && errno == ESRCH,
            "%s: process %d is still there", scripts[i], (int)pid);
        run_free(&run);
    }
}

CU_TestInfo program_tests[] = {
    {"a program that never starts", test_never_starts},
    {"an exit status, a signal", test_ends},
    {"a program that hangs, or floods its output", test_hangs},
    {"virtual time is exact, whatever call waits", test_virtual},
    {"a sleep past the clock, a deadlock, zombies", test_not_virtual},
    {"whatever is left behind is told and killed", test_left_behind},
    CU_TEST_INFO_NULL,
};
