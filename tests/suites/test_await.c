/*
 * test_await.c - the suite of await and poll in 04-async
 */
#include "suites/suite.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------- await ---------- */

/* How many stacks of the process have a page below that kills. */
static bool look_at_stacks(const struct quiet *quiet, void *arg) {
    char path[60], access[8] = "", *line = NULL;
    unsigned long low, high, end = 0;
    size_t size = 0;
    int guarded = 0, *most = arg;

    snprintf(path, sizeof path, "/proc/%d/maps", (int)quiet->pids[0]);
    FILE *maps = fopen(path, "r");
    while (maps != NULL && getline(&line, &size, maps) != -1) {
        bool guard = strcmp(access, "---p") == 0;
        if (sscanf(line, "%lx-%lx %7s", &low, &high, access) == 3)
            guarded += guard && low == end && high - low == 256 * 1024 &&
                       strcmp(access, "rw-p") == 0;
        end = high;
    }
    if (maps != NULL)
        fclose(maps);
    free(line);
    *most = guarded > *most ? guarded : *most;
    return false;
}

/* The lines in their order, where task number `failing` fails (0: none). */
static void expect_await_lines(const struct run *run, int failing) {
    static const char *const right[] = {"A: sleeping 2 s ...",
        "B: sleeping 1 s ...", "C: sleeping 3 s ...", "B: slept 1 s",
        "A: slept 2 s", "C: slept 3 s", "gather: A returned 20",
        "gather: B returned 10", "gather: C returned 30"};
    static const size_t ends[] = {0, 4, 3, 5}; /* where A, B and C end */
    char failed[20], gathered[60];

    snprintf(failed, sizeof failed, "%c: failed", 'A' + failing - 1);
    snprintf(gathered, sizeof gathered, "gather: %c failed: %s",
        'A' + failing - 1, strerror(EIO));
    for (size_t i = 0; i < 9; i++) {
        const char *seen = i < run->count ? run->lines[i].text : "";
        const char *wanted = right[i];
        if (failing > 0 && i == ends[failing])
            wanted = failed;
        else if (failing > 0 && i == 5 + (size_t)failing)
            wanted = gathered;
        expect(strcmp(seen, wanted) == 0,
            "04-async/await -f %d: line %zu is \"%s\"; expected: \"%s\"",
            failing, i + 1, seen, wanted);
    }
    expect(run->count == 9, "04-async/await -f %d: %zu lines; expected: 9",
        failing, run->count);
}

static void judge_await(int failing) {
    char number[12];
    int guarded = 0;
    const char *argv[] = {
        built("04-async/await"), failing > 0 ? "-f" : NULL, number, NULL};
    struct program program = {.argv = argv,
        .virtual_time = true,
        .at_quiet = look_at_stacks,
        .arg = &guarded};
    struct verdict verdict = {0};
    struct run run;

    snprintf(number, sizeof number, "%d", failing);
    program_run(&program, &run);
    judge_end(&run, failing > 0, &verdict);
    expect_right(&verdict);
    expect_await_lines(&run, failing);
    const char *summary = strstr(run.err_text, "3 tasks in 3.00 s\n");
    bool alone = summary == run.err_text ||
                 strstr(run.err_text, "ASan doesn't fully support") != NULL;
    expect(run.virtual_ns == 3000000000 && summary != NULL && alone &&
               strcmp(summary, "3 tasks in 3.00 s\n") == 0,
        "04-async/await: %.3f s, \"%.200s\"; expected: 3 s",
        (double)run.virtual_ns / 1e9, run.err_text);
    expect(guarded == 3, "04-async/await: %d stacks with a guard; expected: 3",
        guarded);
    run_free(&run);
}

static void test_await(void) {
    for (int failing = 0; failing <= 3; failing++)
        judge_await(failing);
}

/* ---------- poll ---------- */

/* Kills the first server when all sleep. */
static bool kill_first(const struct quiet *quiet, void *killed) {
    if (*(bool *)killed || quiet->processes < 4)
        return false;
    kill(quiet->pids[1], SIGKILL);
    return *(bool *)killed = true;
}

/* Each answer is read the moment it comes, whoever was asked first; one who is
 * killed, and will never answer, keeps nobody waiting. */
static void judge_poll(bool killed, struct verdict *v) {
    static const struct {
        const char *text, *if_killed;
        int64_t at_s;
    } right[] = {{"A: asked ...", "A: asked ...", 0},
        {"B: asked ...", "B: asked ...", 0},
        {"C: asked ...", "C: asked ...", 0},
        {"B: answered 10", "A: gone without an answer", 1},
        {"A: answered 20", "B: answered 10", 2},
        {"C: answered 30", "C: answered 30", 3}};
    static const int64_t at_s_if_killed[] = {0, 0, 0, 0, 1, 3};
    const char *argv[] = {built("04-async/poll"), NULL};
    bool done = !killed;
    struct program program = {.argv = argv,
        .virtual_time = true,
        .at_quiet = kill_first,
        .arg = &done};
    struct run run;

    program_run(&program, &run);
    judge_end(&run, killed, v);
    for (size_t i = 0; i < 6; i++) {
        const char *text = killed ? right[i].if_killed : right[i].text;
        int64_t at_s = killed ? at_s_if_killed[i] : right[i].at_s;
        if (run.count != 6 || strcmp(run.lines[i].text, text) != 0 ||
            run.lines[i].at_ns != at_s * 1000000000)
            verdict_fail(v, "line %zu of %zu is not \"%s\" at %d s", i + 1,
                run.count, text, (int)at_s);
    }
    if (strcmp(run.err_text,
            killed ? "2 answers in 3.00 s\n" : "3 answers in 3.00 s\n") != 0)
        verdict_fail(v, "stderr is \"%.200s\"", run.err_text);
    run_free(&run);
}

static void test_poll(void) {
    for (int killed = 0; killed < 2; killed++) {
        struct verdict v = {0};
        judge_poll(killed, &v);
        expect(v.text[0] == '\0', "04-async/poll, %s killed: %s",
            killed ? "A" : "nobody", v.text);
    }
}

CU_TestInfo await_tests[] = {
    {"await: results in order, errors as results, guarded stacks", test_await},
    {"poll: each answer is read when it comes", test_poll},
    CU_TEST_INFO_NULL,
};
