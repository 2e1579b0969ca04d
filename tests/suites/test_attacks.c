/*
 * test_attacks.c - submissions that attack the grader, at every level
 */
#define _GNU_SOURCE
#include "suites/grading.h"

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void attack(const char *name, const char *words, double expected) {
    for (int i = 0; levels[i] != NULL; i++) {
        struct place p;
        char text[8192];
        if (!has_level(levels[i])) {
            skip("the sandbox level \"%s\" is not to be had here", levels[i]);
            continue;
        }
        open_place(&p, "attack");
        hand_in(&p, name, 9);
        double score =
            grade(&p, levels[i], expected < 16, words, text, sizeof text);
        expect(score == expected,
            "attack %s, sandbox %s: %g points; expected: %g; the grader "
            "printed: %.900s",
            name, levels[i], score, expected, text);
        expect(strchr(text, '\033') == NULL,
            "attack %s reached the terminal with its escapes", name);
        close_place(&p);
    }
}

static void test_kills(void) {
    attack("kill_all", "16 of 16 points", 16);
    attack("trace_parent", "16 of 16 points", 16);
}

static void test_forges(void) {
    attack("forge", "16 of 16 points", 16);
    attack("strange_bytes", "it exited with status 7", 6);
}

static void test_hangs(void) {
    attack("hang", "it deadlocked at 0.000 s", 6);
    attack("spin", "it did not end within 3 s", 6);
}

static void test_floods(void) {
    attack("flood", "it printed more than 1048576 bytes on stdout", 6);
    attack("gigabyte", "it printed more than 1048576 bytes on stdout", 6);
    attack("flood_stderr", "it printed more than 1048576 bytes on stderr", 6);
    attack("greedy", "it used more than 64 MiB of memory", 6);
}

static void test_forks(void) {
    static const char many[] = "it had more than 100 processes at once";

    attack("fork_bomb", many, 6);
    attack("fork_busy", many, 6);
    attack("fork_spin", many, 6);
    attack("fork_apart", many, 6);
    attack("fork_pause", "it deadlocked at 0.000 s: all of its 2", 6);
    attack("fork_churn", "it started more than 1000 processes", 6);
    attack("orphans", "left 3 processes behind", 6);
    attack("named_memory", "left behind: shared memory /kit-left", 6);
}

static void test_files(void) {
    struct place p;

    if (!has_level("bwrap")) {
        skip("bubblewrap does not work here");
        return;
    }
    open_place(&p, "attack");
    hand_in(&p, "greedy_files", 9);
    grade_and_close(&p, 0, "16 of 16 points");
}

/* It may see nothing of the tests, the environment, or any other server. */
static void test_sight(void) {
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char text[8192];
    struct place p;

    if (server == -1 || bind(server, (struct sockaddr *)&at, size) == -1 ||
        listen(server, 1) == -1 ||
        getsockname(server, (struct sockaddr *)&at, &size) == -1)
        err(EXIT_FAILURE, "a server");
    for (int i = 0; levels[i] != NULL; i++) {
        if (!has_level(levels[i]))
            continue;
        open_place(&p, "attack");
        hand_in(&p, "look_around", ntohs(at.sin_port));
        grade(&p, levels[i], 0, "16 of 16 points", text, sizeof text);
        close_place(&p);
    }
    close(server);
}

CU_TestInfo attacks_tests[] = {
    {"a submission that kills and traces its parent", test_kills},
    {"a submission that forges results", test_forges},
    {"a submission that hangs", test_hangs},
    {"a submission that floods and takes all memory", test_floods},
    {"a submission that forks without end, or leaves things", test_forks},
    {"a submission that fills the disk", test_files},
    {"a submission that looks around", test_sight},
    CU_TEST_INFO_NULL,
};
