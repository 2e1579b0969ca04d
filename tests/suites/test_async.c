/*
 * test_async.c - the suite of 04-async: one thread, an event loop
 *
 * What a story must do is in its own suite. Here is what only an event loop
 * must: it never makes a thread or a child, keeps a thousand transfers in
 * flight, goes on while one of them fails or hangs, and never polls idly.
 * That no thread is made is proved twice. The harness counts tasks whenever
 * all sleep, which shows a thread that lives until then; and the program does
 * all its work where the kernel lets it have one task only (RLIMIT_NPROC), so
 * that one it only makes for a moment is refused.
 */
#define _GNU_SOURCE /* asprintf */
#include "judge/gate.h"
#include "suites/suite.h"

#include <curl/curl.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Its runtime makes tasks of its own. */
static const bool sanitized = WITH_ASAN || WITH_TSAN;

/* ---------- Four messages to each of three customers, on one thread ------- */

static void judge_messages(const struct run *run, struct verdict *verdict) {
    static const char *const names[] = {"Alice", "Bob", "Carol"};
    char text[24][60];
    const char *lines[24];

    for (int i = 0; i < 24; i++) {
        bool sent = i % 2 == 1;
        snprintf(text[i], sizeof text[i], "%s: %s message %d of 4%s",
            names[i / 8], sent ? "sent" : "sending", i / 2 % 4 + 1,
            sent ? "" : " ...");
        lines[i] = text[i];
    }
    judge_end(run, 0, verdict);
    if (run->virtual_ns != 4000000000)
        verdict_fail(verdict, "it took %.3f s; expected: 4.000 s",
            (double)run->virtual_ns / 1e9);
    events_compare(run->lines, run->count, lines, 24, verdict);
}

/* Did it ever have a second task, as far as can be seen? */
static void judge_tasks(const struct run *run, struct verdict *verdict) {
    if (run->most_tasks > 1)
        verdict_fail(verdict,
            "it had %d tasks at once where it may have one task only",
            run->most_tasks);
}

/* Runs it where no second task can be made. False when that cannot be had. */
static bool run_alone(struct program *program, struct run *run) {
    static const struct limit one_task = {RLIMIT_NPROC, 1};

    program->limits = &one_task;
    program->limit_count = 1;
    program->uid = lone_user();
    program_run(program, run);
    if (run->end == NOT_STARTED && run->code != ENOENT) {
        skip("%s as user %u with RLIMIT_NPROC 1: %s", program->argv[0],
            (unsigned)program->uid, strerror(run->code));
        run_free(run);
        return false;
    }
    return true;
}

static void judge_alone(const struct run *run, struct verdict *verdict) {
    if (run->end != EXITED || run->code != 0)
        verdict_fail(verdict,
            "it ended with %d where it may have one task only: \"%.200s\"",
            run->code, run->err_text);
}

static void judge_wrong(const char *path, struct verdict *verdict) {
    const char *argv[] = {path, NULL};
    struct program program = {.argv = argv, .virtual_time = true};
    struct run run;

    program_run(&program, &run);
    judge_tasks(&run, verdict);
    judge_messages(&run, verdict);
    run_free(&run);
    if (sanitized || verdict->text[0] != '\0')
        return;
    if (run_alone(&program, &run)) {
        judge_alone(&run, verdict);
        run_free(&run);
    }
}

static void test_wrong(void) {
    static const char *const wrong[] = {"async_sleeps_per_task",
        "async_polls_without_end", "async_hidden_thread",
        "async_short_lived_thread"};

    /* A sanitizer hides the last one: its runtime needs tasks itself. */
    for (size_t i = 0; i < (sanitized ? 3 : 4); i++) {
        struct verdict verdict = {0};
        char name[64];
        snprintf(name, sizeof name, "tests/suites/wrong/%s", wrong[i]);
        judge_wrong(built(name), &verdict);
        expect_rejected(&verdict, wrong[i]);
    }
}

/* ---------- One thread, no child ---------- */

/* Each program of the folder, with work that does not take long. */
static void test_one_task(void) {
    char base[64];
    struct sites_options options = {.latency_ms = 1};
    struct sites *sites = start_sites(&options, base, sizeof base);
    const char *const programs[][6] = {{"messages", "-c", "50"}, {"cooking"},
        {"increment", "-n", "1000"}, {"await"},
        {"download", "-w", "20", "-s", base}};

    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        const char *argv[7] = {NULL};
        struct program program = {.argv = argv,
            .virtual_time = true,
            .outside = sites_will,
            .arg = sites};
        struct verdict verdict = {0};
        struct run run;
        char name[64];
        snprintf(name, sizeof name, "04-async/%s", programs[i][0]);
        memcpy(argv, programs[i], sizeof programs[i]);
        argv[0] = built(name);
        program_run(&program, &run);
        judge_end(&run, 0, &verdict);
        judge_tasks(&run, &verdict);
        run_free(&run);
        if (!sanitized && run_alone(&program, &run)) {
            judge_end(&run, 0, &verdict);
            judge_alone(&run, &verdict);
            run_free(&run);
        }
        expect(verdict.text[0] == '\0', "%s: %s", name, verdict.text);
    }
    sites_stop(sites, NULL);
}

/* ---------- Many in flight ---------- */

static void judge_pages(const struct run *run, const struct gate *gate,
    const char *url, struct verdict *verdict) {
    size_t count = 2 * (size_t)gate->all;
    char **lines = calloc(count, sizeof *lines);

    for (size_t i = 0; i < count; i += 2)
        if (asprintf(&lines[i], "page %zu: fetching %s ...", i / 2 + 1, url) ==
                -1 ||
            asprintf(&lines[i + 1], "page %zu: fetched, 11369 bytes",
                i / 2 + 1) == -1)
            abort();
    gate_judge_least(gate, verdict);
    gate_judge_most(gate, verdict);
    judge_end(run, 0, verdict);
    events_compare(
        run->lines, run->count, (const char *const *)lines, count, verdict);
    while (count > 0)
        free(lines[--count]);
    free(lines);
}

/* Runs a download of so many small pages at the gate and judges it, with a
 * soft limit of 64 open files if asked for. */
static void judge_flight(const char *path, struct gate *gate, bool limited,
    struct verdict *verdict) {
    char n[24], w[24], url[80];
    const char *argv[] = {"/bin/sh", "-c",
        "ulimit -Sn 64 && exec \"$0\" \"$@\"", path, "-n", n, "-w", w, url,
        NULL};
    struct program program = {
        .argv = limited ? argv : argv + 3, .deadline_ms = 120000};
    struct run run;

    gate->options.connections = (unsigned)gate->most + 100;
    gate_open(gate);
    gate_watch(gate, &program);
    snprintf(n, sizeof n, "%ld", gate->all);
    snprintf(w, sizeof w, "%ld", gate->most);
    snprintf(url, sizeof url, "%s/small", gate->base);
    program_run(&program, &run);
    gate_close(gate, NULL);
    judge_pages(&run, gate, url, verdict);
    judge_tasks(&run, verdict);
    run_free(&run);
}

static void test_thousand(void) {
    static const long sizes[][3] = {{1000, 1000, 1000}, {1500, 1000, 250}};

    for (size_t i = 0; i < 2; i++) {
        struct verdict verdict = {0};
        struct gate gate = {
            .all = sizes[i][0], .most = sizes[i][1], .at_once = sizes[i][2]};
        judge_flight(built("04-async/download"), &gate, false, &verdict);
        expect(verdict.text[0] == '\0', "04-async/download -n %ld -w %ld: %s",
            gate.all, gate.most, verdict.text);
    }
}

static void test_wrong_downloads(void) {
    static const char *const wrong[] = {
        "async_one_too_many", "async_never_collected"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct verdict verdict = {0};
        struct gate gate = {.all = 12, .most = 5};
        char name[64];
        snprintf(name, sizeof name, "tests/suites/wrong/%s", wrong[i]);
        judge_flight(built(name), &gate, false, &verdict);
        expect_rejected(&verdict, wrong[i]);
    }
}

/* The program raises the soft limit of open files for itself. */
static void test_soft_limit(void) {
    struct verdict verdict = {0};
    struct gate gate = {.all = 1100, .most = 1100, .at_once = 1100};
    struct rlimit files;

    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_max < 1200) {
        skip("ulimit -Hn is %lu, 1200 are needed",
            (unsigned long)files.rlim_max);
        return;
    }
    judge_flight(built("04-async/download"), &gate, true, &verdict);
    expect(verdict.text[0] == '\0',
        "04-async/download -w 1100 with ulimit -Sn 64: %s", verdict.text);
}

/* Who may not raise it far enough is told. */
static void test_hard_limit(void) {
    struct limit limit = {RLIMIT_NOFILE, 1024};
    const char *argv[] = {built("04-async/download"), "-w", "1100", "-n",
        "1100", "http://127.0.0.1:1/", NULL};
    struct program program = {
        .argv = argv, .limits = &limit, .limit_count = 1, .uid = lone_user()};
    struct run run;

    program_run(&program, &run);
    if (run.end == NOT_STARTED && run.code != ENOENT)
        skip("%s as another user: %s", argv[0], strerror(run.code));
    else
        expect(run.end == EXITED && run.code == 1 && run.count == 0 &&
                   strstr(run.err_text, "-w 1100: ") != NULL &&
                   strstr(run.err_text, "ulimit -Hn") != NULL,
            "04-async/download -w 1100 with 1024 open files: exit %d, %zu "
            "lines, \"%.200s\"; expected: exit 1, and what limit it met",
            run.code, run.count, run.err_text);
    run_free(&run);
}

/* ---------- Some of them fail ---------- */

/* When the line was printed, in virtual ns; -1 if it was not. */
static int64_t printed_at(const struct run *run, const char *text) {
    for (size_t i = 0; i < run->count; i++)
        if (strcmp(run->lines[i].text, text) == 0)
            return run->lines[i].at_ns;
    return -1;
}

static void judge_faults(const struct run *run) {
    static const struct {
        const char *line; /* on stdout */
        double from_s;    /* when; less than a second later */
    } ends[] = {{"page 1: failed, Timeout was reached", 30},
        {"page 2: failed, HTTP 404", 0},
        {"page 3: failed, Failure when receiving data from the peer", 0},
        {"page 4: failed, Transferred a partial file", 0},
        {"page 5: fetched, 11369 bytes", 0},
        {"page 6: fetched, 608312 bytes", 0}};

    for (int i = 0; i < 6; i++) {
        double at = (double)printed_at(run, ends[i].line) / 1e9;
        expect(at >= ends[i].from_s && at < ends[i].from_s + 1,
            "\"%s\" came at %.3f s; expected: %.0f s", ends[i].line, at,
            ends[i].from_s);
    }
}

/* All six are in flight at once; the four that fail delay no other. */
static void test_faults(void) {
    static const char *const paths[] = {
        "/never", "/missing", "/reset", "/cut", "/small", "/large"};
    char base[64], urls[6][80];
    struct sites_options options = {.port = 0};
    struct sites *sites = start_sites(&options, base, sizeof base);
    const char *argv[12] = {built("04-async/download"), "-n", "1", "-w", "6"};
    struct program program = {.argv = argv,
        .virtual_time = true,
        .outside = sites_will,
        .arg = sites};
    struct run run;

    for (int i = 0; i < 6; i++) {
        snprintf(urls[i], sizeof urls[i], "%s%s", base, paths[i]);
        argv[5 + i] = urls[i];
    }
    program_run(&program, &run);
    expect(run.end == EXITED && run.code == 1 &&
               strstr(run.err_text, "2 of 6 pages in 30.0") != NULL,
        "exit %d, stderr \"%.400s\"; expected: exit 1, 2 of 6 pages in 30.0 s",
        run.code, run.err_text);
    judge_faults(&run);
    run_free(&run);
    sites_stop(sites, NULL);
}

/* ---------- Memory and CPU of a hundred thousand customers ---------- */

/* The most memory of a run of messages, in KiB; its CPU time in *cpu_ns. */
static long peak_of(const char *customers, int64_t *cpu_ns) {
    const char *argv[] = {
        built("04-async/messages"), "-c", customers, "-m", "2", NULL};
    struct program program = {.argv = argv,
        .virtual_time = true,
        .deadline_ms = 120000,
        .stdout_path = "/dev/null"};
    struct run run;

    program_run(&program, &run);
    expect(run.end == EXITED && run.code == 0 && run.virtual_ns == 2000000000,
        "04-async/messages -c %s: exit %d, %.3f s, \"%.200s\"; expected: 2 s",
        customers, run.code, (double)run.virtual_ns / 1e9, run.err_text);
    long peak = run.peak_kib;
    *cpu_ns = run.cpu_ns;
    run_free(&run);
    return peak;
}

/* The CPU time is only bounded coarsely: a scan of all customers for each
 * message instead of a heap would take thousands of times as long. */
static void test_customers(void) {
    int64_t few_ns, many_ns;
    long few = peak_of("1000", &few_ns), many = peak_of("100000", &many_ns);
    double bytes = (double)(many - few) * 1024 / 99000;

    expect(sanitized || bytes <= 200,
        "04-async/messages: %.0f bytes a customer; expected: at most 200",
        bytes);
    expect((double)many_ns / 200000 < 1e5,
        "04-async/messages -c 100000: %.0f us of CPU time a message; "
        "expected: less than 100",
        (double)many_ns / 200000 / 1e3);
}

CU_TestInfo async_tests[] = {
    {"no program ever has a second thread or a child", test_one_task},
    {"wrong loops are rejected for their reason", test_wrong},
    {"1,000 transfers are in flight, and never one more", test_thousand},
    {"wrong downloads are rejected for their reason", test_wrong_downloads},
    {"the soft limit of open files is raised", test_soft_limit},
    {"a hard limit of open files that is too low is told", test_hard_limit},
    {"transfers that fail or hang delay no other", test_faults},
    {"100,000 customers take 200 bytes each", test_customers},
    CU_TEST_INFO_NULL,
};
