/*
 * play.c - the parent: the reader is the scheduler
 *
 * Design. A game is a list of choices. After each one the program runs again
 * from the beginning with these choices given, up to the next place where there
 * is something to choose; so a step back is a run with one choice less. Where
 * only one thread can go on, it goes on by itself. Explore has looked first: it
 * knows the places to choose at, the outcomes, and the fewest preemptions that
 * lead to a failure.
 */
#define _GNU_SOURCE
#include "explore/parent.h"

#include <ctype.h>
#include <err.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_LOOKED_AT = 5000 }; /* schedules, before the game and for a hint */

static struct step taken[MOST_STEPS]; /* the choices so far, */
static bool forced[MOST_STEPS];       /* and whether there was no other */
static int ntaken;
static struct tally all;          /* what explore found */
static bool found[MOST_OUTCOMES]; /* of these, by the player */
static int goal; /* FAULT, DIFFERENT; NOTHING: nobody can win */
static int fewest;
static bool fewest_proved;

/* Prints text with marks, by names.awk: see explore.sh. */
static void show(const char *exe, const char *text) {
    char variable[1100], scripts[2][600];
    const char *names = getenv("NAMES");
    names = names != NULL ? names : "tests/explore";
    snprintf(scripts[0], sizeof scripts[0], "%s/debug.awk", names);
    snprintf(scripts[1], sizeof scripts[1], "%s/names.awk", names);
    int file = memfd_create("screen", 0);
    snprintf(variable, sizeof variable, "exe=%s", exe);
    fflush(stdout);
    if (file == -1 || write(file, text, strlen(text)) == -1 ||
        lseek(file, 0, SEEK_SET) == -1)
        err(2, "explore: a screen");
    pid_t pid = fork();
    if (pid == -1)
        err(2, "explore: fork");
    if (pid == 0) {
        dup2(file, STDIN_FILENO);
        execlp("awk", "awk", "-v", variable, "-f", scripts[0], "-f", scripts[1],
            (char *)NULL);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
    close(file);
}

/* The exit status. */
static int cannot_play(const char *exe, const char *why) {
    char text[MOST_TEXT + 300];
    snprintf(text, sizeof text, TO_STDERR "explore: cannot play %.200s: %s\n",
        exe, why);
    show(exe, text);
    return 2;
}

/* ---------- What explore knows ---------- */

static bool is_goal(const struct outcome *o) {
    if (o->fault || goal != DIFFERENT)
        return o->fault;
    int first = 0;
    while (all.outcomes[first].fault)
        first++;
    return o->hash != all.outcomes[first].hash;
}

static bool goal_reached(void) {
    for (int i = 0; i < tally.noutcomes; i++)
        if (is_goal(&tally.outcomes[i]))
            return true;
    return false;
}

/* Before the game. Why it cannot be played, or NULL. */
static const char *look_first(void) {
    if (settings.schedules == 0)
        settings.schedules = MOST_LOOKED_AT;
    puts("explore looks at the orders first ...");
    const char *unfit = search(true, 0, NULL);
    if (unfit != NULL && tally.schedules == 0)
        return unfit;
    all = tally;
    goal = all.wrong > 0 ? FAULT : outcomes_fine() > 1 ? DIFFERENT : NOTHING;
    printf("%ld schedules, %d outcome%s%s. ", all.schedules, all.noutcomes,
        S(all.noutcomes), stopped_why != NULL ? " up to there" : "");
    if (goal == NOTHING)
        printf("Nobody can win: no order with at most\n%d preemptions goes "
               "wrong%s.\n",
            settings.bound, stopped_why != NULL ? ", of those it tried" : "");
    else
        puts(goal == FAULT ? "You win when it goes wrong."
                           : "You win with another outcome than the usual.");
    if (goal != NOTHING) {
        search(true, 0, goal_reached);
        fewest = sh->cost;
        fewest_proved = search_tried_below(fewest);
    }
    return NULL;
}

/* Who goes next on the way to a failure with the fewest preemptions, -1: no
   way was found. */
static int look_ahead(void) {
    struct failure *kept = malloc(sizeof failure);
    if (kept == NULL)
        err(2, "explore");
    *kept = failure;
    for (int k = 0; k < ntaken; k++)
        sh->given[k] = (struct given){k, taken[k].choice, 0};
    search(true, ntaken, goal_reached);
    failure = *kept;
    free(kept);
    return goal_reached() && sh->nsteps > ntaken ? sh->steps[ntaken].choice
                                                 : -1;
}

/* ---------- A move ---------- */

/* Runs what was chosen, and on to the next choice. Its status as of waitpid. */
static int run_on(void) {
    for (;;) {
        for (int k = 0; k < ntaken; k++)
            sh->given[k] = (struct given){k, taken[k].choice, 0};
        sh->ngiven = sh->pause_at = ntaken;
        sh->shown = true;
        sh->uses_learned = sh->nlearned;
        int status = run();
        sh->shown = false;
        if (sh->fault != PAUSE || ntaken == MOST_STEPS - 2)
            return status;
        const struct step *s = &sh->steps[ntaken];
        if (__builtin_popcountll(s->enabled) + (s->spurious != 0) != 1)
            return status;
        taken[ntaken] = *s;
        forced[ntaken++] = true;
    }
}

static void undo(void) {
    while (ntaken > 0 && forced[ntaken - 1])
        ntaken--;
    if (ntaken > 0)
        ntaken--;
}

/* A thread's letter, or with * for a wait that needs no signal; nothing: the
   usual one. -1: none of those that can go on. */
static int choice_of(const char *word, const struct step *s) {
    char name[8];
    size_t n = strcspn(word, "*");
    if (*word == '\0')
        return s->usual;
    for (int t = 0; t < MOST_THREADS; t++) {
        snprintf(name, sizeof name, "%s", t == 0 ? "M" : thread_name(t));
        if (strlen(name) != n || strncasecmp(name, word, n) != 0)
            continue;
        uint64_t which = word[n] == '*' ? s->spurious : s->enabled;
        return which >> t & 1 ? t + (word[n] == '*') * SPURIOUS : -1;
    }
    return -1;
}

static void choose(const char *word) {
    const struct step *s = &sh->steps[ntaken];
    int choice = choice_of(word, s);
    if (choice == -1) {
        printf("%s cannot go on now\n", word);
        return;
    }
    taken[ntaken] = *s;
    taken[ntaken].choice = (uint8_t)choice;
    forced[ntaken++] = false;
}

static void hint(void) {
    int next = goal != NOTHING ? look_ahead() : -1;
    if (goal == NOTHING)
        puts("hint: nobody can win, as far as explore has seen");
    else if (next == -1)
        puts("hint: from here no way to a failure was found; u goes back");
    else
        printf("hint: %s should go next%s\n", thread_name(next % SPURIOUS),
            next >= SPURIOUS ? ", without a signal (*)" : "");
}

/* ---------- The screen ---------- */

static void show_turn(const char *exe) {
    printf("\nstep %d, %d preemption%s. Who goes next?\n", ntaken + 1, sh->cost,
        S(sh->cost));
    show(exe, sh->table + sh->situation);
    const struct step *s = &sh->steps[ntaken];
    for (uint64_t left = s->enabled; left != 0; left &= left - 1) {
        int t = __builtin_ctzll(left);
        for (const char *c = t == 0 ? "m" : thread_name(t); *c != '\0'; c++)
            putchar(t == 0 || strchr("uhrsq", tolower(*c)) == NULL ? tolower(*c)
                                                                   : *c);
        printf(", ");
        if (s->spurious >> t & 1)
            printf("%s* (without a signal), ", thread_name(t));
    }
    printf("Enter (%s); u undo, r restart, h hint, s steps, q quit > ",
        thread_name(s->usual));
    fflush(stdout);
}

static void tell_preemptions(void) {
    printf("You needed %d preemption%s; ", sh->cost, S(sh->cost));
    int known = fewest < sh->cost ? fewest : sh->cost;
    if (!fewest_proved)
        printf("at most %d %s needed.\n", known, known == 1 ? "is" : "are");
    else if (sh->cost > fewest)
        printf("%d %s enough.\n", fewest, fewest == 1 ? "is" : "are");
    else
        printf("there is no way with fewer.\n");
}

static void show_end(const char *exe, int status) {
    static char text[8000];
    struct outcome o = outcome_get(status);
    char schedule[2000];
    int known = 0;
    for (int i = 0; i < all.noutcomes; i++) {
        found[i] = found[i] || all.outcomes[i].hash == o.hash;
        known += found[i];
    }
    schedule_write(schedule, sizeof schedule);
    snprintf(text, sizeof text, "%.3900s\nThe end: %s",
        sh->fault == STUCK ? sh->table : "", o.text);
    putchar('\n');
    show(exe, text);
    puts(is_goal(&o) ? "A failure: you win."
                     : "No failure. u goes a step back, r to the beginning.");
    printf("Your schedule: REPLAY=%s\n", schedule);
    if (is_goal(&o))
        tell_preemptions();
    printf("You have found %d of %d outcomes.\nu undo, r restart, s steps, q "
           "quit > ",
        known, all.noutcomes);
    fflush(stdout);
}

/* False: the player leaves. */
static bool command(const char *exe, const char *word, bool over) {
    if (strcmp(word, "q") == 0)
        return false;
    if (strcmp(word, "u") == 0)
        undo();
    else if (strcmp(word, "r") == 0)
        ntaken = 0;
    else if (strcmp(word, "s") == 0) {
        if (sh->fault == PAUSE)
            sh->table[sh->situation] = '\0';
        show(exe, sh->table);
    } else if (over)
        puts("it is at its end");
    else if (strcmp(word, "h") == 0)
        hint();
    else
        choose(word);
    return true;
}

int play(const char *exe) {
    char line[100];
    const char *unfit = look_first();
    if (unfit != NULL)
        return cannot_play(exe, unfit);
    do {
        int status = run_on();
        bool over = sh->fault != PAUSE;
        unfit = over ? run_unfit(status) : NULL;
        if (unfit != NULL)
            return cannot_play(exe, unfit);
        if (over)
            show_end(exe, status);
        else
            show_turn(exe);
        if (fgets(line, sizeof line, stdin) == NULL)
            snprintf(line, sizeof line, "q");
        line[strcspn(line, " \t\r\n")] = '\0';
        if (!isatty(STDIN_FILENO))
            puts(line); /* as a terminal shows it */
        if (!command(exe, line, sh->fault != PAUSE))
            break;
    } while (true);
    return 0;
}
