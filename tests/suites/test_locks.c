/*
 * test_locks.c - the suite of 06-locks: every wrong program is seen to be
 * wrong, for its reason, and every right one to be right
 *
 * Nothing is left to luck, so everything is run six times: in virtual time and
 * in real time, as it comes, on one CPU, and beside busy processes. KIT_ROUNDS
 * repeats that. "Within a second" is virtual time. A program that
 * stays stuck is found by program_run as a DEADLOCK, not by a deadline.
 */
#define _GNU_SOURCE /* asprintf, pipe2, sched_setaffinity */
#include "suites/lock_runs.h"
#include "suites/suite.h"

#include <err.h>
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LEAST_SAME = 85, BUSY = 4, LANES = 8 };
#define SECOND INT64_C(1000000000)

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
    {"atomic_cas", "atomic_store_race", "counted to 200000", false, false},
    {"recursive_plain", NULL, "a cashier has the till and waits for the till",
        true, true},
    {"recursive_errorcheck", NULL,
        "the till, taken 1 times already: Resource deadlock avoided", true,
        false},
    {"recursive_mutex", "recursive_plain", "sold for 28", false, true},
    {"recursive_split", "recursive_plain", "sold for 28", false, true},
    {"deadlock_opposite", NULL,
        "chef 1 has the knife, chef 2 the board; both wait for the other", true,
        true},
    {"deadlock_order", "deadlock_opposite", "2 dishes", false, true},
    {"deadlock_trylock", "deadlock_opposite", "2 dishes", false, true},
    {"deadlock_one_lock", "deadlock_opposite", "2 dishes", false, true},
    {"cooking_semaphore", "cooking_semaphore_leak", "plate 10: served", false,
        false},
    {"cooking_semaphore_leak", NULL, "2 of 2 cookers are not given back", true,
        false},
    {"bounded_queue", "bounded_queue_if", "4 of 4 jobs done", false, true},
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

static long rounds(void) {
    const char *given = getenv("KIT_ROUNDS");
    long number = given == NULL ? 1 : strtol(given, NULL, 10);

    return number < 1 ? 1 : number;
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

/* ---------- Many at a time ---------- */

/* Judges the item with this number. */
typedef void judge_item(size_t item, const void *arg, struct verdict *);

/* In a copy of this process: every LANES-th item. A sentence for each that
 * failed goes into the pipe, in one write and with its '\0'. */
static void run_lane(
    size_t lane, size_t count, judge_item *judge, const void *arg, int fd) {
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* which ends a run in good order */
    for (size_t item = lane; item < count; item += LANES) {
        struct verdict verdict = {.text = ""};
        judge(item, arg, &verdict);
        if (program_interrupted() != 0)
            _exit(EXIT_FAILURE);
        size_t size = strlen(verdict.text) + 1;
        if (size > 1 && write(fd, verdict.text, size) != (ssize_t)size)
            err(EXIT_FAILURE, "write");
    }
    _exit(EXIT_SUCCESS);
}

/* Judges all items, LANES at a time: most programs sleep most of the time, and
 * one that others disturb must do the same. */
static void judge_items(size_t count, judge_item *judge, const void *arg) {
    pid_t lanes[LANES];
    int ends[2], status;
    char *sentence = NULL;
    size_t size = 0;

    if (pipe2(ends, O_CLOEXEC) == -1)
        err(EXIT_FAILURE, "pipe2");
    for (size_t lane = 0; lane < LANES; lane++) {
        lanes[lane] = fork();
        if (lanes[lane] == -1)
            err(EXIT_FAILURE, "fork");
        if (lanes[lane] == 0)
            run_lane(lane, count, judge, arg, ends[1]);
    }
    close(ends[1]);
    FILE *file = fdopen(ends[0], "r");
    if (file == NULL)
        err(EXIT_FAILURE, "fdopen");
    while (getdelim(&sentence, &size, '\0', file) != -1)
        expect(false, "%s", sentence);
    fclose(file);
    free(sentence);
    for (size_t lane = 0; lane < LANES; lane++)
        expect(waitpid(lanes[lane], &status, 0) != -1 && status == 0,
            "some programs were not judged: see above");
}

struct how {
    const char *words;
    bool virtual_time;
};

static void judge_round(size_t item, const void *arg, struct verdict *verdict) {
    const struct how *how = arg;
    const struct program_of_locks *p = &programs[item % PROGRAMS];
    struct verdict found = {.text = ""};

    judge_program(p, path_of(p->name), how->virtual_time, &found);
    if (found.text[0] != '\0')
        verdict_fail(verdict, "%s, %s, in %s time, round %zu: %s", p->name,
            how->words, how->virtual_time ? "virtual" : "real",
            item / PROGRAMS + 1, found.text);
}

/* All programs, some rounds, in virtual and in real time, where one that never
 * ends would have to be waited for again. */
static void judge_all(const char *words) {
    for (int i = 0; i < 2 && !program_timed_out(); i++) {
        struct how how = {words, i == 0};
        judge_items(PROGRAMS * (size_t)rounds(), judge_round, &how);
    }
}

static void test_all(void) {
    judge_all("as it comes");
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
    judge_all("on one CPU");
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
    judge_all("under load");
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
            struct verdict verdicts[2] = {{.text = ""}, {.text = ""}};
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

static void judge_stuck(
    size_t item, const void *unused, struct verdict *verdict) {
    const struct program_of_locks *p = &programs[item % PROGRAMS];
    struct run run;
    char how[1024];

    (void)unused;
    if (!p->can_stick)
        return;
    run_with(&run, path_of(p->name), "-s", NULL, true);
    run_describe(&run, how, sizeof how);
    if (p->wrong && (run.end != DEADLOCK || run.left_behind > 0))
        verdict_fail(verdict, "%s -s %s; expected: a deadlock", p->name, how);
    if (!p->wrong && (run.end != EXITED || run.code != 0))
        verdict_fail(
            verdict, "%s -s %s; expected: exit status 0", p->name, how);
    run_free(&run);
}

static void test_stuck(void) {
    judge_items(PROGRAMS * (size_t)rounds(), judge_stuck, NULL);
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
static void judge_tsan(size_t item, const void *folder, struct verdict *found) {
    const char *name = item < PROGRAMS ? programs[item].name : "contention";
    char source[200], path[200], word[100], how[1024];

    snprintf(source, sizeof source, "06-locks/%s.c", name);
    snprintf(path, sizeof path, "%s/%s", (const char *)folder, name);
    header_verdict(source, word, sizeof word);
    /* By itself it takes a thread per CPU: one has nobody to race with. */
    const char *argv[] = {
        built(path), item == PROGRAMS ? "-w2" : NULL, "-n1000", NULL};
    struct program program = {.argv = argv, .virtual_time = true};
    struct run run;
    program_run(&program, &run);
    const char *report = strstr(run.err_text, "WARNING: ThreadSanitizer");
    if (run.end != EXITED)
        verdict_fail(
            found, "%s: it %s", path, run_describe(&run, how, sizeof how));
    bool race = strncmp(word, "data race", 9) == 0;
    if (race ? report == NULL ||
                   strncmp(report + 9, "ThreadSanitizer: data race", 26) != 0
             : strcmp(word, "silent") != 0 || report != NULL)
        verdict_fail(found,
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
    judge_items(PROGRAMS + 1, judge_tsan, folder);
}

/* ---------- Text ---------- */

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
    }
    globfree(&found);
}

CU_TestInfo locks_tests[] = {
    {"wrong programs are wrong for their reason, right ones are right",
        test_all},
    {"the same on one CPU", test_one_cpu},
    {"the same under load", test_load},
    {"the judges tell a program from its twin", test_judges},
    {"what stays stuck is found as a deadlock", test_stuck},
    {"the sanitizer says what each header says", test_sanitizer},
    {"twins are the same text but for the lesson", test_pairs},
    {"every program is judged", test_complete},
    CU_TEST_INFO_NULL,
};
