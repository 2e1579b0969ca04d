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
    struct program sh = {.argv = argv, .env = env, .deadline_ms = 600000};

    snprintf(directory, sizeof directory, "EXPLORE_DIR=%s", built("explore"));
    snprintf(program, sizeof program, "PROGRAM=%s%s",
        *name == '/' ? "" : "tests/explore/examples/", name);
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

/* Programs as nobody here wrote them: name, arguments, up to two settings, the
   exit status, words. */
static const struct {
    const char *name, *args;
    const char *settings[2];
    int code;
    const char *words;
} cases[] = {
    /* A failure found stays found. */
    {"lost_early", "", {"MAX_SCHEDULES=50"}, 1, "other      exit 0: 2"},
    {"lost_early", "", {"MAX_SCHEDULES=500", "EXPECT=3"}, 1,
        "; the shortest needs 1 preemption"},
    /* What is right? */
    {"forgotten_join", "none", {NULL}, 1,
        "main ended, A had not: its line \"saved a\" was lost"},
    {"forgotten_join", "first", {NULL}, 1,
        "right  exit 0: saving/saved a/saved b"},
    {"forgotten_join", "first", {"OUTCOMES=any order"}, 1,
        "main ended, A had not: its line \"saved b\" was lost"},
    {"forgotten_join", "asleep", {NULL}, 1, "its line \"saved a\" was lost"},
    {"forgotten_join", "detached", {"OUTCOMES=any order"}, 0, "right in all "},
    {"loop_variable", "", {NULL}, 1, "reference  exit 0: 0.5 0.5"},
    {"half_joined", "", {NULL}, 1, "reference  exit 0: total 3"},
    {"half_joined", "", {"OUTCOMES=any"}, 0, "2 outcomes, of which none was "},
    {"half_joined", "", {"OUTCOMES=any"}, 0, "seen  exit 0: total 1"},
    {"one_buffer", "strcpy", {NULL}, 1, "other      exit 0: hi Ann"},
    {"one_buffer", "snprintf", {NULL}, 1, "A writes buffer at one_buffer.c:"},
    {"partial_sums", "", {NULL}, 1, "reference  exit 0: 15"},
    {"partial_sums", "", {NULL}, 1, "B uses tasks[1].sum of main, which has"},
    {"in_time", "", {NULL}, 1, "reference  exit 0: in time"},
    {"greet", "4 3", {NULL}, 1, "they differ in the order of the lines only"},
    {"greet", "4 3", {NULL}, 1, "2424 schedules, more than 64 outcomes"},
    {"greet", "4 3", {"OUTCOMES=any order"}, 0, "right in all 1 schedule"},
    {"greet", "", {"EXPECT=hello 0 from a/hello 0 from b"}, 1, "in 1 of 2 "},
    {"greet", "", {"REJECT=hello 0 from b/hello 0 from a"}, 1,
        "wrong  exit 0: hello 0 from b/hello 0 from a"},
    {"greet", "", {"REJECT=hello 0 from b"}, 0, "right in all 2 schedules"},
    {"greet", "3", {"REJECT=hello 0 from c/hello 0 from b/hello 0 from a"}, 1,
        "The first schedule that goes wrong (0 preemptions): exit 0: hello 0 "
        "from c"},
    {"any_order", "", {"OUTCOMES="}, 1, "in the order of the lines only"},
    {"greet", "", {"OUTCOMES=sorted"}, 2, "must be \"any order\""},
    {"many_threads", "3", {"STATUS=3"}, 0, "right in all "},
    {"many_threads", "3", {NULL}, 1, "wrong  exit 3"},
    /* The order of search, and what is shown first. */
    {"ten_threads", "", {"MAX_SCHEDULES=100"}, 1, "low + high == 0"},
    {"header", "", {NULL}, 1, "with a data race and another outcome"},
    /* A run that finds more to choose counts. */
    {"lost_wakeup_unlocked", "", {NULL}, 1, "run 3 was the first to fail"},
    {"row_index", "", {NULL}, 1, "run 6 was the first to fail"},
    /* The same addresses. */
    {"slot_on_stack", "", {NULL}, 1, "slot.full of main"},
    {"box_on_stack", "", {NULL}, 1, "box.full of main"},
    /* Limits are not verdicts. */
    {"long_loop", "", {"MAX_SCHEDULES=20"}, 3, "right in all 20 schedules"},
    {"backoff", "", {NULL}, 0, "right in all "},
    {"poll", "sleep", {NULL}, 1,
        "A looks again and again (reads go at poll.c:"},
    {"poll", "yield", {NULL}, 1,
        "A looks again and again (reads go at poll.c:"},
    {"poll", "mutex", {NULL}, 1, "a thread spins for ever"},
    {"poll", "timed", {NULL}, 2,
        "steps, and A looks again and again (reads go"},
    {"poll", "count", {NULL}, 2, "it waits for ever, or is to get less work"},
    {"poll", "late", {"MAX_SCHEDULES=20"}, 3, "right in all 20 schedules"},
    {"large_stack", "", {NULL}, 0, "right in all 2 schedules"},
    {"many_threads", "2 10", {"STATUS=20"}, 0, "right in all "},
    {"many_threads", "60", {"STATUS=60", "MAX_SCHEDULES=20"}, 3,
        "tried so far"},
    /* What it can run. */
    {"two", "", {NULL}, 1, "8 int seen = total;"},
    {"included", "", {NULL}, 1, "at add.c:9"},
    {"clocks", "timedjoin", {NULL}, 0, "right in all "},
    {"clocks", "tryjoin", {NULL}, 0, "right in all "},
    {"clocks", "clocklock", {NULL}, 0, "right in all "},
    {"clocks", "seed", {NULL}, 0, "right in all "},
    {"c11", "lock", {NULL}, 0, "right  exit 0: 2 1 2 14"},
    {"c11", "condition", {NULL}, 0, "right in all "},
    {"c11", "none", {NULL}, 1, "data race in "},
    {"clean_up", "", {NULL}, 0, "right in all "},
    {"unfit", "read", {"INPUT=/dev/null"}, 0, "right in all "},
    {"heap", "use", {NULL}, 1,
        "use after free: A reads what B freed at heap.c"},
    {"heap", "twice", {NULL}, 1, "double free: A frees at heap.c"},
    {"heap", "beside", {NULL}, 1, "A writes beside the blocks"},
    {"heap", "right", {NULL}, 0, "right in all "},
    {"gone", "post", {NULL}, 1,
        "A calls sem_post on what main freed at gone.c"},
    {"gone", "signal", {NULL}, 1,
        "A calls pthread_cond_signal on what main fr"},
    {"gone", "lock", {NULL}, 1, "main frees box->lock, which A holds"},
    {"gone", "end", {NULL}, 1, "A writes past the end of a block of 10 bytes"},
    {"gone", "inside", {NULL}, 0, "right in all "},
    {"gone", "thread", {NULL}, 1, "main uses a _Thread_local variable of A"},
    {"gone", "return", {NULL}, 1, "A uses number of start, which has returned"},
    {"gone", "array", {NULL}, 0, "right in all "},
    {"shown_text", "puts", {NULL}, 1, "A reads text at shown_text.c:"},
    {"shown_text", "printf", {NULL}, 1, "other      exit 0: 1 2.5 two 3"},
    {"shown_text", "fputs", {NULL}, 1, "A reads text at shown_text.c:"},
    {"shown_text", "fwrite", {NULL}, 1, "A reads text at shown_text.c:"},
    {"record", "", {NULL}, 1, "other      exit 0: torn"},
    {"strtok", "", {NULL}, 1, "right  exit 0: 2 2"},
    {"strtok", "", {NULL}, 1, "A writes strtok's memory"},
    {"misuse", "release", {NULL}, 1, "B releases room, which A holds"},
    {"misuse", "destroy", {NULL}, 1, "B destroys room, which A holds"},
    {"misuse", "wait", {NULL}, 1, "B waits with room, which nobody holds"},
    {"misuse", "write", {NULL}, 0, "it holds it already"},
    /* Names. */
    {"header", "", {NULL}, 1, "10 pthread_mutex_lock(&guard);"},
    {"broken_promise", "", {NULL}, 1, "crash: Aborted: balance 5/ | "},
    {"accounts", "", {NULL}, 1, "bank->accounts[2].balance "},
    {"row_index", "", {NULL}, 1, "rows[2][1] "},
    {"places", "", {NULL}, 1, "cells[1][0] "},
    {"places", "", {NULL}, 1, "tokens "},
    {"places", "", {NULL}, 1, "box.fill "},
    {"places", "", {NULL}, 1, "write 0.5 "},
    {"shown_text", "puts", {NULL}, 1, "write \"two\" "},
    {"shown_text", "puts", {NULL}, 1, "write \"change\" "},
    {"heap", "use", {NULL}, 1, "A got as far as heap.c:22: block[0]++;"},
    /* What main finds when it is alone, where the failure names it. */
    {"broken_promise", "", {NULL}, 1, "read 5 "},
    {"loop_variable", "", {NULL}, 1, "though it may be the"},
};

static void test_cases(void) {
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char settings[2][60] = {"X=", "Y="};
        for (int k = 0; k < 2 && cases[i].settings[k] != NULL; k++)
            snprintf(
                settings[k], sizeof settings[k], "%s", cases[i].settings[k]);
        check(cases[i].name, cases[i].args,
            (char *[3]){settings[0], settings[1]}, cases[i].code,
            cases[i].words);
    }
}

/* The schedule that explore prints does the same again, even where another
   environment moves what is on the stack. */
static void test_replay(void) {
    static const char *const names[] = {"increment", "philosophers",
        "double_checked", "aba", "lost_wakeup_unlocked", "slot_on_stack",
        "box_on_stack", "forgotten_join"};
    char padding[3000];

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
        snprintf(padding, sizeof padding, "PADDING=%*d", 2900, 0);
        check(names[i], "", (char *[3]){schedule, padding}, 1, outcome);
    }
}

static void test_unfit(void) {
    char odd[] = "BOUND=x", none[] = "REPLAY=9Z", other[] = "REPLAY=Z9";

    check("unfit", "none", NULL, 2, "starts no threads");
    check("unfit", "refuse", NULL, 2,
        "it exits with status 2, saying: -w 0: too few; it starts no threads");
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
    check("unfit", "loop", NULL, 2, "A computes on and on after unfit.c:");
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
    {"programs of other people", test_cases},
    {"a replayed schedule does the same again", test_replay},
    {"what cannot be explored is refused in words", test_unfit},
    CU_TEST_INFO_NULL,
};
