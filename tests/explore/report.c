/*
 * report.c - the parent: what is printed
 */
#define _GNU_SOURCE
#include "explore/parent.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void report_failure(void) {
    static const char *const what[] = {"", "with another outcome",
        "with a data race", "with a data race and another outcome",
        "that goes wrong", "that goes wrong"};
    printf("\nThe first schedule %s (%d preemption%s): %s\n",
        what[failure.rank], failure.cost, S(failure.cost),
        failure.outcome.text);
}

void report_outcomes(void) {
    size_t widest = 0;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
    printf("%ld schedule%s, %s%d outcome%s\n", tally.schedules,
        S(tally.schedules), tally.more > 0 ? "more than " : "", tally.noutcomes,
        S(tally.noutcomes));
    for (int i = 0; i < tally.noutcomes; i++)
        if (strlen(outcome_word(i)) > widest)
            widest = strlen(outcome_word(i));
    for (int i = 0; i < tally.noutcomes; i++)
        printf("%8ld  %-*s  %s\n", tally.outcomes[i].count, (int)widest,
            outcome_word(i), tally.outcomes[i].text);
    if (tally.more > 0)
        printf("%8ld  with outcomes that are not listed\n", tally.more);
    if (tally.racy > 0)
        printf("data race in %ld of %ld schedules, the first: %s\n", tally.racy,
            tally.schedules, tally.race);
    if (failure.rank != NOTHING)
        report_failure();
}

int report_replay(const char *schedule, bool expect_failure) {
    if (!schedule_read(schedule)) {
        fprintf(stderr, "explore: REPLAY=%s: that is no schedule\n", schedule);
        return 2;
    }
    sh->shown = true;
    sh->pause_at = -1;
    int status = run();
    const char *unfit = run_unfit(status);
    struct outcome o = outcome_get(status);
    sh->shown = false;
    if (unfit != NULL && !expect_failure) {
        printf(TO_STDERR "explore: cannot replay %s: %s\n", schedule, unfit);
        return 2;
    }
    printf("\n%s", sh->table);
    if (sh->fault > STUCK || WIFSIGNALED(status))
        printf("  %s got as far as " LINE_TEXT "\n", thread_name(sh->running),
            LINE_OF(sh->pc));
    if (expect_failure && (unfit != NULL || o.hash != failure.outcome.hash))
        printf("\nThe replay did something else: %s\nThen what the program does"
               " depends on more than the order of its threads,\nperhaps on a "
               "variable that was never set, or on what it reads.\n",
            unfit != NULL ? unfit : o.text);
    printf("\nREPLAY=%s: %s\n", schedule,
        expect_failure ? failure.outcome.text : o.text);
    return o.fault || *sh->race != '\0';
}

static const char *within(void) {
    static char text[64] = "";
    if (stopped_why != NULL)
        snprintf(text, sizeof text, " tried so far");
    else if (bounded_away)
        snprintf(text, sizeof text, " with at most %d preemption%s",
            settings.bound, S(settings.bound));
    return text;
}

/* Nobody can say which one is right. */
static void tell_different(void) {
    printf("%d outcomes; the first one seen is called the reference, though it "
           "may be the\nwrong one\n",
        outcomes_fine());
    if (outcomes_differ_in_order())
        printf(
            "they differ in the order of the lines only: if that does not "
            "matter, write\n\"Outcomes: any order\" into the program's header"
            " (or OUTCOMES=\"any order\")\n");
    else
        printf("say which is right: EXPECT=\"...\" or \"Expect: ...\" in the "
               "header, or \"Outcomes: any\"\n");
}

int report_verdict(void) {
    double took = cpu_seconds();
    bool undecided = outcomes_fine() > 1 && outcomes_unjudged();
    printf(
        "%ld runs in %.2f s, %.0f a second", runs, took, (double)runs / took);
    if (first_failure > 0)
        printf("; run %ld was the first to %s", first_failure,
            failure.rank == DIFFERENT ? "differ" : "fail");
    printf("\nIt cannot see: weak memory (sequential consistency only), inside "
           "system calls\n(one step each), inside libraries (not "
           "instrumented).\n");
    if (stopped_why != NULL)
        printf("%s: not all schedules were tried\n", stopped_why);
    if (undecided && failure.rank < FAULT)
        tell_different();
    if (failure.rank >= FAULT && tally.wrong == 0)
        printf("wrong in a schedule found before the search began again; it "
               "needs %d preemption%s\n",
            failure.cost, S(failure.cost));
    else if (failure.rank >= FAULT)
        printf("wrong in %ld of %ld schedules%s; the shortest%s needs %d "
               "preemption%s\n",
            tally.wrong, tally.schedules,
            stopped_why != NULL ? " tried so far" : "",
            search_tried_below(failure.cost) ? "" : " found", failure.cost,
            S(failure.cost));
    else if (failure.rank >= RACE)
        printf("%s, but there is a data race in %ld of %ld schedules%s\n",
            undecided || outcomes_taken_as_they_are()
                ? "no outcome is a fault"
                : "every outcome is right",
            tally.racy, tally.schedules, within());
    else if (outcomes_taken_as_they_are())
        printf("no deadlock, crash or data race in all %ld schedule%s%s\n"
               "%d outcomes, of which none was judged (\"Outcomes: any\")\n",
            tally.schedules, S(tally.schedules), within(), outcomes_fine());
    else if (!undecided)
        printf("right in all %ld schedule%s%s\n", tally.schedules,
            S(tally.schedules), within());
    return failure.rank != NOTHING ? 1 : stopped_why != NULL ? 3 : 0;
}
