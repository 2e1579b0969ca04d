/*
 * main.c - the runner: test_runner BUILD_DIR [SUITE...]
 *
 * Runs the suites (all but the slow, or those named) on the programs in
 * BUILD_DIR, from the top of the source tree. Prints one line a test, the
 * sentences of what failed below it, and a last line with the sums. Exit
 * status: 0 if nothing failed, 1 if something did or nothing ran, 2 for wrong
 * usage. CUnit only keeps the assertions: its own reports and exit status are
 * not to be trusted (after failures CU_get_error() is 0, its times are CPU
 * times).
 */
#include "suites/suite.h"

#include <CUnit/TestRun.h>
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A slow suite runs only when it is named: by `make soak`. */
static const struct {
    const char *name;
    CU_TestInfo *tests;
    bool slow;
} suites[] = {
    {"program", program_tests, false},
    {"sites", sites_tests, false},
    {"messages", messages_tests, false},
    {"download", download_tests, false},
    {"increment", increment_tests, false},
    {"cooking", cooking_tests, false},
    {"processes", processes_tests, false},
    {"orphans", orphans_tests, false},
    {"channels", channels_tests, false},
    {"sharing", sharing_tests, false},
    {"starting", starting_tests, false},
    {"async", async_tests, false},
    {"queue", queue_tests, false},
    {"redis", redis_tests, false},
    {"locks", locks_tests, false},
    {"explore", explore_tests, true},
    {"twins", twins_tests, false},
    {"usage", usage_tests, false},
    {"pictures", pictures_tests, false},
    {"readme", readme_tests, false},
    {"grade", grade_tests, true},
    {"attacks", attacks_tests, true},
    {"stopped", stopped_tests, true},
    {"student", student_tests, true},
};
enum { SUITES = sizeof suites / sizeof suites[0] };

static int passed, failed, not_run;

static void test_done(
    const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord first) {
    const char *reason = skipped();
    const char *word = "ok  ";

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
    if (program_interrupted() != 0) {
        printf("stopped by signal %d\n", program_interrupted());
        exit(128 + program_interrupted());
    }
}

static void add_suite(int i) {
    CU_pSuite suite = CU_add_suite(suites[i].name, NULL, NULL);

    if (suite == NULL)
        errx(EXIT_FAILURE, "CUnit: %s", CU_get_error_msg());
    for (CU_TestInfo *test = suites[i].tests; test->pName != NULL; test++)
        if (CU_add_test(suite, test->pName, test->pTestFunc) == NULL)
            errx(EXIT_FAILURE, "CUnit: %s", CU_get_error_msg());
}

static void add_named(const char *name) {
    for (int i = 0; i < SUITES; i++)
        if (strcmp(suites[i].name, name) == 0) {
            add_suite(i);
            return;
        }
    errx(2, "%s: no such suite", name);
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (argc < 2 || access(argv[1], X_OK) == -1)
        errx(2, "usage: test_runner BUILD_DIR [SUITE...]");
    set_build_dir(argv[1]);
    /* At exit ThreadSanitizer sleeps a second, past the virtual clock, for
     * reports of threads that are still running. Its symbolizer is a process
     * beside the program, slow to start: a verdict needs no names. */
    setenv("TSAN_OPTIONS", "atexit_sleep_ms=0:symbolize=0", 0);
    if (CU_initialize_registry() != CUE_SUCCESS)
        errx(EXIT_FAILURE, "CUnit: %s", CU_get_error_msg());
    for (int i = 2; i < argc; i++)
        add_named(argv[i]);
    for (int i = 0; i < SUITES && argc == 2; i++)
        if (!suites[i].slow)
            add_suite(i);

    CU_set_test_complete_handler(test_done);
    if (CU_run_all_tests() != CUE_SUCCESS)
        errx(EXIT_FAILURE, "CUnit: %s", CU_get_error_msg());
    unsigned records = CU_get_number_of_failure_records();
    CU_cleanup_registry();
    printf("%d passed, %d failed, %d skipped\n", passed, failed, not_run);
    return records == 0 && failed == 0 && passed > 0 ? 0 : 1;
}
