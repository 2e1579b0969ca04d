/*
 * test_worker.c - the suite of 05-queue on Redis: what any worker must do
 *
 * A judge is a question that any worker can be asked: the kit's must pass, each
 * wrong one must fail it. What is judged is what Redis holds and what the
 * client printed, never a time.
 */
#include "run/proc.h"
#include "suites/redis_steps.h"
#include "suites/suite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

/* ---------- The judges ---------- */

/* So many jobs over so many workers: all answered, each once. */
static void judge_answers(
    const char *path, long n, int workers, struct verdict *verdict) {
    struct server server;
    struct beside client, worker[4];
    char lines[200], *text;
    server_start(&server, false, NULL);
    write_lines(&server, 1, n, lines);
    for (int i = 0; i < workers; i++)
        start_worker(&worker[i], &server, path);
    start_client(&client, &server, lines, WORDS("-i", "t", "nothing", "-"));
    int status = beside_end(&client, &text);
    if (status != 0 || count_lines(text) != n)
        verdict_fail(verdict,
            "the client printed %ld of %ld results, exit %d: %.200s",
            count_lines(text), n, status, beside_said(&client));
    judge_results(&server, "t", n, verdict);
    free(text);
    for (int i = 0; i < workers; i++)
        beside_kill(&worker[i]);
    server_stop(&server);
}

static void judge_few(const char *path, struct verdict *verdict) {
    judge_answers(path, 3, 1, verdict);
}

/* Serves the page until there is a result, for as long as there can be one: its
 * entry is in the stream, and the worker lives. */
static bool is_answered(
    struct server *server, struct page *page, const struct beside *worker) {
    for (int left = STEPS; left > 0; left--) {
        bool gone = server_ask(server, "XLEN jobs") == 0;
        bool ended = beside_ended(worker);
        if (server_ask(server, "XLEN results:t") > 0)
            return true;
        if (gone || ended)
            return false;
        if (page_has(page))
            page_answer(page, "HTTP/1.0 200 OK");
        step();
    }
    return false;
}

/* A worker is killed in the middle of a job: another does it. */
static void judge_killed(const char *path, struct verdict *verdict) {
    struct server server;
    struct beside client, victim, heir;
    struct page page;
    server_start(&server, false, NULL);
    page_open(&page);
    start_client(
        &client, &server, NULL, WORDS("-i", "t", "download", page.url));
    start_worker(&victim, &server, path);
    int left = STEPS;
    while (left-- > 0 && !page_has(&page) && !beside_has(&victim, "working"))
        step();
    beside_kill(&victim);
    expire(&server, 0);
    page_answer(&page, "HTTP/1.0 500 Nobody listens");
    start_worker(&heir, &server, worker_path());
    if (!is_answered(&server, &page, &heir)) {
        verdict_fail(verdict, "the job of a worker that was killed is lost");
        beside_signal(&client, SIGKILL);
    }
    if (beside_end(&client, NULL) != 0)
        verdict_fail(verdict, "the client says: %s", beside_said(&client));
    judge_results(&server, "t", 1, verdict);
    beside_kill(&heir);
    page_close(&page);
    server_stop(&server);
}

/* A worker is stopped and started again: what is done is not done again. */
static void judge_restarted(const char *path, struct verdict *verdict) {
    static const char *const ids[] = {"t", "later"};
    struct server server;
    struct beside worker;
    server_start(&server, false, NULL);
    for (int i = 0; i < 2; i++) {
        start_worker(&worker, &server, path);
        if (run_client(&server, WORDS("-i", ids[i], "nothing", "x"), NULL) != 0)
            verdict_fail(verdict, "no answer");
        beside_kill(&worker);
    }
    judge_results(&server, "t", 1, verdict);
    server_stop(&server);
}

/* Adds entries that are no jobs. Returns how many. */
static int add_malformed(struct server *server) {
    static const char *const entries[] = {"foo bar", "id t number 9",
        "id t number 1 task nothing", "id t task nothing argument x",
        "number 1 task nothing argument x", "id t number 1 argument x",
        "id t number x task no_such argument x"};
    static const char large[] = /* more than a script can unpack at once */
        "for _, size in ipairs({2000, 7900}) do\n"
        "  local fields = {}\n"
        "  for i = 1, size do fields[i] = 'x' end\n"
        "  redis.call('XADD', KEYS[1], '*', unpack(fields))\n"
        "end\n";
    enum { ENTRIES = sizeof entries / sizeof *entries };
    char command[100], text[3000];
    for (int i = 0; i < ENTRIES; i++) {
        snprintf(command, sizeof command, "XADD jobs * %s", entries[i]);
        freeReplyObject(redisCommand(server->context, command));
    }
    memset(text, 'x', sizeof text);
    freeReplyObject(redisCommand(server->context,
        "XADD jobs * id t number 8 task nothing argument %b", text,
        sizeof text));
    freeReplyObject(redisCommand(server->context,
        "XADD jobs * id t number 7 task nothing argument %b", "a\0b",
        (size_t)3));
    freeReplyObject(redisCommand(server->context,
        "XADD jobs * id %b number 1 task nothing argument x", text,
        sizeof text));
    server_ask(server, "EVAL %s 1 jobs", large);
    return ENTRIES + 5;
}

/* Entries that are no jobs: the next job is answered all the same. */
static void judge_malformed(const char *path, struct verdict *verdict) {
    struct server server;
    struct beside worker, client;
    struct page page;
    page_open(&page);
    server_start(&server, false, NULL);
    int malformed = add_malformed(&server);
    start_client(&client, &server, NULL, WORDS("-i", "t", "nothing", "x"));
    wait_entries(&server, "jobs", malformed + 1);
    start_worker(&worker, &server, path);
    if (!is_answered(&server, &page, &worker)) {
        verdict_fail(verdict, "no answer after a malformed entry");
        beside_signal(&client, SIGKILL);
    }
    if (beside_end(&client, NULL) != 0)
        verdict_fail(verdict, "the client says: %s", beside_said(&client));
    if (server_ask(&server, "XLEN jobs:dead") != malformed)
        verdict_fail(verdict, "%lld dead letters of %d malformed entries",
            server_ask(&server, "XLEN jobs:dead"), malformed);
    judge_results(&server, "t", 1, verdict);
    beside_kill(&worker);
    page_close(&page);
    server_stop(&server);
}

/* Is there a connection whose line in Redis's list holds the words? */
static bool has_connection(struct server *server, const char *words) {
    redisReply *list = redisCommand(server->context, "CLIENT LIST");
    bool found = list != NULL && strstr(list->str, words) != NULL;
    freeReplyObject(list);
    return found;
}

/* A worker with nothing to do waits in Redis, so it need not ask often. */
static void judge_idle(const char *path, struct verdict *verdict) {
    static const char count[] = "total_commands_processed:";
    enum { ENOUGH = 1000 };
    struct server server;
    struct beside worker;
    long long own = 0, sent = 0;
    bool waits = false;
    server_start(&server, false, NULL);
    start_worker(&worker, &server, path);
    if (run_client(&server, WORDS("nothing", "x"), NULL) != 0)
        verdict_fail(verdict, "no answer");
    long long before = server_info(&server, "stats", count);
    for (int left = STEPS; left > 0 && sent <= ENOUGH && !waits; left--) {
        waits = server_info(&server, "clients", "blocked_clients:") > 0;
        own += 2; /* these two questions */
        sent = server_info(&server, "stats", count) - before - own;
        step();
    }
    if (!waits)
        verdict_fail(verdict,
            "with no job it sent %lld commands and never waited in Redis",
            sent);
    beside_kill(&worker);
    server_stop(&server);
}

/* Do two threads of the process wait for an answer on one descriptor? */
static bool is_shared(pid_t pid) {
    struct pids tasks = {0};
    unsigned long reading[16], args[6];
    size_t count = 0;
    bool shared = false;
    proc_tasks(pid, &tasks);
    for (size_t t = 0; t < tasks.count && count < 16; t++) {
        long call = proc_call(pid, tasks.ids[t], args);
        if (call != SYS_read && call != SYS_recvfrom)
            continue;
        for (size_t i = 0; i < count; i++)
            shared = shared || reading[i] == args[0];
        reading[count++] = args[0];
    }
    free(tasks.ids);
    return shared;
}

/* While a job runs its lease is renewed, on a connection of its own. */
static void judge_threads(const char *path, struct verdict *verdict) {
    struct server server;
    struct beside worker, client;
    struct page page;
    bool renewed = false;
    server_start(&server, false, NULL);
    page_open(&page);
    beside_start(&worker, server.dir, NULL,
        WORDS(path, "-r", server.socket, "-l", "100"));
    start_client(
        &client, &server, NULL, WORDS("-i", "t", "download", page.url));
    int left = STEPS;
    while (left-- > 0 && !renewed && !beside_ended(&worker)) {
        if (is_shared(worker.pid)) {
            verdict_fail(verdict, "two threads wait on one connection");
            break;
        }
        renewed = has_connection(&server, " cmd=xclaim ") &&
                  (has_connection(&server, " cmd=xreadgroup ") ||
                      has_connection(&server, " cmd=xautoclaim ") ||
                      has_connection(&server, " cmd=xpending "));
        step();
    }
    if (!renewed)
        verdict_fail(verdict, "the lease of a long job is not renewed");
    beside_kill(&client);
    beside_kill(&worker);
    page_close(&page);
    server_stop(&server);
}

/* ---------- The kit's worker and the wrong ones ---------- */

static void test_answers(void) {
    static const int workers[] = {1, 2, 4};
    for (size_t i = 0; i < sizeof workers / sizeof *workers; i++) {
        struct verdict verdict = {.text = ""};
        judge_answers(worker_path(), 1000, workers[i], &verdict);
        expect(verdict.text[0] == '\0', "1000 jobs, %d workers: %s", workers[i],
            verdict.text);
    }
}

/* The jobs of two clients side by side: each gets its own answers. */
static void test_clients(void) {
    static const char *const ids[] = {"t", "u"};
    struct server server;
    struct beside clients[2], worker;
    struct verdict verdict = {.text = ""};
    char lines[200];
    server_start(&server, false, NULL);
    printf("     the server is %s\n", server.name);
    for (long i = 0; i < 2; i++) {
        write_lines(&server, 1 + 1000 * i, 50, lines);
        start_client(
            &clients[i], &server, lines, WORDS("-i", ids[i], "increment", "-"));
    }
    wait_entries(&server, "jobs", 100);
    start_worker(&worker, &server, worker_path());
    for (long i = 0; i < 2; i++) {
        char *text, line[100];
        int status = beside_end(&clients[i], &text), right = 0;
        for (long job = 1; job <= 50; job++) {
            long most = job + 1000 * i;
            snprintf(line, sizeof line, "job %s.%ld, %ld: ok: counted to %ld\n",
                ids[i], job, most, most);
            right += strstr(text, line) != NULL;
        }
        expect(status == 0 && right == 50,
            "client %ld: %d of 50 answers are its own, exit %d", i + 1, right,
            status);
        free(text);
    }
    for (int i = 0; i < 2; i++)
        judge_results(&server, ids[i], 50, &verdict);
    expect_right(&verdict);
    beside_kill(&worker);
    server_stop(&server);
}

static void test_right(void) {
    static void (*const judges[])(const char *, struct verdict *) = {
        judge_killed, judge_restarted, judge_malformed, judge_idle,
        judge_threads};
    for (size_t i = 0; i < sizeof judges / sizeof *judges; i++) {
        struct verdict verdict = {.text = ""};
        judges[i](worker_path(), &verdict);
        expect_right(&verdict);
    }
}

static void test_wrong(void) {
    static const struct {
        const char *name;
        void (*judge)(const char *, struct verdict *);
    } wrong[] = {{"redis_acks_first", judge_killed},
        {"redis_plain_pop", judge_killed}, {"redis_never_acks", judge_few},
        {"redis_runs_twice", judge_restarted},
        {"redis_dies_malformed", judge_malformed},
        {"redis_tight_loop", judge_idle}, {"redis_one_context", judge_threads}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct verdict verdict = {.text = ""};
        char name[64];
        snprintf(name, sizeof name, "tests/suites/wrong/%s", wrong[i].name);
        wrong[i].judge(built(name), &verdict);
        expect_rejected(&verdict, wrong[i].name);
    }
}

CU_TestInfo worker_tests[] = {
    {"1,000 jobs over 1, 2 and 4 workers, each answered once", test_answers},
    {"jobs of two clients: each gets its own answers", test_clients},
    {"the worker passes every judge", test_right},
    {"wrong workers are rejected for their reason", test_wrong},
    CU_TEST_INFO_NULL,
};
