/*
 * exercises.c - the exercises and what is checked of each: 20 points each
 *
 * build 1, output 4, tool 8 (what the lesson is about), robust 4, clean 3. No
 * check needs another one: each fault costs its own points.
 */
#include "grader/checks/exercises.h"

/* What a check says beside its finding when that is just what it asks. Each
 * names the folder it reads from. Versions of clang-format disagree here. */
/* clang-format off */
#define ROW(check, sort, of, why, where, decide) \
    { \
        .name = check, .kind = sort, .points = of, .cause = why, \
        .read = where, .judge = decide \
    }
/* One that takes more than half a second. */
#define SLOW(check, sort, of, why, where, decide) \
    { \
        .name = check, .kind = sort, .points = of, .cause = why, \
        .read = where, .judge = decide, .slow = true \
    }
#define BUILD(folder) \
    ROW("build", "build", 1, \
        "A warning is a question that the compiler has; answer it in the " \
        "code.", \
        folder "/README.md", check_build)
#define INPUT(folder, judge) \
    ROW("bad_input", "robust", 1, \
        "strtol() is not asked whether it used the whole text, or the range " \
        "is not checked before the work begins.", \
        folder "/README.md", judge)
#define REFUSED(folder, judge) \
    SLOW("refused", "robust", 1, \
        "The result of a call that asks the system for something is not " \
        "looked at, or is not told.", \
        folder "/README.md", judge)
#define MEMORY(folder, of, judge) \
    SLOW("memory", "clean", of, \
        "Each calloc() needs its free(), each curl_easy_init() its cleanup, " \
        "and no access lies outside an object.", \
        folder "/README.md", judge)
#define LEFT(folder, judge) \
    SLOW("left", "clean", 1, \
        "What is opened is to be closed, for each job with it; what has a " \
        "name in the kernel outlives the program.", \
        folder "/README.md", judge)
#define WAITS(folder, judge) \
    SLOW("waits", "clean", 1, \
        "It looks again and again, instead of waiting in a call that ends " \
        "when there is something.", \
        folder "/README.md", judge)
#define EDGES(folder, of, judge) \
    SLOW("edges", "robust", of, \
        "A type that is too small for a product or a sum, an array of a " \
        "fixed size, or a name that is taken for unique.", \
        folder "/README.md", judge)
#define EVERY_ORDER(where, judge) \
    SLOW("every_order", "tool", 5, \
        "Two of its threads or processes use the same thing, and one came in " \
        "between, where the other expected that none would.", \
        where, judge)
/* clang-format on */

static const struct check quotes_in_turn[] = {
    BUILD("01-sequential"),
    ROW("quotes", "output", 3,
        "Each symbol has two lines: \"SYMBOL: asking ...\" and \"SYMBOL: \" "
        "with the line that the site sent, without its newline.",
        "01-sequential/README.md", check_quotes_in_turn),
    ROW("told", "output", 1,
        "The last line on stderr says how many came, in how long, and how much "
        "of it was waiting.",
        "01-sequential/README.md", check_told_in_turn),
    ROW("in_turn", "tool", 3,
        "This is the baseline: the next symbol is asked for when the last has "
        "come, at once, and by the same thread.",
        "01-sequential/README.md", check_one_in_flight),
    ROW("waiting", "tool", 3,
        "CPU time is user and system time together, in seconds and "
        "microseconds; what is left of the elapsed time was waiting.",
        "01-sequential/README.md, Does it wait, or does it compute?",
        check_waiting),
    ROW("pieces", "tool", 2,
        "An answer comes in as many pieces as the network likes: they are to "
        "be put together, and the newline may come by itself.",
        "01-sequential/README.md", check_pieces_in_turn),
    ROW("failures", "robust", 2,
        "Without CURLOPT_FAILONERROR a 404 counts as success; the result of "
        "curl_easy_perform() is to be looked at for each symbol.",
        "01-sequential/README.md, Modify", check_failures_in_turn),
    ROW("timeout", "robust", 1,
        "CURLOPT_TIMEOUT 30 on each handle: less gives up a slow site, none "
        "waits for ever, and another option is no limit for the whole.",
        "01-sequential/README.md", check_timeout_in_turn),
    INPUT("01-sequential", check_input_in_turn),
    MEMORY("01-sequential", 2, check_memory_in_turn),
    WAITS("01-sequential", check_waits_in_turn),
    {.name = NULL},
};

static const struct check tables[] = {
    BUILD("02-threads"),
    ROW("results", "output", 3,
        "A worker prints a result when it has it; the results are printed by "
        "main, in the order asked, when all are loaded.",
        "02-threads/README.md", check_tables_results),
    ROW("times", "output", 1,
        "A table of S seconds takes S times -m milliseconds, no more and no "
        "less, between its two lines.",
        "02-threads/README.md", check_tables_times),
    ROW("pool", "tool", 2,
        "Tables are dealt out in advance or in rounds, instead of being taken "
        "one by one by whichever thread is free; or there is a thread too few "
        "or too many.",
        "02-threads/README.md, Investigate", check_tables_pool),
    ROW("workers", "tool", 1, "The threads are not those of a pool of -w.",
        "02-threads/README.md, Investigate", check_tables_workers),
    EVERY_ORDER("02-threads/README.md, Investigate", check_tables_every_order),
    REFUSED("02-threads", check_tables_refused),
    EDGES("02-threads", 2, check_tables_edges),
    INPUT("02-threads", check_tables_input),
    MEMORY("02-threads", 1, check_tables_memory),
    LEFT("02-threads", check_tables_left),
    WAITS("02-threads", check_tables_waits),
    {.name = NULL},
};

static const struct check squares[] = {
    BUILD("03-processes"),
    ROW("sums", "output", 3,
        "A result comes back through a pipe, not through a variable, and the "
        "remainder is taken at each step.",
        "03-processes/README.md", check_squares_sums),
    SLOW("adds", "output", 1,
        "The sum is computed by a formula, or by the parent; it is to be "
        "added, by a child, as the exercise is about work that needs the CPU.",
        "03-processes/README.md", check_squares_adds),
    ROW("parallel", "tool", 2,
        "wait() inside the loop that starts the processes.",
        "03-processes/README.md, Modify", check_squares_parallel),
    SLOW("as_completed", "tool", 1,
        "The parent waits for its children in the order it started them.",
        "03-processes/README.md", check_squares_as_completed),
    EVERY_ORDER(
        "03-processes/README.md, Investigate", check_squares_every_order),
    SLOW("killed", "robust", 1,
        "The status of wait() is not looked at, or the parent waits for a "
        "result that can no longer come, or does not wait for the others.",
        "03-processes/README.md, Modify", check_squares_killed),
    REFUSED("03-processes", check_squares_refused),
    EDGES("03-processes", 1, check_squares_edges),
    INPUT("03-processes", check_squares_input),
    MEMORY("03-processes", 1, check_squares_memory),
    LEFT("03-processes", check_squares_left),
    WAITS("03-processes", check_squares_waits),
    {.name = NULL},
};

static const struct check quotes_at_once[] = {
    BUILD("04-async"),
    ROW("quotes", "output", 4,
        "Each symbol has two lines: \"SYMBOL: asking ...\" and \"SYMBOL: \" "
        "with the line that the site sent, without its newline.",
        "04-async/README.md", check_quotes_at_once),
    ROW("in_flight", "tool", 3,
        "The next transfer is added only when all of a batch have come, or "
        "each is waited for by itself.",
        "04-async/README.md", check_in_flight),
    ROW("flight_limit", "tool", 2,
        "All handles are added at once; a limit on connections is no limit on "
        "transfers: who waits in curl's queue has not been asked.",
        "04-async/README.md", check_flight_limit),
    ROW("alone", "tool", 2,
        "The work is done by other threads or by another program.",
        "04-async/README.md", check_alone_at_once),
    ROW("pieces", "tool", 1,
        "An answer comes in as many pieces as the network likes, and those of "
        "several symbols come mixed: each has a place of its own.",
        "04-async/README.md", check_pieces_at_once),
    ROW("failures", "robust", 2,
        "Without CURLOPT_FAILONERROR a 404 counts as success; the result of "
        "each transfer is in its message, not in that of the multi handle.",
        "04-async/README.md", check_failures_at_once),
    ROW("timeout", "robust", 1,
        "CURLOPT_TIMEOUT 30 on each handle: less gives up a slow site, and it "
        "begins when the symbol is asked for, not when all begin.",
        "04-async/README.md", check_timeout_at_once),
    INPUT("04-async", check_input_at_once),
    MEMORY("04-async", 2, check_memory_at_once),
    WAITS("04-async", check_waits_at_once),
    {.name = NULL},
};

static const struct check wedding[] = {
    BUILD("05-queue"),
    ROW("tasks", "output", 3,
        "Each task is done once; an end mark in the queue is no task.",
        "05-queue/README.md", check_wedding_tasks),
    ROW("times", "output", 1,
        "A task lasts HOURS times -m milliseconds between its two lines; the "
        "hours in all are rounded.",
        "05-queue/README.md", check_wedding_times),
    ROW("order", "tool", 1,
        "The longest first, those of equal length as given: qsort() may "
        "change the order of equals.",
        "05-queue/README.md", check_wedding_order),
    ROW("busy", "tool", 1,
        "Tasks are dealt out in advance, or in rounds, or one after another, "
        "instead of being taken by whoever is free.",
        "05-queue/README.md", check_wedding_busy),
    ROW("friends", "tool", 1,
        "A thread or process for each task, or none at all, instead of one "
        "for each friend.",
        "05-queue/README.md", check_wedding_friends),
    EVERY_ORDER("05-queue/README.md, Investigate", check_wedding_every_order),
    REFUSED("05-queue", check_wedding_refused),
    SLOW("killed", "robust", 1,
        "The status of wait() is not looked at, or somebody waits for a friend "
        "who can no longer come.",
        "05-queue/README.md", check_wedding_killed),
    EDGES("05-queue", 1, check_wedding_edges),
    INPUT("05-queue", check_wedding_input),
    MEMORY("05-queue", 1, check_wedding_memory),
    LEFT("05-queue", check_wedding_left),
    WAITS("05-queue", check_wedding_waits),
    {.name = NULL},
};

static const struct check pantry[] = {
    BUILD("06-locks"),
    ROW("portions", "output", 4,
        "Both portions are taken or none, and the counts are printed when all "
        "cooks have ended.",
        "06-locks/README.md", check_pantry_portions),
    EVERY_ORDER("06-locks/README.md, Investigate", check_pantry_every_order),
    ROW("concurrent", "tool", 2,
        "One lock for all shelves: cooks at different shelves wait for each "
        "other. Give each shelf its own.",
        "06-locks/README.md", check_pantry_concurrent),
    ROW("one_at_a_shelf", "tool", 1,
        "The sleep lies outside the lock, or there is none, so two cooks take "
        "from one shelf at the same time.",
        "06-locks/README.md", check_pantry_one_at_a_shelf),
    REFUSED("06-locks", check_pantry_refused),
    EDGES("06-locks", 2, check_pantry_edges),
    INPUT("06-locks", check_pantry_input),
    MEMORY("06-locks", 1, check_pantry_memory),
    LEFT("06-locks", check_pantry_left),
    WAITS("06-locks", check_pantry_waits),
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

const struct course course = {exercises, lessons, judge_begun};
