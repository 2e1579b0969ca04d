/*
 * test_processes.c - the suite of 03-processes: what only processes can do
 *
 * The suites of the stories judge their work. Here it is the process tree:
 * children that are killed or cannot be forked, stragglers and zombies.
 */
#define _GNU_SOURCE /* asprintf */
#include "judge/gate.h"
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

#define FOLDER "03-processes/"

/* ---------- A child that is killed ---------- */

struct killing {
    size_t child; /* in the order of starting, from 1 */
    int64_t at_ns;
    bool done;
};

static bool kill_child(const struct quiet *quiet, void *arg) {
    struct killing *killing = arg;

    if (killing->done || quiet->now_ns < killing->at_ns ||
        quiet->processes <= killing->child)
        return false;
    kill(quiet->pids[killing->child], SIGKILL);
    return killing->done = true;
}

/* How many lines of stdout contain the words. */
static size_t lines_with(const struct run *run, const char *words) {
    size_t count = 0;

    for (size_t i = 0; i < run->count; i++)
        count += strstr(run->lines[i].text, words) != NULL;
    return count;
}

/* Fails unless the run ended with 1, named the child, gave the others' sums,
 * and had no zombie at any quiet moment. */
static void judge_killed(const struct run *run, const char *blame,
    const char *summary, struct verdict *v) {
    char *expected;

    if (asprintf(&expected, "%s%s", blame, summary) == -1)
        err(EXIT_FAILURE, "out of memory");
    judge_end(run, 1, v);
    if (strcmp(run->err_text, expected) != 0)
        verdict_fail(v, "stderr is \"%.300s\"; expected: \"%s\"", run->err_text,
            expected);
    if (run->most_zombies > 0)
        verdict_fail(v, "%d zombies at a quiet moment", run->most_zombies);
    free(expected);
}

static void test_killed_messages(void) {
    const char *argv[] = {built(FOLDER "messages"), NULL};
    struct killing killing = {.child = 2, .at_ns = 1000000000};
    struct program program = {.argv = argv,
        .virtual_time = true,
        .at_quiet = kill_child,
        .arg = &killing};
    struct verdict v = {0};
    struct run run;

    program_run(&program, &run);
    judge_killed(&run,
        "messages: 1 of 3 processes failed, customer 2's killed by "
        "signal 9\n",
        "8 messages to 2 customers in 4.00 s\n", &v);
    if (lines_with(&run, "Alice: sent") != 4 ||
        lines_with(&run, "Carol: sent") != 4)
        verdict_fail(&v, "the others were not served to the end");
    expect_right(&v);
    run_free(&run);
}

static void test_killed_cooking(void) {
    const char *argv[] = {built(FOLDER "cooking"), NULL};
    struct killing killing = {.child = 2, .at_ns = 1000000000};
    struct program program = {.argv = argv,
        .virtual_time = true,
        .at_quiet = kill_child,
        .arg = &killing};
    struct verdict v = {0};
    struct run run;

    program_run(&program, &run);
    judge_killed(&run,
        "cooking: 1 of 2 chefs failed, chef 2 killed by signal 9\n",
        "5 plates in 250 minutes, chefs: 2\n", &v);
    expect_right(&v);
    run_free(&run);
}

/* ---------- At the gate of the practice sites ---------- */

static bool kill_at_gate(const struct quiet *quiet, long held, void *arg) {
    (void)held;
    return kill_child(quiet, arg);
}

static void test_killed_download(void) {
    struct killing killing = {.child = 2};
    struct gate gate = {.look = kill_at_gate, .arg = &killing};
    const char *argv[] = {built(FOLDER "download"), "-s", gate.base, NULL};
    struct program program = {.argv = argv};
    struct verdict v = {0};
    struct run run;

    gate_open(&gate);
    gate_watch(&gate, &program);
    program_run(&program, &run);
    gate_close(&gate, NULL);
    judge_killed(&run,
        "download: 1 of 5 workers failed, worker 2 killed by signal 9\n",
        "72 of 90 pages in 0.00 s, 5 at a time\n", &v);
    expect_right(&v);
    run_free(&run);
}

/* The moment when only the straggler is still held. */
struct alone {
    bool seen;
    size_t processes; /* how many were there, */
    bool begun;       /* and had the page behind it been begun */
};

static bool note_alone(const struct quiet *quiet, long held, void *arg) {
    struct alone *alone = arg;

    if (held != 1 || alone->seen)
        return false;
    alone->seen = true;
    alone->processes = quiet->processes;
    for (size_t i = 0; i < quiet->count; i++)
        if (strncmp(quiet->lines[i].text, "page 6: fetching", 16) == 0)
            alone->begun = true;
    return false;
}

/* Ten pages for five workers, the first slow. When only that one is still on
 * its way, page 6 has not been begun by the process that holds both, and the
 * other four processes have ended; of the threads, another has taken it. */
static void straggle(const char *name, bool dealt, struct verdict *v) {
    struct alone alone = {false};
    struct gate gate = {.look = note_alone, .arg = &alone};
    char slow[80], small[80];
    const char *argv[] = {built(name), "-n", "1", slow, small, small, small,
        small, small, small, small, small, small, NULL};
    struct program program = {.argv = argv};
    struct run run;

    gate_open(&gate);
    gate_watch(&gate, &program);
    snprintf(slow, sizeof slow, "%s/slow", gate.base);
    snprintf(small, sizeof small, "%s/small", gate.base);
    program_run(&program, &run);
    gate_close(&gate, NULL);
    judge_end(&run, 0, v);
    if (lines_with(&run, ": fetched, ") != 10)
        verdict_fail(v, "not all pages have come");
    if (!alone.seen || alone.begun == dealt)
        verdict_fail(v, "page 6 was %sbegun while page 1 was on its way",
            alone.begun ? "" : "not ");
    if (alone.processes != (dealt ? 2 : 1) || run.most_zombies > 0)
        verdict_fail(v, "%zu processes beside the straggler, zombies: %d",
            alone.processes, run.most_zombies);
    run_free(&run);
}

static void test_straggler(void) {
    struct verdict dealt = {0}, taken = {0};

    straggle(FOLDER "download", true, &dealt);
    expect_right(&dealt);
    straggle("02-threads/download", false, &taken);
    expect_right(&taken);
}

/* ---------- Zombies ---------- */

static void judge_zombies(const char **argv, struct verdict *v) {
    struct program program = {.argv = argv, .virtual_time = true};
    struct run run;

    program_run(&program, &run);
    judge_end(&run, 0, v);
    if (run.most_zombies > 0)
        verdict_fail(v, "%d zombie while others went on", run.most_zombies);
    run_free(&run);
}

/* Of three plates the first chef has two: the second ends 50 minutes before
 * him. */
static void test_zombies(void) {
    const char *right[] = {built(FOLDER "cooking"), "-p", "3", NULL};
    const char *wrong[] = {built("tests/suites/wrong/processes_zombie"), NULL};
    struct verdict v = {0}, rejected = {0};

    judge_zombies(right, &v);
    expect_right(&v);
    judge_zombies(wrong, &rejected);
    expect_rejected(&rejected, "processes_zombie");
}

/* ---------- A start that fails ---------- */

/* A program that cannot have what it needs to start: it must end at once, with
 * one line that names the call, and nothing of it may live on. */
struct start {
    const char *name, *call; /* the program; what fails, with EAGAIN, */
    int room;                /* and with how many threads and processes */
    const char *argv[6];     /* behind the name */
};

static void judge_start(const struct start *start, const struct limit *limit,
    uid_t uid, struct verdict *v) {
    static struct hand hand;
    const char *argv[8] = {built(start->name)};
    const char *story = strchr(start->name, '/') + 1;
    char blame[120];

    for (int i = 0; i < 6; i++)
        argv[i + 1] = start->argv[i];
    snprintf(blame, sizeof blame, "%s: %s: %s\n", story, start->call,
        strerror(EAGAIN));
    hand_start_limited(&hand, argv, limit, uid);
    hand_read(&hand, NULL);
    int status = hand_wait(&hand);
    if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 127)
        skip("user %d cannot run %s", (int)uid, argv[0]);
    else if (status == -1 || !WIFEXITED(status) || WEXITSTATUS(status) != 1 ||
             strstr(hand.text, blame) == NULL)
        verdict_fail(v, "it said \"%.300s\"; expected: \"%s\" and exit 1",
            hand.text, blame);
    if (strstr(hand.text, " in ") != NULL)
        verdict_fail(v, "it went on to the end: \"%.300s\"", hand.text);
    hand_end(&hand, v);
}

/* All need three threads or children, and there is no room for the third (of
 * cooking's pots, which come and go, for the first). None that was started ends
 * by itself, which would make room: no page ever comes, the second message is
 * an hour away, the counting takes hours. As root they run as a user of their
 * own. As anyone else there is never room, for this very process takes it. */
static void test_no_task(void) {
    struct sites_options options = {.gate = true};
    char base[64];
    struct sites *sites = start_sites(&options, base, sizeof base);
    const struct start starts[] = {
        {"02-threads/messages", "pthread_create", 3, {"-i", "3600000"}},
        {"02-threads/download", "pthread_create", 3, {"-s", base}},
        {"02-threads/increment", "pthread_create", 3,
            {"-w", "3", "-n", "1000000000", "-t", "1000000"}},
        {"02-threads/cooking", "pthread_create", 1, {NULL}},
        {FOLDER "messages", "fork", 3, {"-i", "3600000"}},
        {FOLDER "download", "fork", 3, {"-s", base}},
        {FOLDER "increment", "fork", 3,
            {"-w", "3", "-n", "1000000000", "-t", "1000000"}},
        {FOLDER "cooking", "fork", 3, {"-w", "3", "-m", "60000"}},
        {"05-queue/messages", "fork", 3, {"-i", "3600000"}},
        {"05-queue/download", "fork", 3, {"-s", base}},
        {"05-queue/increment", "fork", 3,
            {"-w", "3", "-n", "1000000000", "-t", "1000000"}},
        {"05-queue/cooking", "fork", 3, {"-w", "3", "-m", "60000"}},
    };

    size_t count = WITH_TSAN ? 0 : sizeof starts / sizeof starts[0];

    if (WITH_TSAN)
        skip("ThreadSanitizer adds a thread to each process: it counts too");
    for (size_t i = 0; i < count; i++) {
        const struct limit limit = {
            RLIMIT_NPROC, lone_user() != 0 ? (rlim_t)starts[i].room : 1};
        struct verdict v = {0};
        judge_start(&starts[i], &limit, lone_user(), &v);
        expect(v.text[0] == '\0', "%s: %s", starts[i].name, v.text);
    }
    sites_stop(sites, NULL);
}

static void test_no_memory(void) {
    static const struct start start = {
        "02-threads/messages", "pthread_create", 0, {"-c", "1000"}};
    static const struct limit limit = {RLIMIT_AS, 100 << 20};
    struct verdict v = {0};

    if (WITH_TSAN || WITH_ASAN) {
        skip("a sanitizer needs more memory than the limit");
        return;
    }
    judge_start(&start, &limit, 0, &v);
    expect_right(&v);
}

/* Nobody sleeps while it counts: by hand. Both are killed, one by one. */
static void test_killed_increment(void) {
    const char *argv[] = {built(FOLDER "increment"), "-w", "2", "-t", "1000000",
        "-n", "1000000000", NULL};
    static struct hand hand;
    struct verdict v = {0};

    hand_start(&hand, argv);
    bool hit = hand_child(&hand, 2) != 0 && hand_kill(&hand, 2) &&
               hand_child(&hand, 1) != 0 && hand_kill(&hand, 1);
    hand_read(&hand, NULL);
    int status = hand_wait(&hand);
    if (!hit || strstr(hand.text, "2 of 2 workers failed, worker ") == NULL ||
        strstr(hand.text, " killed by signal 9\n0 increments in ") == NULL ||
        !WIFEXITED(status) || WEXITSTATUS(status) != 1)
        verdict_fail(&v, "it said \"%.300s\"", hand.text);
    hand_end(&hand, &v);
    expect_right(&v);
}

/* ---------- Wrong programs ---------- */

/* Judges a run of the default messages: every line, in order, in 4 s. */
static void judge_messages(const char *path, struct verdict *v) {
    static const char *const names[] = {"Alice", "Bob", "Carol"};
    const char *argv[] = {path, NULL};
    struct program program = {.argv = argv, .virtual_time = true};
    char *lines[24];
    struct run run;

    for (int i = 0; i < 12; i++)
        if (asprintf(&lines[2 * i], "%s: sending message %d of 4 ...",
                names[i / 4], i % 4 + 1) == -1 ||
            asprintf(&lines[2 * i + 1], "%s: sent message %d of 4",
                names[i / 4], i % 4 + 1) == -1)
            err(EXIT_FAILURE, "out of memory");
    program_run(&program, &run);
    judge_end(&run, 0, v);
    events_compare(run.lines, run.count, (const char *const *)lines, 24, v);
    if (run.virtual_ns != INT64_C(4000000000))
        verdict_fail(v, "it took %.3f s; expected: 4.000 s",
            (double)run.virtual_ns / 1e9);
    for (int i = 0; i < 24; i++)
        free(lines[i]);
    run_free(&run);
}

/* Two workers that count to a million each; what is printed is the sum. */
static void judge_sum(const char *path, struct verdict *v) {
    const char *argv[] = {path, NULL};
    struct program program = {.argv = argv, .virtual_time = true};
    struct run run;

    program_run(&program, &run);
    judge_end(&run, 0, v);
    if (strncmp(run.err_text, "2000000 increments in ", 22) != 0)
        verdict_fail(v,
            "stderr is \"%.200s\"; expected: \"2000000 "
            "increments in ...\"",
            run.err_text);
    run_free(&run);
}

static void test_wrong(void) {
    static const struct {
        const char *name;
        void (*judge)(const char *path, struct verdict *v);
    } wrong[] = {
        {"processes_wait_in_loop", judge_messages},
        {"processes_no_exit", judge_messages},
        {"processes_unflushed", judge_messages},
        {"processes_private_counter", judge_sum},
        {"processes_private_mutex", judge_sum},
        {"processes_private_sem", judge_sum},
    };
    struct verdict right = {0};

    judge_messages(built(FOLDER "messages"), &right);
    expect_right(&right);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char name[64];
        struct verdict v = {0};
        snprintf(name, sizeof name, "tests/suites/wrong/%s", wrong[i].name);
        wrong[i].judge(built(name), &v);
        expect_rejected(&v, wrong[i].name);
    }
}

CU_TestInfo processes_tests[] = {
    {"a killed conversation is named, the others go on", test_killed_messages},
    {"a killed chef is named, the other goes on", test_killed_cooking},
    {"killed counting workers are named", test_killed_increment},
    {"a killed download worker is named, the others go on",
        test_killed_download},
    {"without room for a thread or child it ends at once", test_no_task},
    {"without memory for its start it ends at once", test_no_memory},
    {"behind a straggler a dealt page waits, a taken one not", test_straggler},
    {"no child is a zombie while others go on", test_zombies},
    {"wrong programs are rejected for their reason", test_wrong},
    CU_TEST_INFO_NULL,
};
