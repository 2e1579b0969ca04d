/*
 * test_jobs.c - the suite of 05-queue on Redis: what becomes of a job
 */
#include "suites/redis_steps.h"
#include "suites/suite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A job that kills its worker does so three times, and no more. */
static void test_poison(void) {
    struct server server;
    struct beside client, worker;
    struct verdict verdict = {.text = ""};
    char *text;
    int deaths = 0;
    server_start(&server, false, NULL);
    start_client(
        &client, &server, NULL, WORDS("-i", "t", "nothing", "crash", "x"));
    wait_entries(&server, "jobs", 2);
    for (int i = 0; i < 3; i++) {
        start_worker(&worker, &server, worker_path());
        deaths += beside_end(&worker, NULL) == -SIGABRT;
        expire(&server, 0);
    }
    start_worker(&worker, &server, worker_path());
    int status = beside_end(&client, &text);
    expect(deaths == 3 && status == 1 &&
               strstr(text, "t.1, crash: failed: its worker died") != NULL &&
               strstr(text, "t.2, x: ok: nothing done\n") != NULL,
        "a job that kills: %d workers died, client's exit %d, \"%s\"; "
        "expected: 3, 1, the reason, and the other job done",
        deaths, status, text);
    expect(server_ask(&server, "XLEN jobs:dead") == 1, "%lld dead letters",
        server_ask(&server, "XLEN jobs:dead"));
    judge_results(&server, "t", 2, &verdict);
    expect_right(&verdict);
    free(text);
    beside_kill(&worker);
    server_stop(&server);
}

/* Of the only job that is handed out: how long nobody has renewed it, in ms;
 * how often it was tried. -1: there is none. */
enum what { IDLE = 2, TRIES = 3 };
static long long pending(struct server *server, enum what what) {
    redisReply *all =
        redisCommand(server->context, "XPENDING jobs workers - + 9");
    long long value =
        all->elements == 1 ? all->element[0]->element[what]->integer : -1;
    freeReplyObject(all);
    return value;
}

/* The value of a field of the only dead letter; lives until the next call. */
static const char *dead_field(struct server *server, const char *name) {
    static char text[2000];
    redisReply *all = redisCommand(server->context, "XRANGE jobs:dead - +");
    text[0] = '\0';
    if (all->elements == 1) {
        const redisReply *fields = all->element[0]->element[1];
        for (size_t i = 0; i + 1 < fields->elements; i += 2)
            if (strcmp(fields->element[i]->str, name) == 0)
                snprintf(text, sizeof text, "%s", fields->element[i + 1]->str);
    }
    freeReplyObject(all);
    return text;
}

static void expect_failure(
    const char *task, const char *argument, const char *reason) {
    struct server server;
    struct beside worker, client;
    struct verdict verdict = {.text = ""};
    char *text, line[200];
    server_start(&server, false, NULL);
    start_worker(&worker, &server, worker_path());
    start_client(&client, &server, NULL, WORDS("-i", "t", task, argument));
    /* Given back, it is tried again by whoever looks: by one who starts. */
    long long tries = 0;
    for (int left = STEPS; left > 0 && !beside_ended(&client); left--) {
        step();
        /* In this order: what is then given back is given back by this try. */
        long long now = pending(&server, TRIES);
        if (now == tries || pending(&server, IDLE) < LEASE_MS)
            continue;
        tries = now;
        beside_kill(&worker); /* told to stop, it would wait for a job first */
        start_worker(&worker, &server, worker_path());
    }
    int status = beside_end(&client, &text);
    snprintf(line, sizeof line, "job t.1, %s: failed: %s\n", argument, reason);
    expect(status == 1 && strcmp(text, line) == 0,
        "%s %s: exit %d, \"%s\"; expected: \"%s\"", task, argument, status,
        text, line);
    expect(strcmp(dead_field(&server, "why"), reason) == 0 &&
               strcmp(dead_field(&server, "id"), "t") == 0 &&
               strcmp(dead_field(&server, "number"), "1") == 0 &&
               strcmp(dead_field(&server, "task"), task) == 0 &&
               strcmp(dead_field(&server, "argument"), argument) == 0,
        "%s %s: the dead letter does not tell all, but \"%s\"", task, argument,
        dead_field(&server, "why"));
    judge_results(&server, "t", 1, &verdict);
    expect_right(&verdict);
    free(text);
    beside_kill(&worker);
    server_stop(&server);
}

static void test_failures(void) {
    expect_failure("nothing", "fail", "nothing done");
    expect_failure("no_such", "x", "no task of that name");
    expect_failure(
        "increment", "$(reboot)", "not a number from 1 to 1000000000");
    expect_failure("download", "file:///etc/passwd", "Unsupported protocol");
}

/* A job that fails is tried three times. Each time the page is asked for. */
static void test_tries(void) {
    struct server server;
    struct beside client, worker;
    struct page page;
    char *text, line[200];
    int tries = 0;
    server_start(&server, false, NULL);
    page_open(&page);
    start_worker(&worker, &server, worker_path());
    start_client(
        &client, &server, NULL, WORDS("-i", "t", "download", page.url));
    for (; tries < 3 && page_asked(&page); tries++) {
        page_answer(&page, "HTTP/1.0 503 Later");
        beside_signal(&worker, SIGTERM);
        expect(beside_end(&worker, NULL) == 0, "told to stop, it did not");
        start_worker(&worker, &server, worker_path());
    }
    int status = beside_end(&client, &text);
    snprintf(line, sizeof line, "job t.1, %s: failed: HTTP 503\n", page.url);
    expect(tries == 3 && status == 1 && strcmp(text, line) == 0,
        "%d tries, exit %d, \"%s\"; expected: 3, and %s", tries, status, text,
        line);
    expect(!page_has(&page), "a fourth try");
    free(text);
    beside_kill(&worker);
    page_close(&page);
    server_stop(&server);
}

/* Somebody else's key is where a result must go: the worker ends and says so,
 * and the job is done when the key is gone. */
static void test_foreign_result(void) {
    struct server server;
    struct beside client, worker;
    struct verdict verdict = {.text = ""};
    struct page page;
    server_start(&server, false, NULL);
    page_open(&page);
    start_worker(&worker, &server, worker_path());
    start_client(
        &client, &server, NULL, WORDS("-i", "t", "download", page.url));
    expect(page_asked(&page), "the worker began no job");
    server_ask(&server, "HSET results:t x y");
    page_answer(&page, "HTTP/1.0 200 OK");
    pid_t pid = worker.pid;
    int status = beside_end(&worker, NULL);
    expect(status == 1 && strstr(beside_said(&worker), "WRONGTYPE") != NULL,
        "a foreign key: the worker's exit is %d, \"%s\"", status,
        beside_said(&worker));
    beside_kill(&client);
    status = run_client(&server, WORDS("-i", "t", "download", page.url), NULL);
    expect(status == 1, "a foreign key: the client's exit is %d", status);
    expire(&server, pid);
    server_ask(&server, "DEL results:t");
    start_worker(&worker, &server, worker_path());
    expect(page_asked(&page), "the key is gone, and nobody does the job");
    page_answer(&page, "HTTP/1.0 200 OK");
    status = run_client(&server, WORDS("-i", "t", "download", page.url), NULL);
    expect(status == 0, "the key is gone: the client's exit is %d", status);
    judge_results(&server, "t", 1, &verdict);
    expect_right(&verdict);
    beside_kill(&worker);
    page_close(&page);
    server_stop(&server);
}

/* Somebody else's key is where the queue must be: client and worker say so, and
 * what was not added is not taken for added. */
static void test_foreign_queue(void) {
    struct server server;
    struct beside client, worker;
    server_start(&server, false, NULL);
    server_ask(&server, "SET jobs x");
    start_client(&client, &server, NULL, WORDS("-i", "t", "nothing", "x"));
    int status = beside_end(&client, NULL);
    expect(status == 1 && strstr(beside_said(&client), "WRONGTYPE") != NULL,
        "jobs is a text: the client's exit is %d, \"%s\"", status,
        beside_said(&client));
    start_worker(&worker, &server, worker_path());
    status = beside_end(&worker, NULL);
    expect(status == 1 && strstr(beside_said(&worker), "WRONGTYPE") != NULL,
        "jobs is a text: the worker's exit is %d, \"%s\"", status,
        beside_said(&worker));
    server_ask(&server, "DEL jobs");
    start_worker(&worker, &server, worker_path());
    expect(run_client(&server, WORDS("-i", "t", "nothing", "x"), NULL) == 0,
        "the key is gone, and asked again: no answer");
    beside_kill(&worker);
    server_stop(&server);
}

/* A job that lasts is renewed again and again, however often that is looked
 * at, and stays with its worker. Its page is served only then. */
static void test_lease(void) {
    enum { ENOUGH = 10 };
    struct server server;
    struct beside client, worker, other;
    struct verdict verdict = {.text = ""};
    struct page page;
    long long idle, before = 0;
    int renewed = 0;
    char *text;
    server_start(&server, false, NULL);
    page_open(&page);
    beside_start(&worker, server.dir, NULL,
        WORDS(worker_path(), "-r", server.socket, "-l", "200"));
    start_client(
        &client, &server, NULL, WORDS("-i", "t", "download", page.url));
    expect(page_asked(&page), "the worker began no job");
    for (int left = STEPS; left > 0 && renewed < ENOUGH; left--) {
        idle = pending(&server, IDLE);
        renewed += idle < before;
        before = idle;
        step();
    }
    expect(renewed == ENOUGH, "the lease was renewed %d times; expected: %d",
        renewed, ENOUGH);
    /* Its lease is an hour, so it takes nothing over, but would take a job. */
    start_worker(&other, &server, worker_path());
    page_answer(&page, "HTTP/1.0 200 OK");
    expect(beside_end(&client, &text) == 0, "no answer");
    expect(strstr(text, "ok: 5 bytes\n") != NULL, "it printed \"%s\"", text);
    expect(!page_has(&page), "a job whose lease was renewed was done twice");
    judge_results(&server, "t", 1, &verdict);
    expect_right(&verdict);
    free(text);
    beside_kill(&worker);
    beside_kill(&other);
    page_close(&page);
    server_stop(&server);
}

/* A lease has run out behind many that have not: it is found all the same. */
static void test_behind(void) {
    struct server server;
    struct beside client, worker;
    char lines[200], *text;
    redisReply *taken;
    server_start(&server, false, NULL);
    write_lines(&server, 1, 100, lines);
    start_client(&client, &server, lines,
        WORDS("-t", "600", "-i", "t", "increment", "-"));
    wait_entries(&server, "jobs", 100);
    server_ask(&server, "XGROUP CREATE jobs workers 0");
    taken = redisCommand(server.context,
        "XREADGROUP GROUP workers test COUNT 100 STREAMS jobs >");
    const redisReply *entries = taken->element[0]->element[1];
    server_ask(&server, "XCLAIM jobs workers test 0 %s IDLE 86400000 JUSTID",
        entries->element[99]->element[0]->str);
    freeReplyObject(taken);
    start_worker(&worker, &server, worker_path());
    wait_entries(&server, "results:t", 1);
    beside_signal(&client, SIGKILL);
    beside_end(&client, &text);
    expect(server_ask(&server, "XLEN results:t") == 1 &&
               server_ask(&server, "XLEN jobs") == 99,
        "behind 99 jobs of others, one whose lease has run out is not done");
    free(text);
    beside_kill(&worker);
    server_stop(&server);
}

/* What is done is removed, though an older job lasts: the test has taken that
 * itself. */
static void test_old_job(void) {
    static const char *const commands[] = {
        "XGROUP CREATE jobs workers 0 MKSTREAM",
        "XADD jobs * id old number 1 task nothing argument x",
        "XREADGROUP GROUP workers test STREAMS jobs >"};
    struct server server;
    struct beside client, worker;
    char lines[200];
    server_start(&server, false, NULL);
    for (int i = 0; i < 3; i++)
        freeReplyObject(redisCommand(server.context, commands[i]));
    start_worker(&worker, &server, worker_path());
    write_lines(&server, 1, 1000, lines);
    start_client(&client, &server, lines, WORDS("nothing", "-"));
    expect(beside_end(&client, NULL) == 0, "no answers");
    expect(server_ask(&server, "XLEN jobs") == 1,
        "%lld entries left of 1000 that are done and one that is not",
        server_ask(&server, "XLEN jobs"));
    beside_kill(&worker);
    server_stop(&server);
}

/* A signal in the middle of a job lets it be finished; kill -9 does not, and
 * the next worker does it. */
static void test_stop(void) {
    struct server server;
    struct beside client, worker, heir;
    struct verdict verdict = {.text = ""};
    struct page page;
    server_start(&server, false, NULL);
    page_open(&page);
    start_worker(&worker, &server, worker_path());
    start_client(
        &client, &server, NULL, WORDS("-i", "t", "download", page.url));
    expect(page_asked(&page), "the worker began no job");
    beside_signal(&worker, SIGTERM);
    page_answer(&page, "HTTP/1.0 200 OK");
    int status = beside_end(&worker, NULL);
    expect(status == 0, "SIGTERM in the middle of a job: exit %d", status);
    status = beside_end(&client, NULL);
    expect(status == 0, "SIGTERM in the middle: the client's exit %d", status);
    start_worker(&heir, &server, worker_path());
    beside_signal(&heir, SIGTERM);
    judge_results(&server, "t", 1, &verdict);
    expect_right(&verdict);
    beside_kill(&heir);
    page_close(&page);
    server_stop(&server);
}

CU_TestInfo jobs_tests[] = {
    {"a job that kills its worker is tried three times", test_poison},
    {"jobs that fail are dead letters with their reason", test_failures},
    {"a job that fails is tried three times", test_tries},
    {"a foreign key instead of results loses no job", test_foreign_result},
    {"a foreign key instead of the queue is told", test_foreign_queue},
    {"a long job is renewed and stays with its worker", test_lease},
    {"a lease that has run out is found behind others", test_behind},
    {"what is done is removed, though an older job lasts", test_old_job},
    {"SIGTERM lets the job be finished", test_stop},
    CU_TEST_INFO_NULL,
};
