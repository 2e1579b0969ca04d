/*
 * grade.c - the grader
 *
 * Usage: grade [-e EXERCISE]... [-s SEED] [-o DIR] [-b LEVEL] [-t] [-g CONF]
 *            [-l] [-q] SUBMISSION
 *
 * Takes a submission in, builds it, runs the checks of every exercise, or of
 * those that are named, and tells what became of each: as a table on stdout and
 * in reports in DIR. Each check runs in a process of its own, so that nothing
 * it meets can end the grader. Run it from the top of the source tree.
 *
 * Exit status: 0 full marks, 1 not full marks, 2 wrong usage, 3 nothing could
 * be graded or not all of the table written, 128 + n stopped by signal n.
 */
#define _GNU_SOURCE
#include "grader/build.h"
#include "grader/enclose.h"
#include "grader/formats.h"
#include "grader/hidden.h"
#include "grader/intake.h"
#include "grader/order.h"
#include "grader/report.h"
#include "grader/sandbox.h"
#include "grader/table.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_EXERCISES = 64 };

struct grader {
    struct report report;
    enum sandbox_level sandbox; /* the first to be tried */
    bool trust;                 /* the submission is our own */
    struct submission submission;
    const char *only[MOST_EXERCISES]; /* their paths; none: all */
    size_t only_count;
    const struct exercise *chosen[MOST_EXERCISES];
    size_t chosen_count;
    const char *directory;
    bool quick; /* leaves out the slow checks */
    bool lines; /* a line a check for programs, instead of the table */
};

/* ---------- One exercise ---------- */

/* The same outcome for all checks of an exercise. */
static void all_alike(struct grader *grader, const struct exercise *e,
    enum outcome outcome, const struct verdict *why) {
    for (size_t i = 0; i < grader->report.count; i++) {
        struct result *r = &grader->report.results[i];
        if (r->exercise != e)
            continue;
        r->outcome = outcome;
        r->finding.verdict = *why;
    }
}

/* Calls the function apart, before any check. False when it found a fault, and
 * all checks have been told so. */
static bool first_of_all(struct grader *grader, const struct exercise *e,
    struct grading *g, void (*judge)(struct grading *, struct finding *)) {
    struct finding *f = mmap(NULL, sizeof *f, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bool whole;

    if (f == MAP_FAILED)
        err(EXIT_FAILURE, "mmap");
    whole = order_apart(judge, g, f);
    if (!whole && !order_stopped())
        verdict_fault(&f->verdict, FAULT_NONE,
            "the grader itself failed before the first check");
    if (f->verdict.text[0] != '\0')
        all_alike(grader, e, whole ? FAILED : BROKEN, &f->verdict);
    bool go_on = f->verdict.text[0] == '\0' && !order_stopped();
    munmap(f, sizeof *f);
    return go_on;
}

/* Takes it in and builds it. False when there is nothing to check. */
static bool prepare(
    struct grader *grader, const struct exercise *e, struct grading *g) {
    struct verdict verdict = {0};
    int taken = submission_take(&grader->submission, e->path, g, &verdict);

    if (taken == 0)
        verdict_fault(&verdict, FAULT_NONE, "%s.c was not handed in", e->path);
    if (taken != 1) {
        all_alike(grader, e, taken == 0 ? NOT_GIVEN : FAILED, &verdict);
        return false;
    }
    return first_of_all(grader, e, g, grade_build_usual) &&
           (course.begun == NULL || first_of_all(grader, e, g, course.begun));
}

/* All its checks, the quick ones first. */
static void run_checks(
    struct grader *grader, const struct exercise *e, struct grading *g) {
    struct report *report = &grader->report;

    for (int slow = 0; slow < 2; slow++)
        for (size_t i = 0; i < report->count && !order_stopped(); i++) {
            struct result *r = &report->results[i];
            if (r->exercise != e || r->check->slow != (slow == 1))
                continue;
            table_progress(report);
            order_run(report, g, r);
            table_clear_progress();
            if (!order_stopped() && !grader->lines)
                table_result(report, r);
            report_write(report);
        }
}

static void run_exercise(struct grader *grader, const struct exercise *e) {
    struct grading g = {0};

    if (!grader->lines)
        printf("%s\n", e->path);
    if (prepare(grader, e, &g))
        run_checks(grader, e, &g);
    else if (!order_stopped() && !grader->lines)
        table_alike(&grader->report, e);
    report_write(&grader->report);
    submission_free(&g);
}

/* ---------- All of it ---------- */

static bool is_named(const struct grader *grader, const char *path) {
    for (size_t i = 0; i < grader->only_count; i++)
        if (strcmp(grader->only[i], path) == 0)
            return true;
    return false;
}

/* Those that were named; else every exercise, and each lesson that was
 * replaced. */
static void choose_exercises(struct grader *grader) {
    const struct exercise *lists[] = {course.exercises, course.lessons};

    for (int i = 0; i < 2; i++)
        for (const struct exercise *e = lists[i]; e->path != NULL; e++) {
            bool wanted =
                grader->only_count > 0 ? is_named(grader, e->path)
                : i == 0               ? true
                         : submission_replaces(&grader->submission, e->path);
            if (wanted && grader->chosen_count < MOST_EXERCISES)
                grader->chosen[grader->chosen_count++] = e;
        }
}

/* Adds an exercise's checks; without results it only counts them. */
static void list_exercise(
    struct report *report, const struct exercise *e, bool quick) {
    const struct check *check;

    for (check = e->checks; check->name != NULL; check++) {
        if (quick && check->slow)
            continue;
        if (report->results != NULL)
            report->results[report->count] = (struct result){.exercise = e,
                .check = check,
                .points = hidden_points(e->path, check)};
        report->count++;
    }
    for (size_t n = 0; (check = hidden_check(e->path, n)) != NULL; n++) {
        if (report->results != NULL)
            report->results[report->count] = (struct result){.exercise = e,
                .check = check,
                .hidden = true,
                .points = hidden_points(e->path, check)};
        report->count++;
    }
}

/* Every check to be run. Shared with the checks' processes. */
static void list_checks(struct grader *grader) {
    struct report *report = &grader->report;

    for (int pass = 0; pass < 2; pass++) {
        report->count = 0;
        for (size_t i = 0; i < grader->chosen_count; i++)
            list_exercise(report, grader->chosen[i], grader->quick);
        if (pass == 1)
            return;
        report->results =
            mmap(NULL, (report->count + 1) * sizeof(struct result),
                PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (report->results == MAP_FAILED)
            err(EXIT_FAILURE, "mmap");
    }
}

/* Chooses the sandbox. Returns why nothing can be graded, or NULL. */
static const char *open_sandbox(struct grader *grader) {
    sandbox_open(grader->submission.work, grader->sandbox, enclosed_network(),
        enclosed_number());
    grader->report.sandbox = sandbox_describe();
    if (sandbox_level() != SANDBOX_LIMITS || grader->trust)
        return NULL;
    return "there is no sandbox here that keeps a submission from the grader; "
           "TRUST=1 grades your own code all the same";
}

static enum sandbox_level level_of(const char *name) {
    static const char *const names[] = {"bwrap", "user", "limits"};

    for (int i = 0; i < 3; i++)
        if (strcmp(names[i], name) == 0)
            return (enum sandbox_level)i;
    errx(2, "-b %s: expected bwrap, user or limits", name);
}

/* However the grader ends: its checks end by _exit(), or are not it. */
static struct submission *open_submission;
static pid_t grader_pid;

static void clean_up(void) {
    if (open_submission == NULL || getpid() != grader_pid)
        return;
    sandbox_close();
    submission_close(open_submission);
    open_submission = NULL;
}

static int grade_all(struct grader *grader) {
    struct report *report = &grader->report;
    double points, max;

    grader_pid = getpid();
    open_submission = &grader->submission;
    atexit(clean_up);
    report->problem = submission_open(&grader->submission, grader->directory);
    choose_exercises(grader);
    list_checks(grader);
    if (report->problem == NULL)
        report->problem = open_sandbox(grader);
    report_write(report);
    if (!grader->lines)
        printf("kit %s, seed %lu, sandbox: %s\n", kit_version, report->seed,
            report->sandbox);
    for (size_t i = 0; i < grader->chosen_count; i++)
        if (report->problem == NULL && !order_stopped())
            run_exercise(grader, grader->chosen[i]);
    clean_up();
    if (report->problem != NULL) {
        printf("nothing was graded: %s\n", report->problem);
        return 3;
    }
    points = report_score(report, &max);
    if (order_stopped()) {
        printf("stopped by signal %d\n", order_stopped());
        return 128 + order_stopped();
    }
    if (grader->lines)
        table_lines(report);
    else
        printf("%g of %g points%s\n", points, max,
            grader->quick ? ", the quick checks alone" : "");
    return points < max;
}

static unsigned long any_seed(void) {
    unsigned long seed = 0;

    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        err(EXIT_FAILURE, "getrandom");
    return seed % 1000000;
}

static void reports_in(struct grader *grader, const char *dir) {
    if (mkdir(dir, 0755) == -1 && errno != EEXIST)
        err(EXIT_FAILURE, "%s", dir);
    grader->report.directory = dir;
}

static void read_options(struct grader *grader, int argc, char **argv) {
    struct report *report = &grader->report;
    char *end;
    int letter;

    report->seed = any_seed();
    while ((letter = getopt(argc, argv, "e:s:o:lb:tg:q")) != -1)
        switch (letter) {
        case 'e':
            if (exercise_find(&course, optarg) == NULL)
                errx(2, "-e %s: no such exercise", optarg);
            if (grader->only_count == MOST_EXERCISES)
                errx(2, "-e: at most %d", MOST_EXERCISES);
            grader->only[grader->only_count++] = optarg;
            break;
        case 's':
            errno = 0;
            report->seed = strtoul(optarg, &end, 10);
            if (errno != 0 || *end != '\0' || optarg[0] < '0' ||
                optarg[0] > '9')
                errx(2, "-s %s: expected a number", optarg);
            break;
        case 'b': grader->sandbox = level_of(optarg); break;
        case 't': grader->trust = true; break;
        case 'g': hidden_read(optarg, &course); break;
        case 'q': grader->quick = true; break;
        case 'l': grader->lines = true; break;
        case 'o': reports_in(grader, optarg); break;
        default: exit(2);
        }
    if (optind + 1 != argc)
        errx(2, "usage: grade [OPTION]... SUBMISSION (see its source)");
    grader->directory = argv[optind];
}

int main(int argc, char *argv[]) {
    struct grader grader = {.report = {.sandbox = "none yet"}};

    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    read_options(&grader, argc, argv);
    order_catch_stops();
    enclose();
    signal(SIGPIPE, SIG_IGN); /* who reads the table may leave */
    /* At exit its runtime sleeps a second, past the virtual clock, for reports
     * of threads that are still running. */
    setenv("TSAN_OPTIONS", "atexit_sleep_ms=0", 0);
    int status = grade_all(&grader);
    if ((fflush(stdout) == EOF || ferror(stdout)) && status <= 1)
        errx(3, "standard output: not everything was written");
    return status;
}
