/*
 * test_moments.c - Ctrl-C and SIGTERM at every moment leave nothing behind
 *
 * A program sees a signal where it enters or leaves the kernel, so all moments
 * that differ can be tried: before each system call and behind it.
 */
#include "suites/by_hand.h"
#include "suites/suite.h"

#include <signal.h>
#include <stdio.h>

/* Whoever breaks one moment breaks its neighbours: a few tell enough. */
enum { ENOUGH = 3, MOST_MOMENTS = 20000 };

/* Returns the number of moments tried; 0: tracing is forbidden here. */
static long judge_moments(
    const char *const *argv, int number, bool group, struct verdict *all) {
    static struct hand hand;
    int wrong = 0;

    for (long moment = 0; moment < MOST_MOMENTS; moment++) {
        struct verdict v = {0};
        if (!hand_start_traced(&hand, argv))
            return 0;
        bool stopped = hand_stop_at(&hand, moment, number, group);
        if (stopped && hand_wait(&hand) == -1)
            verdict_fail(&v, "it goes on");
        hand_end(&hand, &v);
        if (v.text[0] != '\0')
            verdict_fail(
                all, "signal %d at moment %ld: %s", number, moment, v.text);
        wrong += v.text[0] != '\0';
        if (!stopped || wrong == ENOUGH)
            return moment + 1;
    }
    verdict_fail(all, "it makes system calls without end");
    return MOST_MOMENTS;
}

static bool expect_nothing_left(const char *const *argv, struct verdict *v) {
    long moments = judge_moments(argv, SIGINT, true, v);

    if (moments > 0)
        moments += judge_moments(argv, SIGTERM, false, v);
    else
        skip("a program cannot be traced here");
    return moments > 0;
}

static void test_channels(void) {
    static const char *const names[] = {
        "pipe", "message_queue", "shared_memory", "manager"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[64];
        struct verdict v = {0};
        snprintf(path, sizeof path, "03-processes/%s", names[i]);
        const char *argv[] = {built(path), "-n1", NULL};
        if (!expect_nothing_left(argv, &v))
            return;
        expect(v.text[0] == '\0', "%s: %s", names[i], v.text);
    }
}

/* Their children would go on for long enough to be found. */
static void test_stories(void) {
    const char *const runs[][5] = {
        {built("03-processes/messages"), "-c2", "-m1", "-i300", NULL},
        {built("05-queue/messages"), "-c2", "-m1", "-i300", NULL}};

    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        struct verdict v = {0};
        if (!expect_nothing_left(runs[i], &v))
            return;
        expect(v.text[0] == '\0', "%s: %s", runs[i][0], v.text);
    }
}

static void test_wrong(void) {
    const char *argv[] = {
        built("tests/suites/wrong/processes_late_unlink"), NULL};
    struct verdict v = {0};

    if (expect_nothing_left(argv, &v))
        expect_rejected(&v, "processes_late_unlink");
}

CU_TestInfo moments_tests[] = {
    {"a channel that is stopped leaves no name and no child", test_channels},
    {"nor does a story told by processes", test_stories},
    {"a queue that has a name for a moment is rejected", test_wrong},
    CU_TEST_INFO_NULL,
};
