/*
 * test_play.c - a game of scheduling is played from a pipe, as by hand
 */
#include "suites/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Plays with these keys, a line each; \n between them is a /. */
static void play(
    struct run *run, const char *program, const char *args, const char *keys) {
    static char directory[600], what[200], arguments[100], words[400];
    char script[] = "printf '%s\\n' \"$KEYS\" | tr / '\\n' | "
                    "PLAY=1 tests/explore/explore.sh";
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    const char *env[] = {directory, what, arguments, words, NULL};
    struct program sh = {.argv = argv, .env = env, .deadline_ms = 600000};

    snprintf(directory, sizeof directory, "EXPLORE_DIR=%s", built("explore"));
    snprintf(what, sizeof what, "PROGRAM=%s", program);
    snprintf(arguments, sizeof arguments, "ARGS=%s", args);
    snprintf(words, sizeof words, "KEYS=%s", keys);
    program_run(&sh, run);
    expect(run->left_behind == 0, "play %s left %s behind", program,
        run->left_names);
    for (size_t i = 0; i < run->count; i++)
        expect(strlen(run->lines[i].text) < 120, "play: a line of %zu columns",
            strlen(run->lines[i].text));
}

/* How many lines hold these words? */
static int count_of(const struct run *run, const char *words) {
    int count = 0;
    for (size_t i = 0; i < run->count; i++)
        count += strstr(run->lines[i].text, words) != NULL;
    return count;
}

static void says(const struct run *run, const char *words, int times) {
    int count = count_of(run, words);
    expect(count >= times, "play says \"%s\" %d times; expected: %d", words,
        count, times);
}

static const char race[] = "06-locks/increment_race";
static const char two[] = "-t 2 -w 2 -n 1 -q";

static void test_win(void) {
    struct run run;

    play(&run, race, two, "/b/a/q");
    expect(run.end == EXITED && run.code == 0, "play %s", run.why);
    says(&run, "*A     read sum ", 1);
    says(&run, "38 long seen = sum;", 3);
    says(&run, "sum: 0", 3);
    says(&run, "The end: exit 1: counted to 1", 1);
    says(&run, "A failure: you win.", 1);
    says(&run, "REPLAY=A1B1A1", 1);
    says(&run, "You needed 2 preemptions; 1 is enough.", 1);
    says(&run, "You have found 1 of 2 outcomes.", 1);
    run_free(&run);
}

/* u takes back, r begins again, s shows the steps, others cannot go on. */
static void test_keys(void) {
    struct run run;

    play(&run, race, two, "a/u/b/s/r/m/x/a/a/b/b/q");
    says(&run, "step 1, 0 preemptions", 3);
    says(&run, "    1  sum ", 1);
    says(&run, "m cannot go on now", 1);
    says(&run, "x cannot go on now", 1);
    says(&run, "No failure.", 1);
    says(&run, "The end: exit 0: counted to 2", 1);
    run_free(&run);
    /* After the end, too; and the end of the input ends the game. */
    play(&run, race, two, "a/a/u/b/b");
    says(&run, "A failure: you win.", 1);
    says(&run, "You needed 1 preemption; there is no way with fewer.", 1);
    says(&run, "You have found 2 of 2 outcomes.", 1);
    run_free(&run);
}

/* With every number of preemptions none is proved to be the fewest. */
static void test_at_most(void) {
    struct run run;

    setenv("BOUND", "all", 1);
    play(&run, race, two, "a/b/b/a/q");
    unsetenv("BOUND");
    says(&run, "You needed 1 preemption; at most 1 is needed.", 1);
    run_free(&run);
}

/* Whoever follows the hints wins. */
static void test_hints(void) {
    struct run run;
    char keys[40] = "h/q";

    play(&run, race, two, keys);
    for (int move = 0; move < 8 && count_of(&run, "hint: ") > 0; move++) {
        char next = '?';
        for (size_t i = 0; i < run.count; i++)
            if (strncmp(run.lines[i].text, "hint: ", 6) == 0)
                next = run.lines[i].text[6];
        snprintf(
            keys + 2 * move, sizeof keys - 2 * (size_t)move, "%c/h/q", next);
        run_free(&run);
        play(&run, race, two, keys);
    }
    says(&run, "A failure: you win.", 1);
    says(&run, "there is no way with fewer", 1);
    run_free(&run);
}

static void test_stuck_and_correct(void) {
    struct run run;

    play(&run, "tests/explore/examples/philosophers", "2", "a/b/q");
    says(&run, "The end: deadlock", 1);
    says(&run, "A waits in pthread_mutex_lock of forks[1]", 1);
    says(&run, "A failure: you win.", 1);
    run_free(&run);
    play(&run, "06-locks/increment_mutex", two, "h/q");
    says(&run, "Nobody can win", 1);
    says(&run, "hint: nobody can win", 1);
    run_free(&run);
    play(&run, "tests/explore/examples/greet", "", "b/q");
    says(&run, "You win with another outcome", 1);
    says(&run, "A failure: you win.", 1);
    run_free(&run);
    play(&run, "tests/explore/examples/unfit", "none", "q");
    expect(run.code == 2, "play without threads: exit %d", run.code);
    run_free(&run);
}

CU_TestInfo play_tests[] = {
    {"the scheduler makes it go wrong", test_win},
    {"each key does what it says", test_keys},
    {"the fewest preemptions, where none is proved", test_at_most},
    {"the hints lead to a failure", test_hints},
    {"a deadlock, a correct program, one without threads",
        test_stuck_and_correct},
    CU_TEST_INFO_NULL,
};
