/*
 * parent.h - what the files of the parent share: runs, outcomes, the search
 */
#ifndef EXPLORE_PARENT_H
#define EXPLORE_PARENT_H

#include "explore/explore.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>

#define S(n) ((n) == 1 ? "" : "s")
enum { MOST_OUTPUT = 1 << 20, MOST_OUTCOMES = 64, MOST_SCHEDULE = 1 << 20 };

/* What was asked for, from the environment. */
struct settings {
    int bound;        /* preemptions at most, or ALL */
    int right_status; /* the exit status of a right run */
    bool any_outcome, any_order;
    const char *expect; /* what a right run prints, NULL: not known */
    const char *reject; /* what a wrong run prints, NULL: not known */
    const char *input;  /* a file, NULL: none */
    double cpu_s;       /* so much computing ends the search, 0: none does */
    long schedules;     /* so many end it, 0: none do */
};
extern struct settings settings;

/* ---- run.c ---- */

extern long runs;
void run_prepare(int argc, char *argv[]); /* once, before the first run */
/* Runs the program once, as sh->given prescribes; its status as of waitpid. */
int run(void);
double cpu_seconds(void); /* of all runs and this process */
/* Why the last run cannot count, in words that live until the next call, or
   NULL. */
const char *run_unfit(int status);
/* What the last run printed; the length. Lost, if not NULL: what was to come
   when the program ended. */
size_t run_output(const char **text, const char **lost);
size_t run_errors(const char **text);

/* ---- outcome.c ---- */

struct outcome {
    uint64_t hash;  /* of all that makes it another one */
    uint64_t lines; /* of its lines in any order */
    bool fault;     /* wrong, whatever the others are */
    bool rejected;  /* the one that was asked for: a fault, too */
    long count;
    char text[4000]; /* in one line */
};

/* The outcomes of a search. */
struct tally {
    struct outcome outcomes[MOST_OUTCOMES];
    int noutcomes;
    long schedules, wrong, racy, more; /* more: with outcomes beyond the most */
    char race[MOST_TEXT];              /* the first */
    uint64_t lines; /* of the first that is no fault, in any order */
    bool has_lines, other_lines; /* other: some had not these lines */
};
extern struct tally tally;

/* The worst that was found, the first with the fewest preemptions: it outlives
   searches that begin again. NOTHING to REJECTED: what is shown before what.
 */
struct failure {
    enum rank {
        NOTHING,
        DIFFERENT,
        RACE,
        RACE_DIFFERENT,
        FAULT,
        REJECTED
    } rank;
    int cost, uses_learned;
    struct outcome outcome;
    char schedule[MOST_SCHEDULE];
};
extern struct failure failure;
extern long first_failure; /* the run that showed one, races apart; 0: none */

/* Of the last run. */
struct outcome outcome_get(int status);
void outcome_count(int status);
void outcome_forget(void); /* all but the failure: a search begins again */
int outcomes_fine(void);   /* how many there are that are no faults */
/* Did nobody say which of them are right, or which is wrong? */
bool outcomes_unjudged(void);
/* Are there several, and whoever asked takes any of them? */
bool outcomes_taken_as_they_are(void);
/* Do those differ in the order of their lines only? */
bool outcomes_differ_in_order(void);
/* right, wrong; seen: any will do; reference, other: nobody can say. */
const char *outcome_word(int number);

/* ---- search.c ---- */

extern volatile sig_atomic_t stopped; /* by this signal */
extern const char *stopped_why;       /* or by this, NULL: it was not */
extern bool bounded_away; /* a choice was left out, because of the bound */
/* Runs schedule after schedule; by_preemptions: first those with the fewest,
   else first those with at most two choices that are not the usual ones.
   each begins with so many steps of sh->given. enough, if not NULL, is asked
   after each run. Returns why the program cannot be explored, or NULL. */
const char *search(bool by_preemptions, int begin, bool (*enough)(void));
/* Was everything with fewer preemptions tried? */
bool search_tried_below(int preemptions);

/* ---- words.c ---- */

/* The last run as a string for REPLAY, and back; false: it is none. */
void schedule_write(char *text, size_t size);
bool schedule_read(const char *text);

/* ---- report.c ---- */

void report_outcomes(void);
/* Runs REPLAY's schedule, and shows it; the exit status. */
int report_replay(const char *schedule, bool expect_failure);
int report_verdict(void); /* the last words; the exit status */

/* ---- play.c ---- */

int play(const char *exe); /* the reader is the scheduler; the exit status */

#endif
