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

enum { LEAST_SAME = 85, BUSY = 4, LANES = 8, MINUTE_NS = 1000000 };
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

static const char *path_of(const char *name) {
    char relative[100];

    snprintf(relative, sizeof relative, "06-locks/%s", name);
    return built(relative);
}

static long rounds(void) {
    const char *given = getenv("KIT_ROUNDS");
    long number = given == NULL ? 1 : strtol(given, NULL, 10);

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

/* All programs, some rounds, in virtual and in real time. */
static void judge_all(const char *words) {
    for (int i = 0; i < 2; i++) {
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
        struct verdict verdict = {.text = ""};
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
        struct verdict verdict = {.text = ""};
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

/* Every increment is there but where there is no lock: it says so itself. */
static void test_contention(void) {
    static const char *const ways[] = {"no lock ", "mutex ", "spin lock ",
        "atomic add ", "compare-and-swap ", "own, side by side ", "own, apart ",
        "local, then one add "};
    const char *argv[] = {
        path_of("contention"), "-w", "2", "-n", "10000", NULL};
    const char *env[] = {TSAN_QUIET, NULL};
    struct program program = {.argv = argv, .env = env};
    struct verdict verdict = {0};
    struct run run;

    program_run(&program, &run);
    judge_end(&run, 0, &verdict);
    for (size_t i = 0; i < 8; i++)
        if (run.count != 9 ||
            strncmp(run.lines[i + 1].text, ways[i], strlen(ways[i])) != 0)
            verdict_fail(&verdict, "no row for \"%s\"", ways[i]);
    if (run.count != 9 || strstr(run.lines[1].text, "% lost") == NULL)
        verdict_fail(&verdict, "%zu lines; expected: a table of 9", run.count);
    expect_right(&verdict);
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
    {"chefs who share cookers need exactly their minutes", test_kitchen},
    {"a cooker that is not given back is missed", test_leak},
    {"the sanitizer says what each header says", test_sanitizer},
    {"waiting threads gain all by giving the lock up", test_gil},
    {"contention prints a table, and loses nothing", test_contention},
    {"twins are the same text but for the lesson", test_pairs},
    {"every program is judged", test_complete},
    CU_TEST_INFO_NULL,
};
