/*
 * test_kitchen.c - the suite of 06-locks, part two: the kitchen
 *
 * Chefs who share cookers, and what waiting gains where a lock is given up.
 */
#define _GNU_SOURCE /* asprintf */
#include "suites/beside.h"
#include "suites/lock_runs.h"
#include "suites/suite.h"

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MINUTE_NS = 1000000 };

/* ---------- The kitchen ---------- */

/* The most steps at once of those named in `what`, a list of words. */
static long at_once(const struct run *run, const char *const what[][2]) {
    long now = 0, most = 0;

    for (size_t i = 0; i < run->count; i++) {
        const char *text = run->lines[i].text + events_lane(run->lines[i].text);
        for (size_t w = 0; what[w][0] != NULL; w++) {
            now += strcmp(text, what[w][0]) == 0;
            now -= strcmp(text, what[w][1]) == 0;
        }
        most = now > most ? now : most;
    }
    return most;
}

static const char *const boils[][2] = {
    {": boiling ...", ": boiled"}, {NULL, NULL}};
static const char *const chef_steps[][2] = {{": washing ...", ": washed"},
    {": cutting ...", ": cut"}, {": serving ...", ": served"}, {NULL, NULL}};

static void judge_lines(const struct run *run, struct verdict *verdict) {
    static const char *const words[] = {"washing ...", "washed", "cutting ...",
        "cut", "boiling ...", "boiled", "serving ...", "served"};
    char *lines[80];

    for (int i = 0; i < 80; i++)
        if (asprintf(&lines[i], "plate %d: %s", i / 8 + 1, words[i % 8]) == -1)
            err(EXIT_FAILURE, "asprintf");
    events_compare(
        run->lines, run->count, (const char *const *)lines, 80, verdict);
    for (int i = 0; i < 80; i++)
        free(lines[i]);
    events_last(run->lines, run->count, "washing", 5 * MINUTE_NS, verdict);
    events_last(run->lines, run->count, "cutting", 13 * MINUTE_NS, verdict);
    events_last(run->lines, run->count, "boiling", 30 * MINUTE_NS, verdict);
    events_last(run->lines, run->count, "serving", 2 * MINUTE_NS, verdict);
}

static void judge_kitchen(
    long chefs, long cookers, long minutes, struct verdict *verdict) {
    char w[24], k[24];
    const char *argv[] = {path_of("cooking_semaphore"), "-w", w, "-k", k, NULL};
    struct program program = {.argv = argv, .virtual_time = true};
    struct run run;

    snprintf(w, sizeof w, "%ld", chefs);
    snprintf(k, sizeof k, "%ld", cookers);
    program_run(&program, &run);
    judge_end(&run, 0, verdict);
    judge_lines(&run, verdict);
    if (run.virtual_ns != minutes * MINUTE_NS)
        verdict_fail(verdict, "it took %.3f minutes; expected: %ld",
            (double)run.virtual_ns / (double)MINUTE_NS, minutes);
    if (at_once(&run, boils) > cookers)
        verdict_fail(verdict, "%ld pots were on at once", at_once(&run, boils));
    if (at_once(&run, chef_steps) > chefs)
        verdict_fail(verdict, "%ld chefs were at work at once",
            at_once(&run, chef_steps));
    run_free(&run);
}

static void test_kitchen(void) {
    static const struct {
        long chefs, cookers, minutes;
    } kitchens[] = {{2, 1, 320}, {2, 2, 170}, {2, 3, 140}, {2, 4, 122},
        {2, 5, 122}, {2, 10, 122}, {1, 1, 320}, {1, 2, 212}, {1, 3, 212},
        {1, 10, 212}, {10, 10, 50}};

    for (size_t i = 0; i < sizeof kitchens / sizeof kitchens[0]; i++) {
        struct verdict verdict = {.text = ""};
        judge_kitchen(kitchens[i].chefs, kitchens[i].cookers,
            kitchens[i].minutes, &verdict);
        expect(verdict.text[0] == '\0', "cooking_semaphore -w %ld -k %ld: %s",
            kitchens[i].chefs, kitchens[i].cookers, verdict.text);
    }
}

/* A cooker is lost with each of the two soups, as long as there is one. */
static void test_leak(void) {
    static const char *const words[] = {"1 of 1 cookers are not given back",
        "2 of 2 cookers are not given back",
        "2 of 3 cookers are not given back",
        "2 of 4 cookers are not given back"};

    for (int cookers = 1; cookers <= 4; cookers++) {
        char k[24];
        struct run run;
        struct verdict verdict = {.text = ""};
        snprintf(k, sizeof k, "-k%d", cookers);
        run_with(&run, path_of("cooking_semaphore_leak"), k, NULL, true);
        judge_end(&run, 1, &verdict);
        if (strstr(run.err_text, words[cookers - 1]) == NULL)
            verdict_fail(&verdict, "it says \"%.300s\"; expected: \"%s\"",
                run.err_text, words[cookers - 1]);
        expect(verdict.text[0] == '\0', "cooking_semaphore_leak %s: %s", k,
            verdict.text);
        run_free(&run);
    }
}

/* Stopped, as by Ctrl-Z, for longer than its patience, a right program goes on:
 * it counts how often it has looked, not the time. When a clock ran it failed
 * about every other time. */
static void test_stop(void) {
    const char *argv[] = {
        path_of("cooking_semaphore"), "-p2", "-w2", "-k1", NULL};
    const struct timespec long_enough = {.tv_nsec = 400000000};

    for (int i = 0; i < 6; i++) {
        struct beside kitchen;
        beside_start(&kitchen, scratch(), NULL, argv);
        expect(beside_printed(&kitchen, "boiling ..."), "no plate boils");
        beside_stop(&kitchen);
        nanosleep(&long_enough, NULL);
        beside_signal(&kitchen, SIGCONT);
        int status = beside_end(&kitchen, NULL);
        expect(status == 0, "stopped and continued: exit %d, \"%s\"", status,
            beside_said(&kitchen));
    }
}

/* ---------- A lock given up ---------- */

/* Waiting is exact in virtual time; computing takes none. */
static void test_gil(void) {
    struct run run;

    run_with(&run, path_of("gil"), NULL, NULL, true);
    const char *row = strstr(run.err_text, "wait, lock given up");
    expect(row != NULL && strstr(row, " 0.20 s") != NULL &&
               strstr(row, " 0.05 s      4.0\n") != NULL,
        "gil: the table is \"%s\"; expected: a speedup of 4.0 by waiting with "
        "the lock given up",
        run.err_text);
    expect(printed(&run, "wait, lock given up: at most 4 at once") &&
               printed(&run, "wait, lock held: at most 1 at once"),
        "gil: 4 threads wait at once only when they give the lock up");
    run_free(&run);
}

CU_TestInfo kitchen_tests[] = {
    {"chefs who share cookers need exactly their minutes", test_kitchen},
    {"a cooker that is not given back is missed", test_leak},
    {"a stopped kitchen goes on", test_stop},
    {"waiting threads gain all by giving the lock up", test_gil},
    CU_TEST_INFO_NULL,
};
