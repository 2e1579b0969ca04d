/*
 * list.c - all suites, in the order they run
 */
#include "suites/suite.h"

#include <stddef.h>

/* Name, and whether it is slow. */
#define SUITES(SUITE)           \
    SUITE(runner, false)        \
    SUITE(program, false)       \
    SUITE(sites, false)         \
    SUITE(messages, false)      \
    SUITE(download, false)      \
    SUITE(increment, false)     \
    SUITE(cooking, false)       \
    SUITE(processes, false)     \
    SUITE(orphans, false)       \
    SUITE(channels, false)      \
    SUITE(moments, false)       \
    SUITE(sharing, false)       \
    SUITE(starting, false)      \
    SUITE(async, false)         \
    SUITE(await, false)         \
    SUITE(queue, false)         \
    SUITE(worker, false)        \
    SUITE(worker_killed, false) \
    SUITE(jobs, false)          \
    SUITE(client, false)        \
    SUITE(hosts, false)         \
    SUITE(patience, true)       \
    SUITE(locks, false)         \
    SUITE(kitchen, false)       \
    SUITE(contention, false)    \
    SUITE(explore, true)        \
    SUITE(explore_use, true)    \
    SUITE(play, true)           \
    SUITE(twins, false)         \
    SUITE(workshop, false)      \
    SUITE(usage, false)         \
    SUITE(pictures, false)      \
    SUITE(plots, true)          \
    SUITE(readme, false)        \
    SUITE(grade, true)          \
    SUITE(attacks, true)        \
    SUITE(stopped, true)        \
    SUITE(student, true)

#define DECLARE(name, slow) extern CU_TestInfo name##_tests[];
SUITES(DECLARE)

#define LIST(name, slow) {#name, name##_tests, slow},
const struct suite all_suites[] = {SUITES(LIST){NULL, NULL, false}};
