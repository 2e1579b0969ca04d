/*
 * test_locks.c - the suite of 06-locks: every wrong program is seen to be
 * wrong, for its reason, and every right one to be right
 *
 * Nothing is left to luck, so everything is run several times (KIT_ROUNDS, 2
 * if not set), in virtual time and in real time: as it comes, on one CPU, and
 * beside busy processes. "Within a second" is virtual time. A program that
 * stays stuck is found by program_run as a DEADLOCK, not by a deadline.
 */
#define _GNU_SOURCE /* asprintf, sched_setaffinity */
#include "suite.h"

#include <err.h>
#include <glob.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LEAST_SAME = 85, MOST_LINES = 150, BUSY = 4, MINUTE_NS = 1000000 };
#define SECOND INT64_C(1000000000)
/* No reports; and no sleep of its own, past the clock, before it exits. */
#define TSAN_QUIET "TSAN_OPTIONS=report_bugs=0:atexit_sleep_ms=0"

/* Every program of the folder. A right one names its wrong twin, if it has
 * one, and prints `says` on stdout; a wrong one prints it on stderr. */
static const struct program_of_locks {
    const char *name, *twin, *says;
    bool wrong;
    bool can_stick; /* takes -s and then stays stuck, if it is wrong */
} programs[] = {
    {"increment_race", NULL, "of 200000 increments are lost", true, false},
    {"increment_mutex", "increment_race", "counted to 200000", false, false},
    {"increment_semaphore", "increment_race", "counted to 200000", false,
        false},
    {"increment_atomic", "increment_race", "counted to 200000", false, false},
    {"increment_local", "increment_race", "counted to 200000", false, false},
    {"check_then_act_race", NULL, "the last portion was sold 2 times", true,
        false},
    {"check_then_act_mutex", "check_then_act_race", "1 of 2 customers served",
        false, false},
    {"atomic_store_race", NULL, "of 200000 increments are lost", true, false},
    {"atomic_add", "atomic_store_race", "counted to 200000", false, false},
    {"atomic_cas", "atomic_store_race", "counted to 200000", false, false},
    {"recursive_plain", NULL, "a cashier has the till and waits for the till",
        true, true},
    {"recursive_errorcheck", NULL,
        "the till, taken 1 times already: Resource deadlock avoided", true,
        false},
    {"recursive_mutex", "recursive_plain", "sold for 28", false, true},
    {"recursive_split", "recursive_plain", "sold for 28", false, true},
    {"deadlock_opposite", NULL,
        "chef 1 has the knife and waits for the board, chef 2 has the board "
        "and waits for the knife",
        true, true},
    {"deadlock_order", "deadlock_opposite", "2 dishes", false, true},
    {"deadlock_trylock", "deadlock_opposite", "2 dishes", false, true},
    {"deadlock_one_lock", "deadlock_opposite", "2 dishes", false, true},
    {"cooking_semaphore", "cooking_semaphore_leak", "plate 10: served", false,
        false},
    {"cooking_semaphore_leak", NULL, "2 of 2 cookers are not given back", true,
        false},
    {"bounded_queue", "bounded_queue_if", "6 of 6 jobs done", false, true},
    {"bounded_queue_if", NULL, "an empty slot was taken for a job", true,
        false},
    {"bounded_queue_lost_wake", NULL, "all wait, 2 jobs in the queue", true,
        true},
    {"barrier", NULL, "################", false, false},
    {"once", NULL, "written 1 times, read in full by 4 of 4 customers", false,
        false},
    {"rwlock", NULL, "all readers met, soup costs 103, 0 menus half changed",
        false, false},
    {"gil", NULL, "compute, lock held: at most 1 at once", false, false},
};
enum { PROGRAMS = sizeof programs / sizeof programs[0] };

static const char *path_of(const char *name) {
    char relative[100];

    snprintf(relative, sizeof relative, "06-locks/%s", name);
    return built(relative);
}

static long rounds(void) {
    const char *given = getenv("KIT_ROUNDS");
    long number = given == NULL ? 2 : strtol(given, NULL, 10);

    return number < 1 ? 1 : number;
}

/* A data race is judged by what it does; what the sanitizer says of it is a
 * test of its own. */
static void run_with(struct run *run, const char *path, const char *one,
    const char *two, bool virtual_time) {
    const char *argv[] = {path, one, two, NULL};
    const char *env[] = {TSAN_QUIET, NULL};
    struct program program = {.argv = argv,
        .env = env,
        .deadline_ms = 60000,
        .virtual_time = virtual_time};

    program_run(&program, run);
}

static bool printed(const struct run *run, const char *words) {
    for (size_t i = 0; i < run->count; i++)
        if (strstr(run->lines[i].text, words) != NULL)
            return true;
    return false;
}

/* ---------- The judges of one run ---------- */

static void judge_wrong(const struct run *run, const char *words,
    bool virtual_time, struct verdict *verdict) {
    judge_end(run, 1, verdict);
    if (strstr(run->err_text, words) == NULL)
        verdict_fail(verdict,
            "it does not say what it lost: stderr is \"%.300s\"; expected: "
            "\"... %s ...\"",
            run->err_text, words);
    if (virtual_time && run->virtual_ns > SECOND)
        verdict_fail(verdict, "it needed %.3f s; expected: at most a second",
            (double)run->virtual_ns / 1e9);
}

static void judge_right(
    const struct run *run, const char *words, struct verdict *verdict) {
    judge_end(run, 0, verdict);
    if (!printed(run, words))
        verdict_fail(verdict, "it did not print \"%s\"", words);
}

static void judge_program(const struct program_of_locks *p, const char *path,
    bool virtual_time, struct verdict *verdict) {
    struct run run;

    run_with(&run, path, NULL, NULL, virtual_time);
    if (p->wrong)
        judge_wrong(&run, p->says, virtual_time, verdict);
    else
        judge_right(&run, p->says, verdict);
    run_free(&run);
}

/* All programs, some rounds. In real time a right one takes its half second
 * to linger in vain, and gil computes: once is enough. */
static void judge_all(const char *how, bool virtual_time) {
    for (long round = 0; round < rounds(); round++)
        for (size_t i = 0; i < PROGRAMS; i++) {
            const struct program_of_locks *p = &programs[i];
            struct verdict verdict = {""};
            bool slow = !virtual_time || strcmp(p->name, "gil") == 0;
            if (!p->wrong && slow && round > 0)
                continue;
            judge_program(p, path_of(p->name), virtual_time, &verdict);
            expect(verdict.text[0] == '\0', "%s, %s, round %ld: %s", p->name,
                how, round + 1, verdict.text);
        }
}

static void test_virtual(void) {
    judge_all("in virtual time", true);
}

static void test_real(void) {
    judge_all("in real time", false);
}

/* Programs inherit the CPUs of this process. */
static void test_one_cpu(void) {
    cpu_set_t before, one;
    size_t cpu = 0;

    if (sched_getaffinity(0, sizeof before, &before) == -1)
        err(EXIT_FAILURE, "sched_getaffinity");
    while (!CPU_ISSET(cpu, &before))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one) == -1)
        err(EXIT_FAILURE, "sched_setaffinity");
    judge_all("on one CPU", true);
    judge_all("on one CPU in real time", false);
    if (sched_setaffinity(0, sizeof before, &before) == -1)
        err(EXIT_FAILURE, "sched_setaffinity");
}

static void test_load(void) {
    pid_t busy[BUSY];

    for (int i = 0; i < BUSY; i++) {
        busy[i] = fork();
        if (busy[i] == -1)
            err(EXIT_FAILURE, "fork");
        if (busy[i] == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;)
                ;
        }
    }
    judge_all("under load", true);
    judge_all("under load in real time", false);
    for (int i = 0; i < BUSY; i++) {
        kill(busy[i], SIGKILL);
        waitpid(busy[i], NULL, 0);
    }
}

/* The judge of a right program must refuse its wrong twin, and the reverse. */
static void test_judges(void) {
    for (size_t i = 0; i < PROGRAMS; i++)
        for (size_t j = 0; j < PROGRAMS; j++) {
            const struct program_of_locks *right = &programs[i];
            const struct program_of_locks *wrong = &programs[j];
            struct verdict verdicts[2] = {{""}, {""}};
            if (right->twin == NULL || strcmp(right->twin, wrong->name) != 0)
                continue;
            judge_program(right, path_of(wrong->name), true, &verdicts[0]);
            judge_program(wrong, path_of(right->name), true, &verdicts[1]);
            expect(verdicts[0].text[0] != '\0', "%s was taken to be right",
                wrong->name);
            expect(verdicts[1].text[0] != '\0', "%s was taken to be wrong",
                right->name);
        }
}

/* ---------- Stuck for ever ---------- */

static void test_stuck(void) {
    for (long round = 0; round < rounds(); round++)
        for (size_t i = 0; i < PROGRAMS; i++) {
            const struct program_of_locks *p = &programs[i];
            struct run run;
            char how[1024];
            if (!p->can_stick)
                continue;
            run_with(&run, path_of(p->name), "-s", NULL, true);
            run_describe(&run, how, sizeof how);
            if (p->wrong)
                expect(run.end == DEADLOCK && run.left_behind == 0,
                    "%s -s %s; expected: a deadlock", p->name, how);
            else
                expect(run.end == EXITED && run.code == 0,
                    "%s -s %s; expected: exit status 0", p->name, how);
            run_free(&run);
        }
}

/* ---------- The kitchen ---------- */

/* The most steps at once of those named in `what`, a list of words. */
static long at_once(const struct run *run, const char *const what[][2]) {
    long now = 0, most = 0;

    for (size_t i = 0; i < run->count; i++) {
        const char *text = run->lines[i].text + events_lane(run->lines[i].text);
        for (size_t w = 0; what[w][0] != NULL; w++) {
            now += strcmp(text, what[w][0]) == 0;
            now -= strcmp(text, what[w][1]) == 0;
        }
        most = now > most ? now : most;
    }
    return most;
}

static const char *const boils[][2] = {
    {": boiling ...", ": boiled"}, {NULL, NULL}};
static const char *const chef_steps[][2] = {{": washing ...", ": washed"},
    {": cutting ...", ": cut"}, {": serving ...", ": served"}, {NULL, NULL}};

static void judge_lines(const struct run *run, struct verdict *verdict) {
    static const char *const words[] = {"washing ...", "washed", "cutting ...",
        "cut", "boiling ...", "boiled", "serving ...", "served"};
    char *lines[80];

    for (int i = 0; i < 80; i++)
        if (asprintf(&lines[i], "plate %d: %s", i / 8 + 1, words[i % 8]) == -1)
            err(EXIT_FAILURE, "asprintf");
    events_compare(
        run->lines, run->count, (const char *const *)lines, 80, verdict);
    for (int i = 0; i < 80; i++)
        free(lines[i]);
    events_last(run->lines, run->count, "washing", 5 * MINUTE_NS, verdict);
    events_last(run->lines, run->count, "cutting", 13 * MINUTE_NS, verdict);
    events_last(run->lines, run->count, "boiling", 30 * MINUTE_NS, verdict);
    events_last(run->lines, run->count, "serving", 2 * MINUTE_NS, verdict);
}

static void judge_kitchen(
    long chefs, long cookers, long minutes, struct verdict *verdict) {
    char w[24], k[24];
    const char *argv[] = {path_of("cooking_semaphore"), "-w", w, "-k", k, NULL};
    struct program program = {.argv = argv, .virtual_time = true};
    struct run run;

    snprintf(w, sizeof w, "%ld", chefs);
    snprintf(k, sizeof k, "%ld", cookers);
    program_run(&program, &run);
    judge_end(&run, 0, verdict);
    judge_lines(&run, verdict);
    if (run.virtual_ns != minutes * MINUTE_NS)
        verdict_fail(verdict, "it took %.3f minutes; expected: %ld",
            (double)run.virtual_ns / MINUTE_NS, minutes);
    if (at_once(&run, boils) > cookers)
        verdict_fail(verdict, "%ld pots were on at once", at_once(&run, boils));
    if (at_once(&run, chef_steps) > chefs)
        verdict_fail(verdict, "%ld chefs were at work at once",
            at_once(&run, chef_steps));
    run_free(&run);
}

static void test_kitchen(void) {
    static const struct {
        long chefs, cookers, minutes;
    } kitchens[] = {{2, 1, 320}, {2, 2, 170}, {2, 3, 140}, {2, 4, 122},
        {2, 5, 122}, {2, 10, 122}, {1, 1, 320}, {1, 2, 212}, {1, 3, 212},
        {1, 10, 212}, {10, 10, 50}};

    for (size_t i = 0; i < sizeof kitchens / sizeof kitchens[0]; i++) {
        struct verdict verdict = {""};
        judge_kitchen(kitchens[i].chefs, kitchens[i].cookers,
            kitchens[i].minutes, &verdict);
        expect(verdict.text[0] == '\0', "cooking_semaphore -w %ld -k %ld: %s",
            kitchens[i].chefs, kitchens[i].cookers, verdict.text);
    }
}

/* A cooker is lost with each of the two soups, as long as there is one. */
static void test_leak(void) {
    static const char *const words[] = {"1 of 1 cookers are not given back",
        "2 of 2 cookers are not given back",
        "2 of 3 cookers are not given back",
        "2 of 4 cookers are not given back"};

    for (int cookers = 1; cookers <= 4; cookers++) {
        char k[24];
        struct run run;
        struct verdict verdict = {""};
        snprintf(k, sizeof k, "-k%d", cookers);
        run_with(&run, path_of("cooking_semaphore_leak"), k, NULL, true);
        judge_wrong(&run, words[cookers - 1], true, &verdict);
        expect(verdict.text[0] == '\0', "cooking_semaphore_leak %s: %s", k,
            verdict.text);
        run_free(&run);
    }
}

/* ---------- The sanitizer ---------- */

/* The word after "ThreadSanitizer: " in the program's header. */
static void header_verdict(const char *source, char *word, size_t size) {
    static const char mark[] = " * ThreadSanitizer: ";
    char line[200];
    FILE *file = fopen(source, "r");

    word[0] = '\0';
    while (file != NULL && word[0] == '\0' &&
           fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, mark, sizeof mark - 1) == 0)
            snprintf(word, size, "%.*s",
                (int)strcspn(line + sizeof mark - 1, "(\n"),
                line + sizeof mark - 1);
    if (file != NULL)
        fclose(file);
}

/* As said in the header? Small, because all is ten times as slow. */
static void judge_tsan(const char *name, const char *path) {
    char source[200], word[100], how[1024];
    bool contention = strcmp(name, "contention") == 0;
    const char *argv[] = {path, contention ? "-n1000" : NULL, NULL};
    struct program program = {.argv = argv, .virtual_time = true};
    struct run run;

    snprintf(source, sizeof source, "06-locks/%s.c", name);
    header_verdict(source, word, sizeof word);
    program_run(&program, &run);
    const char *report = strstr(run.err_text, "WARNING: ThreadSanitizer");
    expect(run.end == EXITED, "%s: it %s", path,
        run_describe(&run, how, sizeof how));
    if (strncmp(word, "data race", 9) == 0)
        expect(report != NULL &&
                   strncmp(report + 9, "ThreadSanitizer: data race", 26) == 0,
            "%s: the header says \"%s\", the sanitizer \"%.60s\"", source, word,
            report == NULL ? "nothing" : report);
    else
        expect(strcmp(word, "silent") == 0 && report == NULL,
            "%s: the header says \"%s\", the sanitizer \"%.60s\"", source, word,
            report == NULL ? "nothing" : report);
    run_free(&run);
}

/* Does the detector work here? It can also end before the program begins. */
static bool detects(const char *path, char *reason, size_t size) {
    struct run run;
    const char *argv[] = {path, NULL};
    struct program program = {.argv = argv, .virtual_time = true};

    program_run(&program, &run);
    bool works = strstr(run.err_text, "WARNING: ThreadSanitizer: data race");
    snprintf(
        reason, size, "%.*s", (int)strcspn(run.err_text, "\n"), run.err_text);
    run_free(&run);
    return works;
}

static void test_sanitizer(void) {
    char reason[300];
    const char *folder =
        is_built("tsan/06-locks/increment_race") ? "tsan/06-locks" : "06-locks";
    char relative[200];

    snprintf(relative, sizeof relative, "%s/increment_race", folder);
    if (!detects(built(relative), reason, sizeof reason)) {
        skip("ThreadSanitizer does not find the data race of increment_race "
             "here: %s",
            reason);
        return;
    }
    for (size_t i = 0; i <= PROGRAMS; i++) {
        const char *name = i < PROGRAMS ? programs[i].name : "contention";
        snprintf(relative, sizeof relative, "%s/%s", folder, name);
        judge_tsan(name, built(relative));
    }
}

/* ---------- Numbers and text ---------- */

/* Waiting is exact in virtual time; computing takes none. */
static void test_gil(void) {
    struct run run;

    run_with(&run, path_of("gil"), NULL, NULL, true);
    const char *row = strstr(run.err_text, "wait, lock given up");
    expect(row != NULL && strstr(row, " 0.20 s") != NULL &&
               strstr(row, " 0.05 s      4.0\n") != NULL,
        "gil: the table is \"%s\"; expected: a speedup of 4.0 by waiting with "
        "the lock given up",
        run.err_text);
    expect(printed(&run, "wait, lock given up: at most 4 at once") &&
               printed(&run, "wait, lock held: at most 1 at once"),
        "gil: 4 threads wait at once only when they give the lock up");
    run_free(&run);
}

static void test_contention(void) {
    char *file, *line = NULL;
    size_t size = 0, rows = 0;
    struct run run;

    if (asprintf(&file, "/tmp/test_locks.%d", (int)getpid()) == -1)
        err(EXIT_FAILURE, "asprintf");
    const char *argv[] = {
        path_of("contention"), "-w", "2", "-n", "10000", "-p", file, NULL};
    const char *env[] = {TSAN_QUIET, NULL};
    struct program program = {.argv = argv, .env = env};
    program_run(&program, &run);
    expect(run.end == EXITED && run.code == 0 && run.count == 9 &&
               strstr(run.lines[1].text, "% lost") != NULL,
        "contention: exit %d, %zu lines; expected: a table of 9 lines",
        run.code, run.count);
    FILE *plot = fopen(file, "r");
    while (plot != NULL && getline(&line, &size, plot) != -1)
        rows += strncmp(line, "1 ", 2) == 0 || strncmp(line, "2 ", 2) == 0;
    if (plot != NULL)
        fclose(plot);
    unlink(file);
    expect(rows == 16, "contention -p: %zu points; expected: 16", rows);
    free(line);
    free(file);
    run_free(&run);
}

static long lines_in(const char *path) {
    long lines = 0;
    FILE *file = fopen(path, "r");

    for (int c; file != NULL && (c = getc(file)) != EOF;)
        lines += c == '\n';
    if (file != NULL)
        fclose(file);
    return lines;
}

/* The share of the smaller file's lines that are in the other as well. */
static void test_pairs(void) {
    for (size_t i = 0; i < PROGRAMS; i++) {
        char right[200], wrong[200];
        const char *argv[] = {"/usr/bin/diff", right, wrong, NULL};
        struct program program = {.argv = argv};
        struct run run;
        long gone[2] = {0, 0};
        if (programs[i].twin == NULL)
            continue;
        snprintf(right, sizeof right, "06-locks/%s.c", programs[i].name);
        snprintf(wrong, sizeof wrong, "06-locks/%s.c", programs[i].twin);
        program_run(&program, &run);
        for (size_t l = 0; l < run.count; l++) {
            gone[0] += run.lines[l].text[0] == '<';
            gone[1] += run.lines[l].text[0] == '>';
        }
        expect(run.end == EXITED && run.code == 1, "diff: %s", run.err_text);
        run_free(&run);
        long lines[2] = {lines_in(right), lines_in(wrong)};
        int small = lines[1] < lines[0];
        long same = 100 * (lines[small] - gone[small]) / lines[small];
        expect(same >= LEAST_SAME,
            "diff %s %s: %ld %% are the same; expected: at least %d %%", right,
            wrong, same, LEAST_SAME);
    }
}

static void test_complete(void) {
    glob_t found;

    if (glob("06-locks/*.c", 0, NULL, &found) != 0)
        errx(EXIT_FAILURE, "no sources here: run me at the top of the tree");
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *path = found.gl_pathv[i];
        const char *name = path + strlen("06-locks/");
        size_t length = strlen(name) - 2;
        bool known = strcmp(name, "contention.c") == 0 ||
                     strncmp(name, "exercise_", 9) == 0; /* by make grade */
        for (size_t p = 0; p < PROGRAMS; p++)
            known = known || (strlen(programs[p].name) == length &&
                                 strncmp(programs[p].name, name, length) == 0);
        expect(known, "%s is judged by no test", path);
        expect(lines_in(path) <= MOST_LINES,
            "%s: %ld lines; expected: at "
            "most %d",
            path, lines_in(path), MOST_LINES);
    }
    globfree(&found);
}

CU_TestInfo locks_tests[] = {
    {"wrong programs are wrong for their reason, right ones are right",
        test_virtual},
    {"the same in real time", test_real},
    {"the same on one CPU", test_one_cpu},
    {"the same under load", test_load},
    {"the judges tell a program from its twin", test_judges},
    {"what stays stuck is found as a deadlock", test_stuck},
    {"chefs who share cookers need exactly their minutes", test_kitchen},
    {"a cooker that is not given back is missed", test_leak},
    {"the sanitizer says what each header says", test_sanitizer},
    {"waiting threads gain all by giving the lock up", test_gil},
    {"contention prints its table and a file to plot", test_contention},
    {"twins are the same text but for the lesson", test_pairs},
    {"every program is judged, and is short", test_complete},
    CU_TEST_INFO_NULL,
};
