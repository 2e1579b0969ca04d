/*
 * test_patience.c - the suite of 05-queue on Redis: how long it waits for what
 * does not come
 *
 * Slow, as these times are real ones, 10 and 30 s: `make soak` runs it. A
 * verdict is that a program ended, and why; never how long that took.
 */
#include "suites/redis_steps.h"
#include "suites/suite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A page that comes two bytes at a time, without end: the download fails in
 * each of its three tries. */
static void test_drip(void) {
    struct server server;
    struct beside client, worker;
    struct page page;
    char *text;
    server_start(&server, false, NULL);
    page_open(&page);
    beside_start(
        &worker, server.dir, NULL, WORDS(worker_path(), "-r", server.socket));
    start_client(&client, &server, NULL,
        WORDS("-t", "3600", "-i", "t", "download", page.url));
    signal(SIGPIPE, SIG_IGN); /* a connection may end when it likes */
    for (int left = 3 * STEPS; left > 0 && !beside_ended(&client); left--) {
        step();
        if (page.connection == -1 && page_has(&page))
            dprintf(page.connection, "HTTP/1.0 200 OK\r\n\r\n");
        if (left % 50 == 0 && page.connection != -1 &&
            write(page.connection, "..", 2) == -1) {
            close(page.connection);
            page.connection = -1;
        }
    }
    signal(SIGPIPE, SIG_DFL);
    int status = beside_end(&client, &text);
    expect(status == 1 && strstr(text, "failed: Timeout was reached") != NULL,
        "a page without end: the client's exit is %d, \"%s\"", status, text);
    free(text);
    beside_kill(&worker);
    page_close(&page);
    server_stop(&server);
}

/* Redis stands still: client and worker end and say that no answer came. */
static void test_silent(void) {
    struct server server;
    struct beside client, worker;
    server_start(&server, false, NULL);
    beside_start(
        &worker, server.dir, NULL, WORDS(worker_path(), "-r", server.socket));
    start_client(
        &client, &server, NULL, WORDS("-t", "3600", "-i", "t", "nothing", "x"));
    beside_printed(&client, "ok:");
    beside_end(&client, NULL);
    kill(server.pid, SIGSTOP);
    start_client(
        &client, &server, NULL, WORDS("-t", "3600", "-i", "u", "nothing", "x"));
    struct beside *const both[] = {&client, &worker};
    for (int i = 0; i < 2; i++) {
        int status = beside_end(both[i], NULL);
        expect(status == 1 &&
                   strstr(beside_said(both[i]), "no answer from Redis") != NULL,
            "Redis stands still: %s, exit %d, \"%s\"",
            i == 0 ? "client" : "worker", status, beside_said(both[i]));
    }
    kill(server.pid, SIGCONT);
    server_stop(&server);
}

CU_TestInfo patience_tests[] = {
    {"a page that comes byte by byte is given up", test_drip},
    {"a Redis that says nothing is given up", test_silent},
    CU_TEST_INFO_NULL,
};
