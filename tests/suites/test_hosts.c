/*
 * test_hosts.c - the suite of 05-queue on Redis: three hosts
 *
 * A host is a process in a network of its own. Cables join the one with Redis
 * to the one with the worker and to the one with the client.
 */
#define _GNU_SOURCE /* unshare */
#include "suites/redis_steps.h"
#include "suites/suite.h"

#include <err.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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
    beside_start(&run, server->dir, NULL, argv);
    return beside_end(&run, NULL) == 0;
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
    beside_start(beside, server->dir, NULL, argv);
}

static void run_on_hosts(const struct server *server, const pid_t *hosts) {
    struct beside redis, worker, client;
    char words[500], *text;
    snprintf(words, sizeof words, "%s/queue", server->dir);
    mkdir(words, 0700);
    snprintf(words, sizeof words,
        "tests/run/redis.sh %s/queue --port 6379 --bind 10.99.1.1 10.99.2.1 "
        "--requirepass secret",
        server->dir);
    start_on(&redis, server, hosts[QUEUE_HOST], words);
    expect(beside_printed(&redis, "\n"), "Redis does not start");
    setenv("REDISCLI_AUTH", "secret", 1);
    snprintf(words, sizeof words, "%s -r 10.99.1.1:6379", worker_path());
    start_on(&worker, server, hosts[WORKER_HOST], words);
    snprintf(words, sizeof words, "%s -r 10.99.2.1 -t 60 increment 1000 2000",
        client_path());
    start_on(&client, server, hosts[CLIENT_HOST], words);
    unsetenv("REDISCLI_AUTH");
    int status = beside_end(&client, &text);
    expect(status == 0 && strstr(text, "1000: ok: counted to 1000\n") != NULL &&
               strstr(text, "2000: ok: counted to 2000\n") != NULL,
        "three hosts: the client's exit is %d, \"%s\"; %s", status, text,
        beside_said(&client));
    free(text);
    beside_kill(&worker);
    beside_kill(&redis);
}

static void test_hosts(void) {
    pid_t hosts[HOSTS];
    struct server server;
    int made = 0;
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

CU_TestInfo hosts_tests[] = {
    {"client, Redis and worker on three hosts", test_hosts},
    CU_TEST_INFO_NULL,
};
