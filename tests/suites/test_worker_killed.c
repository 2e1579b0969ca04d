/*
 * test_worker_killed.c - the suite of 05-queue on Redis: kill -9, of workers
 * and of Redis itself
 *
 * Whoever starts a worker starts it again when it has ended: here the tests do.
 * A job whose worker died in its third try is a dead letter, by right; any
 * other is done. KILLS says how often Redis is killed (10, in `make soak` 100),
 * and workers ten times as often.
 */
#include "suites/redis_steps.h"
#include "suites/suite.h"

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 2 };

static long kills_wanted(void) {
    const char *wanted = getenv("KILLS");
    return wanted == NULL ? 10 : atol(wanted);
}

/* So that a moment is any moment. */
static void wait_at_random(long most_us) {
    nanosleep(&(struct timespec){.tv_nsec = random() % most_us * 1000}, NULL);
}

/* All jobs are answered: done, or dead after three deaths. */
static void expect_answers(
    const char *text, int status, long jobs, const char *what) {
    long done = count_words(text, ": ok: counted");
    long died = count_words(text, "worker died in the last try");
    expect(done + died == jobs && status == (died > 0),
        "%s: %ld jobs done and %ld dead letters, exit %d; expected: %ld in all",
        what, done, died, status, jobs);
}

static void test_kills(void) {
    struct server server;
    struct beside client, workers[WORKERS];
    struct verdict verdict = {.text = ""};
    char lines[200], *text;
    long kills = kills_wanted() * 10, jobs = kills * 15;
    srandom((unsigned)getpid());
    server_start(&server, false, NULL);
    write_lines(&server, 1000000, jobs, lines);
    start_client(&client, &server, lines, WORDS("-i", "t", "increment", "-"));
    for (int i = 0; i < WORKERS; i++)
        start_worker(&workers[i], &server, worker_path());
    for (long i = 0; i < kills; i++) {
        wait_at_random(20000);
        kill_worker(&server, &workers[i % WORKERS]);
        start_worker(&workers[i % WORKERS], &server, worker_path());
    }
    int status = beside_end(&client, &text);
    expect_answers(text, status, jobs, "workers killed");
    judge_results(&server, "t", jobs, &verdict);
    expect_right(&verdict);
    free(text);
    for (int i = 0; i < WORKERS; i++)
        beside_kill(&workers[i]);
    server_stop(&server);
}

/* Redis is gone, so its worker ends and says why: exit 1. */
static void expect_ends(struct beside *worker) {
    int status = beside_end(worker, NULL);
    const char *said = beside_said(worker);
    expect(status == 1 && strncmp(said, "worker: ", 8) == 0,
        "Redis was killed: the worker's exit is %d, it says \"%s\"", status,
        said);
}

/* Redis is killed when a share of the jobs is done, and any moment after that.
 * With `save` it comes back as it was a while before. */
static void kill_redis(const char *const *options, long kills, bool save) {
    long jobs = kills * 100;
    struct server server;
    struct beside client, workers[WORKERS];
    struct verdict verdict = {.text = ""};
    char lines[200], *text = NULL;
    const char *const words[] = {"-i", "t", "increment", "-", NULL};
    int status = 1;
    server_start(&server, false, options);
    write_lines(&server, 300000, jobs, lines);
    for (long i = 0; i <= kills; i++) {
        free(text);
        for (int w = 0; w < WORKERS; w++)
            start_worker(&workers[w], &server, worker_path());
        start_client(&client, &server, lines, words);
        if (i < kills) {
            wait_entries(&server, "results:t", jobs * i / (kills + 1));
            if (save)
                freeReplyObject(redisCommand(server.context, "SAVE"));
            wait_at_random(50000);
            server_kill(&server);
            for (int w = 0; w < WORKERS; w++)
                expect_ends(&workers[w]);
        }
        status = beside_end(&client, &text);
        if (i < kills) {
            server_again(&server);
            expire(&server, 0);
        }
    }
    expect_answers(text, status, jobs, "Redis killed");
    judge_results(&server, "t", jobs, &verdict);
    expect_right(&verdict);
    free(text);
    for (int w = 0; w < WORKERS; w++)
        beside_kill(&workers[w]);
    server_stop(&server);
}

static void test_redis_killed(void) {
    kill_redis(WORDS("--appendonly", "yes", "--appendfsync", "always"),
        kills_wanted(), false);
}

/* Cuts the file off in the middle of the last transaction in it. */
static void cut_off(const char *path) {
    FILE *file = fopen(path, "r");
    char *text = NULL, *last = NULL;
    size_t size = 0;
    ssize_t length = file == NULL ? -1 : getdelim(&text, &size, '\0', file);
    for (char *at = text; length > 0 && (at = strstr(at, "MULTI")); at++)
        last = at;
    char *cut = last == NULL ? NULL : strstr(last, "EXPIREAT");
    if (cut == NULL || truncate(path, cut - text) == -1)
        errx(EXIT_FAILURE, "%s: cannot be cut off", path);
    fclose(file);
    free(text);
}

/* Redis is killed while it writes that a result is stored. The head of that is
 * in its file, which it reads at every start. */
static void test_cut_off(void) {
    const char *const options[] = {
        "--appendonly", "yes", "--appendfsync", "always", NULL};
    struct server server;
    struct verdict verdict = {.text = ""};
    char path[300];
    server_start(&server, false, options);
    for (int start = 1; start <= 3; start++) {
        struct beside worker;
        start_worker(&worker, &server, worker_path());
        int status =
            run_client(&server, WORDS("-i", "t", "nothing", "x"), NULL);
        expect(status == 0, "start %d: the client's exit is %d", start, status);
        judge_results(&server, "t", 1, &verdict);
        server_kill(&server);
        beside_kill(&worker);
        snprintf(path, sizeof path,
            "%s/appendonlydir/appendonly.aof.1.incr.aof", server.dir);
        if (access(path, F_OK) == -1) /* Redis 6 */
            snprintf(path, sizeof path, "%s/appendonly.aof", server.dir);
        if (start == 1)
            cut_off(path);
        server_again(&server);
        expire(&server, 0);
    }
    expect_right(&verdict);
    server_stop(&server);
}

/* What it forgets is asked for again, by the same command. */
static void test_redis_older(void) {
    kill_redis(NULL, 4, true);
}

/* A worker stands still for longer than its lease, so that another takes its
 * job over; then it goes on with it. */
static void test_late(void) {
    struct server server;
    struct beside client, late, heir;
    struct verdict verdict = {.text = ""};
    struct page page, again;
    server_start(&server, false, NULL);
    page_open(&page);
    start_worker(&late, &server, worker_path());
    start_client(
        &client, &server, NULL, WORDS("-i", "t", "download", page.url));
    expect(page_asked(&page), "the worker began no job");
    beside_stop(&late);
    expire(&server, late.pid);
    again = page;
    again.connection = -1;
    start_worker(&heir, &server, worker_path());
    expect(page_asked(&again), "no other worker has taken the job over");
    page_answer(&again, "HTTP/1.0 200 OK");
    int status = beside_end(&client, NULL);
    expect(status == 0, "client's exit %d: %s", status, beside_said(&client));
    beside_signal(&late, SIGCONT);
    page_answer(&page, "HTTP/1.0 200 OK");
    beside_signal(&late, SIGTERM);
    status = beside_end(&late, NULL);
    expect(status == 0, "the late worker's exit is %d: %s", status,
        beside_said(&late));
    judge_results(&server, "t", 1, &verdict);
    expect_right(&verdict);
    beside_kill(&heir);
    page_close(&page);
    server_stop(&server);
}

/* The loop that the README shows, but for the length of its pause. */
static void test_loop(void) {
    static const char loop[] = "until \"$0\" -r \"$1\"; do sleep 0.01; done";
    const char *const options[] = {"--appendonly", "yes", NULL};
    struct server server;
    struct beside shell;
    server_start(&server, false, options);
    beside_start(&shell, server.dir, NULL,
        WORDS("sh", "-c", loop, worker_path(), server.socket));
    for (int i = 0; i < 3; i++) {
        char id[] = {(char)('a' + i), '\0'};
        int status = run_client(&server, WORDS("-i", id, "nothing", "x"), NULL);
        expect(status == 0, "after %d restarts: the client's exit is %d", i,
            status);
        server_kill(&server);
        server_again(&server);
    }
    beside_kill(&shell);
    server_stop(&server);
}

CU_TestInfo worker_killed_tests[] = {
    {"workers are killed: no job is lost or answered twice", test_kills},
    {"Redis is killed and restarted: likewise", test_redis_killed},
    {"Redis is killed in the middle of a write: likewise", test_cut_off},
    {"Redis is killed and comes back older: likewise", test_redis_older},
    {"a worker that was late: a result is stored once", test_late},
    {"a loop in the shell starts the worker again", test_loop},
    CU_TEST_INFO_NULL,
};
