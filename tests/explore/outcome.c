/*
 * outcome.c - the parent: what came of a run, and which of them is right
 *
 * Wrong is what no order of the threads may do: a deadlock, a crash, another
 * exit status than the right one, output that is not what was expected, a line
 * that is lost because the program ended before the thread that prints it. Of
 * other outcomes nobody here can say which one is right: the first is called
 * the reference.
 */
#define _GNU_SOURCE
#include "explore/parent.h"

#include <string.h>
#include <sys/wait.h>

struct tally tally;
struct failure failure;
long first_failure;

/* ---------- Output by lines ---------- */

static uint64_t hash_text(uint64_t hash, const char *text, size_t n) {
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001B3u;
    return hash;
}

/* The same in any order of the lines. */
static uint64_t hash_lines(const char *text, size_t n) {
    uint64_t sum = 0;
    while (n > 0) {
        const char *end = memchr(text, '\n', n);
        size_t length = end != NULL ? (size_t)(end - text) : n;
        uint64_t line = hash_text(1, text, length) + 1;
        sum += line * (line >> 32 | 1);
        length += end != NULL;
        text += length;
        n -= length;
    }
    return sum;
}

/* ---------- The outcome of the last run ---------- */

/* Newlines become slashes. Standard error is shown, and counts for nothing. */
static void one_line(char *text) {
    size_t n = strlen(text);
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '/'))
        text[--n] = '\0';
    for (; *text != '\0'; text++)
        if (*text == '\n')
            *text = '/';
}

/* Does the text say what is wanted? */
static bool is_this(const char *wanted, const char *text, size_t n) {
    static char expected[MOST_OUTPUT], got[MOST_OUTPUT + 1];
    snprintf(expected, sizeof expected, "%s", wanted);
    snprintf(got, sizeof got, "%.*s", (int)n, text);
    one_line(expected);
    one_line(got);
    if (!settings.any_order)
        return strcmp(expected, got) == 0;
    for (char *c = expected; *c != '\0'; c++)
        *c = (char)(*c == '/' ? '\n' : *c);
    for (char *c = got; *c != '\0'; c++)
        *c = (char)(*c == '/' ? '\n' : *c);
    return hash_lines(expected, strlen(expected)) ==
           hash_lines(got, strlen(got));
}

static void tell(struct outcome *o, int status, const char *printed) {
    const char *said = "";
    if (o->fault)
        run_errors(&said);
    const char *between = *printed != '\0' && *said != '\0' ? " | " : "";
    if (sh->fault != NONE)
        snprintf(o->text, sizeof o->text, "%s", sh->text);
    else if (WIFSIGNALED(status))
        snprintf(o->text, sizeof o->text, "crash: %s%s%.3000s%s%s",
            strsignal(WTERMSIG(status)), *printed || *said ? ": " : "", printed,
            between, said);
    else
        snprintf(o->text, sizeof o->text, "exit %d: %.3000s%s%s",
            WEXITSTATUS(status), printed, between, said);
}

/* The program ended before a thread that was to print. */
static bool lost_line(struct outcome *o, const char *lost) {
    if (sh->lost_by < 0 || *lost == '\0' || settings.any_outcome)
        return false;
    size_t length = strcspn(lost, "\n");
    snprintf(o->text, sizeof o->text,
        "%s ended, %s had not: its line \"%.*s\" was lost",
        thread_name(sh->ender), thread_name(sh->lost_by),
        (int)(length < 500 ? length : 500), lost);
    o->hash = hash_text(3, o->text, strlen(o->text));
    return o->fault = true;
}

struct outcome outcome_get(int status) {
    static char printed[MOST_OUTPUT + 1];
    const char *text, *lost, *said;
    size_t n = run_output(&text, &lost), e = run_errors(&said);
    bool exited = sh->fault == NONE && WIFEXITED(status);
    struct outcome o = {.count = 1};
    memcpy(printed, text, n);
    printed[n] = '\0';
    o.fault = !exited || WEXITSTATUS(status) != settings.right_status;
    o.lines = hash_lines(printed, n);
    if (!o.fault && lost_line(&o, lost))
        return o;
    if (!o.fault && settings.expect != NULL)
        o.fault = !is_this(settings.expect, printed, n);
    if (!o.fault && settings.reject != NULL)
        o.fault = o.rejected = is_this(settings.reject, printed, n);
    tell(&o, status, printed);
    if (exited)
        o.hash = (settings.any_order ? o.lines : hash_text(2, printed, n)) +
                 (unsigned)WEXITSTATUS(status);
    else if (sh->fault != NONE)
        o.hash = hash_text(4, o.text, strlen(o.text));
    else /* what it printed up to there varies */
        o.hash = hash_text((uint64_t)WTERMSIG(status) + 5, said, e);
    one_line(o.text);
    return o;
}

/* ---------- All of them ---------- */

void outcome_forget(void) {
    memset(&tally, 0, sizeof tally);
}

int outcomes_fine(void) {
    int fine = 0;
    for (int i = 0; i < tally.noutcomes; i++)
        fine += !tally.outcomes[i].fault;
    return fine;
}

bool outcomes_unjudged(void) {
    return !settings.any_outcome && settings.expect == NULL &&
           settings.reject == NULL;
}

bool outcomes_taken_as_they_are(void) {
    return settings.any_outcome && outcomes_fine() > 1;
}

bool outcomes_differ_in_order(void) {
    return outcomes_fine() > 1 && !tally.other_lines;
}

const char *outcome_word(int number) {
    if (tally.outcomes[number].fault)
        return "wrong";
    if (outcomes_taken_as_they_are())
        return "seen";
    if (outcomes_fine() == 1 || !outcomes_unjudged())
        return "right";
    for (int i = 0; i < number; i++)
        if (!tally.outcomes[i].fault)
            return "other";
    return "reference";
}

static void keep_failure(const struct outcome *o, bool other) {
    bool race = *sh->race != '\0';
    int rank = o->rejected ? REJECTED
               : o->fault  ? FAULT
               : race      ? (int)RACE + other
               : other     ? DIFFERENT
                           : NOTHING;
    if (rank == NOTHING || rank < (int)failure.rank ||
        (rank == (int)failure.rank && sh->cost >= failure.cost))
        return;
    failure.rank = (enum rank)rank;
    failure.cost = sh->cost;
    failure.uses_learned = sh->uses_learned;
    failure.outcome = *o;
    schedule_write(failure.schedule, sizeof failure.schedule);
}

/* Which one of the outcomes it is; the first time, a new one. */
static int number_of(const struct outcome *o) {
    int i = 0;
    while (i < tally.noutcomes && tally.outcomes[i].hash != o->hash)
        i++;
    if (i < tally.noutcomes)
        tally.outcomes[i].count++;
    else if (i < MOST_OUTCOMES)
        tally.outcomes[tally.noutcomes++] = *o;
    else
        tally.more++;
    return i;
}

void outcome_count(int status) {
    struct outcome o = outcome_get(status);
    int number = number_of(&o);
    if (!o.fault && !tally.has_lines)
        tally.lines = o.lines;
    tally.has_lines |= !o.fault;
    tally.other_lines |= !o.fault && o.lines != tally.lines;
    tally.schedules++;
    tally.wrong += o.fault;
    if (*sh->race != '\0' && tally.racy++ == 0)
        memcpy(tally.race, sh->race, sizeof tally.race);
    bool listed = number < MOST_OUTCOMES;
    if (first_failure == 0 &&
        (o.fault || !listed || strcmp(outcome_word(number), "other") == 0))
        first_failure = runs;
    keep_failure(
        &o, !o.fault && outcomes_unjudged() &&
                (!listed || strcmp(outcome_word(number), "other") == 0));
}
