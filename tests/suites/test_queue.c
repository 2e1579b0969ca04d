/*
 * test_queue.c - the suite of 05-queue, part one: the kernel's message queue
 *
 * The stories' own suites judge these programs as they judge every tool. Here
 * is what only a queue promises: no worker idles beside a straggler, a worker
 * that dies costs its job and no other, and nothing stays behind in the
 * kernel. All of it is seen at quiet moments, when every task is asleep.
 */
#include "judge/gate.h"
#include "run/proc.h"
#include "suites/suite.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

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

/* ---------- Workers that die ---------- */

/* At the quiet moment number `at`, the signal goes to the process that is in
 * the middle of work (asleep, not in the queue): to `victims` of them. */
struct blow {
    long at, seen;
    int victims, signal;
    bool parent; /* to the program itself instead */
    pid_t program;
};

static bool strike(const struct quiet *quiet, void *arg) {
    struct blow *blow = arg;
    int hit = 0;

    blow->program = quiet->pids[0];
    if (++blow->seen != blow->at)
        return false;
    if (blow->parent)
        return kill(quiet->pids[0], blow->signal) == 0;
    for (size_t i = 1; i < quiet->processes && hit < blow->victims; i++) {
        long call = proc_call(quiet->pids[i], quiet->pids[i], NULL);
        if (call != SYS_mq_timedreceive && call != SYS_mq_timedsend)
            hit += kill(quiet->pids[i], blow->signal) == 0;
    }
    return hit > 0;
}

static size_t lines_with(const struct run *run, const char *text) {
    size_t found = 0;
    for (size_t i = 0; i < run->count; i++)
        found += strstr(run->lines[i].text, text) != NULL;
    return found;
}

/* Five customers, three messages each. So many workers are killed in the
 * middle; the same number of jobs is named, and all others are done. */
static void judge_death(
    const char *workers, int victims, struct verdict *verdict) {
    struct blow blow = {.at = 2, .victims = victims, .signal = SIGKILL};
    const char *argv[] = {
        built("05-queue/messages"), "-c5", "-m3", "-w", workers, NULL};
    struct program program = {
        .argv = argv, .virtual_time = true, .at_quiet = strike, .arg = &blow};
    static const char *const names[] = {
        "Alice", "Bob", "Carol", "Customer 4", "Customer 5"};
    struct run run;
    int named = 0;

    program_run(&program, &run);
    judge_end(&run, 1, verdict);
    for (size_t c = 0; c < sizeof names / sizeof *names; c++) {
        char lost[60], done[60];
        snprintf(lost, sizeof lost, "%s: not done\n", names[c]);
        snprintf(done, sizeof done, "%s: sent message 3 of 3", names[c]);
        bool is_named = strstr(run.err_text, lost) != NULL;
        named += is_named;
        if (is_named == (lines_with(&run, done) == 1))
            verdict_fail(verdict, "%s: %s", names[c],
                is_named ? "done, and yet named as not done"
                         : "neither done nor named");
    }
    if (named != victims)
        verdict_fail(verdict,
            "-w %s, %d killed: %d jobs named as not done; expected: %d; "
            "stderr: %.300s",
            workers, victims, named, victims, run.err_text);
    run_free(&run);
}

static void test_death(void) {
    static const struct {
        const char *workers;
        int victims;
    } cases[] = {{"3", 1}, {"2", 1}, {"1", 1}, {"2", 2}, {"3", 3}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct verdict verdict = {0};
        judge_death(cases[i].workers, cases[i].victims, &verdict);
        expect_right(&verdict);
    }
}

/* ---------- Back-pressure, and nothing left ---------- */

struct pressure {
    bool seen;
};

/* With 100 jobs and one worker the producer sleeps in mq_send. */
static bool look_for_producer(const struct quiet *quiet, void *arg) {
    struct pressure *pressure = arg;

    for (size_t i = 1; i < quiet->processes; i++)
        if (proc_call(quiet->pids[i], quiet->pids[i], NULL) == SYS_mq_timedsend)
            pressure->seen = true;
    return false;
}

static void test_pressure(void) {
    struct pressure pressure = {false};
    const char *argv[] = {
        built("05-queue/messages"), "-c100", "-m1", "-w1", NULL};
    struct program program = {.argv = argv,
        .virtual_time = true,
        .at_quiet = look_for_producer,
        .arg = &pressure};
    struct run run;
    struct verdict verdict = {0};

    program_run(&program, &run);
    judge_end(&run, 0, &verdict);
    expect_right(&verdict);
    expect(pressure.seen, "the producer never waited for room in the queue");
    run_free(&run);
}

static void expect_no_queue(const char *story, pid_t pid, const char *when) {
    char name[60];

    snprintf(name, sizeof name, "/%s-%d", story, pid);
    mqd_t queue = mq_open(name, O_RDONLY);
    expect(queue == (mqd_t)-1 && errno == ENOENT,
        "05-queue/%s left its queue %s behind %s", story, name, when);
    if (queue != (mqd_t)-1) {
        mq_close(queue);
        mq_unlink(name);
    }
}

static void test_no_queue(void) {
    static const int signals[] = {0, SIGTERM, SIGINT, SIGKILL};
    static const char *const stories[] = {"messages", "cooking"};

    for (size_t s = 0; s < 2; s++)
        for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
            char name[60], when[60];
            struct blow blow = {.at = 2, .parent = true, .signal = signals[i]};
            snprintf(name, sizeof name, "05-queue/%s", stories[s]);
            const char *argv[] = {built(name), NULL};
            struct program program = {.argv = argv,
                .virtual_time = true,
                .at_quiet = strike,
                .arg = &blow};
            struct run run;
            blow.at = signals[i] == 0 ? 0 : 2;
            program_run(&program, &run);
            snprintf(when, sizeof when, "after signal %d", signals[i]);
            expect(blow.program > 0, "%s never slept", name);
            expect_no_queue(stories[s], blow.program, when);
            run_free(&run);
        }
}

CU_TestInfo queue_tests[] = {
    {"no worker idles beside a straggler; dealt out, one does", test_straggler},
    {"a worker that dies costs its job, named, and no other", test_death},
    {"the producer waits when the workers are behind", test_pressure},
    {"no queue is left, however the program ends", test_no_queue},
    CU_TEST_INFO_NULL,
};
