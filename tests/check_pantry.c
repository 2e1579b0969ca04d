/*
 * check_pantry.c - the checks of 06-locks/exercise_pantry
 *
 * What must hold at the end of every run follows from its own lines: what is
 * left on a shelf and what was taken from it are what was there at first, and
 * who went without had an empty shelf. Explore shows every order of the
 * threads on a small job. For whether cooks at different shelves wait for each
 * other it is asked as well: some order must let them sleep at the same time.
 */
#define _GNU_SOURCE
#include "check_exercises.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_COOKS = 8, MOST_SHELVES = 8, MOST_DISHES = 8, MOST_LINES = 200 };

struct kitchen {
    long cooks, shelves, portions, dishes, ms;
    struct words words;
    struct program program;
    struct run run;
};

static struct kitchen plan(
    long cooks, long shelves, long portions, long dishes, long ms) {
    return (struct kitchen){
        cooks, shelves, portions, dishes, ms, .words = {.count = 0}};
}

static void say_words(struct kitchen *k) {
    const char *const letters[] = {"-c", "-s", "-n", "-d", "-m"};
    const long values[] = {k->cooks, k->shelves, k->portions, k->dishes, k->ms};

    for (int i = 0; i < 5; i++) {
        add_word(&k->words, "%s", letters[i]);
        add_word(&k->words, "%ld", values[i]);
    }
    k->program.argv = k->words.argv;
}

static void cook(struct grading *g, struct finding *f, struct kitchen *k) {
    say_words(k);
    k->program.virtual_time = true;
    grade_run(g, &k->program, &k->run, f);
}

/* ---------- What must hold of the lines of any run ---------- */

static bool printed(const struct line *lines, size_t count, const char *text) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(lines[i].text, text) == 0)
            return true;
    return false;
}

/* Who did which dish, by the cooks' own lines, and what that leaves. */
struct tally {
    bool done[MOST_COOKS][MOST_DISHES];
    long left[MOST_SHELVES], all_done;
};

static struct tally tally_of(
    const struct kitchen *k, const struct line *lines, size_t count) {
    struct tally t = {.all_done = 0};
    char text[60];

    for (long s = 0; s < k->shelves; s++)
        t.left[s] = k->portions;
    for (long c = 0; c < k->cooks; c++)
        for (long d = 0; d < k->dishes; d++) {
            snprintf(
                text, sizeof text, "cook %ld: dish %ld done", c + 1, d + 1);
            if (!printed(lines, count, text))
                continue;
            t.done[c][d] = true;
            t.left[c % k->shelves]--;
            t.left[(c + 1) % k->shelves]--;
            t.all_done++;
        }
    return t;
}

/* Nothing lost, nothing twice, nothing below zero. */
static void judge_shelves(const struct kitchen *k, const struct tally *t,
    const struct line *lines, size_t count, struct verdict *v) {
    for (long s = 0; s < k->shelves; s++) {
        char begin[30];
        long seen;
        bool found = false;
        snprintf(begin, sizeof begin, "shelf %ld: ", s + 1);
        for (size_t i = 0; i < count; i++)
            if (strncmp(lines[i].text, begin, strlen(begin)) == 0) {
                found = true;
                seen = strtol(lines[i].text + strlen(begin), NULL, 10);
            }
        if (!found)
            continue;
        if (t->left[s] < 0 || seen < 0)
            verdict_fail(v,
                "%ld portions were taken from shelf %ld, which had %ld; "
                "expected: never below zero",
                k->portions - t->left[s], s + 1, k->portions);
        if (seen != t->left[s])
            verdict_fail(v,
                "shelf %ld has %ld of %ld left after %ld dishes; expected: "
                "%ld, no portion lost or taken twice",
                s + 1, seen, k->portions, k->portions - t->left[s], t->left[s]);
    }
}

/* A shelf that is not empty at the end was never empty. */
static void judge_missed(
    const struct kitchen *k, const struct tally *t, struct verdict *v) {
    for (long c = 0; c < k->cooks; c++)
        for (long d = 0; d < k->dishes; d++) {
            long one = c % k->shelves, other = (c + 1) % k->shelves;
            if (!t->done[c][d] && t->left[one] > 0 && t->left[other] > 0)
                verdict_fail(v,
                    "cook %ld missed dish %ld, though shelf %ld has %ld left "
                    "and shelf %ld has %ld; expected: done",
                    c + 1, d + 1, one + 1, t->left[one], other + 1,
                    t->left[other]);
        }
}

static void judge_kitchen(const struct kitchen *k, const struct line *lines,
    size_t count, struct verdict *v) {
    struct tally t = tally_of(k, lines, count);
    struct expected e = {.count = 0};
    struct verdict form = {""};

    for (long c = 1; c <= k->cooks; c++)
        for (long d = 1; d <= k->dishes; d++) {
            expect_line(
                &e, "cook %ld: cooking dish %ld of %ld ...", c, d, k->dishes);
            expect_line(&e, "cook %ld: dish %ld %s", c, d,
                t.done[c - 1][d - 1] ? "done" : "missed");
        }
    for (long s = 0; s < k->shelves; s++)
        expect_line(
            &e, "shelf %ld: %ld of %ld left", s + 1, t.left[s], k->portions);
    expect_line(&e, "dishes: %ld done, %ld missed", t.all_done,
        k->cooks * k->dishes - t.all_done);
    events_compare(lines, count, (const char *const *)e.lines, e.count, &form);
    judge_shelves(k, &t, lines, count, v);
    if (form.text[0] == '\0')
        judge_missed(k, &t, v);
    if (form.text[0] != '\0')
        verdict_fail(v, "%s", form.text);
    free_expected(&e);
}

/* ---------- Any job ---------- */

/* What is left is told last, when all cooks have ended. */
static void judge_last_lines(
    const struct kitchen *k, const struct run *run, struct verdict *v) {
    size_t last = (size_t)k->shelves + 1;

    for (size_t i = 0; i + last < run->count; i++)
        if (strncmp(run->lines[i].text, "cook ", 5) != 0)
            verdict_fail(v,
                "\"%s\" was printed before the cooks were done; expected: the "
                "shelves and the dishes at the end",
                run->lines[i].text);
}

static void judge_portions(
    struct grading *g, struct finding *f, struct kitchen *k) {
    char summary[60];

    cook(g, f, k);
    judge_run_end(&k->run, 0, &f->verdict);
    if (f->verdict.text[0] == '\0')
        judge_kitchen(k, k->run.lines, k->run.count, &f->verdict);
    judge_last_lines(k, &k->run, &f->verdict);
    snprintf(summary, sizeof summary, "%ld dishes asked of %ld cooks",
        k->cooks * k->dishes, k->cooks);
    judge_err_line(&k->run, summary, "", &f->verdict);
    run_free(&k->run);
}

void check_pantry_portions(struct grading *g, struct finding *f) {
    for (int round = 0; round < 4 && f->verdict.text[0] == '\0'; round++) {
        long cooks = grade_random(g, 2, MOST_COOKS);
        long dishes = grade_random(g, 1, 6);
        /* Enough for all in every other round. */
        long portions = round % 2 == 0 ? grade_random(g, 1, dishes)
                                       : cooks * dishes + round;
        struct kitchen k = plan(cooks, grade_random(g, 2, 6), portions, dishes,
            round < 2 ? grade_random(g, 1, 9) : 0);
        judge_portions(g, f, &k);
    }
}

/* With two shelves everybody needs both, so one takes at a time. */
void check_pantry_one_at_a_shelf(struct grading *g, struct finding *f) {
    long cooks = grade_random(g, 2, 4), dishes = grade_random(g, 1, 4);
    struct kitchen k =
        plan(cooks, 2, cooks * dishes, dishes, grade_random(g, 5, 50));

    cook(g, f, &k);
    judge_run_end(&k.run, 0, &f->verdict);
    if (work_ns(&k.run) != cooks * dishes * k.ms * MS)
        verdict_fail(&f->verdict,
            "%ld cooks at the same two shelves took %.3f s for %ld dishes of "
            "%ld ms each; expected: %.3f s, one dish at a time",
            cooks, (double)work_ns(&k.run) / 1e9, cooks * dishes, k.ms,
            (double)(cooks * dishes * k.ms) / 1e3);
    run_free(&k.run);
}

/* ---------- Every order ---------- */

/* Puts the time that a run took behind its last line. A thread that waits for
 * signals, which nobody sends here, waits for a semaphore instead: explore sees
 * that. */
static const char before[] = "/*\n * Build: cc -pthread x.c\n */\n"
                             "#define main main_of_submission\n"
                             "#define sigwait kit_sigwait\n"
                             "#define pause kit_pause\n"
                             "#line 1 \"exercise_pantry.c\"\n";
static const char after[] =
    "\n#undef main\n"
    "#include <semaphore.h>\n"
    "#include <signal.h>\n"
    "#include <stdio.h>\n"
    "#include <time.h>\n"
    "static sem_t kit_never;\n"
    "int kit_sigwait(const sigset_t *restrict set, int *restrict number) {\n"
    "    (void)set, (void)number;\n"
    "    return sem_wait(&kit_never);\n"
    "}\n"
    "int kit_pause(void);\n"
    "int kit_pause(void) {\n"
    "    return sem_wait(&kit_never);\n"
    "}\n"
    "int main(int argc, char *argv[]) {\n"
    "    struct timespec a, b;\n"
    "    clock_gettime(CLOCK_MONOTONIC, &a);\n"
    "    int status = main_of_submission(argc, argv);\n"
    "    clock_gettime(CLOCK_MONOTONIC, &b);\n"
    "    printf(\"%s %%ld ms\\n\", (b.tv_sec - a.tv_sec) * 1000 +\n"
    "        (b.tv_nsec - a.tv_nsec) / 1000000);\n"
    "    return status;\n"
    "}\n";

/* Words that the program cannot know, for the line with the time: from the name
 * of the directory, so the same in every check. */
static const char *mark_of(const struct grading *g, char *buf, size_t size) {
    unsigned hash = 2166136261U;

    for (const char *c = g->binary; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619U;
    snprintf(buf, size, "clock-%x", hash);
    return buf;
}

static char *content(const char *path) {
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "re");

    if (file == NULL || getdelim(&text, &size, '\0', file) == -1)
        err(EXIT_FAILURE, "%s", path);
    fclose(file);
    return text;
}

static void write_timed(
    const struct grading *g, const char *path, const char *mark) {
    char *text = content(g->source);
    FILE *file = fopen(path, "we");

    if (file == NULL)
        err(EXIT_FAILURE, "%s", path);
    fputs(before, file);
    if (strstr(text, "threads.h") != NULL) {
        char *c11 = content("tests/c11_threads.h");
        fputs(c11, file);
        fputs("#line 1 \"exercise_pantry.c\"\n", file);
        free(c11);
    }
    fputs(text, file);
    fprintf(file, after, mark);
    if (fclose(file) == EOF)
        err(EXIT_FAILURE, "%s", path);
    free(text);
}

/* The source with the time, in a directory of its own, laid out as the other.
 * The path lives until the next call. */
static const char *timed_source(const struct grading *g) {
    static char path[600];
    char mark[40];
    size_t before_path = strlen(g->source) - strlen(g->path) - 2;

    snprintf(path, sizeof path, "%.*stimed", (int)before_path, g->source);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%.*stimed/%.*s", (int)before_path, g->source,
        (int)strcspn(g->path, "/"), g->path);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%.*stimed/%s.c", (int)before_path, g->source,
        g->path);
    write_timed(g, path, mark_of(g, mark, sizeof mark));
    return path;
}

/* Explores one job. False when explore could not: the verdict says so. */
static bool explore(struct grading *g, struct finding *f, struct kitchen *k,
    const char *bound, struct run *run) {
    struct grading timed = *g;
    const char *env[] = {bound, "OUTCOMES=any order", NULL};

    timed.source = timed_source(g);
    const char *built = grade_build_explore(&timed, f);
    if (built == NULL)
        return false;
    say_words(k);
    k->words.argv[0] = built;
    k->program.env = env;
    k->program.deadline_ms = 100000;
    grade_run(&timed, &k->program, run, f);
    if (f->verdict.text[0] == '\0' &&
        (run->end != EXITED || run->code > 1 || run->count == 0))
        verdict_fail(&f->verdict,
            "its orders cannot be explored: it %s%s%.300s; expected: a POSIX "
            "thread for each cook",
            run->why, run->err_text[0] ? ", " : "", run->err_text);
    return true;
}

/* The outcome in a line of explore's table, or NULL. */
static const char *outcome_of(const char *line) {
    const char *right = strstr(line, "  right  "),
               *wrong = strstr(line, "  wrong  ");

    return right ? right + 9 : wrong ? wrong + 9 : NULL;
}

/* Judges one outcome: exit 0 and lines, with a slash between. */
static void judge_outcome(const struct kitchen *k, const char *outcome,
    const char *mark, struct verdict *v) {
    struct line lines[MOST_LINES] = {{0, NULL}};
    size_t count = 0;
    struct verdict own = {""};
    char text[700], *rest = NULL;

    if (strncmp(outcome, "exit 0: ", 8) != 0) {
        verdict_fail(v,
            "in some order of its threads: %.300s; expected: "
            "every order ends well",
            outcome);
        return;
    }
    snprintf(text, sizeof text, "%s", outcome + 8);
    for (char *line = strtok_r(text, "/", &rest);
         line != NULL && count < MOST_LINES; line = strtok_r(NULL, "/", &rest))
        if (strncmp(line, mark, strlen(mark)) != 0)
            lines[count++].text = line;
    judge_kitchen(k, lines, count, &own);
    if (own.text[0] != '\0')
        verdict_fail(v, "in some order of its threads: %s", own.text);
}

/* What explore says of the threads that are stuck, added to the verdict. */
static void tell_stuck(const struct run *run, struct verdict *v) {
    for (size_t i = 0; i < run->count; i++) {
        const char *text = run->lines[i].text;
        size_t used = strlen(v->text);
        if (strstr(text, " waits to ") != NULL && text[0] == ' ')
            snprintf(
                v->text + used, sizeof v->text - used, "; thread%s", text + 1);
    }
}

static void judge_every_order(
    struct grading *g, struct finding *f, struct kitchen k) {
    char mark[40];
    struct run run;

    if (f->verdict.text[0] != '\0' || !explore(g, f, &k, "BOUND=2", &run))
        return;
    mark_of(g, mark, sizeof mark);
    for (size_t i = 0; i < run.count && f->verdict.text[0] == '\0'; i++) {
        const char *outcome = outcome_of(run.lines[i].text);
        if (outcome == NULL)
            continue;
        judge_outcome(&k, outcome, mark, &f->verdict);
        if (strncmp(outcome, "deadlock", 8) == 0)
            tell_stuck(&run, &f->verdict);
    }
    run_free(&run);
}

void check_pantry_every_order(struct grading *g, struct finding *f) {
    long portions = grade_random(g, 1, 2);

    judge_every_order(g, f, plan(2, 2, 1, 1, 0));
    judge_every_order(g, f, plan(3, 3, portions, 1, 0));
    judge_every_order(g, f, plan(2, 3, 2, 2, 0));
}

/* ---------- At once ---------- */

/* The shortest time that a job took in any order of its threads; -1: it has
 * none. */
static long shortest(struct grading *g, struct finding *f, struct kitchen k) {
    long best = -1;
    char mark[40];
    struct run run;

    if (!explore(g, f, &k, "BOUND=1", &run))
        return -1;
    mark_of(g, mark, sizeof mark);
    for (size_t i = 0; i < run.count; i++) {
        const char *outcome = outcome_of(run.lines[i].text);
        const char *at = outcome ? strstr(outcome, mark) : NULL;
        long took = at ? strtol(at + strlen(mark), NULL, 10) : -1;
        if (took != -1 && (best == -1 || took < best))
            best = took;
    }
    run_free(&run);
    return best;
}

/* Cooks 1 and 3 share no shelf, cook 2 shares one with each: in the best order
 * two take at the same time, and all is done in one dish's time more than a
 * single dish by a single cook. */
void check_pantry_concurrent(struct grading *g, struct finding *f) {
    long ms = grade_random(g, 5, 50), shelves = grade_random(g, 4, 5);
    long one = shortest(g, f, plan(1, shelves, 9, 1, ms));
    long best = shortest(g, f, plan(3, shelves, 9, 1, ms));

    if (best == -1 || one == -1)
        verdict_fail(&f->verdict, "in no order of its threads did main() "
                                  "return; expected: it does in every order");
    else if (best > one + ms)
        verdict_fail(&f->verdict,
            "cooks at different shelves wait for each other: in no order of "
            "its threads did 3 dishes of %ld ms take less than %ld ms; "
            "expected: %ld ms, as cooks 1 and 3 share no shelf",
            ms, best - one + ms, 2 * ms);
}

/* ---------- Clean, and bad input ---------- */

/* Explore finds races that need one order; the sanitizer has the last word on
 * what explore does not see. */
void check_pantry_races(struct grading *g, struct finding *f) {
    struct kitchen small = plan(2, 2, 1, 1, 0), k = plan(4, 3, 30, 20, 0);
    struct run run;

    if (explore(g, f, &small, "BOUND=2", &run)) {
        for (size_t i = 0; i < run.count; i++)
            if (strncmp(run.lines[i].text, "data race in ", 13) == 0)
                verdict_fail(&f->verdict, "%.400s; expected: no data race",
                    run.lines[i].text);
        run_free(&run);
    }
    say_words(&k);
    judge_races(g, f, &k.program);
}

void check_pantry_memory(struct grading *g, struct finding *f) {
    struct kitchen k = plan(4, 3, 5, 4, 0);

    say_words(&k);
    judge_leaks(g, f, &k.program);
}

void check_pantry_input(struct grading *g, struct finding *f) {
    judge_refusals(g, f, "csndm",
        (struct refusal[]){{"-c", "0"}, {"-s", "0"}, {"-s", "1"}, {"-d", "0"},
            {NULL, "stray"}, {NULL, NULL}});
}
