/*
 * grade.c - the grader
 *
 * Usage: grade [-e EXERCISE] [-s SEED] [-o DIR] [-b LEVEL] [-t] [-g CONF] [-l]
 *            SUBMISSION
 *
 * Takes a submission in, builds it, runs the checks of every exercise, and
 * tells what became of each: as a table on stdout and in two reports in DIR.
 * Each check runs in a process of its own, so that nothing it meets can end
 * the grader. Run it from the top of the source tree.
 *
 * Exit status: 0 full marks, 1 not full marks, 2 wrong usage, 3 nothing could
 * be graded, 128 + n stopped by signal n.
 */
#define _GNU_SOURCE
#include "grader/check.h"
#include "grader/hidden.h"
#include "grader/intake.h"
#include "grader/report.h"
#include "grader/sandbox.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST_EXERCISES = 64,
    CHECK_SECONDS = 300,    /* of the submission's own time */
    GIVE_UP_SECONDS = 2400, /* however little of it the machine gave */
    TOO_SLOW = 128 + SIGALRM,
    FEEDBACK_BYTES = 8192,
    MEMORY_KIB = 512 << 10
};

struct grader {
    struct report report;
    enum sandbox_level sandbox; /* the first to be tried */
    bool trust;                 /* the submission is our own */
    struct submission submission;
    const char *only; /* the path of the one exercise, or NULL: all */
    const struct exercise *chosen[MOST_EXERCISES];
    size_t chosen_count;
    const char *directory;
    bool progress;
    bool lines; /* a line a check for programs, instead of the table */
};

static volatile sig_atomic_t stopped;

static void note_stop(int number) {
    stopped = number;
}

/* ---------- What checks may ask for ---------- */

/* splitmix64: every seed is a good one. */
long grade_random(struct grading *g, long low, long high) {
    uint64_t z = g->random += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    z ^= z >> 31;
    return low + (long)(z % ((uint64_t)(high - low) + 1));
}

/* Appends a word as a shell reads it. */
static void add_word(char *buf, size_t size, const char *word) {
    size_t used = strlen(buf);
    bool plain =
        word[0] != '\0' && word[strspn(word, "abcdefghijklmnopqrstuvwxyz"
                                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                             "0123456789_-+=./:,@%")] == '\0';

    if (plain) {
        snprintf(buf + used, size - used, " %s", word);
        return;
    }
    snprintf(buf + used, size - used, " '");
    for (used += 2; *word != '\0' && used + 6 < size; word++)
        used += (size_t)snprintf(
            buf + used, size - used, *word == '\'' ? "'\\''" : "%c", *word);
    snprintf(buf + used, size - used, "'");
}

/* Of what explore has printed, only what is its own. */
static void keep_report(struct run *run, const char *token, struct finding *f) {
    size_t kept = 0;
    int marks = 0;

    for (size_t i = 0; i < run->count; i++) {
        bool mark = strcmp(run->lines[i].text, token) == 0;
        marks += mark;
        if (marks == 1 && !mark)
            run->lines[kept++] = run->lines[i];
        else
            free(run->lines[i].text);
    }
    run->count = kept;
    if (marks != 2 && run->end == EXITED)
        verdict_fail(&f->verdict,
            "explore was kept from reporting%s%.300s; expected: a program that "
            "leaves its surroundings alone, and can be explored",
            run->err_text[0] != '\0' ? ": " : "", run->err_text);
}

/* In a check's process: the run was ended by a signal to the grader. */
static void end_if_stopped(void) {
    if (program_interrupted() != 0)
        _exit(program_interrupted() == SIGALRM ? TOO_SLOW : EXIT_FAILURE);
}

static enum outside busy(void *arg) {
    (void)arg;
    return OUTSIDE_BUSY;
}

/* Names and lines for explore's report, in the sandbox: explore.awk. The dir
 * is the binary's; the submitted source is put beside it. */
static void look_up(const struct grading *g, const char *dir, struct run *run) {
    char path[600], exe[600], report[600], source[600], script[600];
    char variable[2][640];
    struct sandbox sandbox = {.dir = dir};
    struct program program = {.sandbox = &sandbox};
    struct run better;

    snprintf(path, sizeof path, "%s/source.c", dir);
    sandbox_path(&sandbox, path, source, sizeof source);
    if (link(g->source, path) == -1 && errno != EEXIST)
        err(EXIT_FAILURE, "%s", path);
    snprintf(path, sizeof path, "%s/report", dir);
    sandbox_path(&sandbox, path, report, sizeof report);
    FILE *file = fopen(path, "we");
    for (size_t k = 0; file != NULL && k < run->count; k++)
        fprintf(file, "%s\n", run->lines[k].text);
    if (file == NULL || fclose(file) == EOF)
        err(EXIT_FAILURE, "%s", path);
    snprintf(path, sizeof path, "%s/%s", dir, strrchr(g->path, '/') + 1);
    snprintf(variable[0], sizeof variable[0], "exe=%s",
        sandbox_path(&sandbox, path, exe, sizeof exe));
    snprintf(variable[1], sizeof variable[1], "src=%s", source);
    snprintf(script, sizeof script, "%s/explore.awk", sandbox_kit());
    program.argv = (const char *const[]){"/usr/bin/awk", "-v", variable[0],
        "-v", variable[1], "-f", script, report, report, NULL};
    program_run(&program, &better);
    if (better.end != EXITED || better.code != 0) {
        run_free(&better); /* its addresses are better than nothing */
        return;
    }
    for (size_t k = 0; k < run->count; k++)
        free(run->lines[k].text);
    free(run->lines);
    run->lines = better.lines;
    run->count = better.count;
    better.lines = NULL;
    better.count = 0;
    run_free(&better);
}

/* Explore computes, and waits for its children in real time. */
static void run_explore(const struct grading *g, struct program *program,
    struct run *run, struct finding *f) {
    char token[64], variable[96];
    const char *env[16] = {variable};
    unsigned long random[2];
    size_t used = 1;

    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        err(EXIT_FAILURE, "getrandom");
    snprintf(token, sizeof token, "%016lx%016lx", random[0], random[1]);
    snprintf(variable, sizeof variable, "EXPLORE_TOKEN=%s", token);
    for (const char *const *e = program->env; e != NULL && *e && used < 15; e++)
        env[used++] = *e;
    program->env = env;
    program->outside = busy;
    program->forks = true; /* one for each order */
    program_run(program, run);
    end_if_stopped();
    keep_report(run, token, f);
    look_up(g, program->sandbox->dir, run);
}

/* In virtual time the number of CPUs changes nothing but what is left to luck:
 * with one, a thread goes on until it waits, so a submission with a fault of
 * order shows the same in each run. */
static void run_on_one_cpu(const struct program *program, struct run *run) {
    cpu_set_t before, one;
    int cpu = sched_getcpu();

    if (cpu < 0 || sched_getaffinity(0, sizeof before, &before) == -1)
        err(EXIT_FAILURE, "sched_getaffinity");
    CPU_ZERO(&one);
    CPU_SET((size_t)cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    program_run(program, run);
    sched_setaffinity(0, sizeof before, &before);
}

void grade_run(struct grading *g, struct program *program, struct run *run,
    struct finding *f) {
    const char *argv[256] = {g->binary};
    struct program copy = *program;
    struct sandbox sandbox = {.dir = ""};
    char dir[512];

    if (program->argv[0] != NULL && program->argv[0][0] == '/')
        argv[0] = program->argv[0]; /* from grade_build() */
    snprintf(f->command, sizeof f->command, "build/%s", g->path);
    for (size_t i = 1; i < 255 && program->argv[i] != NULL; i++) {
        argv[i] = program->argv[i];
        add_word(f->command, sizeof f->command, argv[i]);
    }
    copy.argv = argv;
    snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(argv[0], '/') - argv[0]),
        argv[0]);
    sandbox.dir = dir;
    copy.sandbox = &sandbox;
    if (copy.memory_kib == 0)
        copy.memory_kib = MEMORY_KIB;
    if (strstr(argv[0], "/explore/") != NULL)
        run_explore(g, &copy, run, f);
    else if (copy.virtual_time)
        run_on_one_cpu(&copy, run);
    else
        program_run(&copy, run);
    end_if_stopped();
    f->timeline[0] = '\0';
    if (events_overlap(run->lines, run->count) > 0)
        events_timeline(
            run->lines, run->count, f->timeline, sizeof f->timeline);
}

/* ---------- One check ---------- */

/* Each check has random numbers of its own: one more run in one check does
 * not change another's inputs. */
static unsigned long seed_of(unsigned long seed, const struct result *r) {
    const char *parts[] = {r->exercise->path, r->check->name};

    seed = seed * 6364136223846793005 + 1442695040888963407;
    for (int i = 0; i < 2; i++)
        for (const char *at = parts[i]; *at != '\0'; at++)
            seed = (seed ^ (unsigned char)*at) * 1099511628211;
    return seed;
}

static const int stops[] = {SIGINT, SIGTERM, SIGHUP};

/* Catches what stops the grader, or lets it end a check's process. */
static void on_stop(void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler}, old;

    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++)
        if (sigaction(stops[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(stops[i], &action, NULL);
}

static bool is_stop(int number) {
    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++)
        if (stops[i] == number)
            return true;
    return false;
}

/* Runs the function in a process of its own; the finding is shared memory.
 * False when that process broke. */
static bool apart(void (*judge)(struct grading *, struct finding *),
    struct grading *g, struct finding *f) {
    pid_t parent = getpid(), child;
    int status;

    fflush(stdout);
    child = fork();
    if (child == -1)
        err(EXIT_FAILURE, "fork");
    if (child == 0) {
        on_stop(SIG_DFL);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent)
            _exit(EXIT_FAILURE);
        program_budget(CHECK_SECONDS * 1000);
        alarm(GIVE_UP_SECONDS);
        judge(g, f);
        end_if_stopped();
        _exit(EXIT_SUCCESS);
    }
    while (waitpid(child, &status, 0) == -1 && errno == EINTR)
        if (stopped)
            kill(child, SIGTERM);
    if (WIFSIGNALED(status) && is_stop(WTERMSIG(status)))
        stopped = WTERMSIG(status);
    if (WIFEXITED(status) && WEXITSTATUS(status) == TOO_SLOW) {
        f->verdict.text[0] = '\0';
        snprintf(f->skipped, sizeof f->skipped,
            "the machine is too busy: it was not over after %d s",
            GIVE_UP_SECONDS);
    }
    if (WIFEXITED(status) &&
        (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == TOO_SLOW))
        return true;
    sandbox_sweep();
    return false;
}

static double now(void) {
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void score(struct result *r) {
    const struct finding *f = &r->finding;

    if (f->verdict.text[0] != '\0') {
        r->outcome = FAILED;
        r->score = f->share > 0 && f->share < 1 ? f->share * r->points : 0;
    } else if (f->skipped[0] != '\0') {
        r->outcome = UNMEASURED;
    } else {
        r->outcome = PASSED;
        r->score = r->points;
    }
}

/* The check that this one needs and that has not passed, or NULL. */
static const struct result *obstacle(
    const struct grader *grader, const struct result *r) {
    for (size_t i = 0; i < grader->report.count; i++) {
        const struct result *other = &grader->report.results[i];
        if (r->check->needs != NULL && other->exercise == r->exercise &&
            strcmp(other->check->name, r->check->needs) == 0 &&
            other->outcome != PASSED && other->outcome != UNMEASURED)
            return other;
    }
    return NULL;
}

static void run_check(
    struct grader *grader, struct grading *g, struct result *r) {
    const struct result *other = obstacle(grader, r);
    double start = now();

    if (other != NULL) {
        r->outcome = DEPENDS;
        verdict_fail(&r->finding.verdict,
            "not looked at, because \"%s\" failed", other->check->name);
        return;
    }
    g->seed = g->random = seed_of(grader->report.seed, r);
    if (r->hidden)
        hidden_begin(r->check);
    r->finding.share = 0;
    if (apart(r->check->judge, g, &r->finding)) {
        score(r);
    } else if (!stopped) {
        r->outcome = BROKEN;
        memset(&r->finding.verdict, 0, sizeof r->finding.verdict);
        verdict_fail(&r->finding.verdict,
            "the grader itself failed in this check; this is not the "
            "submission's fault");
    }
    r->seconds = now() - start;
}

/* ---------- One exercise ---------- */

static void print_result(const struct grader *grader, const struct result *r) {
    char text[FEEDBACK_BYTES];

    if (grader->lines)
        return;
    printf("  %-8s %-24s %5.4g of %g\n", report_word(r->outcome),
        r->check->name, r->score, r->points);
    if (r->outcome != NOT_GIVEN && r->outcome != PASSED && !r->hidden)
        fputs(report_feedback(r, "           ", text, sizeof text), stdout);
}

/* For programs: check, outcome and finding, with a tab between. */
static void print_lines(const struct report *report) {
    for (size_t i = 0; i < report->count; i++) {
        const struct result *r = &report->results[i];
        const char *text = r->outcome == UNMEASURED ? r->finding.skipped
                                                    : r->finding.verdict.text;
        printf("%s\t%s\t", r->check->name, report_word(r->outcome));
        for (; *text != '\0'; text++)
            putchar((unsigned char)*text < ' ' ? ' ' : *text);
        putchar('\n');
    }
}

static void show_progress(const struct grader *grader) {
    const struct report *report = &grader->report;
    size_t done = 0;

    if (!grader->progress)
        return;
    for (size_t i = 0; i < report->count; i++)
        done += report->results[i].outcome != NOT_RUN;
    fprintf(stderr, "\r[%.*s%*s] %zu of %zu checks\r",
        (int)(done * 30 / report->count), "##############################",
        (int)(30 - done * 30 / report->count), "", done, report->count);
}

static void clear_progress(const struct grader *grader) {
    if (grader->progress)
        fputs("\r\033[K", stderr);
}

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

static void print_exercise(
    const struct grader *grader, const struct exercise *e) {
    char text[FEEDBACK_BYTES];
    const struct result *first = NULL;
    bool alike = true;

    for (size_t i = 0; i < grader->report.count; i++) {
        const struct result *r = &grader->report.results[i];
        if (r->exercise != e)
            continue;
        first = first ? first : r;
        alike =
            alike && r->outcome == first->outcome &&
            strcmp(r->finding.verdict.text, first->finding.verdict.text) == 0;
    }
    if (!alike || first == NULL || grader->lines)
        return;
    printf("  %s\n", report_word(first->outcome));
    fputs(report_feedback(first, "           ", text, sizeof text), stdout);
}

/* Builds; false when that failed, and all checks have been told so. */
static bool build(
    struct grader *grader, const struct exercise *e, struct grading *g) {
    struct finding *f = mmap(NULL, sizeof *f, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bool whole;

    if (f == MAP_FAILED)
        err(EXIT_FAILURE, "mmap");
    whole = apart(submission_build, g, f);
    if (!whole && !stopped)
        verdict_fail(&f->verdict, "the grader itself failed in building");
    if (f->verdict.text[0] != '\0')
        all_alike(grader, e, whole ? FAILED : BROKEN, &f->verdict);
    bool built = f->verdict.text[0] == '\0' && !stopped;
    munmap(f, sizeof *f);
    return built;
}

static void run_exercise(struct grader *grader, const struct exercise *e) {
    struct verdict verdict = {""};
    struct grading g = {0};
    int taken = submission_take(&grader->submission, e->path, &g, &verdict);

    if (!grader->lines)
        printf("%s\n", e->path);
    if (taken == 0)
        verdict_fail(&verdict, "%s.c was not handed in", e->path);
    if (taken != 1)
        all_alike(grader, e, taken == 0 ? NOT_GIVEN : FAILED, &verdict);
    if (taken != 1 || !build(grader, e, &g)) {
        print_exercise(grader, e);
        report_write(&grader->report);
        submission_free(&g);
        return;
    }
    for (size_t i = 0; i < grader->report.count && !stopped; i++) {
        struct result *r = &grader->report.results[i];
        if (r->exercise != e)
            continue;
        show_progress(grader);
        run_check(grader, &g, r);
        clear_progress(grader);
        if (!stopped)
            print_result(grader, r);
        report_write(&grader->report);
    }
    submission_free(&g);
}

/* ---------- All of it ---------- */

/* Every exercise, and each lesson that was replaced. */
static void choose_exercises(struct grader *grader) {
    const struct exercise *lists[] = {exercises, lessons};

    for (int i = 0; i < 2; i++)
        for (const struct exercise *e = lists[i]; e->path != NULL; e++) {
            bool wanted =
                grader->only ? strcmp(grader->only, e->path) == 0
                : i == 0     ? true
                         : submission_replaces(&grader->submission, e->path);
            if (wanted && grader->chosen_count < MOST_EXERCISES)
                grader->chosen[grader->chosen_count++] = e;
        }
}

/* Adds an exercise's checks; without results it only counts them. */
static void list_exercise(struct report *report, const struct exercise *e) {
    const struct check *check;

    for (size_t n = 0; e->checks[n].name != NULL; n++, report->count++)
        if (report->results != NULL)
            report->results[report->count] = (struct result){.exercise = e,
                .check = &e->checks[n],
                .points = hidden_points(e->path, &e->checks[n])};
    for (size_t n = 0; (check = hidden_check(e->path, n)) != NULL;
         n++, report->count++)
        if (report->results != NULL)
            report->results[report->count] = (struct result){.exercise = e,
                .check = check,
                .hidden = true,
                .points = hidden_points(e->path, check)};
}

/* Every check to be run. Shared with the checks' processes. */
static void list_checks(struct grader *grader) {
    struct report *report = &grader->report;

    for (int pass = 0; pass < 2; pass++) {
        report->count = 0;
        for (size_t i = 0; i < grader->chosen_count; i++)
            list_exercise(report, grader->chosen[i]);
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
    sandbox_open(grader->submission.work, grader->sandbox);
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
        printf("seed %lu, sandbox: %s\n", report->seed, report->sandbox);
    for (size_t i = 0;
         i < grader->chosen_count && report->problem == NULL && !stopped; i++)
        run_exercise(grader, grader->chosen[i]);
    clean_up();
    if (report->problem != NULL) {
        printf("nothing was graded: %s\n", report->problem);
        return 3;
    }
    points = report_score(report, &max);
    if (stopped) {
        printf("stopped by signal %d\n", stopped);
        return 128 + stopped;
    }
    if (grader->lines)
        print_lines(report);
    else
        printf("%g of %g points\n", points, max);
    return points < max;
}

static unsigned long any_seed(void) {
    unsigned long seed = 0;

    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        err(EXIT_FAILURE, "getrandom");
    return seed % 1000000;
}

static bool is_exercise(const char *path) {
    const struct exercise *lists[] = {exercises, lessons};

    for (int i = 0; i < 2; i++)
        for (const struct exercise *e = lists[i]; e->path != NULL; e++)
            if (strcmp(e->path, path) == 0)
                return true;
    return false;
}

static void reports_in(struct grader *grader, const char *dir) {
    static char json[4096], xml[4096];

    if (mkdir(dir, 0755) == -1 && errno != EEXIST)
        err(EXIT_FAILURE, "%s", dir);
    snprintf(json, sizeof json, "%s/results.json", dir);
    snprintf(xml, sizeof xml, "%s/results.xml", dir);
    grader->report.json = json;
    grader->report.xml = xml;
}

static void read_options(struct grader *grader, int argc, char **argv) {
    struct report *report = &grader->report;
    char *end;
    int letter;

    report->seed = any_seed();
    while ((letter = getopt(argc, argv, "e:s:o:lb:tg:")) != -1)
        switch (letter) {
        case 'e':
            grader->only = optarg;
            if (!is_exercise(optarg))
                errx(2, "-e %s: no such exercise", optarg);
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
        case 'g': hidden_read(optarg); break;
        case 'l': grader->lines = true; break;
        case 'o': reports_in(grader, optarg); break;
        default: exit(2);
        }
    if (optind + 1 != argc)
        errx(2, "usage: grade [OPTION]... SUBMISSION (see its source)");
    grader->directory = argv[optind];
}

int main(int argc, char *argv[]) {
    struct grader grader = {
        .progress = isatty(STDERR_FILENO), .report = {.sandbox = "none yet"}};

    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    read_options(&grader, argc, argv);
    on_stop(note_stop);
    signal(SIGPIPE, SIG_IGN); /* who reads the table may leave */
    /* At exit its runtime sleeps a second, past the virtual clock, for reports
     * of threads that are still running. */
    setenv("TSAN_OPTIONS", "atexit_sleep_ms=0", 0);
    return grade_all(&grader);
}
