/*
 * test_runner.c - the suite of the suites: what the runner makes of a test
 *
 * runner_probe is the runner with suites of its own, from suites/probe/.
 */
#include "suites/by_hand.h"
#include "suites/suite.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Makes a folder of our own, beside what other suites have in theirs, the one
 * for the runner's files. */
static void make_folder(char *path, size_t size) {
    snprintf(path, size, "%s/runner-XXXXXX", getenv("TMPDIR"));
    if (mkdtemp(path) == NULL || setenv("TMPDIR", path, 1) == -1)
        err(EXIT_FAILURE, "%s", path);
}

/* Runs the runner on these suites. It must end so, say the words, and leave
 * nothing. With a signal: that is sent when a test has said "asleep". */
static void run(const char *const *names, int number, int status,
    const char *words, struct verdict *v) {
    const char *argv[5] = {built("tests/runner_probe"), built("")};
    static struct hand hand;
    char folder[300], *old = strdup(scratch());

    make_folder(folder, sizeof folder);

    for (int i = 0; i < 2 && names[i] != NULL; i++)
        argv[2 + i] = names[i];
    hand_start(&hand, argv);
    if (number != 0 && hand_read(&hand, "asleep"))
        kill(hand.pid, number);
    hand_read(&hand, NULL);
    int ended = hand_wait(&hand);
    if (!WIFEXITED(ended) || WEXITSTATUS(ended) != status)
        verdict_fail(v, "exit status %d; expected: %d",
            WIFEXITED(ended) ? WEXITSTATUS(ended) : -1, status);
    if (strstr(hand.text, words) == NULL)
        verdict_fail(
            v, "it says \"%.400s\"; expected: \"%s\"", hand.text, words);
    hand_end(&hand, v);
    if (rmdir(folder) == -1)
        verdict_fail(v, "it left files: %s", strerror(errno));
    setenv("TMPDIR", old, 1);
    free(old);
}

static const struct {
    const char *names[3];
    int number, status;
    const char *words;
} cases[] = {
    {{"passes"}, 0, 0, "ok   passes: passes\n1 passed, 0 failed, 0 skip"},
    {{"fails"}, 0, 1,
        "FAIL fails: fails\n     the sky is green\n0 passed, 1 failed"},
    {{NULL}, 0, 1, "1 passed, 1 failed, 0 skipped\n"},
    {{"passes", "skips"}, 0, 0,
        "skip skips: skips\n     skipped: no sky here\n1 passed, 0 failed, "
        "1 skipped\n"},
    {{"skips"}, 0, 1, "0 passed, 0 failed, 1 skipped\n"},
    {{"rejects"}, 0, 0, "1 passed, 0 failed"},
    {{"rejects_otherwise"}, 0, 1,
        "was rejected for another reason: it caught fire; expected: "},
    {{"accepts"}, 0, 1, "messages_deadlock was not rejected; expected: "},
    {{"unknown"}, 0, 1, "no_such_program.c names no reason"},
    {{"hangs", "passes"}, 0, 1,
        "FAIL hangs: pass\n     not run: before it a program did not end\n"
        "ok   passes: passes\n1 passed, 2 failed, 0 skipped\n"},
    {{"exits", "passes"}, 0, 1,
        "FAIL exits: a test has ended the suite, with exit status 0\n"
        "ok   passes: passes\n1 passed, 1 failed, 0 skipped\n"},
    {{"ends_badly", "passes"}, 0, 1,
        "ok   ends_badly: ends_badly\nFAIL ends_badly: the suite has ended "
        "with exit status 23\n"
        "ok   passes: passes\n2 passed, 1 failed, 0 skipped\n"},
    {{"crashes", "passes"}, 0, 1,
        "FAIL crashes: signal 11 (Segmentation fault) has ended the suite\n"
        "ok   passes: passes\n1 passed, 1 failed, 0 skipped\n"},
    {{"waits_for_second", "second"}, 0, 0,
        "ok   waits_for_second: waits_for_second\nok   second: second\n"},
    {{"leaves"}, 0, 0, "1 passed, 0 failed"},
    {{"waits"}, SIGINT, 128 + SIGINT, "stopped by signal 2 (Interrupt)\n"},
    {{"waits"}, SIGTERM, 128 + SIGTERM, "stopped by signal 15"},
    {{"no such"}, 0, 2, "no such: no such suite; there are passes fails"},
};

static void test_verdicts(void) {
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct verdict v = {.text = ""};
        run(cases[i].names, cases[i].number, cases[i].status, cases[i].words,
            &v);
        expect(v.text[0] == '\0', "runner_probe %s: %s",
            cases[i].names[0] == NULL ? "" : cases[i].names[0], v.text);
    }
}

/* Whose verdicts nobody gets to see does not say that all is well. */
static void test_full(void) {
    const char *argv[] = {
        built("tests/runner_probe"), built(""), "passes", NULL};
    struct program full = {.argv = argv, .stdout_path = "/dev/full"};
    struct run ended;

    program_run(&full, &ended);
    expect(ended.end == EXITED && ended.code == 1 &&
               strstr(ended.err_text, "not everything was written") != NULL,
        "runner_probe passes >/dev/full: exit %d, \"%.200s\"", ended.code,
        ended.err_text);
    run_free(&ended);
}

CU_TestInfo runner_tests[] = {
    {"failures, skips, early ends and signals are told apart", test_verdicts},
    {"verdicts that cannot be written are no success", test_full},
    CU_TEST_INFO_NULL,
};
