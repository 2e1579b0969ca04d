/*
 * test_queue.c - the suite of 05-queue, part one: a pipe is the queue
 *
 * The stories' own suites judge these programs as they judge every tool. Here
 * is what only a queue promises: no worker idles beside a straggler, a worker
 * that is killed costs its job and no other, and a full queue makes the parent
 * wait. Most of it is seen at quiet moments, when every task is asleep.
 */
#define _GNU_SOURCE /* asprintf, F_GETPIPE_SZ */
#include "judge/events.h"
#include "judge/gate.h"
#include "run/proc.h"
#include "suites/suite.h"

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---------- A straggler ---------- */

enum { PAGES = 10, WORKERS = 2 };

/* Lets one page go, the straggler last. As many requests as there are workers
 * must wait at the gate for as long as so many pages are left. */
static void judge_straggler(const char *path, struct verdict *verdict) {
    char slow[80], small[80];
    struct gate gate = {.all = PAGES, .most = WORKERS};
    const char *argv[4 + PAGES + 1] = {path, "-w", "2", "-n1", slow};
    struct program program = {.argv = argv};
    struct run run;

    gate_open(&gate);
    gate_watch(&gate, &program);
    snprintf(slow, sizeof slow, "%s/slow", gate.base);
    snprintf(small, sizeof small, "%s/small", gate.base);
    for (int i = 1; i < PAGES; i++)
        argv[4 + i] = small;
    program_run(&program, &run);
    gate_close(&gate, NULL);
    gate_judge_least(&gate, verdict);
    gate_judge_most(&gate, verdict);
    judge_end(&run, 0, verdict);
    run_free(&run);
}

static void test_straggler(void) {
    struct verdict queue = {0}, dealt_out = {0};

    judge_straggler(built("05-queue/download"), &queue);
    expect_right(&queue);
    judge_straggler(built("03-processes/download"), &dealt_out);
    expect(strstr(dealt_out.text, "it had 1 request in flight") != NULL,
        "the list dealt out in advance was not rejected: \"%s\"",
        dealt_out.text);
}

/* ---------- Workers that are killed ---------- */

/* How many jobs a pipe has room for, on this machine. */
static long room(void) {
    int ends[2];

    if (pipe(ends) == -1)
        err(EXIT_FAILURE, "pipe");
    long bytes = fcntl(ends[0], F_GETPIPE_SZ);
    close(ends[0]);
    close(ends[1]);
    return bytes / (long)sizeof(long);
}

/* At the second quiet moment so many workers are killed, in the middle of a
 * job: when the parent has put all jobs in, or waits for room. */
struct blow {
    int looks, victims;
    bool waits; /* the parent slept in write() */
};

static bool strike(const struct quiet *quiet, void *arg) {
    struct blow *blow = arg;

    if (++blow->looks != 2)
        return false;
    blow->waits = proc_call(quiet->pids[0], quiet->pids[0], NULL) == SYS_write;
    for (int i = 1; i <= blow->victims && (size_t)i < quiet->processes; i++)
        kill(quiet->pids[i], SIGKILL);
    return true;
}

static long customers_served(const struct run *run) {
    long served = 0;

    for (size_t i = 0; i < run->count; i++)
        served += strstr(run->lines[i].text, ": sent message 2 of 2") != NULL;
    return served;
}

/* Two messages to each customer. A worker that is killed costs its job and no
 * other; all of them cost what was left in the queue. One line tells it. */
static void judge_death(
    long customers, int workers, int victims, struct verdict *verdict) {
    struct blow blow = {.victims = victims};
    char c[24], w[24], expected[120];
    const char *argv[] = {
        built("05-queue/messages"), "-m2", "-c", c, "-w", w, NULL};
    struct program program = {
        .argv = argv, .virtual_time = true, .at_quiet = strike, .arg = &blow};
    struct run run;

    snprintf(c, sizeof c, "%ld", customers);
    snprintf(w, sizeof w, "%d", workers);
    program_run(&program, &run);
    judge_end(&run, 1, verdict);
    long missing = customers - customers_served(&run);
    snprintf(expected, sizeof expected,
        "messages: worker killed by signal 9, customers missing: %ld\n",
        missing);
    if (missing != (victims == workers ? customers : victims))
        verdict_fail(
            verdict, "%ld of %ld customers are missing", missing, customers);
    if (strcmp(run.err_text, expected) != 0)
        verdict_fail(verdict, "stderr is \"%.300s\"; expected: \"%s\"",
            run.err_text, expected);
    if (blow.waits != (customers > room()))
        verdict_fail(verdict, "with %ld jobs the parent was%s waiting for room",
            customers, blow.waits ? "" : " not");
    run_free(&run);
}

static void test_death(void) {
    const struct {
        long customers;
        int workers, victims;
    } cases[] = {{5, 3, 1}, {5, 2, 1}, {5, 1, 1}, {5, 2, 2}, {5, 3, 3},
        {room(), 2, 2}, {room() + 1000, 2, 2}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct verdict verdict = {0};
        judge_death(
            cases[i].customers, cases[i].workers, cases[i].victims, &verdict);
        expect(verdict.text[0] == '\0', "-c %ld -w %d, %d killed: %s",
            cases[i].customers, cases[i].workers, cases[i].victims,
            verdict.text);
    }
}

/* More jobs than the queue has room for: each is done, and once. */
static void test_pressure(void) {
    size_t count = 6 * (size_t)room();
    char **lines = calloc(count, sizeof *lines), tasks[24];
    const char *argv[] = {
        built("05-queue/increment"), "-n1", "-w3", "-t", tasks, NULL};
    struct program program = {.argv = argv, .output_bytes = 60 * count};
    struct run run;
    struct verdict verdict = {0};

    snprintf(tasks, sizeof tasks, "%zu", count / 2);
    for (size_t i = 0; i < count; i++)
        if (asprintf(&lines[i],
                i % 2 == 0 ? "task %zu: counting to 1 ..."
                           : "task %zu: counted to 1",
                i / 2 + 1) == -1)
            err(EXIT_FAILURE, "asprintf");
    program_run(&program, &run);
    judge_end(&run, 0, &verdict);
    events_compare(
        run.lines, run.count, (const char *const *)lines, count, &verdict);
    expect_right(&verdict);
    run_free(&run);
    while (count > 0)
        free(lines[--count]);
    free(lines);
}

CU_TestInfo queue_tests[] = {
    {"no worker idles beside a straggler; dealt out, one does", test_straggler},
    {"a killed worker costs its job, all of them what is left", test_death},
    {"more jobs than the queue has room for are done once each", test_pressure},
    CU_TEST_INFO_NULL,
};
