/*
 * check_orders.c - a submission under every order of its threads
 *
 * Explore reports the outcomes, and a check judges each of them by what must
 * hold in any order.
 */
#define _GNU_SOURCE
#include "grader/checks/common.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_LINES = 60 };

/* Puts the time that a run took behind its last line, whether it ends by return
 * or by exit(). The submission's main() gets another symbol, not another name:
 * the compiler still knows that it may end without a return. A thread that
 * waits for signals, which nobody sends here, waits for a semaphore instead,
 * and poll() or select() of nothing is a sleep: explore sees these. */
static const char before[] = "/*\n * Build: cc -pthread x.c\n */\n"
                             "int main() __asm__(\"main_of_submission\");\n"
                             "#define sigwait kit_sigwait\n"
                             "#define sigwaitinfo kit_sigwaitinfo\n"
                             "#define sigsuspend kit_sigsuspend\n"
                             "#define pause kit_pause\n"
                             "#define poll kit_poll\n"
                             "#define select kit_select\n"
                             "#line 1 \"exercise_pantry.c\"\n";
static const char after[] =
    "\n#include <semaphore.h>\n"
    "#include <signal.h>\n"
    "#include <stdio.h>\n"
    "#include <stdlib.h>\n"
    "#include <time.h>\n"
    "static sem_t kit_never;\n"
    "int kit_sigwait(const sigset_t *restrict set, int *restrict number) {\n"
    "    (void)set, (void)number;\n"
    "    return sem_wait(&kit_never);\n"
    "}\n"
    "int kit_sigwaitinfo(const sigset_t *restrict, siginfo_t *restrict);\n"
    "int kit_sigwaitinfo(const sigset_t *restrict set,\n"
    "    siginfo_t *restrict info) {\n"
    "    (void)set, (void)info;\n"
    "    return sem_wait(&kit_never);\n"
    "}\n"
    "int kit_sigsuspend(const sigset_t *set) {\n"
    "    (void)set;\n"
    "    return sem_wait(&kit_never);\n"
    "}\n"
    "int kit_pause(void);\n"
    "int kit_pause(void) {\n"
    "    return sem_wait(&kit_never);\n"
    "}\n"
    "#include <poll.h>\n"
    "#include <sys/select.h>\n"
    "#include <unistd.h>\n"
    "#undef poll\n"
    "#undef select\n"
    "extern int poll(struct pollfd *, nfds_t, int);\n"
    "extern int select(int, fd_set *, fd_set *, fd_set *,\n"
    "    struct timeval *);\n"
    "int kit_poll(struct pollfd *fds, nfds_t count, int ms) {\n"
    "    return count == 0 && ms >= 0 ? usleep(1000U * (unsigned)ms)\n"
    "                                 : poll(fds, count, ms);\n"
    "}\n"
    "int kit_select(int count, fd_set *in, fd_set *out, fd_set *bad,\n"
    "    struct timeval *t) {\n"
    "    return count == 0 && t != NULL\n"
    "        ? usleep(1000000U * (unsigned)t->tv_sec + (unsigned)t->tv_usec)\n"
    "        : select(count, in, out, bad, t);\n"
    "}\n"
    "static struct timespec kit_began;\n"
    "static void kit_tell(void) {\n"
    "    struct timespec now;\n"
    "    clock_gettime(CLOCK_MONOTONIC, &now);\n"
    "    printf(\"%s %%ld ms\\n\",\n"
    "        (now.tv_sec - kit_began.tv_sec) * 1000 +\n"
    "        (now.tv_nsec - kit_began.tv_nsec) / 1000000);\n"
    "}\n"
    "int kit_main(int argc, char *argv[]) __asm__(\"main\");\n"
    "int kit_main(int argc, char *argv[]) {\n"
    "    clock_gettime(CLOCK_MONOTONIC, &kit_began);\n"
    "    atexit(kit_tell);\n"
    "    return main(argc, argv);\n"
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
        char *c11 = content("tests/grader/checks/c11_threads.h");
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

const char *explored_time(const struct grading *g, const char *outcome) {
    char mark[40];
    const char *at = strstr(outcome, mark_of(g, mark, sizeof mark));

    return at ? at + strlen(mark) + 1 : NULL;
}

bool explore(struct grading *g, struct finding *f, const struct words *words,
    const char *bound, struct run *run) {
    struct grading timed = *g;
    struct words copy = *words;
    const char *env[] = {bound, "OUTCOMES=any order", NULL};
    struct program program = {
        .argv = copy.argv, .env = env, .deadline_ms = 100000};

    if (f->verdict.text[0] != '\0')
        return false;
    timed.source = timed_source(g);
    copy.argv[0] = grade_build_explore(&timed, f);
    if (copy.argv[0] == NULL)
        return false;
    grade_run(&timed, &program, run, f);
    if (run->end == TIMED_OUT) {
        snprintf(f->skipped, sizeof f->skipped,
            "its orders could not all be tried: explore %.300s", run->why);
        run_free(run);
        return false;
    }
    if (run->end == EXITED && run->code == 2)
        f->verdict.text[0] = '\0'; /* its own words are better */
    if (run->end != EXITED || run->code > 1 || run->count == 0)
        verdict_fail(&f->verdict,
            "its orders cannot be explored: it %s, saying \"%.120s\"; "
            "expected: POSIX threads",
            run->why, run->err_text);
    return true;
}

const char *outcome_of(const char *line) {
    static const char *const words[] = {
        " right ", " wrong ", " reference ", " other "};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *word = strstr(line, words[i]);
        if (line[0] == ' ' && word != NULL)
            return word + strlen(words[i]) +
                   strspn(word + strlen(words[i]), " ");
    }
    return NULL;
}

/* Judges one outcome: exit 0 and lines, with a slash between. */
static void judge_outcome(const struct grading *g, const char *outcome,
    void (*judge)(const struct line *, size_t, const void *, struct verdict *),
    const void *arg, struct verdict *v) {
    struct line lines[MOST_LINES] = {{0, NULL}};
    size_t count = 0;
    struct verdict own = {0};
    char text[700], mark[40], *rest = NULL;

    if (strncmp(outcome, "exit 0: ", 8) != 0) {
        verdict_fail(v,
            "in some order of its threads: %.300s; expected: every order ends "
            "well",
            outcome);
        return;
    }
    mark_of(g, mark, sizeof mark);
    snprintf(text, sizeof text, "%s", outcome + 8);
    for (char *line = strtok_r(text, "/", &rest);
         line != NULL && count < MOST_LINES; line = strtok_r(NULL, "/", &rest))
        if (strncmp(line, mark, strlen(mark)) != 0)
            lines[count++].text = line;
    judge(lines, count, arg, &own);
    if (own.text[0] != '\0')
        verdict_fail(v, "in some order of its threads: %s", own.text);
}

/* What explore says of the threads that are stuck was seen as well: it goes
 * before what was expected. */
static void tell_stuck(const struct run *run, struct verdict *v) {
    char expected[sizeof v->text];
    char *end = strstr(v->text, "; expected: ");

    if (end == NULL)
        end = v->text + strlen(v->text);
    snprintf(expected, sizeof expected, "%s", end);
    for (size_t i = 0; i < run->count; i++) {
        const char *text = run->lines[i].text;
        size_t room = sizeof v->text - (size_t)(end - v->text);
        if (strstr(text, " waits in ") == NULL || text[0] != ' ')
            continue;
        int used = snprintf(end, room, ";%s", text + 1);
        end += (size_t)used < room ? (size_t)used : room - 1;
    }
    snprintf(end, sizeof v->text - (size_t)(end - v->text), "%s", expected);
}

void judge_orders(struct grading *g, struct finding *f,
    const struct words *words, const char *bound,
    void (*judge)(const struct line *, size_t, const void *, struct verdict *),
    const void *arg) {
    struct run run;

    if (!explore(g, f, words, bound, &run))
        return;
    for (size_t i = 0; i < run.count && f->verdict.text[0] == '\0'; i++) {
        const char *outcome = outcome_of(run.lines[i].text);
        if (outcome == NULL)
            continue;
        judge_outcome(g, outcome, judge, arg, &f->verdict);
        if (strncmp(outcome, "deadlock", 8) == 0)
            tell_stuck(&run, &f->verdict);
    }
    run_free(&run);
}
