/*
 * test_client.c - the suite of 05-queue on Redis: the client, and what both
 * programs say and refuse
 */
#include "suites/redis_steps.h"
#include "suites/suite.h"

#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Runs a client with these bytes as its standard input. */
static int run_on_input(const struct server *server, const char *bytes,
    size_t size, const char *const *words, char **text) {
    struct beside client;
    char path[200];
    snprintf(path, sizeof path, "%s/input", server->dir);
    FILE *file = fopen(path, "w");
    fwrite(bytes, 1, size, file);
    fclose(file);
    start_client(&client, server, path, words);
    return beside_end(&client, text);
}

static void test_bounds(void) {
    static const char *const ids[] = {"", "a.b", "a b", "../x", "\x1b[2J",
        "12345678901234567890123456789012345678901"};
    char argument[1002];
    struct server server;
    server_start(&server, false, NULL);
    memset(argument, 'x', sizeof argument);
    argument[1001] = '\0';
    expect(run_client(&server, WORDS("nothing", argument), NULL) == 2,
        "an argument of 1001 bytes was not refused");
    expect(run_on_input(&server, "a\0b\n", 4, WORDS("nothing", "-"), NULL) == 2,
        "an argument with a NUL was not refused");
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        expect(
            run_client(&server, WORDS("-i", ids[i], "nothing", "x"), NULL) == 2,
            "-i \"%s\" was not refused", ids[i]);
    expect(server_ask(&server, "DBSIZE") == 0, "something was added");
    server_stop(&server);
}

/* An argument of 1,000 bytes, all values among them, arrives as it was sent. */
static void test_bytes(void) {
    char argument[1001];
    struct server server;
    struct beside worker;
    for (int i = 0; i < 1000; i++)
        argument[i] = (char)(i % 255 + 1);
    argument[1000] = '\0';
    server_start(&server, false, NULL);
    start_worker(&worker, &server, worker_path());
    expect(run_client(&server, WORDS("no_such", argument), NULL) == 1,
        "a task that there is not");
    redisReply *all = redisCommand(server.context, "XRANGE jobs:dead - +");
    const redisReply *fields =
        all->elements == 1 ? all->element[0]->element[1] : NULL;
    expect(fields != NULL &&
               fields->element[fields->elements - 1]->len == 1000 &&
               memcmp(fields->element[fields->elements - 1]->str, argument,
                   1000) == 0,
        "1000 bytes did not arrive as they were sent");
    freeReplyObject(all);
    beside_kill(&worker);
    server_stop(&server);
}

static void test_lines(void) {
    static const char input[] = "one\r\ntwo\n\nfour \r\nlast";
    struct server server;
    struct beside worker;
    char *text;
    server_start(&server, false, NULL);
    start_worker(&worker, &server, worker_path());
    int status = run_on_input(&server, input, sizeof input - 1,
        WORDS("-i", "t", "nothing", "-"), &text);
    expect(
        status == 0 && strcmp(text, "job t.1, one: ok: nothing done\n"
                                    "job t.2, two: ok: nothing done\n"
                                    "job t.3, : ok: nothing done\n"
                                    "job t.4, four : ok: nothing done\n"
                                    "job t.5, last: ok: nothing done\n") == 0,
        "a job a line: exit %d, \"%s\"", status, text);
    free(text);
    beside_kill(&worker);
    server_stop(&server);
}

/* What the client and the worker print, neither forges a line nor reaches the
 * terminal; umlauts do. */
static void test_escaped(void) {
    static const char name[] =
        "J\xc3\xbcrgen\nBob: sent\x1b[2J\x7f\xc2\x9b \x9b";
    static const char shown[] =
        "J\xc3\xbcrgen\\x0aBob: sent\\x1b[2J\\x7f\xc2\\x9b \\x9b";
    struct server server;
    struct beside client, worker;
    char *text, line[300];
    server_start(&server, false, NULL);
    start_worker(&worker, &server, worker_path());
    start_client(
        &client, &server, NULL, WORDS("-i", "t", "send_messages", name));
    expect(beside_printed(&worker, "sending message 1"), "nothing is sent");
    /* Told to stop, it finishes the job, and a signal ends its pauses. */
    for (int left = STEPS; left > 0 && !beside_ended(&client); left--) {
        beside_signal(&worker, SIGTERM);
        step();
    }
    int status = beside_end(&client, &text);
    snprintf(line, sizeof line, "job t.1, %s: ok: 4 messages sent\n", shown);
    expect(status == 0 && strcmp(text, line) == 0,
        "the client printed \"%s\"; expected: \"%s\"", text, line);
    free(text);
    snprintf(line, sizeof line, "%s: sent message 4 of 4\n", shown);
    expect(beside_has(&worker, line), "the worker did not print \"%s\"", line);
    beside_kill(&worker);
    server_stop(&server);
}

/* Nobody works: given up, and the open jobs are named. Asked again: answered,
 * and done once. */
static void test_asked_again(void) {
    struct server server;
    struct beside client, worker;
    struct verdict verdict = {.text = ""};
    char *text;
    server_start(&server, false, NULL);
    start_client(&client, &server, NULL,
        WORDS("-t", "1", "-i", "t", "nothing", "a", "b", "c"));
    int status = beside_end(&client, &text);
    expect(status == 1 && text[0] == '\0' &&
               strstr(beside_said(&client), "still open: job 1-3;") != NULL &&
               strstr(beside_said(&client), "-i t\n") != NULL,
        "given up: exit %d, \"%s\"", status, beside_said(&client));
    free(text);
    start_worker(&worker, &server, worker_path());
    for (int i = 0; i < 2; i++) {
        status = run_client(
            &server, WORDS("-i", "t", "nothing", "a", "b", "c"), &text);
        expect(status == 0 && count_lines(text) == 3,
            "asked again: exit %d, \"%s\"", status, text);
        free(text);
    }
    judge_results(&server, "t", 3, &verdict);
    expect_right(&verdict);
    expect(server_ask(&server, "TTL asked:t") > 0,
        "what was asked is remembered for ever");
    beside_kill(&worker);
    server_stop(&server);
}

/* Other words under the same -i are refused, and change nothing. */
static void test_other_words(void) {
    static const char *const other[][4] = {{"nothing", "a", NULL},
        {"nothing", "a", "b", "c"}, {"nothing", "b", "a"},
        {"increment", "a", "b"}, {"nothing", "a\nb", NULL}};
    struct server server;
    struct beside client;
    server_start(&server, false, NULL);
    start_client(&client, &server, NULL, WORDS("-i", "t", "nothing", "a", "b"));
    wait_entries(&server, "jobs", 2);
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        struct beside again;
        const char *words[] = {"-t", "1", "-i", "t", other[i][0], other[i][1],
            other[i][2], other[i][3], NULL};
        start_client(&again, &server, NULL, words);
        int status = beside_end(&again, NULL);
        expect(status == 2 && count_lines(beside_said(&again)) == 1 &&
                   strstr(beside_said(&again), "other words") != NULL,
            "other words %zu under the same -i: exit %d, \"%s\"", i, status,
            beside_said(&again));
    }
    expect(server_ask(&server, "XLEN jobs") == 2, "other words were added");
    beside_kill(&client);
    server_stop(&server);
}

/* The stream is lost, in several ways: the same command heals it. */
static void test_lost(void) {
    static const char *const ways[] = {
        "DEL jobs", "FLUSHALL", "XTRIM jobs MAXLEN 0", "DEL jobs asked:t"};
    const char *const words[] = {"-i", "t", "nothing", "a", "b", "c", NULL};
    bool healed = true; /* else the client waits: one such is enough */
    for (size_t i = 0; i < sizeof ways / sizeof *ways && healed; i++) {
        struct server server;
        struct beside client, worker;
        struct verdict verdict = {.text = ""};
        char *text;
        server_start(&server, false, NULL);
        start_client(&client, &server, NULL, words);
        wait_entries(&server, "jobs", 3);
        beside_kill(&client);
        freeReplyObject(redisCommand(server.context, ways[i]));
        start_worker(&worker, &server, worker_path());
        int status = run_client(&server, words, &text);
        healed = expect(status == 0 && count_lines(text) == 3,
            "%s, then the same again: exit %d, \"%s\"", ways[i], status, text);
        judge_results(&server, "t", 3, &verdict);
        expect_right(&verdict);
        free(text);
        beside_kill(&worker);
        server_stop(&server);
    }
}

/* An entry is lost while its job runs, and the job is added again: it is done
 * twice, and its result is stored once. */
static void test_lost_in_hand(void) {
    struct server server;
    struct beside clients[2], workers[2];
    struct verdict verdict = {.text = ""};
    struct page first, second;
    server_start(&server, false, NULL);
    page_open(&first);
    for (int i = 0; i < 2; i++) {
        start_client(&clients[i], &server, NULL,
            WORDS("-i", "t", "download", first.url));
        start_worker(&workers[i], &server, worker_path());
        if (i == 0) {
            expect(page_asked(&first), "the worker began no job");
            second = first;
            second.connection = -1;
            server_ask(&server, "XTRIM jobs MAXLEN 0");
        } else {
            expect(page_asked(&second), "the job was not added again");
        }
    }
    page_answer(&first, "HTTP/1.0 200 OK");
    beside_signal(&workers[0], SIGTERM);
    expect(beside_end(&workers[0], NULL) == 0, "it did not stop");
    page_answer(&second, "HTTP/1.0 200 OK");
    for (int i = 0; i < 2; i++)
        expect(beside_end(&clients[i], NULL) == 0, "client %d: no answer", i);
    server_ask(&server, "XAUTOCLAIM jobs workers test 0 0"); /* the lost one */
    judge_results(&server, "t", 1, &verdict);
    expect_right(&verdict);
    beside_kill(&workers[1]);
    page_close(&first);
    server_stop(&server);
}

/* Runs a client at an address, with a password (NULL: none). Returns the exit
 * status; what it said is to be had of the client. */
static int run_at(struct beside *client, const struct server *server,
    const char *where, const char *password) {
    if (password != NULL)
        setenv("REDISCLI_AUTH", password, 1);
    beside_start(client, server->dir, NULL,
        WORDS(client_path(), "-r", where, "nothing", "x"));
    unsetenv("REDISCLI_AUTH");
    return beside_end(client, NULL);
}

/* A system without /etc/hosts knows no name of its own. */
static bool has_name(const char *host) {
    struct addrinfo *found;

    if (getaddrinfo(host, NULL, NULL, &found) != 0)
        return false;
    freeaddrinfo(found);
    return true;
}

static void test_password(void) {
    struct server server;
    struct beside worker, client;
    char address[2][60];
    server_start(&server, true, WORDS("--requirepass", "s@cret word"));
    snprintf(address[0], sizeof address[0], "127.0.0.1:%d", server.port);
    snprintf(address[1], sizeof address[1], "localhost:%d", server.port);
    int status = run_at(&client, &server, address[0], NULL);
    expect(status == 1 && strstr(beside_said(&client), "NOAUTH") != NULL,
        "no password: exit %d, \"%s\"", status, beside_said(&client));
    status = run_at(&client, &server, address[0], "guess");
    expect(status == 1 && strstr(beside_said(&client), "WRONGPASS") != NULL &&
               strstr(beside_said(&client), "guess") == NULL,
        "a wrong password: exit %d, \"%s\"", status, beside_said(&client));
    setenv("REDISCLI_AUTH", "guess", 1);
    start_worker(&worker, &server, worker_path());
    status = beside_end(&worker, NULL);
    expect(status == 1 && strstr(beside_said(&worker), "WRONGPASS") != NULL,
        "a wrong password: the worker's exit is %d", status);
    setenv("REDISCLI_AUTH", "s@cret word", 1);
    start_worker(&worker, &server, worker_path());
    unsetenv("REDISCLI_AUTH");
    for (int i = 0; i < 3; i++) {
        const char *where = i < 2 ? address[i] : server.socket;
        status = run_at(&client, &server, where, "s@cret word");
        bool reached = i != 1 || has_name("localhost");
        expect(status == !reached, "the right password, %s: exit %d, \"%s\"",
            where, status, beside_said(&client));
    }
    beside_kill(&worker);
    server_stop(&server);
}

/* No Redis, and one that is full. */
static void test_trouble(void) {
    struct server server;
    struct beside client, worker;
    server_start(&server, false, NULL);
    freeReplyObject(redisCommand(server.context, "CONFIG SET maxmemory 1"));
    start_client(&client, &server, NULL, WORDS("-i", "t", "nothing", "x"));
    int status = beside_end(&client, NULL);
    expect(status == 1 && strstr(beside_said(&client), "OOM") != NULL,
        "Redis is full: exit %d, \"%s\"", status, beside_said(&client));
    freeReplyObject(redisCommand(server.context, "CONFIG SET maxmemory 0"));
    start_worker(&worker, &server, worker_path());
    status = run_client(&server, WORDS("-i", "t", "nothing", "x"), NULL);
    expect(status == 0, "no longer full: exit %d", status);
    server_kill(&server);
    expect(beside_end(&worker, NULL) == 1, "Redis is gone, the worker is not");
    start_client(&client, &server, NULL, WORDS("-i", "t", "nothing", "x"));
    status = beside_end(&client, NULL);
    expect(status == 1 && count_lines(beside_said(&client)) == 1,
        "no Redis: exit %d, \"%s\"", status, beside_said(&client));
    server_again(&server);
    server_stop(&server);
}

/* With standard output or error closed nothing is done: a socket would take
 * its place, and Redis what is printed. */
static void test_closed(void) {
    static const char *const closed[] = {">&-", "2>&-", "<&- >&- 2>&-"};
    struct server server;
    struct beside program;
    char shell[100];
    server_start(&server, false, NULL);
    server_ask(&server, "SET precious 1");
    server_ask(&server,
        "XADD jobs * id t number 1 task send_messages "
        "argument %s",
        "Eve\nDEL precious\n");
    bool refused = true; /* else it goes on: one such is enough */
    for (int i = 0; i < 3 && refused; i++) {
        snprintf(shell, sizeof shell, "exec \"$0\" \"$@\" %s", closed[i]);
        beside_start(&program, server.dir, NULL,
            WORDS("sh", "-c", shell, worker_path(), "-r", server.socket));
        int status = beside_end(&program, NULL);
        refused = expect(status == 1, "worker %s: exit %d", closed[i], status);
        beside_start(&program, server.dir, NULL,
            WORDS("sh", "-c", shell, client_path(), "-r", server.socket, "-t",
                "1", "nothing", "x"));
        status = beside_end(&program, NULL);
        expect(status == 1, "client %s: exit %d", closed[i], status);
    }
    expect(server_ask(&server, "EXISTS precious") == 1 &&
               server_ask(&server, "XLEN jobs") == 1 &&
               server_ask(&server, "DBSIZE") == 2,
        "something was done all the same");
    server_stop(&server);
}

/* Standard output that cannot be written to: exit 1, with the reason. */
static void test_full_disk(void) {
    static const char to_full[] = "exec \"$0\" \"$@\" >/dev/full";
    struct server server;
    struct beside worker, client;
    server_start(&server, false, NULL);
    start_worker(&worker, &server, worker_path());
    beside_start(&client, server.dir, NULL,
        WORDS("sh", "-c", to_full, client_path(), "-r", server.socket,
            "nothing", "x", "y"));
    int status = beside_end(&client, NULL);
    expect(status == 1 && strstr(beside_said(&client), "output") != NULL,
        "client >/dev/full: exit %d, \"%s\"", status, beside_said(&client));
    beside_kill(&worker);
    beside_start(&worker, server.dir, NULL,
        WORDS("sh", "-c", to_full, worker_path(), "-r", server.socket));
    status = run_client(&server, WORDS("increment", "5"), NULL);
    expect(status == 0, "the result was not stored: exit %d", status);
    status = beside_end(&worker, NULL);
    expect(status == 1 && strstr(beside_said(&worker), "output") != NULL,
        "worker >/dev/full: exit %d, \"%s\"", status, beside_said(&worker));
    server_stop(&server);
}

CU_TestInfo client_tests[] = {
    {"what is too long or holds a NUL is refused", test_bounds},
    {"an argument arrives as it was sent", test_bytes},
    {"a job a line of standard input, a CR at its end stripped", test_lines},
    {"control characters are escaped", test_escaped},
    {"given up, and asked again", test_asked_again},
    {"other words under the same -i are refused", test_other_words},
    {"the stream is lost: the same command heals it", test_lost},
    {"an entry is lost in a worker's hands: one result", test_lost_in_hand},
    {"no password, a wrong one, the right one", test_password},
    {"Redis is full, or is not there", test_trouble},
    {"closed output: nothing is done", test_closed},
    {"output that cannot be written to is an error", test_full_disk},
    CU_TEST_INFO_NULL,
};
