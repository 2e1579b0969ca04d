/*
 * test_cooking.c - the suite of the story "cooking", for every tool
 */
#include "judge/stories.h"
#include "suites/suite.h"

static void test_tools(void) {
    expect_story("cooking", cooking_judge);
}

static void test_wrong(void) {
    static const char *const wrong[] = {"cooking_serves_at_once",
        "cooking_two_places", "cooking_guesses_minutes", NULL};

    expect_all_rejected(wrong, "02-threads", cooking_judge);
}

CU_TestInfo cooking_tests[] = {
    {"every tool serves all plates in exactly its minutes", test_tools},
    {"wrong programs are rejected for their reason", test_wrong},
    CU_TEST_INFO_NULL,
};
