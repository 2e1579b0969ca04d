/*
 * test_redis.c - the suite of 05-queue, part two: client and worker on Redis
 *
 * Each test has a redis-server of its own. A judge is a question that any
 * worker can be asked: the kit's must pass, each wrong one must fail it. What
 * is judged is what Redis holds and what the client printed, never a time.
 */
#define _GNU_SOURCE /* unshare */
#include "suites/redis_server.h"
#include "suites/suite.h"

#include <dirent.h>
#include <err.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LONG_MS = 60000 };

static const char *worker_path, *client_path;

static void find_programs(void) {
    static char worker[512], client[512];
    snprintf(worker, sizeof worker, "%s", built("05-queue/worker"));
    snprintf(client, sizeof client, "%s", built("05-queue/client"));
    worker_path = worker;
    client_path = client;
}

static void wait_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* A lease of 300 ms: a look every 30 ms. */
static void start_worker(
    struct beside *worker, const struct server *server, const char *path) {
    const char *argv[] = {path, "-r", server->socket, "-l300", NULL};
    beside_start(worker, server, NULL, argv);
}

/* Waits until the stream has so many entries, at most LONG_MS. */
static void wait_for(struct server *server, const char *stream, long entries) {
    for (long left = LONG_MS / 2;
         left > 0 && server_ask(server, "XLEN %s", stream) < entries; left--)
        wait_ms(2);
}

/* The kit's worker, with up to so many entries in hand. */
static void start_kit(
    struct beside *worker, const struct server *server, const char *in_hand) {
    const char *argv[] = {
        worker_path, "-r", server->socket, "-l300", "-b", in_hand, NULL};
    beside_start(worker, server, NULL, argv);
}

/* Starts a client with the id "t": TASK ARGUMENT, so many seconds. */
static void start_client(struct beside *client, const struct server *server,
    const char *task, const char *argument, const char *seconds) {
    const char *argv[] = {client_path, "-r", server->socket, "-i", "t", "-t",
        seconds, task, argument, NULL};
    beside_start(client, server, NULL, argv);
}

/* Runs a client to its end; its exit status, and what it printed. */
static int run_client(const struct server *server, const char *task,
    const char *argument, const char *seconds, char **text) {
    struct beside client;
    start_client(&client, server, task, argument, seconds);
    return beside_end(&client, LONG_MS, text);
}

/* Waits for a result of the batch "t", for as long as there can be one: a
 * worker lives and, of a job that is known to be in the stream, it still is. */
static void wait_answer(
    struct server *server, const struct beside *worker, bool is_added) {
    for (long left = LONG_MS / 2; left > 0; left--) {
        siginfo_t ended = {.si_pid = 0};
        bool gone = is_added && server_ask(server, "XLEN jobs") == 0;
        waitid(P_PID, (id_t)worker->pid, &ended, WEXITED | WNOHANG | WNOWAIT);
        if (gone || ended.si_pid != 0 ||
            server_ask(server, "XLEN results:t") > 0)
            return;
        wait_ms(2);
    }
}

/* Ends a client, which need not wait any more if there is no result. */
static int end_client(
    struct server *server, struct beside *client, char **text) {
    if (server_ask(server, "XLEN results:t") <= 0)
        beside_signal(client, SIGKILL);
    return beside_end(client, LONG_MS, text);
}

static void stop_worker(struct beside *worker) {
    beside_signal(worker, SIGKILL);
    beside_end(worker, LONG_MS, NULL);
}

/* The content of a stderr file; lives until the next call. */
static const char *said(const struct beside *beside) {
    static char text[4096];
    FILE *file = fopen(beside->err, "r");
    size_t size = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);
    text[size] = '\0';
    if (file != NULL)
        fclose(file);
    return text;
}

/* How many results are stored of the jobs 1 to n of a batch: none must have
 * two, and in `twice` is how many have. */
static long count_results(
    struct server *server, const char *batch, long n, long *twice) {
    long *seen = calloc((size_t)n + 1, sizeof *seen), found = 0;
    redisReply *all =
        redisCommand(server->context, "XRANGE results:%s - +", batch);
    for (size_t i = 0; all != NULL && i < all->elements; i++) {
        const redisReply *fields = all->element[i]->element[1];
        for (size_t f = 0; f < fields->elements; f += 2) {
            char *end; /* "7" or "7-9" */
            long job = strtol(fields->element[f]->str, &end, 10);
            long last = *end == '-' ? strtol(end + 1, NULL, 10) : job;
            for (; job >= 1 && job <= last && job <= n; job++)
                seen[job]++;
        }
    }
    *twice = 0;
    for (long job = 1; job <= n; job++) {
        found += seen[job] > 0;
        *twice += seen[job] > 1;
    }
    freeReplyObject(all);
    free(seen);
    return found;
}

/* Each of n jobs has one result, nothing is pending, nothing is left. */
static void judge_results(
    struct server *server, const char *batch, long n, struct verdict *verdict) {
    long twice, found = count_results(server, batch, n, &twice);
    long long pending = server_ask(
        server, "XPENDING jobs workers - + 10000"); /* an array of them */
    long long left = server_ask(server, "XLEN jobs");
    if (found < n)
        verdict_fail(
            verdict, "%ld of %ld jobs lost: they have no result", n - found, n);
    if (twice > 0)
        verdict_fail(verdict, "two results of one job, of %ld jobs", twice);
    if (pending != 0)
        verdict_fail(verdict, "%lld jobs are still pending", pending);
    if (left != 0)
        verdict_fail(verdict, "%lld entries are left in the stream", left);
    if (server_ask(server, "TTL results:%s", batch) <= 0)
        verdict_fail(verdict, "the results never expire");
}

/* ---------- The judges ---------- */

/* Writes the numbers first, first + 1 ... to a file in the server's directory:
 * `path`, of 200 bytes. */
static void write_lines(
    const struct server *server, long first, long n, char *path) {
    snprintf(path, 200, "%s/lines", server->dir);
    FILE *file = fopen(path, "w");
    for (long i = 0; i < n; i++)
        fprintf(file, "%ld\n", first + i);
    fclose(file);
}

/* So many jobs, some in an entry, over so many workers: all answered, each
 * once. */
static void judge_answers(const char *path, long n, const char *bundle,
    int workers, struct verdict *verdict) {
    struct server server;
    struct beside client, worker[4];
    char lines[200], *text;
    server_start(&server, false, NULL);
    write_lines(&server, 1, n, lines);
    for (int i = 0; i < workers; i++)
        start_worker(&worker[i], &server, path);
    const char *argv[] = {client_path, "-r", server.socket, "-i", "t", "-t",
        "20", "-b", bundle, "nothing", "-", NULL};
    beside_start(&client, &server, lines, argv);
    int status = beside_end(&client, LONG_MS, &text);
    long printed = 0;
    for (char *c = text; (c = strchr(c, '\n')) != NULL; c++)
        printed++;
    if (status != 0 || printed != n)
        verdict_fail(verdict,
            "the client printed %ld of %ld results, exit %d: %.200s", printed,
            n, status, said(&client));
    judge_results(&server, "t", n, verdict);
    free(text);
    for (int i = 0; i < workers; i++)
        stop_worker(&worker[i]);
    server_stop(&server);
}

/* A worker is killed in the middle of a job: another does it. */
static void judge_killed(const char *path, struct verdict *verdict) {
    struct server server;
    struct beside client, victim, heir;
    server_start(&server, false, NULL);
    start_worker(&victim, &server, path);
    start_client(&client, &server, "increment", "100000000", "20");
    if (!beside_printed(&victim))
        verdict_fail(verdict, "the worker began no job: %s", said(&victim));
    stop_worker(&victim);
    start_worker(&heir, &server, worker_path);
    wait_answer(&server, &heir, true);
    int status = end_client(&server, &client, NULL);
    if (status != 0)
        verdict_fail(verdict,
            "the job of a worker that was killed is lost: client's exit %d",
            status);
    judge_results(&server, "t", 1, verdict);
    stop_worker(&heir);
    server_stop(&server);
}

/* A worker is stopped and started again: what is done is not done again. */
static void judge_restarted(const char *path, struct verdict *verdict) {
    struct server server;
    struct beside worker;
    long twice;
    server_start(&server, false, NULL);
    for (int i = 0; i < 2; i++) {
        char task[] = "nothing";
        start_worker(&worker, &server, path);
        const char *argv[] = {client_path, "-r", server.socket, "-t", "10",
            "-i", i == 0 ? "t" : "later", task, "x", NULL};
        struct beside client;
        beside_start(&client, &server, NULL, argv);
        int status = beside_end(&client, LONG_MS, NULL);
        if (status != 0)
            verdict_fail(verdict, "no answer, exit %d", status);
        stop_worker(&worker);
    }
    count_results(&server, "t", 1, &twice);
    if (twice > 0)
        verdict_fail(verdict, "two results of one job after a restart");
    server_stop(&server);
}

/* Entries that are no jobs: the next job is answered all the same. */
static void judge_malformed(const char *path, struct verdict *verdict) {
    static const char *const entries[] = {"XADD jobs * foo bar",
        "XADD jobs * id t.9 task nothing", "XADD jobs * id x task y argument z",
        "XADD jobs * id ../x.1 task nothing argument x",
        "XADD jobs * id t. task nothing argument x",
        "XADD jobs * id .1 task nothing argument x",
        "XADD jobs * id t.0 task nothing argument x",
        "XADD jobs * id t.99999999999 task nothing argument x",
        "XADD jobs * id t.20 task nothing argument a argument a argument a "
        "argument a argument a argument a argument a argument a argument a "
        "argument a argument a argument a argument a argument a argument a "
        "argument a argument a"};
    enum { ENTRIES = sizeof entries / sizeof *entries };
    struct server server;
    struct beside worker, client;
    char *text, long_task[3000];
    server_start(&server, false, NULL);
    start_worker(&worker, &server, path);
    for (int i = 0; i < ENTRIES; i++)
        freeReplyObject(redisCommand(server.context, entries[i]));
    memset(long_task, 'x', sizeof long_task);
    freeReplyObject(redisCommand(server.context,
        "XADD jobs * id t.8 task nothing argument %b", long_task,
        sizeof long_task));
    freeReplyObject(redisCommand(server.context,
        "XADD jobs * id t.7 task nothing argument %b", "a\0b", (size_t)3));
    start_client(&client, &server, "nothing", "x", "20");
    wait_answer(&server, &worker, false);
    int status = end_client(&server, &client, &text);
    if (status != 0)
        verdict_fail(verdict,
            "no answer after a malformed entry: exit %d, \"%s\"", status, text);
    free(text);
    if (server_ask(&server, "XLEN jobs:dead") != ENTRIES + 2)
        verdict_fail(verdict, "%lld dead letters of %d malformed entries",
            server_ask(&server, "XLEN jobs:dead"), ENTRIES + 2);
    judge_results(&server, "t", 1, verdict);
    stop_worker(&worker);
    server_stop(&server);
}

/* The number after the label in that section of INFO; 0: there is none. */
static long long info_number(
    struct server *server, const char *section, const char *label) {
    redisReply *info = redisCommand(server->context, "INFO %s", section);
    const char *found = strstr(info->str, label);
    long long number = found == NULL ? 0 : atoll(found + strlen(label));
    freeReplyObject(info);
    return number;
}

static long long commands_so_far(struct server *server) {
    return info_number(server, "stats", "total_commands_processed:");
}

/* A worker with nothing to do asks Redis now and then. The bound is a number
 * of commands; a slow machine can only make it smaller. */
static void judge_idle(const char *path, struct verdict *verdict) {
    struct server server;
    struct beside worker;
    server_start(&server, false, NULL);
    start_worker(&worker, &server, path);
    if (run_client(&server, "nothing", "x", "10", NULL) != 0)
        verdict_fail(verdict, "no answer");
    long long before = commands_so_far(&server);
    wait_ms(500);
    long long count = commands_so_far(&server) - before;
    if (count > 200)
        verdict_fail(verdict,
            "it sent %lld commands in half a second without a job; expected: "
            "at most 200",
            count);
    stop_worker(&worker);
    server_stop(&server);
}

/* Do two threads of the process wait for an answer on one descriptor? */
static bool is_shared(pid_t pid) {
    char path[300];
    unsigned long reading[16];
    size_t count = 0;
    bool shared = false;
    struct dirent *task;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    while (tasks != NULL && (task = readdir(tasks)) != NULL) {
        long call = -1;
        unsigned long fd;
        snprintf(
            path, sizeof path, "/proc/%d/task/%s/syscall", pid, task->d_name);
        FILE *file = task->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (file == NULL)
            continue;
        if (fscanf(file, "%ld %lx", &call, &fd) == 2 &&
            (call == SYS_read || call == SYS_recvfrom) && count < 16) {
            for (size_t i = 0; i < count; i++)
                shared = shared || reading[i] == fd;
            reading[count++] = fd;
        }
        fclose(file);
    }
    if (tasks != NULL)
        closedir(tasks);
    return shared;
}

/* Looks at the worker for so long that each of its threads has asked. */
static void judge_threads(const char *path, struct verdict *verdict) {
    struct server server;
    struct beside worker, client;
    server_start(&server, false, NULL);
    start_worker(&worker, &server, path);
    start_client(&client, &server, "increment", "300000000", "4");
    for (int i = 0; i < 250; i++) {
        if (is_shared(worker.pid)) {
            verdict_fail(verdict, "two threads wait on one connection");
            break;
        }
        wait_ms(2);
    }
    beside_signal(&client, SIGKILL);
    beside_end(&client, LONG_MS, NULL);
    stop_worker(&worker);
    server_stop(&server);
}

/* ---------- The kit's worker and the wrong ones ---------- */

static void test_answers(void) {
    static const struct {
        long jobs;
        const char *bundle;
        int workers;
    } runs[] = {{1000, "1", 1}, {1000, "1", 2}, {1000, "1", 4}, {5000, "1", 3},
        {1001, "7", 2}, {5000, "16", 3}};
    find_programs();
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        struct verdict verdict = {.text = ""};
        judge_answers(worker_path, runs[i].jobs, runs[i].bundle,
            runs[i].workers, &verdict);
        expect(verdict.text[0] == '\0',
            "%ld jobs, %s in an entry, %d workers: %s", runs[i].jobs,
            runs[i].bundle, runs[i].workers, verdict.text);
    }
}

/* The jobs of two clients in the same blocks: each gets its own answers. */
static void test_batches(void) {
    struct server server;
    struct beside clients[2], worker;
    static const char *const batches[] = {"t", "u"};
    char lines[2][200];
    find_programs();
    server_start(&server, false, NULL);
    for (long i = 0; i < 2; i++) {
        write_lines(&server, 1 + 1000 * i, 50, lines[i]);
        const char *argv[] = {client_path, "-r", server.socket, "-i",
            batches[i], "-t", "20", "increment", "-", NULL};
        beside_start(&clients[i], &server, lines[i], argv);
        wait_for(&server, "jobs", 50 * (i + 1)); /* it has read its lines */
    }
    start_kit(&worker, &server, "16");
    for (long i = 0; i < 2; i++) {
        char *text, line[100];
        int status = beside_end(&clients[i], LONG_MS, &text), right = 0;
        for (long job = 1; job <= 50; job++) {
            long most = job + 1000 * i;
            snprintf(line, sizeof line, "job %s.%ld, %ld: ok: counted to %ld\n",
                batches[i], job, most, most);
            right += strstr(text, line) != NULL;
        }
        expect(status == 0 && right == 50,
            "client %ld: %d of 50 answers are its own, exit %d", i + 1, right,
            status);
        free(text);
    }
    struct verdict verdict = {.text = ""};
    judge_results(&server, "t", 50, &verdict);
    judge_results(&server, "u", 50, &verdict);
    expect_right(&verdict);
    stop_worker(&worker);
    server_stop(&server);
}

static void test_right(void) {
    static void (*const judges[])(const char *, struct verdict *) = {
        judge_killed, judge_restarted, judge_malformed, judge_idle,
        judge_threads};
    find_programs();
    for (size_t i = 0; i < sizeof judges / sizeof *judges; i++) {
        struct verdict verdict = {.text = ""};
        judges[i](worker_path, &verdict);
        expect_right(&verdict);
    }
}

static void judge_few(const char *path, struct verdict *verdict) {
    judge_answers(path, 3, "1", 1, verdict);
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
    find_programs();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct verdict verdict = {.text = ""};
        char name[64];
        snprintf(name, sizeof name, "tests/suites/wrong/%s", wrong[i].name);
        wrong[i].judge(built(name), &verdict);
        expect_rejected(&verdict, wrong[i].name);
    }
}

/* ---------- Killed, again and again ---------- */

/* How often Redis is killed. Client and worker need a while to be back, so 100
 * times take too long for `make test`: `make soak` does that. */
static long kills_of_redis(void) {
    const char *wanted = getenv("KILLS");
    return wanted == NULL ? 10 : atol(wanted);
}

/* Ten times as many workers are killed at random moments while two work, one
 * with a job in hand and one with up to eight. A job that three of them held
 * when they died is a dead letter, by right; any other is done. */
static void test_kills(void) {
    static const char *const in_hand[] = {"1", "8"};
    struct server server;
    struct beside client, workers[2];
    struct verdict verdict = {.text = ""};
    char lines[200], *text;
    long kills = kills_of_redis() * 10, jobs = kills * 15;
    find_programs();
    srandom((unsigned)getpid());
    server_start(&server, false, NULL);
    write_lines(&server, 1000000, jobs, lines);
    for (int i = 0; i < 2; i++)
        start_kit(&workers[i], &server, in_hand[i]);
    const char *argv[] = {client_path, "-r", server.socket, "-i", "t", "-t",
        "600", "increment", "-", NULL};
    beside_start(&client, &server, lines, argv);
    for (long i = 0; i < kills; i++) {
        wait_ms(5 + random() % 20);
        stop_worker(&workers[i % 2]);
        start_kit(&workers[i % 2], &server, in_hand[i % 2]);
    }
    int status = beside_end(&client, LONG_MS * 10, &text);
    long done = 0, died = 0;
    for (char *c = text; (c = strstr(c, ": ok: counted")) != NULL; c++)
        done++;
    for (char *c = text; (c = strstr(c, "worker died in each")) != NULL; c++)
        died++;
    expect(done + died == jobs && status == (died > 0),
        "%ld kills: %ld jobs done and %ld dead letters, exit %d; expected: "
        "%ld in all; %s",
        kills, done, died, status, jobs, said(&client));
    judge_results(&server, "t", jobs, &verdict);
    expect_right(&verdict);
    free(text);
    for (int i = 0; i < 2; i++)
        stop_worker(&workers[i]);
    server_stop(&server);
}

/* Redis itself is killed and started again: every other time when a share of
 * the jobs is done, else at any moment around that at which client and worker
 * are back. With `save` it comes back as it was a while before that. */
static void kill_redis(const char *const *options, long kills, bool save) {
    long jobs = kills * 200;
    struct server server;
    struct beside client, worker;
    struct verdict verdict = {.text = ""};
    char lines[200], *text;
    find_programs();
    server_start(&server, false, options);
    write_lines(&server, 300000, jobs, lines);
    start_worker(&worker, &server, worker_path);
    const char *argv[] = {client_path, "-r", server.socket, "-i", "t", "-t",
        "600", "increment", "-", NULL};
    beside_start(&client, &server, lines, argv);
    for (long i = 0; i < kills; i++) {
        if (i % 2 == 0)
            wait_for(&server, "results:t", jobs * i / (kills + 1));
        if (save)
            freeReplyObject(redisCommand(server.context, "SAVE"));
        wait_ms(random() % (i % 2 == 0 ? 20 : 200)); /* they pause 100 ms */
        expect(save || server_ask(&server, "XLEN results:t") < jobs,
            "all jobs were done before kill %ld of %ld", i + 1, kills);
        server_restart(&server);
    }
    int status = beside_end(&client, LONG_MS * 10, &text);
    long printed = 0;
    for (char *c = text; (c = strchr(c, '\n')) != NULL; c++)
        printed++;
    expect(status == 0 && printed == jobs,
        "Redis killed %ld times: %ld of %ld answers, exit %d: %s", kills,
        printed, jobs, status, said(&client));
    judge_results(&server, "t", jobs, &verdict);
    expect_right(&verdict);
    free(text);
    stop_worker(&worker);
    server_stop(&server);
}

static void test_redis_killed(void) {
    static const char *const options[] = {
        "--appendonly", "yes", "--appendfsync", "always", NULL};
    kill_redis(options, kills_of_redis(), false);
}

static void test_redis_older(void) {
    kill_redis(NULL, 4, true);
}

/* A worker with four jobs in hand stands still for longer than its lease, so
 * that another takes them over; then it goes on with all four. If they are a
 * bundle, one of them fails. */
static void expect_late(const char *bundle, const char *third) {
    struct server server;
    struct beside client, late, heir;
    struct verdict verdict = {.text = ""};
    char *text;
    server_start(&server, false, NULL);
    const char *argv[] = {client_path, "-r", server.socket, "-i", "t", "-t",
        "50", "-b", bundle, "increment", "50000000", "50000000", third,
        "50000000", NULL};
    beside_start(&client, &server, NULL, argv);
    wait_for(&server, "jobs", bundle[0] == '1' ? 4 : 1);
    start_kit(&late, &server, "8");
    expect(beside_printed(&late), "the worker began no job");
    beside_signal(&late, SIGSTOP);
    start_kit(&heir, &server, "1");
    wait_for(&server, "results:t", bundle[0] == '1' ? 1 : 4);
    beside_signal(&late, SIGCONT);
    beside_signal(&late, SIGTERM);
    expect(beside_end(&late, LONG_MS, NULL) == 0, "it did not go on");
    bool fails = strcmp(third, "x") == 0;
    int status = beside_end(&client, LONG_MS, &text);
    expect(status == fails && (strstr(text, "t.3, x: failed") != NULL) == fails,
        "client's exit %d: %s%s", status, text, said(&client));
    judge_results(&server, "t", 4, &verdict);
    expect_right(&verdict);
    expect(server_ask(&server, "XLEN jobs:dead") == fails,
        "%lld dead letters; expected: %d",
        server_ask(&server, "XLEN jobs:dead"), fails);
    free(text);
    stop_worker(&heir);
    server_stop(&server);
}

static void test_late(void) {
    find_programs();
    expect_late("1", "50000000");
    expect_late("4", "x");
}

/* What is done is removed, though an older job lasts: the test has taken that
 * itself, and it is not taken over, as the lease is so long. */
static void test_old_job(void) {
    static const char *const commands[] = {
        "XGROUP CREATE jobs workers 0 MKSTREAM",
        "XADD jobs * id old.1 task nothing argument x",
        "XREADGROUP GROUP workers test STREAMS jobs >"};
    struct server server;
    struct beside client, worker;
    char lines[200];
    find_programs();
    server_start(&server, false, NULL);
    for (int i = 0; i < 3; i++)
        freeReplyObject(redisCommand(server.context, commands[i]));
    const char *worker_argv[] = {
        worker_path, "-r", server.socket, "-l600000", NULL};
    beside_start(&worker, &server, NULL, worker_argv);
    write_lines(&server, 1, 3000, lines);
    const char *argv[] = {
        client_path, "-r", server.socket, "nothing", "-", NULL};
    beside_start(&client, &server, lines, argv);
    expect(beside_end(&client, LONG_MS, NULL) == 0, "no answers");
    expect(server_ask(&server, "XLEN jobs") == 1,
        "%lld entries left of 3000 that are done and one that is not",
        server_ask(&server, "XLEN jobs"));
    stop_worker(&worker);
    server_stop(&server);
}

/* The place of the entry in the stream, oldest first from 0. */
static void place_of(struct server *server, size_t index, char *place) {
    redisReply *all = redisCommand(server->context, "XRANGE jobs - +");
    place[0] = '\0';
    if (all != NULL && index < all->elements)
        snprintf(place, 48, "%s", all->element[index]->element[0]->str);
    freeReplyObject(all);
}

/* A worker has four jobs, and Redis falls back to a time when it had handed
 * out two of them: these two are answered, the others handed out again. */
static void test_older_state(void) {
    struct server server;
    struct beside client, worker;
    struct verdict verdict = {.text = ""};
    char lines[200], places[4][48];
    find_programs();
    server_start(&server, false, NULL);
    write_lines(&server, 50000000, 4, lines);
    const char *argv[] = {client_path, "-r", server.socket, "-i", "t", "-t",
        "50", "increment", "-", NULL};
    beside_start(&client, &server, lines, argv);
    wait_for(&server, "jobs", 4);
    start_kit(&worker, &server, "8");
    expect(beside_printed(&worker), "the worker began no job");
    beside_signal(&worker, SIGSTOP);
    for (size_t i = 0; i < 4; i++)
        place_of(&server, i, places[i]);
    expect(server_ask(
               &server, "XACK jobs workers %s %s", places[2], places[3]) == 2,
        "the worker had less than four jobs");
    freeReplyObject(redisCommand(
        server.context, "XGROUP SETID jobs workers %s", places[1]));
    beside_signal(&worker, SIGCONT);
    int status = beside_end(&client, LONG_MS, NULL);
    expect(status == 0, "client's exit %d: %s", status, said(&client));
    judge_results(&server, "t", 4, &verdict);
    expect_right(&verdict);
    stop_worker(&worker);
    server_stop(&server);
}

/* ---------- Jobs that fail ---------- */

/* A job that kills its worker does so three times, and no more. */
static void test_poison(void) {
    struct server server;
    struct beside client, worker;
    char *text;
    int deaths = 0;
    find_programs();
    server_start(&server, false, NULL);
    start_client(&client, &server, "crash", "yes", "20");
    for (int i = 0; i < 4; i++) {
        const char *argv[] = {
            worker_path, "-r", server.socket, "-l300", "-n1", NULL};
        beside_start(&worker, &server, NULL, argv);
        deaths += beside_end(&worker, LONG_MS, NULL) != 0;
    }
    int status = beside_end(&client, LONG_MS, &text);
    expect(deaths == 3 && status == 1 && strstr(text, "worker died") != NULL,
        "a job that kills: %d workers died, client's exit %d, \"%s\"; "
        "expected: 3, 1 and the reason",
        deaths, status, text);
    expect(server_ask(&server, "XLEN jobs:dead") == 1,
        "the dead letters do not hold the job");
    free(text);
    server_stop(&server);
}

/* Jobs in one entry, or in the hands of one worker: one kills its worker, and
 * takes no other along. */
static void expect_alone(const char *bundle, const char *in_hand) {
    struct server server;
    struct beside client, worker;
    struct verdict verdict = {.text = ""};
    char *text;
    int deaths = 0;
    server_start(&server, false, NULL);
    const char *argv[] = {client_path, "-r", server.socket, "-i", "t", "-t",
        "30", "-b", bundle, "crash", "no", "yes", "no", NULL};
    beside_start(&client, &server, NULL, argv);
    wait_for(&server, "jobs", bundle[0] == '1' ? 3 : 1);
    for (int i = 0; i < 3; i++) {
        start_kit(&worker, &server, in_hand);
        deaths += beside_end(&worker, LONG_MS, NULL) == -SIGABRT;
    }
    start_kit(&worker, &server, in_hand);
    int status = beside_end(&client, LONG_MS, &text);
    expect(deaths == 3 && status == 1 &&
               strstr(text, "t.1, no: ok: no crash\n") != NULL &&
               strstr(text, "t.2, yes: failed: its worker died") != NULL &&
               strstr(text, "t.3, no: ok: no crash\n") != NULL,
        "%s in an entry, %s in hand: %d workers died, exit %d, \"%s\"", bundle,
        in_hand, deaths, status, text);
    expect(server_ask(&server, "XLEN jobs:dead") == 1, "%lld dead letters",
        server_ask(&server, "XLEN jobs:dead"));
    judge_results(&server, "t", 3, &verdict);
    expect_right(&verdict);
    free(text);
    stop_worker(&worker);
    server_stop(&server);
}

static void test_alone(void) {
    find_programs();
    expect_alone("1", "8");
    expect_alone("3", "1");
}

/* In an entry of three jobs one fails: it is tried three times, the others are
 * done once. */
static void test_split(void) {
    struct server server;
    struct beside client, worker;
    struct verdict verdict = {.text = ""};
    char *text, *done;
    find_programs();
    server_start(&server, false, NULL);
    start_worker(&worker, &server, worker_path);
    const char *argv[] = {client_path, "-r", server.socket, "-i", "t", "-t",
        "20", "-b", "3", "increment", "5", "x", "7", NULL};
    beside_start(&client, &server, NULL, argv);
    int status = beside_end(&client, LONG_MS, &text);
    expect(status == 1 && strstr(text, "t.1, 5: ok: counted to 5\n") != NULL &&
               strstr(text, "t.2, x: failed: not a number") != NULL &&
               strstr(text, "t.3, 7: ok: counted to 7\n") != NULL,
        "one of three fails: exit %d, \"%s\"", status, text);
    const char *log = said(&worker);
    expect(strstr(log, "job t.2: try 1 of 3") != NULL &&
               strstr(log, "job t.2: try 2 of 3") != NULL &&
               strstr(log, "job t.2: try 3 of 3") != NULL,
        "one of three fails: the worker said \"%s\"", log);
    judge_results(&server, "t", 3, &verdict);
    expect_right(&verdict);
    beside_signal(&worker, SIGTERM);
    beside_end(&worker, LONG_MS, &done);
    expect(strcmp(done, "increment: counting to 5 ...\n"
                        "increment: counted to 5\n"
                        "increment: counting to 7 ...\n"
                        "increment: counted to 7\n") == 0,
        "one of three fails: the worker did \"%s\"", done);
    free(text);
    free(done);
    server_stop(&server);
}

/* How many errors of a kind Redis has answered with. */
static long long errors_so_far(struct server *server, const char *kind) {
    char label[60];
    snprintf(label, sizeof label, "errorstat_%s:count=", kind);
    return info_number(server, "errorstats", label);
}

static void wait_errors(struct server *server, const char *kind, long count) {
    for (long left = LONG_MS / 2;
         left > 0 && errors_so_far(server, kind) < count; left--)
        wait_ms(2);
}

static void start_increment(struct beside *client, const struct server *server,
    const char *id, const char *first, const char *second) {
    const char *argv[] = {client_path, "-r", server->socket, "-i", id, "-t",
        "20", "increment", first, second, NULL};
    beside_start(client, server, NULL, argv);
}

/* Somebody else's key is where results must go: the jobs are not lost and not
 * run again, and a third one, whose worker has gone, is not taken meanwhile:
 * that would count as a try. */
static void expect_kept(const char *in_hand, const char *expected) {
    struct server server;
    struct beside clients[2], worker;
    struct verdict verdict = {.text = ""};
    char *text;
    bool two = in_hand[0] == '2';
    server_start(&server, false, NULL);
    freeReplyObject(redisCommand(server.context, "HSET results:t x y"));
    start_increment(&clients[0], &server, "t", "5", two ? "6" : NULL);
    wait_for(&server, "jobs", two ? 2 : 1);
    start_kit(&worker, &server, in_hand);
    wait_errors(&server, "WRONGTYPE", 4); /* those of the client, too */
    start_increment(&clients[1], &server, "u", "7", NULL);
    wait_for(&server, "jobs", two ? 3 : 2);
    freeReplyObject(redisCommand(
        server.context, "XREADGROUP GROUP workers gone STREAMS jobs >"));
    wait_errors(&server, "WRONGTYPE", 10);
    redisReply *gone =
        redisCommand(server.context, "XPENDING jobs workers - + 9 gone");
    expect(gone->elements == 1 && gone->element[0]->element[3]->integer == 1,
        "a worker that cannot report has taken another job");
    freeReplyObject(gone);
    freeReplyObject(redisCommand(server.context, "DEL results:t"));
    for (int i = 0; i < 2; i++) {
        int status = beside_end(&clients[i], LONG_MS, NULL);
        expect(status == 0, "the key is gone: client %d, exit %d, \"%s\"", i,
            status, said(&clients[i]));
    }
    judge_results(&server, "t", two ? 2 : 1, &verdict);
    judge_results(&server, "u", 1, &verdict);
    expect_right(&verdict);
    beside_signal(&worker, SIGTERM);
    beside_end(&worker, LONG_MS, &text);
    expect(strcmp(text, expected) == 0, "each job once: the worker did \"%s\"",
        text);
    free(text);
    server_stop(&server);
}

#define COUNTED(n) \
    "increment: counting to " #n " ...\nincrement: counted to " #n "\n"

static void test_foreign_result(void) {
    find_programs();
    expect_kept("1", COUNTED(5) COUNTED(7));
    expect_kept("2", COUNTED(5) COUNTED(6) COUNTED(7));
}

/* Somebody else's key is where the queue must be: the client says so, and what
 * it has not added is not taken for added. */
static void test_foreign_queue(void) {
    struct server server;
    struct beside client, worker;
    find_programs();
    server_start(&server, false, NULL);
    freeReplyObject(redisCommand(server.context, "SET jobs x"));
    start_client(&client, &server, "nothing", "x", "1");
    int status = beside_end(&client, LONG_MS, NULL);
    expect(status == 1 && strstr(said(&client), "WRONGTYPE") != NULL,
        "jobs is a text: exit %d, \"%s\"", status, said(&client));
    freeReplyObject(redisCommand(server.context, "DEL jobs"));
    start_worker(&worker, &server, worker_path);
    expect(run_client(&server, "nothing", "x", "20", NULL) == 0,
        "the key is gone, and asked again: no answer");
    stop_worker(&worker);
    server_stop(&server);
}

static void expect_failure(const char *task, const char *argument,
    const char *reason, const char *tries) {
    struct server server;
    struct beside worker;
    struct verdict verdict = {.text = ""};
    char *text;
    server_start(&server, false, NULL);
    start_worker(&worker, &server, worker_path);
    int status = run_client(&server, task, argument, "10", &text);
    expect(status == 1 && strstr(text, reason) != NULL,
        "%s %s: exit %d, \"%s\"", task, argument, status, text);
    expect(server_ask(&server, "XLEN jobs:dead") == 1, "%s: %lld dead letters",
        task, server_ask(&server, "XLEN jobs:dead"));
    judge_results(&server, "t", 1, &verdict);
    expect_right(&verdict);
    const char *log = said(&worker);
    expect(tries == NULL ? log[0] == '\0' : strstr(log, tries) != NULL,
        "%s: the worker said \"%s\"", task, log);
    free(text);
    stop_worker(&worker);
    server_stop(&server);
}

static void test_failures(void) {
    find_programs();
    expect_failure("fail", "x", "on purpose (3 tries)", "try 3 of 3");
    expect_failure("no_such", "x", "no task of that name", NULL);
    expect_failure("increment", "$(reboot)", "not a number", "try 3 of 3");
    expect_failure("download", "file:///etc/passwd", "not an http", "try 3");
}

/* ---------- A long job ---------- */

/* A job that takes four leases stays with its worker. The lease is long: a
 * worker that gets no CPU for most of one cannot renew it, and loses the job by
 * right. As all that sleeps, it is begun some tests before it is waited for. */
static struct {
    bool is_begun;
    struct server server;
    struct beside client, workers[2];
} long_job;

static void begin_long_job(void) {
    if (long_job.is_begun)
        return;
    long_job.is_begun = true;
    find_programs();
    server_start(&long_job.server, false, NULL);
    for (int i = 0; i < 2; i++) {
        const char *argv[] = {
            worker_path, "-r", long_job.server.socket, "-l1000", NULL};
        beside_start(&long_job.workers[i], &long_job.server, NULL, argv);
    }
    start_client(
        &long_job.client, &long_job.server, "send_messages", "Alice", "30");
}

/* How long nobody has renewed the only job that is handed out, in ms; -1: there
 * is none. */
static long long idle_of(struct server *server) {
    redisReply *all =
        redisCommand(server->context, "XPENDING jobs workers - + 9");
    long long idle =
        all->elements == 1 ? all->element[0]->element[2]->integer : -1;
    freeReplyObject(all);
    return idle;
}

/* Redis says nothing for some leases. After that the worker renews its lease
 * again and again: more often than commands were under way. */
static void test_lease_renewed(void) {
    enum { ENOUGH = 10 };
    struct server server;
    struct beside client, worker;
    long long idle, before = 0;
    int renewed = 0;
    find_programs();
    server_start(&server, false, NULL);
    start_worker(&worker, &server, worker_path);
    start_client(&client, &server, "send_messages", "Alice", "30");
    beside_printed(&worker);
    kill(server.pid, SIGSTOP);
    wait_ms(700);
    kill(server.pid, SIGCONT);
    while (renewed < ENOUGH && (idle = idle_of(&server)) != -1) {
        renewed += idle < before;
        before = idle;
        wait_ms(2);
    }
    expect(renewed == ENOUGH, "the lease was renewed %d times; expected: %d",
        renewed, ENOUGH);
    beside_signal(&client, SIGKILL);
    beside_end(&client, LONG_MS, NULL);
    stop_worker(&worker);
    server_stop(&server);
}

/* Workers that were killed are forgotten when one comes, after a lease. */
static void test_forgotten(void) {
    struct server server;
    struct beside worker;
    find_programs();
    server_start(&server, false, NULL);
    for (int i = 0; i < 3; i++) {
        start_worker(&worker, &server, worker_path);
        expect(
            run_client(&server, "nothing", "x", "20", NULL) == 0, "no answer");
        stop_worker(&worker);
        freeReplyObject(redisCommand(server.context, "DEL asked:t results:t"));
    }
    expect(server_ask(&server, "XINFO CONSUMERS jobs workers") == 3,
        "%lld workers are known; expected: 3",
        server_ask(&server, "XINFO CONSUMERS jobs workers"));
    wait_ms(310); /* the lease is 300 ms, for Redis as well */
    start_worker(&worker, &server, worker_path);
    expect(run_client(&server, "nothing", "x", "20", NULL) == 0, "no answer");
    expect(server_ask(&server, "XINFO CONSUMERS jobs workers") == 1,
        "%lld workers are known; expected: 1",
        server_ask(&server, "XINFO CONSUMERS jobs workers"));
    stop_worker(&worker);
    server_stop(&server);
}

/* A worker may have two jobs in hand. While the first lasts for more than a
 * lease, another worker gets the second, and the first does not do it too. */
static void test_ahead(void) {
    struct server server;
    struct beside client, workers[2];
    struct verdict verdict = {.text = ""};
    char *text[2];
    int begun = 0;
    find_programs();
    server_start(&server, false, NULL);
    const char *argv[] = {client_path, "-r", server.socket, "-i", "t", "-t",
        "30", "send_messages", "Alice", "Bob", NULL};
    beside_start(&client, &server, NULL, argv);
    wait_for(&server, "jobs", 2);
    start_kit(&workers[0], &server, "2");
    beside_printed(&workers[0]);
    start_kit(&workers[1], &server, "1");
    int status = beside_end(&client, LONG_MS, NULL);
    expect(status == 0, "client's exit %d: %s", status, said(&client));
    for (int i = 0; i < 2; i++) {
        beside_signal(&workers[i], SIGTERM);
        beside_end(&workers[i], LONG_MS, &text[i]);
        for (char *c = text[i]; (c = strstr(c, "sending message 1")); c++)
            begun++;
        free(text[i]);
    }
    expect(begun == 2, "two jobs were begun %d times", begun);
    judge_results(&server, "t", 2, &verdict);
    expect_right(&verdict);
    server_stop(&server);
}

/* ---------- The client ---------- */

static void test_bounds(void) {
    char argument[1102];
    struct server server;
    find_programs();
    server_start(&server, false, NULL);
    memset(argument, 'x', sizeof argument);
    argument[1101] = '\0';
    expect(run_client(&server, "nothing", argument, "1", NULL) == 2,
        "an argument of 1101 bytes was not refused");
    argument[60] = '\0';
    expect(run_client(&server, argument, "x", "1", NULL) == 2,
        "a task's name of 60 bytes was not refused");
    expect(server_ask(&server, "XLEN jobs") == 0, "something was added");
    server_stop(&server);
}

/* Nobody works: given up. Asked again: answered, and done once. */
static void test_asked_again(void) {
    struct server server;
    struct beside client, worker;
    char *text;
    long twice;
    begin_long_job();
    find_programs();
    server_start(&server, false, NULL);
    start_client(&client, &server, "nothing", "x", "1");
    int status = beside_end(&client, LONG_MS, &text);
    expect(status == 1 && strstr(said(&client), "still open: t.1") != NULL,
        "given up: exit %d, \"%s\"", status, said(&client));
    free(text);
    start_worker(&worker, &server, worker_path);
    for (int i = 0; i < 2; i++)
        expect(run_client(&server, "nothing", "x", "10", NULL) == 0,
            "asked again: no answer");
    expect(count_results(&server, "t", 1, &twice) == 1 && twice == 0,
        "asked again, the job was done twice");
    expect(server_ask(&server, "TTL asked:t") > 0,
        "what was asked is remembered for ever");
    stop_worker(&worker);
    server_stop(&server);
}

static void start_with_url(struct beside *client, const struct server *server,
    const char *user, const char *password) {
    char url[200];
    snprintf(url, sizeof url, "redis://%s%s%s127.0.0.1:%d/0", user, password,
        password[0] == '\0' ? "" : "@", server->port);
    const char *argv[] = {
        client_path, "-r", url, "-t1", "-i", "t", "nothing", "x", NULL};
    beside_start(client, server, NULL, argv);
}

static void test_password(void) {
    static const char *const options[] = {"--requirepass", "s@cret", NULL};
    struct server server;
    struct beside worker, client, wrong;
    char url[200];
    find_programs();
    server_start(&server, true, options);
    start_with_url(&client, &server, "", "");
    start_with_url(&wrong, &server, "", ":wrong");
    int status = beside_end(&client, LONG_MS, NULL);
    const char *log = said(&client);
    expect(status == 1 && strstr(log, "NOAUTH") != NULL &&
               strstr(log, "still open: t.1") != NULL,
        "no password: \"%s\"", log);
    status = beside_end(&wrong, LONG_MS, NULL);
    log = said(&wrong);
    expect(status == 1 && strstr(log, "WRONGPASS") != NULL &&
               strstr(log, "wrong@") == NULL,
        "a wrong password: \"%s\"", log);
    snprintf(url, sizeof url, "redis://:s%%40cret@127.0.0.1:%d", server.port);
    const char *argv[] = {worker_path, "-r", url, NULL};
    beside_start(&worker, &server, NULL, argv);
    start_with_url(&client, &server, "", ":s@cret");
    status = beside_end(&client, LONG_MS, NULL);
    expect(status == 0, "the right password: \"%s\"", said(&client));
    start_with_url(&client, &server, "default", ":s@cret");
    status = beside_end(&client, LONG_MS, NULL);
    expect(status == 0, "user and password: \"%s\"", said(&client));
    stop_worker(&worker);
    server_stop(&server);
}

/* Not there, then there; full, then not. */
static void test_trouble(void) {
    struct server server;
    struct beside client, worker;
    find_programs();
    server_start(&server, false, NULL);
    start_client(&client, &server, "nothing", "x", "20");
    wait_ms(50);
    server_restart(&server); /* without a file: all is forgotten */
    start_worker(&worker, &server, worker_path);
    int status = beside_end(&client, LONG_MS, NULL);
    expect(status == 0, "forgotten by Redis: exit %d, \"%s\"", status,
        said(&client));
    freeReplyObject(redisCommand(server.context, "FLUSHALL"));
    freeReplyObject(redisCommand(server.context, "CONFIG SET maxmemory 1"));
    start_client(&client, &server, "nothing", "x", "20");
    for (int i = 0; i < 5000 && strstr(said(&client), "OOM") == NULL; i++)
        wait_ms(2);
    expect(strstr(said(&client), "OOM") != NULL, "out of memory: \"%s\"",
        said(&client));
    wait_errors(&server, "OOM", 8);
    const char *oom = strstr(said(&client), "OOM");
    expect(oom == NULL || strstr(oom + 1, "OOM") == NULL,
        "the same trouble is told again: \"%s\"", said(&client));
    freeReplyObject(redisCommand(server.context, "CONFIG SET maxmemory 0"));
    status = beside_end(&client, LONG_MS, NULL);
    expect(
        status == 0, "no longer full: exit %d, \"%s\"", status, said(&client));
    kill(server.pid, SIGSTOP);
    start_client(&client, &server, "nothing", "x", "1");
    status = beside_end(&client, LONG_MS, NULL);
    kill(server.pid, SIGCONT);
    expect(status == 1, "a Redis that says nothing: exit %d, \"%s\"", status,
        said(&client));
    stop_worker(&worker);
    server_stop(&server);
}

/* ---------- Stopping ---------- */

static void test_stop(void) {
    struct server server;
    struct beside client, worker, heir;
    find_programs();
    server_start(&server, false, NULL);
    for (int twice = 0; twice < 2; twice++) {
        freeReplyObject(redisCommand(server.context, "FLUSHALL"));
        start_worker(&worker, &server, worker_path);
        start_client(&client, &server, "increment", "100000000", "20");
        beside_printed(&worker);
        beside_signal(&worker, SIGTERM);
        if (twice) {
            wait_ms(1); /* two signals at once would be one */
            beside_signal(&worker, SIGTERM);
            start_worker(&heir, &server, worker_path);
        }
        int status = beside_end(&worker, LONG_MS, NULL);
        expect(status == (twice ? -SIGTERM : 0) || (twice && status == 0),
            "SIGTERM%s in the middle: exit %d", twice ? " twice" : "", status);
        status = beside_end(&client, LONG_MS, NULL);
        expect(status == 0, "SIGTERM%s in the middle: the client's exit is %d",
            twice ? " twice" : "", status);
    }
    stop_worker(&heir);
    server_stop(&server);
}

/* Waits for the job that was begun before. */
static void test_lease(void) {
    char *text[2];
    begin_long_job();
    expect(beside_end(&long_job.client, LONG_MS, NULL) == 0, "no answer");
    for (int i = 0; i < 2; i++) {
        beside_signal(&long_job.workers[i], SIGTERM);
        expect(beside_end(&long_job.workers[i], LONG_MS, &text[i]) == 0,
            "a worker without a job does not stop with exit 0");
    }
    size_t all = strlen(text[0]) + strlen(text[1]);
    expect(text[0][0] == '\0' || text[1][0] == '\0',
        "a job of 4 s with a lease of 1 s was taken away: \"%s\" and \"%s\"",
        text[0], text[1]);
    expect(all > 0, "nobody has worked");
    free(text[0]);
    free(text[1]);
    server_stop(&long_job.server);
    long_job.is_begun = false;
}

/* ---------- Three machines ---------- */

enum { QUEUE_HOST, WORKER_HOST, CLIENT_HOST, HOSTS };

/* A process in a network of its own, which ends with it; -1: not allowed. */
static pid_t start_host(void) {
    int ends[2];
    char made = 0;
    pid_t pid;
    if (pipe(ends) == -1 || (pid = fork()) == -1)
        err(EXIT_FAILURE, "fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        made = unshare(CLONE_NEWNET) == 0;
        if (write(ends[1], &made, 1) == 1 && made)
            pause();
        _exit(0);
    }
    close(ends[1]);
    bool ok = read(ends[0], &made, 1) == 1 && made;
    close(ends[0]);
    if (!ok)
        waitpid(pid, NULL, 0);
    return ok ? pid : -1;
}

/* Runs "ip" with these words in the network of that process. */
static bool ip(const struct server *server, pid_t host, const char *words) {
    char text[200], pid[20];
    const char *argv[30] = {"nsenter", "-n", "-t", pid, "ip"};
    struct beside run;
    int count = 5;
    snprintf(pid, sizeof pid, "%d", host);
    snprintf(text, sizeof text, "%s", words);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " "))
        argv[count++] = word;
    beside_start(&run, server, NULL, argv);
    return beside_end(&run, LONG_MS, NULL) == 0;
}

/* A cable from the host with Redis to another one: 10.99.N.1 and 10.99.N.2. */
static bool join(const struct server *server, const pid_t *hosts, int n) {
    char words[3][120];
    snprintf(words[0], sizeof words[0],
        "link add kit%d type veth peer name kit0 netns %d", n, hosts[n]);
    snprintf(
        words[1], sizeof words[1], "addr add 10.99.%d.1/24 dev kit%d", n, n);
    snprintf(words[2], sizeof words[2], "link set kit%d up", n);
    for (int i = 0; i < 3; i++)
        if (!ip(server, hosts[QUEUE_HOST], words[i]))
            return false;
    snprintf(words[0], sizeof words[0], "addr add 10.99.%d.2/24 dev kit0", n);
    return ip(server, hosts[n], words[0]) &&
           ip(server, hosts[n], "link set kit0 up");
}

static void start_on(struct beside *beside, const struct server *server,
    pid_t host, const char *words) {
    char text[500], pid[20];
    const char *argv[30] = {"nsenter", "-n", "-t", pid};
    int count = 4;
    snprintf(pid, sizeof pid, "%d", host);
    snprintf(text, sizeof text, "%s", words);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " "))
        argv[count++] = word;
    beside_start(beside, server, NULL, argv);
}

static void run_on_hosts(const struct server *server, const pid_t *hosts) {
    struct beside redis, worker, client;
    char words[500], *text;
    snprintf(words, sizeof words,
        "redis-server --port 6379 --bind 10.99.1.1 10.99.2.1 --dir %s "
        "--appendonly no --requirepass secret",
        server->dir);
    start_on(&redis, server, hosts[QUEUE_HOST], words);
    snprintf(words, sizeof words, "%s -r redis://:secret@10.99.1.1:6379",
        worker_path);
    start_on(&worker, server, hosts[WORKER_HOST], words);
    snprintf(words, sizeof words,
        "%s -r redis://:secret@10.99.2.1:6379 -t 20 increment 1000 2000",
        client_path);
    start_on(&client, server, hosts[CLIENT_HOST], words);
    int status = beside_end(&client, LONG_MS, &text);
    expect(status == 0 && strstr(text, "1000: ok: counted to 1000\n") != NULL &&
               strstr(text, "2000: ok: counted to 2000\n") != NULL,
        "three hosts: the client's exit is %d, \"%s\"; %s", status, text,
        said(&client));
    free(text);
    stop_worker(&worker);
    stop_worker(&redis);
}

static void test_hosts(void) {
    pid_t hosts[HOSTS];
    struct server server;
    int made = 0;
    find_programs();
    server_start(&server, false, NULL);
    while (made < HOSTS && (hosts[made] = start_host()) != -1)
        made++;
    if (made < HOSTS)
        skip("this machine does not allow networks of one's own");
    else if (!join(&server, hosts, WORKER_HOST) ||
             !join(&server, hosts, CLIENT_HOST))
        skip("networks could not be joined: no nsenter, no ip, or no veth");
    else
        run_on_hosts(&server, hosts);
    while (made > 0) {
        kill(hosts[--made], SIGKILL);
        waitpid(hosts[made], NULL, 0);
    }
    server_stop(&server);
}

CU_TestInfo redis_tests[] = {
    {"1,000 jobs over 1, 2 and 4 workers, each answered once", test_answers},
    {"jobs of two clients in one block: each gets its own", test_batches},
    {"the worker passes every judge", test_right},
    {"wrong workers are rejected for their reason", test_wrong},
    {"workers are killed: no job is lost or answered twice", test_kills},
    {"Redis is killed and restarted: likewise", test_redis_killed},
    {"Redis is killed and comes back older: likewise", test_redis_older},
    {"a worker that was late: a result is stored once", test_late},
    {"what is done is removed, though an older job lasts", test_old_job},
    {"Redis falls back behind what a worker has", test_older_state},
    {"a job that kills its worker is tried three times", test_poison},
    {"it takes no other job along", test_alone},
    {"of jobs in one entry one fails: only that is tried again", test_split},
    {"a foreign key instead of results loses no job", test_foreign_result},
    {"a foreign key instead of the queue is noticed", test_foreign_queue},
    {"jobs that fail are dead letters with their reason", test_failures},
    {"jobs that are too large are refused", test_bounds},
    {"given up, and asked again", test_asked_again},
    {"no password, a wrong one, the right one", test_password},
    {"Redis forgets, is full, or says nothing", test_trouble},
    {"a signal lets the job be finished, a second does not", test_stop},
    {"a long job stays with its worker", test_lease},
    {"a job in hand is left to others after a lease", test_ahead},
    {"Redis was away: the lease is renewed again", test_lease_renewed},
    {"workers that have gone are forgotten", test_forgotten},
    {"client, Redis and worker on three hosts", test_hosts},
    CU_TEST_INFO_NULL,
};
