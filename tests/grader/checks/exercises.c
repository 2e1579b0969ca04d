/*
 * exercises.c - the exercises and what is checked of each: 20 points each
 *
 * build 2, correct 6, concurrent 6, limits 2, clean 2, input 2. A check that
 * needs another one can say nothing where that one failed.
 */
#include "grader/checks/exercises.h"

/* What a check says beside its finding. Each names the folder it reads from. */
#define BUILD(folder)                                                          \
    {                                                                          \
        "build", "build", 2, NULL,                                             \
            "A warning is a question that the compiler has; answer it in the " \
            "code.",                                                           \
            folder "/README.md", check_build                                   \
    }
#define LEAKS(folder, judge, points, needs)                              \
    {                                                                    \
        "memory", "clean", points, needs,                                \
            "Each calloc() needs its free(), each curl_easy_init() its " \
            "cleanup, and no access lies outside an object.",            \
            folder "/README.md", judge                                   \
    }
#define RACES(judge, needs)                                                   \
    {                                                                         \
        "races", "clean", 1, needs,                                           \
            "Two threads use one variable, one of them writes, and no lock, " \
            "atomic or join puts them in order.",                             \
            "06-locks/README.md", judge                                       \
    }
#define INPUT(folder, judge)                                                \
    {                                                                       \
        "bad_input", "input", 2, NULL,                                      \
            "strtol() is not asked whether it used the whole text, or the " \
            "range is not checked before the work begins.",                 \
            folder "/README.md", judge                                      \
    }

static const struct check quotes_in_turn[] = {
    BUILD("01-sequential"),
    {"quotes", "correct", 3, NULL,
        "Each symbol has two lines: \"SYMBOL: asking ...\" and \"SYMBOL: \" "
        "with the line that the site sent, without its newline.",
        "01-sequential/README.md", check_quotes_in_turn},
    {"failures", "correct", 3, NULL,
        "Without CURLOPT_FAILONERROR a 404 counts as success; the result of "
        "curl_easy_perform() is to be looked at for each symbol.",
        "01-sequential/README.md, Traps", check_failures_in_turn},
    {"in_turn", "concurrent", 3, "quotes",
        "This is the baseline: the next symbol is asked for when the last has "
        "come.",
        "01-sequential/README.md", check_one_in_flight},
    {"waiting", "concurrent", 3, "quotes",
        "CPU time is user and system time together, in seconds and "
        "microseconds; what is left of the elapsed time was waiting.",
        "01-sequential/README.md, Does it wait or does it compute?",
        check_waiting},
    {"alone", "limits", 1, "quotes",
        "The work is done by other threads or by another program.",
        "01-sequential/README.md", check_alone_in_turn},
    {"timeout", "limits", 1, "quotes",
        "Without CURLOPT_TIMEOUT a site that never answers is waited for for "
        "ever.",
        "01-sequential/README.md", check_timeout_in_turn},
    LEAKS("01-sequential", check_memory_in_turn, 2, "quotes"),
    INPUT("01-sequential", check_input_in_turn),
    {.name = NULL},
};

static const struct check tables[] = {
    BUILD("02-threads"),
    {"results", "correct", 3, NULL,
        "A worker prints a result when it has it; the results are printed by "
        "main, in the order asked, when all threads have been joined.",
        "02-threads/README.md", check_tables_results},
    {"times", "correct", 3, "results",
        "A table of S seconds takes S times -m milliseconds, no more and no "
        "less, between its two lines.",
        "02-threads/README.md", check_tables_times},
    {"pool", "concurrent", 6, "results",
        "pthread_join() inside the loop that starts the threads, one lock "
        "around all the work, or tables dealt out in advance.",
        "02-threads/README.md, Traps", check_tables_pool},
    {"workers", "limits", 1, "results",
        "A thread for each table instead of a pool of -w.",
        "02-threads/README.md, Traps", check_tables_workers},
    {"refused", "limits", 1, "results",
        "The result of pthread_create() is not looked at.",
        "02-threads/README.md, Traps", check_tables_refused},
    RACES(check_tables_races, "results"),
    LEAKS("02-threads", check_tables_memory, 1, "results"),
    INPUT("02-threads", check_tables_input),
    {.name = NULL},
};

static const struct check squares[] = {
    BUILD("03-processes"),
    {"sums", "correct", 3, NULL,
        "The remainder is taken at each step, so that nothing overflows, and "
        "a result comes back through a pipe, not through a variable.",
        "03-processes/README.md", check_squares_sums},
    {"adds", "correct", 1, "sums",
        "The sum is computed by a formula; it is to be added, as the exercise "
        "is about work that needs the CPU.",
        "03-processes/README.md", check_squares_adds},
    {"killed", "correct", 2, "adds",
        "The status of wait() is not looked at, or the parent waits for a "
        "result that can no longer come.",
        "03-processes/README.md, Try", check_squares_killed},
    {"parallel", "concurrent", 3, "adds",
        "wait() inside the loop that starts the processes.",
        "03-processes/README.md, Traps", check_squares_parallel},
    {"as_completed", "concurrent", 3, "adds",
        "The parent waits for its children in the order it started them.",
        "03-processes/README.md", check_squares_as_completed},
    {"processes", "limits", 1, "adds",
        "A process for each N is started at once; the next is to be started "
        "when one has ended.",
        "03-processes/README.md", check_squares_processes},
    {"refused", "limits", 1, "sums", "The result of fork() is not looked at.",
        "03-processes/README.md", check_squares_refused},
    LEAKS("03-processes", check_squares_memory, 2, "sums"),
    INPUT("03-processes", check_squares_input),
    {.name = NULL},
};

static const struct check quotes_at_once[] = {
    BUILD("04-async"),
    {"quotes", "correct", 3, NULL,
        "Each symbol has two lines: \"SYMBOL: asking ...\" and \"SYMBOL: \" "
        "with the line that the site sent, without its newline.",
        "04-async/README.md", check_quotes_at_once},
    {"failures", "correct", 3, NULL,
        "Without CURLOPT_FAILONERROR a 404 counts as success; the result of "
        "each transfer is in its message, not in that of the multi handle.",
        "04-async/README.md", check_failures_at_once},
    {"in_flight", "concurrent", 4, "quotes",
        "The next transfer is added only when all of a batch have come, or "
        "each is waited for by itself.",
        "04-async/README.md", check_in_flight},
    {"flight_limit", "limits", 1, "quotes",
        "All handles are added at once; CURLMOPT_MAXCONNECTS is no limit on "
        "transfers.",
        "04-async/README.md", check_flight_limit},
    {"alone", "concurrent", 2, "quotes",
        "The work is done by other threads or by another program.",
        "04-async/README.md", check_alone_at_once},
    {"timeout", "limits", 1, "quotes",
        "Without CURLOPT_TIMEOUT a site that never answers is waited for for "
        "ever.",
        "04-async/README.md", check_timeout_at_once},
    LEAKS("04-async", check_memory_at_once, 2, "quotes"),
    INPUT("04-async", check_input_at_once),
    {.name = NULL},
};

static const struct check wedding[] = {
    BUILD("05-queue"),
    {"woken", "correct", 1, NULL,
        "A wait at a condition variable stands in a while, not in an if: it "
        "may end for nothing.",
        "06-locks/README.md", check_wedding_woken},
    {"tasks", "correct", 3, "woken",
        "Each task is done once and lasts HOURS times -m milliseconds between "
        "its two lines; an end mark in the queue is no task.",
        "05-queue/README.md", check_wedding_tasks},
    {"order", "correct", 2, "tasks",
        "The longest first, those of equal length as given: qsort() may "
        "change the order of equals.",
        "05-queue/README.md", check_wedding_order},
    {"busy", "concurrent", 6, "tasks",
        "Tasks are dealt out in advance, or in rounds, or one after another, "
        "instead of being taken by whoever is free.",
        "05-queue/README.md", check_wedding_busy},
    {"friends", "limits", 1, "tasks",
        "A thread or process for each task instead of one for each friend.",
        "05-queue/README.md", check_wedding_friends},
    {"refused", "limits", 1, "tasks",
        "The result of pthread_create() is not looked at.",
        "02-threads/README.md, Traps", check_wedding_refused},
    RACES(check_wedding_races, "tasks"),
    LEAKS("05-queue", check_wedding_memory, 1, "tasks"),
    INPUT("05-queue", check_wedding_input),
    {.name = NULL},
};

static const struct check pantry[] = {
    BUILD("06-locks"),
    {"portions", "correct", 3, NULL,
        "Both portions are taken or none, and the counts are printed when all "
        "cooks have ended.",
        "06-locks/README.md", check_pantry_portions},
    {"every_order", "correct", 3, "portions",
        "Looking and taking are not under the same lock, or two locks are "
        "taken in opposite order.",
        "06-locks/README.md", check_pantry_every_order},
    {"concurrent", "concurrent", 6, "portions",
        "One lock for all shelves: cooks at different shelves wait for each "
        "other. Give each shelf its own.",
        "06-locks/README.md", check_pantry_concurrent},
    {"one_at_a_shelf", "limits", 2, "every_order",
        "The sleep lies outside the lock, so two cooks take from one shelf at "
        "the same time.",
        "06-locks/README.md", check_pantry_one_at_a_shelf},
    RACES(check_pantry_races, "portions"),
    LEAKS("06-locks", check_pantry_memory, 1, "every_order"),
    INPUT("06-locks", check_pantry_input),
    {.name = NULL},
};

static const struct exercise exercises[] = {
    {"01-sequential/exercise_quotes", quotes_in_turn},
    {"02-threads/exercise_tables", tables},
    {"03-processes/exercise_squares", squares},
    {"04-async/exercise_quotes", quotes_at_once},
    {"05-queue/exercise_wedding", wedding},
    {"06-locks/exercise_pantry", pantry},
    {.path = NULL},
};

const struct course course = {exercises, lessons, NULL};
