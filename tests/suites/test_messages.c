/*
 * test_messages.c - the suite of the story "messages", for every tool
 */
#include "judge/stories.h"
#include "suites/suite.h"

static void test_tools(void) {
    expect_story("messages", messages_judge);
}

static void test_wrong(void) {
    static const char *const wrong[] = {"messages_sequential",
        "messages_join_in_loop", "messages_no_join", "messages_no_work",
        "messages_short_sleep", "messages_out_of_order", "messages_lost_line",
        "messages_doubled_line", "messages_deadlock", "messages_busy_wait",
        "messages_orphan", "messages_int", "messages_no_time",
        "messages_spare_thread", NULL};
    static const char *const wrong_queue[] = {"messages_four_workers", NULL};

    expect_all_rejected(wrong, "02-threads", messages_judge);
    expect_all_rejected(wrong_queue, "05-queue", messages_judge);
}

CU_TestInfo messages_tests[] = {
    {"every tool sends all, in order, in exactly its time", test_tools},
    {"wrong programs are rejected for their reason", test_wrong},
    CU_TEST_INFO_NULL,
};
