/*
 * test_explore.c - explore counts as the textbook does, and finds what is wrong
 *
 * The programs are those of tests/explore/examples. explore.sh builds them in
 * BUILD_DIR/explore, with the compiler in CC.
 */
#include "suites/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Explores an example; settings are up to three NAME=value. */
static void explore(
    struct run *run, const char *name, const char *args, char *settings[3]) {
    static char directory[600], program[200], arguments[200];
    const char *argv[] = {"/bin/sh", "tests/explore/explore.sh", NULL};
    const char *env[7] = {directory, program, arguments};
    struct program sh = {.argv = argv, .env = env, .deadline_ms = 120000};

    snprintf(directory, sizeof directory, "EXPLORE_DIR=%s", built("explore"));
    snprintf(
        program, sizeof program, "PROGRAM=tests/explore/examples/%s", name);
    snprintf(arguments, sizeof arguments, "ARGS=%s", args);
    for (int i = 0; settings != NULL && i < 3; i++)
        env[3 + i] = settings[i];
    program_run(&sh, run);
    expect(run->left_behind == 0, "explore %s %s left %s behind", name, args,
        run->left_names);
}

/* Is there a line that holds the words, on stdout or on stderr? */
static bool says(const struct run *run, const char *words) {
    for (size_t i = 0; i < run->count; i++)
        if (strstr(run->lines[i].text, words) != NULL)
            return true;
    return strstr(run->err_text, words) != NULL;
}

static void expect_words(const struct run *run, int code, const char *words,
    const char *name, const char *args) {
    expect(run->end == EXITED && run->code == code,
        "explore %s %s: exit %d; expected: %d. It said: %s", name, args,
        run->code, code,
        run->count > 0 ? run->lines[run->count - 1].text : run->err_text);
    expect(says(run, words), "explore %s %s did not say: %s. It said: %s", name,
        args, words,
        run->count > 0 ? run->lines[run->count - 1].text : run->err_text);
}

static void check(const char *name, const char *args, char *settings[3],
    int code, const char *words) {
    struct run run;

    explore(&run, name, args, settings);
    expect_words(&run, code, words, name, args);
    run_free(&run);
}

/* Orders of n reads and writes each: 4! / 2!2!, 6! / 2!2!2!, 8! / 4!4!. */
static void test_counts(void) {
    char all[] = "BOUND=all", off[] = "REDUCE=0", on[] = "REDUCE=1";
    char *every[3] = {all, off}, *reduced[3] = {all, on};

    check("increment", "2 1", every, 1, "wrong in 4 of 6 schedules");
    check("increment", "2 1", every, 1, "       2  right  exit 0: 2");
    check("increment", "3 1", every, 1, "wrong in 84 of 90 schedules");
    check("increment", "2 2", every, 1, "wrong in 64 of 70 schedules");
    /* Two or three additions each, of which only the last is shared. */
    check("private_work", "1", every, 0, "right in all 90 schedules");
    check("private_work", "2", every, 0, "right in all 1680 schedules");
    check("private_work", "2", reduced, 0, "right in all 6 schedules");
}

/* A number, a word, the outcome: of such a line the outcome, or NULL. */
static const char *outcome_of(const char *line) {
    static const char *const words[] = {"right", "wrong", "reference", "other"};
    const char *at = line + strspn(line, " ");

    if (at == line || strspn(at, "0123456789") == 0)
        return NULL;
    at += strspn(at, "0123456789");
    at += strspn(at, " ");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncmp(at, words[i], strlen(words[i])) == 0) {
            at += strlen(words[i]);
            return at + strspn(at, " ");
        }
    return NULL;
}

/* The outcomes of a run as one string, in order; the counts are left out. */
static void outcomes(const struct run *run, char *text, size_t size) {
    const char *found[64];
    size_t n = 0, used = 0;

    for (size_t i = 0; i < run->count && n < 64; i++) {
        const char *outcome = outcome_of(run->lines[i].text);
        if (outcome != NULL)
            found[n++] = outcome;
    }
    text[0] = '\0';
    for (size_t taken = 0; taken < n; taken++) {
        size_t least = 0;
        while (found[least] == NULL)
            least++;
        for (size_t i = 0; i < n; i++)
            if (found[i] != NULL && strcmp(found[i], found[least]) < 0)
                least = i;
        used += (size_t)snprintf(
            text + used, used < size ? size - used : 0, "[%s]", found[least]);
        found[least] = NULL;
    }
}

static void test_reduction(void) {
    static const struct {
        const char *name, *args;
    } programs[] = {{"increment", "2 2"}, {"increment", "3 1"},
        {"load_then_store", ""}, {"philosophers", "3"},
        {"peterson_swapped", ""}, {"double_checked", ""}, {"aba", ""},
        {"lost_wakeup", ""}, {"lost_wakeup_unlocked", ""}, {"queue_if", ""}};
    char bounds[][10] = {"BOUND=1", "BOUND=2", "BOUND=all"};
    char off[] = "REDUCE=0", on[] = "REDUCE=1";

    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        for (int b = 0; b < 3; b++) {
            char *every[3] = {bounds[b], off}, *reduced[3] = {bounds[b], on};
            char full[2000], less[2000];
            struct run run;

            if (b == 2 && i >= 3)
                continue; /* too many without reduction */
            explore(&run, programs[i].name, programs[i].args, every);
            outcomes(&run, full, sizeof full);
            run_free(&run);
            explore(&run, programs[i].name, programs[i].args, reduced);
            outcomes(&run, less, sizeof less);
            run_free(&run);
            expect(*full != '\0' && strcmp(full, less) == 0,
                "%s %s, %s: outcomes %s; with reduction %s", programs[i].name,
                programs[i].args, bounds[b], full, less);
        }
}

static void test_wrong(void) {
    check("increment", "", NULL, 1, "data race in ");
    check("increment", "", NULL, 1, "the shortest needs 1 preemption");
    check("load_then_store", "", NULL, 1, "wrong in 4 of 6 schedules");
    check("philosophers", "5", NULL, 1, "wrong  deadlock");
    check("philosophers", "5", NULL, 1,
        "E waits in pthread_mutex_lock of forks[0] at philosophers.c:");
    check("peterson_swapped", "", NULL, 1, "the shortest needs 2 preemptions");
    check("double_checked", "", NULL, 1, "used before it was ready");
    check("aba", "", NULL, 1, "a node has two owners");
    check("lost_wakeup", "", NULL, 1, "lost wake-up");
    check("lost_wakeup_unlocked", "", NULL, 1, "lost wake-up");
    check("queue_if", "", NULL, 1, "took what is not there");
}

static void test_right(void) {
    static const char *const ways[] = {"barrier", "once", "rwlock", "semaphore",
        "spin", "try", "timed", "recursive", "detach", "sleep", "errorcheck",
        "exit"};
    char all[] = "BOUND=all";
    char *unbounded[3] = {all};

    check("increment_mutex", "3 2", NULL, 0, "right in all ");
    check("philosophers", "5 x", NULL, 0, "with at most 2 preemptions");
    check("peterson", "", unbounded, 0, "right in all ");
    check("queue", "", NULL, 0, "right in all ");
    check("any_order", "", NULL, 0, "right in all ");
    check("waits", "stack_flag", NULL, 0, "right in all ");
    check("waits", "timed_ready", NULL, 0, "right in all ");
    check("waits", "spurious_timed", NULL, 0, "right in all ");
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        check("primitives", ways[i], NULL, 0, "right in all ");
        check("primitives", ways[i], unbounded, 0, "right in all ");
    }
}

/* All of 06-locks but contention and gil, which measure. */
static const struct {
    const char *name, *args;
    int code;
    const char *words;
} locks[] = {
    {"increment_race", "-t 2 -w 2 -n 1 -q", 1, "wrong in 4 of 6 schedules"},
    {"increment_race", "-t 2 -w 2 -n 1 -q", 1, "data race in 6 of 6 "},
    {"increment_mutex", "-t 2 -w 2 -n 1 -q", 0, "right in all "},
    {"increment_semaphore", "-t 2 -w 2 -n 1 -q", 0, "right in all "},
    {"increment_atomic", "-t 2 -w 2 -n 1 -q", 0, "right in all "},
    {"increment_local", "-t 2 -w 2 -n 1 -q", 0, "right in all "},
    {"check_then_act_race", "-c 2 -q", 1, "data race"},
    {"check_then_act_mutex", "-c 2 -q", 0, "right in all "},
    {"atomic_store_race", "-t 2 -w 2 -n 1 -q", 1, "in 4 of 6 schedules"},
    {"atomic_cas", "-t 2 -w 2 -n 1 -q", 0, "right in all "},
    {"recursive_plain", "-s", 1, "wrong  deadlock"},
    {"recursive_errorcheck", "-s", 1, "taken 1 times already"},
    {"recursive_mutex", "-s", 0, "right in all "},
    {"recursive_split", "-s", 0, "right in all "},
    {"deadlock_opposite", "-s", 1, "wrong  deadlock"},
    {"deadlock_order", "-s", 0, "right in all "},
    {"deadlock_trylock", "-s", 0, "right in all "},
    {"deadlock_one_lock", "-s", 0, "right in all "},
    {"cooking_semaphore_leak", "-p 2", 1, "1 of 2 cookers"},
    {"cooking_semaphore", "-p 2", 0, "right in all "},
    {"bounded_queue_if", "-s", 1, "an empty slot was taken"},
    {"bounded_queue_lost_wake", "-s", 1, "lost wake-up"},
    {"bounded_queue", "-s", 0, "right in all "},
    {"barrier", "-w 2", 0, "right in all "},
    {"once", "-c 2", 0, "right in all "},
    {"rwlock", "-w 2 -n 1", 0, "right in all "},
};

static void test_locks_explored(void) {
    for (size_t i = 0; i < sizeof locks / sizeof *locks; i++) {
        char name[100];
        snprintf(name, sizeof name, "../../../06-locks/%s", locks[i].name);
        check(name, locks[i].args, NULL, locks[i].code, locks[i].words);
    }
}

/* What is found by then is said. */
static void test_limit(void) {
    char all[] = "BOUND=all", off[] = "REDUCE=0", limit[] = "TIMEOUT=1";

    check("philosophers", "5 x", (char *[3]){all, off, limit}, 3,
        "stopped by TIMEOUT");
    check("philosophers", "5 x", (char *[3]){all, off, limit}, 3,
        "schedules tried so far");
}

/* The schedule that explore prints does the same again. */
static void test_replay(void) {
    static const char *const names[] = {"increment", "philosophers",
        "double_checked", "aba", "lost_wakeup_unlocked"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct run run;
        char schedule[400] = "", outcome[600] = "";

        explore(&run, names[i], "", NULL);
        for (size_t j = 0; j < run.count; j++) {
            const char *line = run.lines[j].text, *colon = strstr(line, "): ");
            if (strncmp(line, "REPLAY=", 7) == 0)
                snprintf(schedule, sizeof schedule, "%.*s",
                    (int)strcspn(line, ":"), line);
            else if (strncmp(line, "The first", 9) == 0 && colon != NULL)
                snprintf(outcome, sizeof outcome, "%s", colon + 1);
        }
        run_free(&run);
        expect(*schedule && *outcome, "explore %s: no schedule", names[i]);
        check(names[i], "", (char *[3]){schedule}, 1, outcome);
    }
}

static void test_unfit(void) {
    char odd[] = "BOUND=x", none[] = "REPLAY=9Z", other[] = "REPLAY=Z9";

    check("unfit", "none", NULL, 2, "starts no threads");
    check("unfit", "read", NULL, 2, "reads input");
    check("unfit", "fork", NULL, 2, "starts a process (fork)");
    check("unfit", "socket", NULL, 2, "opens a socket");
    check("unfit", "flood", NULL, 2, "writes more than 1 MiB");
    check("unfit", "many", NULL, 2, "more than 64 threads at once");
    check("unfit", "memory", NULL, 1, "Cannot allocate memory");
    check("unfit", "crash", NULL, 1, "*nowhere = 1;");
    check("unfit", "abort", NULL, 1, "crash: Aborted");
    check("unfit", "unlock", NULL, 1, "A releases lock, which nobody holds");
    check("unfit", "spin", NULL, 1, "spins for ever");
    check("unfit", "steps", NULL, 2, "more than 100000 steps");
    check("unfit", "loop", NULL, 2, "computes for 10 s and never comes back");
    check("unfit", "pipe", NULL, 2, "A waits in read");
    check("unfit", "semop", NULL, 2, "calls semop");
    check("unfit", "futex", NULL, 2, "calls futex");
    check("unfit", "flock", NULL, 2, "A waits in flock");
    check("nowhere", "", NULL, 2, "no such file");
    check("broken", "", NULL, 2, "broken.c does not compile");
    check("increment", "", (char *[3]){odd}, 2, "must be 0 to 9, or all");
    check("increment", "", (char *[3]){other}, 2,
        "the schedule is not one of this program");
    check("increment", "", (char *[3]){none}, 2, "that is no schedule");
}

CU_TestInfo explore_tests[] = {
    {"the counts are the textbook's", test_counts},
    {"reduction loses no outcome", test_reduction},
    {"wrong programs are found wrong, with the reason", test_wrong},
    {"right programs are found right", test_right},
    {"all of 06-locks", test_locks_explored},
    {"a limit of time", test_limit},
    {"a replayed schedule does the same again", test_replay},
    {"what cannot be explored is refused in words", test_unfit},
    CU_TEST_INFO_NULL,
};
