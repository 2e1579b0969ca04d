/*
 * run_suite.c - runs one suite, in a process of its own: see run_suite.h
 *
 * CUnit keeps the assertions, and no more: its own reports and exit status are
 * not to be trusted (after failures CU_get_error() is 0, its times are CPU
 * times).
 */
#include "suites/run_suite.h"

#include "run/program.h"

#include <CUnit/TestRun.h>
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* For all runs of a test together; time that others take does not count. */
enum { TEST_MS = 90000, SLOW_MS = 900000 };

static const struct suite *running;
static struct counts *counts;

static void test_begins(const CU_pTest test, const CU_pSuite suite) {
    (void)test, (void)suite;
    program_budget(running->slow ? SLOW_MS : TEST_MS);
}

/* A suite does not wait again for a program that is proven broken. */
static void give_up(CU_pTest rest, const char *suite) {
    for (; rest != NULL; rest = rest->pNext) {
        rest->fActive = CU_FALSE;
        counts->failed++;
        printf("FAIL %s: %s\n     not run: before it a program did not end\n",
            suite, rest->pName);
    }
}

static void test_done(
    const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord first) {
    const char *reason = skipped();
    const char *word = "ok  ";

    if (program_interrupted() != 0) /* nothing is known of this test */
        raise(program_interrupted());
    if (first != NULL) {
        word = "FAIL";
        counts->failed++;
    } else if (reason[0] != '\0') {
        word = "skip";
        counts->skipped++;
    } else {
        counts->passed++;
    }
    printf("%s %s: %s\n", word, suite->pName, test->pName);
    for (CU_pFailureRecord f = first; f != NULL; f = f->pNext)
        if (f->pTest == test)
            printf("     %s\n", f->strCondition);
    if (first == NULL && reason[0] != '\0')
        printf("     skipped: %s\n", reason);
    if (first != NULL && program_timed_out())
        give_up(test->pNext, suite->pName);
}

void run_suite(const struct suite *s, struct counts *c) {
    running = s;
    counts = c;
    CU_pSuite suite = CU_initialize_registry() == CUE_SUCCESS
                          ? CU_add_suite(s->name, NULL, NULL)
                          : NULL;
    for (CU_TestInfo *t = s->tests; suite != NULL && t->pName != NULL; t++)
        if (CU_add_test(suite, t->pName, t->pTestFunc) == NULL)
            suite = NULL;
    CU_set_fail_on_inactive(CU_FALSE);
    CU_set_test_start_handler(test_begins);
    CU_set_test_complete_handler(test_done);
    if (suite == NULL || CU_run_all_tests() != CUE_SUCCESS)
        errx(EXIT_FAILURE, "CUnit: %s", CU_get_error_msg());
    if (c->failed == 0) /* of no test: CUnit's own */
        c->failed = (int)CU_get_number_of_failure_records();
    CU_cleanup_registry();
    c->to_the_end = fflush(stdout) != EOF;
}
