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

/* By tests/run/NAME, which waits by this call. */
static void run_waits(struct run *run, const char *name, const char *call) {
    char path[40];
    snprintf(path, sizeof path, "tests/run/%s", name);
    const char *argv[] = {built(path), call, NULL};
    struct program program = {.argv = argv, .virtual_time = true};

    program_run(&program, run);
}

/* Whatever call it waits by, five seconds are five seconds, to the ns, and the
 * call returns what it always does. */
static void expect_five(
    const char *name, const char *const (*calls)[2], size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct verdict verdict = {0};
        struct run run;
        char line[60];
        run_waits(&run, name, calls[i][0]);
        judge_end(&run, 0, &verdict);
        snprintf(line, sizeof line, "5.000000000 %s", calls[i][1]);
        if (run.virtual_ns != INT64_C(5000000000) || run.count != 1 ||
            strcmp(run.lines[0].text, line) != 0)
            verdict_fail(&verdict, "took %.9f s and said %s; expected: %s",
                (double)run.virtual_ns / 1e9,
                run.count > 0 ? run.lines[0].text : "nothing", line);
        expect(verdict.text[0] == '\0', "%s: %s", calls[i][0], verdict.text);
        run_free(&run);
    }
}

static void test_virtual(void) {
    static const char *const waits[][2] = {{"sleep", "0"}, {"usleep", "0"},
        {"nanosleep", "0"}, {"thrd_sleep", "0"}, {"clock_nanosleep", "0"},
        {"clock_nanosleep until", "0"}, {"clock_nanosleep real", "0"},
        {"poll", "0"}, {"__poll_chk", "0"}, {"ppoll", "0"},
        {"__ppoll_chk", "0"}, {"select", "0"}, {"pselect", "0"},
        {"epoll_wait", "0"}, {"epoll_pwait", "0"},
        {"sem_timedwait", "ETIMEDOUT"}, {"sem_clockwait", "ETIMEDOUT"},
        {"mq_timedreceive", "ETIMEDOUT"}, {"mq_timedsend", "ETIMEDOUT"},
        {"sigtimedwait", "EAGAIN"}, {"recv", "EAGAIN"}, {"recvfrom", "EAGAIN"},
        {"recvmsg", "EAGAIN"}, {"read of a socket", "EAGAIN"},
        {"pthread_cond_timedwait", "ETIMEDOUT"},
        {"pthread_cond_timedwait monotonic", "ETIMEDOUT"},
        {"pthread_cond_clockwait", "ETIMEDOUT"},
        {"pthread_mutex_timedlock", "ETIMEDOUT"},
        {"pthread_mutex_clocklock", "ETIMEDOUT"},
        {"pthread_rwlock_timedrdlock", "ETIMEDOUT"},
        {"pthread_rwlock_timedwrlock", "ETIMEDOUT"},
        {"pthread_rwlock_clockrdlock", "ETIMEDOUT"},
        {"pthread_rwlock_clockwrlock", "ETIMEDOUT"},
        {"cnd_timedwait", "ETIMEDOUT"}, {"mtx_timedlock", "ETIMEDOUT"}};
    static const char *const timers[][2] = {{"alarm", "1"}, {"ualarm", "10"},
        {"setitimer", "5"}, {"timerfd", "1"}, {"timerfd until", "1"},
        {"timerfd ticks", "5"}, {"timer_create", "5"},
        {"timer_create with a function", "5"}, {"timer for a thread", "5"},
        {"waitpid", "0"}, {"sleep beside work", "0"},
        {"sleep beside killed", "0"}};

    expect_five("waits", waits, sizeof waits / sizeof waits[0]);
    expect_five("timers", timers, sizeof timers / sizeof timers[0]);
}

/* A kernel before 5.11 does not have it: it says so at once, by any clock. */
static void test_epoll_pwait2(void) {
    static const char *const calls[][2] = {{"epoll_pwait2", "0"}};
    const char *argv[] = {built("tests/run/waits"), calls[0][0], NULL};
    struct program program = {.argv = argv};
    struct run run;

    run_waits(&run, "waits", calls[0][0]);
    if (run.count == 1 && strstr(run.lines[0].text, "ENOSYS")) {
        run_free(&run);
        program_run(&program, &run);
    }
    if (run.count == 1 && strstr(run.lines[0].text, "ENOSYS"))
        skip("the kernel has no epoll_pwait2");
    else
        expect_five("waits", calls, 1);
    run_free(&run);
}

/* All clocks agree; of the five seconds a fifth is shown as CPU time. */
static void test_clocks(void) {
    const char *argv[] = {built("tests/run/clocks"), NULL};
    struct program program = {
        .argv = argv, .virtual_time = true, .cpu_permille = 200};
    struct run run;

    program_run(&program, &run);
    expect(run.end == EXITED && run.count == 16, "it read %zu clocks of 16",
        run.count);
    for (size_t i = 0; i < run.count; i++) {
        bool cpu = strncmp(run.lines[i].text, "CPU: ", 5) == 0;
        const char *seen = strrchr(run.lines[i].text, ' ');
        expect(strcmp(seen, cpu ? " 1.000" : " 5.000") == 0, "%s; expected: %s",
            run.lines[i].text, cpu ? "1 s" : "5 s");
    }
    run_free(&run);
}

static void test_not_virtual(void) {
    struct run run;

    run_waits(&run, "timers", "for ever");
    expect_end(&run, DEADLOCK, 0, "a pause() that nobody ends");
    run_free(&run);
    run_waits(&run, "timers", "sleep beside zombie");
    expect(run.most_zombies == 1, "%d zombies were seen; expected: 1",
        run.most_zombies);
    run_free(&run);
}

/* Ends what has been seen to wait in real time. */
static bool end_when_seen(const struct quiet *quiet, void *unused) {
    (void)unused;
    return quiet->past_clock != NULL && kill(quiet->pids[0], SIGTERM) == 0;
}

/* What is not virtual is named by its call. A timer of CPU time comes while
 * something computes, and is no way to wait. */
static void test_unsupported(void) {
    static const struct {
        const char *way;
        enum program_end end;
        const char *named; /* "": nothing */
    } cases[] = {{"past the clock", EXITED, "nanosleep"},
        {"semtimedop", EXITED, "semtimedop"},
        {"bare timer", EXITED, "a timer of timer_create()"},
        {"for ever with CPU timer", DEADLOCK, ""}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *argv[] = {built("tests/run/timers"), cases[i].way, NULL};
        struct program program = {
            .argv = argv, .virtual_time = true, .at_quiet = end_when_seen};
        struct run run;
        program_run(&program, &run);
        const char *named = run.past_clock == NULL ? "" : run.past_clock;
        if (expect(run.end == cases[i].end, "%s: it ended by %d: %s",
                cases[i].way, (int)run.end, run.why))
            expect(strcmp(named, cases[i].named) == 0,
                "%s: past the clock by \"%s\"; expected: \"%s\"", cases[i].way,
                named, cases[i].named);
        run_free(&run);
    }
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
    {"virtual time is exact for epoll_pwait2", test_epoll_pwait2},
    {"in virtual time all clocks agree", test_clocks},
    {"a deadlock, zombies", test_not_virtual},
    {"a wait that is not supported is named by its call", test_unsupported},
    {"whatever is left behind is told and killed", test_left_behind},
    CU_TEST_INFO_NULL,
};
