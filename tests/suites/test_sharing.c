/*
 * test_sharing.c - the suite of publish and not_shared in 03-processes
 */
#include "suites/suite.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define FOLDER "03-processes/"
#define MS INT64_C(1000000)

/* ---------- publish ---------- */

enum { SUBSCRIBERS = 3, MESSAGES = 4 };
static const char *const who[] = {"publisher", "Alice", "Bob", "Carol"};
static const int64_t every_ms[] = {100, 100, 300, 100}; /* a message each */

/* Kills a subscriber when all sleep, after the first message. */
struct killing {
    size_t number; /* 1: Alice ... 3: Carol; 0: nobody */
    bool done;
};

static bool kill_one(const struct quiet *quiet, void *arg) {
    struct killing *killing = arg;

    if (killing->number == 0 || killing->done ||
        quiet->processes <= SUBSCRIBERS)
        return false;
    kill(quiet->pids[killing->number], SIGKILL);
    return killing->done = true;
}

/* Fails unless each line came at its time. So the publisher waited for nobody,
 * and each subscriber that was not killed got all messages in their order. */
static void judge_news(
    const struct run *run, size_t killed, struct verdict *v) {
    int64_t next[] = {1, 1, 1, 1};

    for (size_t i = 0; i < run->count; i++) {
        const char *text = run->lines[i].text;
        char expected[60];
        size_t w = 0;
        while (w < SUBSCRIBERS && strncmp(text, who[w], strlen(who[w])) != 0)
            w++;
        snprintf(expected, sizeof expected, "%s: %smessage %d", who[w],
            w == 0 ? "" : "got ", (int)next[w]);
        int64_t due = (next[w]++ - 1) * every_ms[w] * MS;
        if (strcmp(text, expected) != 0 || run->lines[i].at_ns != due)
            verdict_fail(v, "\"%s\" at %.3f s; expected: \"%s\" at %.3f s",
                text, (double)run->lines[i].at_ns / 1e9, expected,
                (double)due / 1e9);
    }
    for (size_t w = 0; w <= SUBSCRIBERS; w++)
        if ((w == 0 || w != killed) && next[w] != MESSAGES + 1)
            verdict_fail(v, "%s had %d messages; expected: %d", who[w],
                (int)next[w] - 1, MESSAGES);
}

static void test_publish(void) {
    static const char *const said[] = {"",
        "publish: 1 of 3 subscribers killed, Alice by signal 9 (Killed)\n",
        "publish: 1 of 3 subscribers killed, Bob by signal 9 (Killed)\n",
        "publish: 1 of 3 subscribers killed, Carol by signal 9 (Killed)\n"};
    const char *argv[] = {built(FOLDER "publish"), NULL};

    for (size_t number = 0; number <= SUBSCRIBERS; number++) {
        struct killing killing = {.number = number};
        struct program program = {.argv = argv,
            .virtual_time = true,
            .at_quiet = kill_one,
            .arg = &killing};
        struct verdict v = {0};
        struct run run;
        program_run(&program, &run);
        judge_end(&run, number > 0, &v);
        judge_news(&run, number, &v);
        if (strncmp(run.err_text, said[number], strlen(said[number])) != 0 ||
            strstr(run.err_text, "4 messages published in 0.40 s") == NULL)
            verdict_fail(&v, "stderr is \"%.200s\"", run.err_text);
        expect(v.text[0] == '\0', "publish, %s killed: %s",
            number == 0 ? "nobody" : who[number], v.text);
        run_free(&run);
    }
}

/* Bob reads one message of three, so his pipe is full in the end: he alone is
 * cut off. */
static void test_cut_off(void) {
    const char *argv[] = {
        built(FOLDER "publish"), "-m", "300", "-i", "1", NULL};
    struct program program = {
        .argv = argv, .virtual_time = true, .deadline_ms = 120000};
    size_t got[SUBSCRIBERS + 1] = {0};
    struct verdict v = {0};
    struct run run;

    program_run(&program, &run);
    judge_end(&run, 1, &v);
    for (size_t i = 0; i < run.count; i++)
        for (size_t w = 0; w <= SUBSCRIBERS; w++)
            got[w] += strncmp(run.lines[i].text, who[w], strlen(who[w])) == 0;
    if (got[0] != 300 || got[1] != 300 || got[3] != 300 || got[2] < 128 ||
        got[2] == 300)
        verdict_fail(&v, "%zu messages: Alice, Bob, Carol got %zu, %zu, %zu",
            got[0], got[1], got[2], got[3]);
    if (strncmp(run.err_text, "publish: Bob is too slow: cut off at ", 37) != 0)
        verdict_fail(&v, "stderr is \"%.200s\"", run.err_text);
    expect_right(&v);
    run_free(&run);
}

/* ---------- not_shared ---------- */

static void test_not_shared(void) {
    static const char *const said[] = {"child: variable 2, in shared memory 2",
        "parent: variable 1, in shared memory 2"};
    const char *argv[] = {built(FOLDER "not_shared"), NULL};
    struct program program = {.argv = argv};
    struct verdict v = {0};
    struct run run;

    program_run(&program, &run);
    judge_end(&run, 0, &v);
    events_compare(run.lines, run.count, said, 2, &v);
    expect_right(&v);
    run_free(&run);
}

CU_TestInfo sharing_tests[] = {
    {"each subscriber gets each message, who is slow or dead stops nobody",
        test_publish},
    {"who is too far behind is cut off, and told", test_cut_off},
    {"a variable is not shared, mapped memory is", test_not_shared},
    CU_TEST_INFO_NULL,
};
