/*
 * test_sharing.c - the suite of sharing and start_methods in 03-processes
 */
#include "suites/by_hand.h"
#include "suites/suite.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define FOLDER "03-processes/"

/* Kills the child of that number. The program must end with 1 by itself, and
 * say the words. */
static void judge_partner_killed(const char *const *argv, int children,
    int number, const char *words, struct verdict *v) {
    static struct hand hand;

    hand_start(&hand, argv);
    if (hand_child(&hand, children) == 0 || !hand_kill(&hand, number))
        verdict_fail(v, "it never had %d children", children);
    hand_read(&hand, NULL);
    int status = hand_wait(&hand);
    if (status == -1 || !WIFEXITED(status) || WEXITSTATUS(status) != 1 ||
        strstr(hand.text, words) == NULL)
        verdict_fail(v, "it said \"%.300s\"; expected: \"%s\" and exit 1",
            hand.text, words);
    hand_end(&hand, v);
}

static void test_sharing_killed(void) {
    for (int way = 1; way <= 5; way++)
        for (int number = 1; number <= (way == 5 ? 3 : 2); number++) {
            char w[2] = {(char)('0' + way), '\0'};
            const char *argv[] = {
                built(FOLDER "sharing"), "-m", "65536", "-w", w, NULL};
            struct verdict v = {0};
            judge_partner_killed(
                argv, way == 5 ? 3 : 2, number, "sharing: ", &v);
            expect(v.text[0] == '\0', "sharing -w %d, child %d killed: %s", way,
                number, v.text);
        }
}

/* ---------- sharing and start_methods ---------- */

static void test_sharing(void) {
    static const char *const ways[] = {"pipes, one each way ", "socketpair ",
        "message queues ", "shared memory and a mutex ", "a manager "};
    const char *argv[] = {built(FOLDER "sharing"), "-m", "1", NULL};
    struct program program = {.argv = argv, .deadline_ms = 60000};
    struct verdict v = {0};
    struct run run;

    program_run(&program, &run);
    judge_end(&run, 0, &v);
    for (size_t i = 0; i < 5; i++)
        if (i >= run.count ||
            strncmp(run.lines[i].text, ways[i], strlen(ways[i])) != 0 ||
            strstr(run.lines[i].text, " MiB/s") == NULL)
            verdict_fail(&v, "line %zu is not that of \"%s\"", i + 1, ways[i]);
    if (run.count != 6 ||
        strcmp(run.lines[5].text,
            "a global variable: the child set it to 1, here it is 0") != 0)
        verdict_fail(&v,
            "%zu lines; expected: 6, the last on the global "
            "variable",
            run.count);
    expect_right(&v);
    run_free(&run);
}

/* Runs a program to its end, by hand, to see what names it leaves. */
static void judge_left(const char *const *argv, struct verdict *v) {
    static struct hand hand;

    hand_start(&hand, argv);
    hand_read(&hand, NULL);
    if (hand_wait(&hand) != 0)
        verdict_fail(v, "it failed: %.300s", hand.text);
    hand_end(&hand, v);
}

static void test_left_names(void) {
    const char *right[] = {built(FOLDER "sharing"), "-m", "1", NULL};
    static const char *const wrong[] = {
        "processes_left_memory", "processes_left_queue"};
    struct verdict v = {0};

    judge_left(right, &v);
    expect_right(&v);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char name[64];
        struct verdict rejected = {0};
        snprintf(name, sizeof name, "tests/suites/wrong/%s", wrong[i]);
        const char *argv[] = {built(name), NULL};
        judge_left(argv, &rejected);
        expect_rejected(&rejected, wrong[i]);
    }
}

static void test_start_methods(void) {
    static const char *const expected[] = {
        "fork: 40 + 2 = 42, variable new, descriptor open, close-on-exec open",
        "fork: 40 - 2 = 38, variable new, descriptor open, close-on-exec open",
        "posix_spawn: 40 + 2 = 42, variable old, descriptor open, "
        "close-on-exec closed",
        "posix_spawn: 40 - 2 = 38, variable old, descriptor open, "
        "close-on-exec closed"};
    static const char *const costs[] = {"thread ", "fork ", "posix_spawn "};
    const char *argv[] = {
        built(FOLDER "start_methods"), "-n", "40", "-r", "9", NULL};
    struct program program = {.argv = argv};
    struct verdict v = {0};
    struct run run;

    program_run(&program, &run);
    judge_end(&run, 0, &v);
    for (size_t i = 0; i < 4; i++) { /* two processes: in any order */
        size_t seen = 0;
        for (size_t l = 0; l < run.count; l++)
            seen += strstr(run.lines[l].text, expected[i]) != NULL;
        if (seen != 1)
            verdict_fail(&v, "no line is \"%s\"", expected[i]);
    }
    for (size_t i = 0; i < 3; i++)
        if (run.count != 7 ||
            strncmp(run.lines[4 + i].text, costs[i], strlen(costs[i])) != 0)
            verdict_fail(&v, "no line gives the cost of \"%s\"", costs[i]);
    expect_right(&v);
    run_free(&run);
}

static void test_zombie_shown(void) {
    static const char *const expected[] = {
        "not waited for: Z (zombie)", "waited for: gone"};
    const char *argv[] = {built(FOLDER "start_methods"), "-z", NULL};
    struct program program = {.argv = argv};
    struct verdict v = {0};
    struct run run;

    program_run(&program, &run);
    judge_end(&run, 0, &v);
    events_compare(run.lines, run.count, expected, 2, &v);
    expect_right(&v);
    run_free(&run);
}

CU_TestInfo sharing_tests[] = {
    {"sharing moves all data in five ways", test_sharing},
    {"sharing with a killed child fails, and never hangs", test_sharing_killed},
    {"sharing leaves no name behind", test_left_names},
    {"start_methods shows what is inherited, and three costs",
        test_start_methods},
    {"start_methods shows a zombie", test_zombie_shown},
    CU_TEST_INFO_NULL,
};
