/*
 * test_orphans.c - programs with children that are ended leave no orphan
 */
#include "suites/by_hand.h"
#include "suites/suite.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#define FOLDER "03-processes/"

/* Programs that go on for minutes, and when they are well under way. */
struct long_run {
    int children;
    const char *words; /* on stdout; NULL: nothing */
    const char *argv[8];
};

/* Sends the signal to the whole group, as Ctrl-C does, or to the program
 * alone. Nothing may be left of it. */
static void judge_signal(
    const struct long_run *one, int number, bool group, struct verdict *v) {
    static struct hand hand;

    hand_start(&hand, one->argv);
    if (one->words != NULL && !hand_read(&hand, one->words))
        verdict_fail(v, "it never printed \"%s\"", one->words);
    if (hand_child(&hand, one->children) == 0)
        verdict_fail(v, "it never had %d children", one->children);
    kill(group ? -hand.pid : hand.pid, number);
    int status = hand_wait(&hand);
    if (status == -1 || !WIFSIGNALED(status) || WTERMSIG(status) != number)
        verdict_fail(v, "signal %d did not end it", number);
    hand_end(&hand, v);
}

static void judge_runs(const struct long_run *runs, size_t count) {
    static const struct {
        int number;
        bool group;
        const char *what;
    } ways[] = {{SIGINT, true, "Ctrl-C"}, {SIGTERM, false, "SIGTERM"},
        {SIGKILL, false, "SIGKILL"}};

    for (size_t r = 0; r < count; r++)
        for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
            struct verdict v = {0};
            judge_signal(&runs[r], ways[w].number, ways[w].group, &v);
            expect(v.text[0] == '\0', "%s (%zu), %s: %s", runs[r].argv[0], r,
                ways[w].what, v.text);
        }
}

static void test_orphans(void) {
    struct sites_options options = {.gate = false};
    char base[64], never[80];
    struct sites *sites = start_sites(&options, base, sizeof base);

    snprintf(never, sizeof never, "%s/never", base);
    const struct long_run runs[] = {
        {3, "Carol: sending", {built(FOLDER "messages"), "-i", "3600000"}},
        {2, "plate 2: washing", {built(FOLDER "cooking"), "-m", "60000"}},
        {2, "task 2: counting",
            {built(FOLDER "increment"), "-w", "2", "-n", "1000000000", "-t",
                "1000000"}},
        {5, "page 5: fetching", {built(FOLDER "download"), never}},
        {3, "Carol: sending", {built("05-queue/messages"), "-i", "3600000"}},
        {2, "plate 2: washing", {built("05-queue/cooking"), "-m", "60000"}},
        {2, "task 2: counting",
            {built("05-queue/increment"), "-w", "2", "-n", "1000000000", "-t",
                "1000000"}},
        {5, "page 5: fetching", {built("05-queue/download"), never}},
    };
    judge_runs(runs, sizeof runs / sizeof runs[0]);
    sites_stop(sites, NULL);
}

static void test_channels(void) {
    struct sites_options options = {.gate = true}; /* no page ever comes */
    char base[64];
    struct sites *sites = start_sites(&options, base, sizeof base);
    const struct long_run runs[] = {
        {1, NULL, {built(FOLDER "start_cost"), "-r", "100000"}},
        {1, NULL, {built(FOLDER "pipe"), "-n", "1000000000"}},
        {1, NULL, {built(FOLDER "message_queue"), "-n", "1000000000"}},
        {1, NULL, {built(FOLDER "shared_memory"), "-n", "1000000000"}},
        {2, NULL, {built(FOLDER "manager"), "-n", "1000000000"}},
        {3, "Carol: got message 1", {built(FOLDER "publish"), "-i", "3600000"}},
        {2, "page 2: fetching",
            {built(FOLDER "both"), "-p", "2", "-w", "1", "-s", base}},
        {3, "C: asked", {built("04-async/poll")}},
    };

    judge_runs(runs, sizeof runs / sizeof runs[0]);
    sites_stop(sites, NULL);
}

static void test_wrong_orphan(void) {
    struct long_run wrong = {
        1, "Alice: sending", {built("tests/suites/wrong/processes_orphan")}};
    struct verdict rejected = {0};

    judge_signal(&wrong, SIGTERM, false, &rejected);
    expect_rejected(&rejected, "processes_orphan");
}

CU_TestInfo orphans_tests[] = {
    {"Ctrl-C, SIGTERM and SIGKILL leave no orphan and no name", test_orphans},
    {"nor do channels, publishers, threads in processes", test_channels},
    {"a program that leaves an orphan is rejected", test_wrong_orphan},
    CU_TEST_INFO_NULL,
};
