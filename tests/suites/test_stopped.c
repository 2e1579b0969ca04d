/*
 * test_stopped.c - the grader is stopped or killed: it leaves nothing
 */
#define _GNU_SOURCE
#include "run/proc.h"
#include "suites/grading.h"

#include <dirent.h>
#include <err.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { END_SECONDS = 60, MOST_WORDS = 10 };

/* Starts a program whose temporary files will be in p->tmp. What it leaves
 * behind becomes our child. */
static pid_t start(const struct place *p, const char *const *argv) {
    pid_t child;

    if (prctl(PR_SET_CHILD_SUBREAPER, 1) == -1 || (child = fork()) == -1)
        err(EXIT_FAILURE, "fork");
    if (child != 0)
        return child;
    setenv("TMPDIR", p->tmp, 1);
    setenv("GRADER", "grade_probe", 1); /* of a class */
    signal(SIGINT, SIG_DFL); /* whoever runs the tests may ignore them */
    signal(SIGHUP, SIG_DFL);
    if (freopen("/dev/null", "w", stdout) != NULL &&
        freopen("/dev/null", "w", stderr) != NULL)
        execv(argv[0], (char *const *)argv);
    _exit(127);
}

/* How many there are, without . and .. */
static size_t entries_of(const char *path) {
    DIR *entries = opendir(path);
    size_t count = 0;

    while (entries != NULL && readdir(entries) != NULL)
        count++;
    if (entries != NULL)
        closedir(entries);
    return count < 2 ? 0 : count - 2;
}

static bool is_there(const char *path) {
    struct stat status;

    return stat(path, &status) == 0 &&
           (!S_ISDIR(status.st_mode) || entries_of(path) > 0);
}

/* Until there is a file of this name, or something in the folder of it; or the
 * program has ended. */
static void await_path(const char *path, pid_t child) {
    siginfo_t info = {.si_pid = 0};

    while (!is_there(path) && info.si_pid == 0) {
        poll(NULL, 0, 1);
        waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT);
    }
}

/* A child of ours and its name, into buf; 0 when there is none. */
static pid_t first_child(char *buf, size_t size) {
    struct pids children = {0};
    pid_t first = 0;

    proc_children(getpid(), 0, &children);
    if (children.count > 0) {
        first = children.ids[0];
        if (!proc_read(buf, size, "/proc/%d/comm", first))
            buf[0] = '\0';
        buf[strcspn(buf, "\n")] = '\0';
    }
    free(children.ids);
    return first;
}

/* Waits for what it has left, which ends by itself, or is a fault; the wait has
 * a bound, so that a process that never ends is told and killed. */
static void expect_all_end(const char *what) {
    time_t end = time(NULL) + END_SECONDS;
    char name[64] = "";
    pid_t pid;

    while (first_child(name, sizeof name) != 0 && time(NULL) < end)
        if (waitpid(-1, NULL, WNOHANG) <= 0)
            poll(NULL, 0, 2);
    while ((pid = first_child(name, sizeof name)) != 0) {
        expect(false, "%s: process %d (%s) runs on; expected: none", what, pid,
            name);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
}

/* Makes the submission that of the one student of a class. */
static void go_to_class(struct place *p, const char *class) {
    char student[128];

    snprintf(student, sizeof student, "%s/ann", class);
    if (mkdir(class, 0755) == -1 || rename(p->submission, student) == -1)
        err(EXIT_FAILURE, "%s", student);
    snprintf(p->submission, sizeof p->submission, "%s", student);
}

/* Told to stop, also by a terminal that goes, it clears up. Killed, it may
 * leave its directory, and the next grader removes that. */
static void stop(const char *const *argv, const char *begun, int number) {
    char what[64], root[96], class[96];
    struct place p;
    int status;

    snprintf(
        what, sizeof what, "%s, signal %d", strrchr(argv[0], '/') + 1, number);
    open_place(&p, "stopped");
    hand_in(&p, "spin", 9);
    snprintf(class, sizeof class, "%s/class", p.root);
    const char *words[MOST_WORDS] = {NULL};
    for (int i = 0; argv[i] != NULL; i++) {
        words[i] = strcmp(argv[i], "REPORTS") == 0      ? p.reports
                   : strcmp(argv[i], "SUBMISSION") == 0 ? p.submission
                   : strcmp(argv[i], "CLASS") == 0      ? class
                                                        : argv[i];
        if (words[i] == class)
            go_to_class(&p, class);
    }
    pid_t child = start(&p, words);
    snprintf(root, sizeof root, "%s/%s", p.root, begun);
    await_path(root, child);
    kill(child, number);
    waitpid(child, &status, 0);
    expect_all_end(what);
    if (number == SIGKILL)
        expect(entries_of(p.tmp) <= 2, "%s: %zu entries in TMPDIR", what,
            entries_of(p.tmp));
    else
        expect(entries_of(p.tmp) == 0 && WIFEXITED(status) &&
                   WEXITSTATUS(status) == 128 + number,
            "%s: wait status %d and %zu entries in TMPDIR; expected: exit "
            "status %d and none",
            what, status, entries_of(p.tmp), 128 + number);
    if (number == SIGKILL) { /* it removes what a killed one has left */
        char text[8192];
        grade(&p, best_level(), 1, "it did not end within 3 s", text,
            sizeof text);
    }
    close_place(&p);
}

static void test_stopped(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGKILL};
    const char *argv[] = {built("tests/grade_probe"), "-e",
        "02-threads/messages", "-o", "REPORTS", "SUBMISSION", NULL};

    if (best_level() == NULL)
        return;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        stop(argv, "tmp", signals[i]); /* its work directory */
        stop(argv, "out/results.json", signals[i]);
    }
}

/* Whoever grades many ends those it has begun. */
static void test_class(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGKILL};
    const char *argv[] = {"tests/grader/grade_all.sh", built(""), "CLASS",
        "REPORTS", "-e", "02-threads/messages", NULL};

    if (best_level() == NULL)
        return;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        stop(argv, "tmp", signals[i]);
}

static void test_selftest(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGKILL};
    const char *argv[] = {"tests/grader/known/selftest.sh", built(""),
        "tests/grader/known/solutions/06-locks/exercise_pantry.c",
        "tests/grader/known/solutions/05-queue/exercise_wedding.c", NULL};

    if (best_level() == NULL)
        return;
    if (access(argv[2], R_OK) == -1 || !is_built("tests/grade") ||
        access(argv[1], W_OK) == -1) {
        skip("no solutions, no grader, or no right to write beside it");
        return;
    }
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        stop(argv, "tmp", signals[i]);
}

/* Killed at any moment, the reports are whole and nothing runs on. */
static void test_killed(void) {
    struct place p;

    for (int ms = 0; ms <= 1500; ms += 50) {
        size_t tests = 0;
        char path[160];
        open_place(&p, "killed");
        hand_in(&p, "hang", 9);
        const char *argv[] = {built("tests/grade_probe"), "-e",
            "02-threads/messages", "-o", p.reports, p.submission, NULL};
        pid_t child = start(&p, argv);
        poll(NULL, 0, ms); /* any moment will do */
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        expect_all_end("grade_probe, killed");
        snprintf(path, sizeof path, "%s/results.xml", p.reports);
        if (access(path, F_OK) == 0) {
            read_reports(&p, &tests);
            expect(tests == 3, "%zu tests in a report; expected: all 3", tests);
        }
        close_place(&p);
    }
}

CU_TestInfo stopped_tests[] = {
    {"killed at any moment, the reports are whole", test_killed},
    {"the grader of a class is stopped, or killed", test_class},
    {"the selftest is stopped, or killed", test_selftest},
    {"stopped, it clears up; killed, the next one does", test_stopped},
    CU_TEST_INFO_NULL,
};
