/*
 * test_channels.c - the suite of the four channels of 03-processes
 */
#include "suites/by_hand.h"
#include "suites/suite.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER "03-processes/"
#define MQ FOLDER "message_queue"
#define LONG_RUN "1000000000" /* blocks: it goes on for hours */

static const struct {
    const char *name;
    int children;
} channels[] = {{FOLDER "pipe", 1}, {MQ, 1}, {FOLDER "shared_memory", 1},
    {FOLDER "manager", 2}};
enum { CHANNELS = sizeof channels / sizeof channels[0] };

/* ---------- The four channels ---------- */

/* They compare each block with the one that was sent. */
static void judge_channel(const char *path, struct verdict *v) {
    static const char *const said[] = {"200 blocks came back, all right"};
    const char *argv[] = {path, "-n", "100", NULL};
    struct program program = {.argv = argv, .virtual_time = true};
    struct run run;

    program_run(&program, &run);
    judge_end(&run, 0, v);
    events_compare(run.lines, run.count, said, 1, v);
    if (strncmp(run.err_text, "one at a time: ", 15) != 0)
        verdict_fail(v, "stderr is \"%.200s\"", run.err_text);
    run_free(&run);
}

static void test_channels(void) {
    for (size_t i = 0; i < CHANNELS; i++) {
        struct verdict v = {0};
        judge_channel(built(channels[i].name), &v);
        expect(v.text[0] == '\0', "%s: %s", channels[i].name, v.text);
    }
}

/* Kills the child of that number. The program must end with 1 by itself, and
 * say so. */
static void judge_killed(
    const char *path, int children, int number, struct verdict *v) {
    const char *argv[] = {path, "-n", LONG_RUN, NULL};
    static struct hand hand;

    hand_start(&hand, argv);
    if (hand_child(&hand, children) == 0 || !hand_kill(&hand, number))
        verdict_fail(v, "it never had %d children", children);
    hand_read(&hand, NULL);
    int status = hand_wait(&hand);
    if (status == -1 || !WIFEXITED(status) || WEXITSTATUS(status) != 1 ||
        strchr(hand.text, '\n') == NULL)
        verdict_fail(v, "status %#x, it said \"%.300s\"; expected: exit 1",
            (unsigned)status, hand.text);
    hand_end(&hand, v);
}

static void test_killed(void) {
    for (size_t i = 0; i < CHANNELS; i++) {
        if (WITH_TSAN && strcmp(channels[i].name, MQ) == 0) {
            skip("message_queue: ThreadSanitizer keeps a signal back until the "
                 "next call that it knows, and mq_receive is none");
            continue;
        }
        for (int number = 1; number <= channels[i].children; number++) {
            struct verdict v = {0};
            judge_killed(
                built(channels[i].name), channels[i].children, number, &v);
            expect(v.text[0] == '\0', "%s, child %d killed: %s",
                channels[i].name, number, v.text);
        }
    }
}

/* ---------- Who has which end open ---------- */

enum { MOST_ENDS = 16, SAFETY_MS = 20000 };
struct ends {
    size_t count;
    unsigned long inode[MOST_ENDS];
    bool writes[MOST_ENDS];
};

/* Was it opened for writing? */
static bool writes(pid_t pid, const char *fd) {
    char path[300], line[100];
    unsigned flags = 0;

    snprintf(path, sizeof path, "/proc/%d/fdinfo/%s", (int)pid, fd);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "flags: %o", &flags) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return (flags & O_ACCMODE) == O_WRONLY;
}

/* What a process has open, of the kind "pipe:" or "socket:", beside 0 to 2. */
static void find_ends(pid_t pid, const char *kind, struct ends *ends) {
    char path[300], target[100];
    size_t length = strlen(kind);
    struct dirent *one;

    *ends = (struct ends){0};
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *folder = opendir(path);
    while (folder != NULL && (one = readdir(folder)) != NULL) {
        snprintf(path, sizeof path, "/proc/%d/fd/%s", (int)pid, one->d_name);
        ssize_t size = readlink(path, target, sizeof target - 1);
        target[size > 0 ? size : 0] = '\0';
        if (strncmp(target, kind, length) != 0 || atoi(one->d_name) <= 2 ||
            ends->count == MOST_ENDS)
            continue;
        ends->inode[ends->count] = strtoul(target + length + 1, NULL, 10);
        ends->writes[ends->count++] = writes(pid, one->d_name);
    }
    if (folder != NULL)
        closedir(folder);
}

/* One pipe from a to b, one from b to a, and no other end is open. */
static bool two_pipes(const struct ends *a, const struct ends *b) {
    if (a->count != 2 || b->count != 2 || a->writes[0] == a->writes[1] ||
        b->writes[0] == b->writes[1])
        return false;
    size_t out = a->writes[0] ? 0 : 1, in = b->writes[0] ? 1 : 0;
    return a->inode[out] == b->inode[in] && a->inode[!out] == b->inode[!in];
}

/* Each closes the ends it does not use, soon after the fork. */
static void test_pipe_ends(void) {
    const char *argv[] = {built(FOLDER "pipe"), "-n", LONG_RUN, NULL};
    static struct hand hand;
    struct ends parent, child;
    struct verdict v = {0};
    bool right = false;

    hand_start(&hand, argv);
    pid_t pid = hand_child(&hand, 1);
    for (int look = 0; look < SAFETY_MS && !right; look++) {
        find_ends(hand.pid, "pipe:", &parent);
        find_ends(pid, "pipe:", &child);
        right = two_pipes(&parent, &child);
        poll(NULL, 0, 1);
    }
    if (!right)
        verdict_fail(&v, "the parent has %zu ends open, the child %zu",
            parent.count, child.count);
    kill(hand.pid, SIGKILL);
    hand_wait(&hand);
    hand_end(&hand, &v);
    expect_right(&v);
}

/* Does the socket have a name, or does it listen? Then a stranger could come
 * to it. Of the columns of the file, the fourth are flags, the seventh is the
 * inode, an eighth the name; the fifth bit of the flags is for listening. */
static bool can_be_reached(unsigned long inode) {
    char line[300], name[200];
    unsigned long flags, seen;
    bool found = false;

    FILE *file = fopen("/proc/net/unix", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        int got = sscanf(
            line, "%*s %*s %*s %lx %*s %*s %lu %199s", &flags, &seen, name);
        if (got >= 2 && seen == inode)
            found = got == 3 || (flags & 0x10000) != 0;
    }
    if (file != NULL)
        fclose(file);
    return found;
}

/* All ends are different ones: none is open in two processes. So each client
 * has two lines to the manager and none to the other client. */
static bool own_lines(const struct ends *of, size_t processes) {
    unsigned long all[3 * MOST_ENDS];
    size_t count = 0;

    for (size_t p = 0; p < processes; p++) {
        if (of[p].count != (p == 0 ? 4 : 2)) /* the manager is first */
            return false;
        for (size_t i = 0; i < of[p].count; i++)
            all[count++] = of[p].inode[i];
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (all[i] == all[j])
                return false;
    return true;
}

static void test_manager_lines(void) {
    const char *argv[] = {built(FOLDER "manager"), "-n", LONG_RUN, NULL};
    static struct hand hand;
    struct ends of[3];
    struct verdict v = {0};
    bool right = false;

    hand_start(&hand, argv);
    pid_t child = hand_child(&hand, 2), manager = hand_child(&hand, 1);
    for (int look = 0; look < SAFETY_MS && !right; look++) {
        find_ends(manager, "socket:", &of[0]);
        find_ends(hand.pid, "socket:", &of[1]);
        find_ends(child, "socket:", &of[2]);
        right = own_lines(of, 3);
        poll(NULL, 0, 1);
    }
    if (!right)
        verdict_fail(&v,
            "manager, parent and child have %zu, %zu and %zu ends "
            "open; expected: 4, 2 and 2 of their own",
            of[0].count, of[1].count, of[2].count);
    for (size_t p = 0; p < 3; p++)
        for (size_t i = 0; i < of[p].count; i++)
            if (can_be_reached(of[p].inode[i]))
                verdict_fail(&v, "a stranger can reach one of its sockets");
    kill(hand.pid, SIGKILL);
    hand_wait(&hand);
    hand_end(&hand, &v);
    expect_right(&v);
}

/* ---------- What is left behind ---------- */

/* Runs a program to its end, by hand, to see what names it leaves. */
static void judge_left(const char *path, struct verdict *v) {
    const char *argv[] = {path, NULL};
    static struct hand hand;

    hand_start(&hand, argv);
    hand_read(&hand, NULL);
    if (hand_wait(&hand) != 0)
        verdict_fail(v, "it failed: %.300s", hand.text);
    hand_end(&hand, v);
}

static void test_left_names(void) {
    for (size_t i = 0; i < CHANNELS; i++) {
        struct verdict v = {0};
        judge_left(built(channels[i].name), &v);
        expect(v.text[0] == '\0', "%s: %s", channels[i].name, v.text);
    }
}

static void test_wrong(void) {
    static const char *const left[] = {
        "processes_left_memory", "processes_left_queue"};
    struct verdict open_end = {0};

    judge_channel(built("tests/suites/wrong/processes_open_end"), &open_end);
    expect_rejected(&open_end, "processes_open_end");
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        char name[64];
        struct verdict v = {0};
        if (i == 0 && access("/dev/shm", W_OK) == -1) {
            skip("%s: /dev/shm: %s", left[i], strerror(errno));
            continue;
        }
        snprintf(name, sizeof name, "tests/suites/wrong/%s", left[i]);
        judge_left(built(name), &v);
        expect_rejected(&v, left[i]);
    }
}

CU_TestInfo channels_tests[] = {
    {"all blocks come back through four channels", test_channels},
    {"a channel with a killed process fails, and never hangs", test_killed},
    {"a pipe has one writer and one reader", test_pipe_ends},
    {"the manager's lines are its clients', and no stranger's",
        test_manager_lines},
    {"a channel leaves no name behind", test_left_names},
    {"wrong channels are rejected for their reason", test_wrong},
    CU_TEST_INFO_NULL,
};
