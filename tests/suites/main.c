/*
 * main.c - the runner: test_runner BUILD_DIR [SUITE...]
 *
 * Runs the suites (all but the slow, or those named) on the programs in
 * BUILD_DIR, from the top of the source tree. Prints one line a test, the
 * sentences of what failed below it, and a last line with the sums. Exit
 * status: 0 if nothing failed, 1 if something did or nothing ran, 2 for wrong
 * usage, 128 + n when stopped by signal n.
 *
 * The suites run in a child. Whatever becomes of that, its parent here ends all
 * that it has started and removes its files; and only when the child has said
 * that it got to the end is its result believed: a test may call exit(0).
 */
#define _GNU_SOURCE
#include "run/proc.h"
#include "run/remove.h"
#include "run/stops.h"
#include "suites/suite.h"

#include <CUnit/TestRun.h>
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* For all runs of a test together; time that others take does not count. */
enum { TEST_MS = 90000, SLOW_MS = 900000 };

static int passed, failed, not_run;

/* ---------- The child: CUnit keeps the assertions, and no more: its own
 * reports and exit status are not to be trusted (after failures CU_get_error()
 * is 0, its times are CPU times). ---------- */

static void test_done(
    const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord first) {
    const char *reason = skipped();
    const char *word = "ok  ";

    if (program_interrupted() != 0) /* nothing is known of this test */
        raise(program_interrupted());
    if (first != NULL) {
        word = "FAIL";
        failed++;
    } else if (reason[0] != '\0') {
        word = "skip";
        not_run++;
    } else {
        passed++;
    }
    printf("%s %s: %s\n", word, suite->pName, test->pName);
    for (CU_pFailureRecord f = first; f != NULL; f = f->pNext)
        if (f->pTest == test)
            printf("     %s\n", f->strCondition);
    if (first == NULL && reason[0] != '\0')
        printf("     skipped: %s\n", reason);
}

static const struct suite *find_suite(const char *name) {
    for (const struct suite *s = all_suites; s->name != NULL; s++)
        if (strcmp(s->name, name) == 0)
            return s;
    return NULL;
}

/* A suite does not wait for a program that is broken, run after run. */
static void test_begins(const CU_pTest test, const CU_pSuite suite) {
    (void)test;
    program_budget(find_suite(suite->pName)->slow ? SLOW_MS : TEST_MS);
}

static void add_suite(const struct suite *s) {
    CU_pSuite suite = CU_add_suite(s->name, NULL, NULL);

    if (suite == NULL)
        errx(EXIT_FAILURE, "CUnit: %s", CU_get_error_msg());
    for (CU_TestInfo *test = s->tests; test->pName != NULL; test++)
        if (CU_add_test(suite, test->pName, test->pTestFunc) == NULL)
            errx(EXIT_FAILURE, "CUnit: %s", CU_get_error_msg());
}

/* Runs the suites that are named, or all; tells the result at its end. */
static void run_suites(char *const *names, int tell) {
    int result;

    if (CU_initialize_registry() != CUE_SUCCESS)
        errx(EXIT_FAILURE, "CUnit: %s", CU_get_error_msg());
    for (int i = 0; names[i] != NULL; i++)
        add_suite(find_suite(names[i]));
    for (const struct suite *s = all_suites; s->name != NULL; s++)
        if (names[0] == NULL && !s->slow)
            add_suite(s);
    CU_set_test_start_handler(test_begins);
    CU_set_test_complete_handler(test_done);
    if (CU_run_all_tests() != CUE_SUCCESS)
        errx(EXIT_FAILURE, "CUnit: %s", CU_get_error_msg());
    unsigned records = CU_get_number_of_failure_records();
    CU_cleanup_registry();
    printf("%d passed, %d failed, %d skipped\n", passed, failed, not_run);
    result = records == 0 && failed == 0 && passed > 0 ? 0 : 1;
    if (fflush(stdout) == EOF || write(tell, &result, sizeof result) == -1)
        err(EXIT_FAILURE, "standard output");
}

/* ---------- The parent ---------- */

/* Kills and reaps until nothing is left: orphans become children of ours. */
static void end_all(void) {
    struct pids left = {0};

    do {
        left.count = 0;
        proc_children(getpid(), 0, &left);
        for (size_t i = 0; i < left.count; i++)
            kill(left.ids[i], SIGKILL);
        for (size_t i = 0; i < left.count; i++)
            waitpid(left.ids[i], NULL, 0);
    } while (left.count > 0);
    free(left.ids);
}

static pid_t start_suites(
    char *const *names, const struct sigaction *as_before, int *told) {
    int ends[2];
    pid_t parent = getpid(), child;

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == -1 || (child = fork()) == -1)
        err(EXIT_FAILURE, "fork");
    if (child == 0) {
        stops_restore(as_before);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent)
            _exit(EXIT_FAILURE);
        run_suites(names, ends[1]);
        exit(EXIT_SUCCESS);
    }
    *told = ends[0];
    return child;
}

/* Until the child has ended or a signal has come. */
static void await_child(pid_t child, int *status) {
    struct pollfd end = {
        .fd = (int)syscall(SYS_pidfd_open, child, 0), .events = POLLIN};
    sigset_t all, before;

    if (end.fd == -1)
        err(EXIT_FAILURE, "pidfd_open");
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    while (stops_number() == 0 && ppoll(&end, 1, NULL, &before) != 1)
        ;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (stops_number() == 0)
        waitpid(child, status, 0);
    close(end.fd);
}

/* The exit status for how the child has ended. */
static int result_of(int status, int told) {
    int result;

    if (stops_number() != 0) {
        printf("stopped by signal %d (%s)\n", stops_number(),
            strsignal(stops_number()));
        return 128 + stops_number();
    }
    if (WIFSIGNALED(status)) {
        printf("signal %d (%s) has ended the suites\n", WTERMSIG(status),
            strsignal(WTERMSIG(status)));
        return 128 + WTERMSIG(status);
    }
    if (read(told, &result, sizeof result) == (ssize_t)sizeof result)
        return result;
    printf("a test has ended the suites, with exit status %d\n",
        WEXITSTATUS(status));
    return 1;
}

int main(int argc, char *argv[]) {
    const char *tmp = getenv("TMPDIR");
    struct sigaction as_before[STOPS];
    char folder[256];
    int told, status = 0;

    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (argc < 2 || access(argv[1], X_OK) == -1)
        errx(2, "usage: test_runner BUILD_DIR [SUITE...]");
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    for (int i = 2; i < argc; i++)
        if (find_suite(argv[i]) == NULL)
            errx(2, "%s: no such suite", argv[i]);
    set_build_dir(argv[1]);
    /* At exit ThreadSanitizer sleeps a second, past the virtual clock, for
     * reports of threads that are still running. Its symbolizer is a process
     * beside the program, slow to start: a verdict needs no names. */
    setenv("TSAN_OPTIONS", "atexit_sleep_ms=0:symbolize=0", 0);
    snprintf(folder, sizeof folder, "%s/kit-tests-XXXXXX",
        tmp == NULL || tmp[0] == '\0' ? "/tmp" : tmp);
    stops_catch(as_before);
    /* Programs of another user go through it, too. */
    if (mkdtemp(folder) == NULL || chmod(folder, 0711) == -1 ||
        setenv("TMPDIR", folder, 1) == -1 ||
        prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
        err(EXIT_FAILURE, "%s", folder);
    pid_t child = start_suites(argv + 2, as_before, &told);
    await_child(child, &status);
    end_all();
    remove_tree(folder);
    return result_of(status, told);
}
