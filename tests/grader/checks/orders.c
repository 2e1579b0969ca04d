/*
 * orders.c - a submission under every order of its threads
 *
 * Explore reports the outcomes, and a check judges each of them by what must
 * hold in any order. It has a fixed number of schedules, so that a busy machine
 * changes no verdict.
 */
#define _GNU_SOURCE
#include "grader/checks/orders.h"
#include "grader/cause.h"
#include "grader/checks/rare.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_LINES = 60 };
#define MOST_RUNS "MAX_SCHEDULES=1500"

/* What explore has no model of: a thread that waits there keeps all others from
 * going on, or is put in order with them unseen. */
static const char *const unseen[] = {"syscall", "semop", "semtimedop", "msgrcv",
    "msgsnd", "mq_receive", "mq_timedreceive", "mq_send", "pipe", "pipe2",
    "socketpair", "eventfd", "eventfd_read", "timerfd_create", "signalfd",
    "epoll_wait", "fork", "vfork", "posix_spawn", "posix_spawnp", "clone",
    "mmap", "shmat", "pthread_kill", "pthread_cancel", "sem_open", "lockf",
    "flock", "fcntl", "dlopen", "sigtimedwait", NULL};

/* Explore builds without it; who asks is told what the compiler's default is,
 * as this file has it. */
#ifdef __PIE__
#define PIE                                  \
    "#define __PIC__ 2\n#define __pic__ 2\n" \
    "#define __PIE__ 2\n#define __pie__ 2\n"
#else
#define PIE ""
#endif

/* Before the source: the preprocessor sees what it sees in the usual build. A
 * thread that waits for signals, which nobody sends here, waits for a semaphore
 * instead, and poll() or select() of nothing is a sleep: explore sees these. */
static const char before[] =
    "/*\n * Build: cc -pthread x.c\n */\n"
    "#undef __SANITIZE_THREAD__\n"
    "#undef __OPTIMIZE__\n"
    "#define __OPTIMIZE__ 1\n" PIE "#undef __has_feature\n"
    "#define __has_feature(name) 0\n"
    "#undef __has_extension\n"
    "#define __has_extension(name) 0\n"
    "#define no_sanitize(name) unused\n"
    "#define __no_sanitize__(name) unused\n"
    "#define no_sanitize_thread unused\n"
    "#define __no_sanitize_thread__ unused\n"
    "#define no_sanitize_address unused\n"
    "#define __no_sanitize_address__ unused\n"
    "#define disable_sanitizer_instrumentation "
    "unused\n"
    "#pragma redefine_extname sigwait kit_sigwait\n"
    "#pragma redefine_extname sigwaitinfo kit_waitinfo"
    "\n"
    "#pragma redefine_extname sigsuspend kit_suspend\n"
    "#pragma redefine_extname pause kit_pause\n"
    "#pragma redefine_extname poll kit_poll\n"
    "#pragma redefine_extname select kit_select\n"
    "#line 1 \"%s.c\"\n";
static const char after[] =
    "\n#include <poll.h>\n"
    "#include <semaphore.h>\n"
    "#include <signal.h>\n"
    "#include <sys/select.h>\n"
    "#include <unistd.h>\n"
    "static sem_t kit_never;\n"
    "extern int kit_real_poll(struct pollfd *, nfds_t, int) "
    "__asm__(\"poll\");\n"
    "extern int kit_real_select(int, fd_set *, fd_set *, fd_set *,\n"
    "    struct timeval *) __asm__(\"select\");\n"
    "int kit_sigwait(const sigset_t *set, int *number) {\n"
    "    return (void)set, (void)number, sem_wait(&kit_never);\n"
    "}\n"
    "int kit_waitinfo(const sigset_t *set, siginfo_t *info) {\n"
    "    return (void)set, (void)info, sem_wait(&kit_never);\n"
    "}\n"
    "int kit_suspend(const sigset_t *set) {\n"
    "    return (void)set, sem_wait(&kit_never);\n"
    "}\n"
    "int kit_pause(void) {\n"
    "    return sem_wait(&kit_never);\n"
    "}\n"
    "int kit_poll(struct pollfd *fds, nfds_t count, int ms) {\n"
    "    return count == 0 && ms >= 0 ? usleep(1000U * (unsigned)ms)\n"
    "                                 : kit_real_poll(fds, count, ms);\n"
    "}\n"
    "int kit_select(int count, fd_set *in, fd_set *out, fd_set *bad,\n"
    "    struct timeval *t) {\n"
    "    return count == 0 && t != NULL\n"
    "        ? usleep(1000000U * (unsigned)t->tv_sec + (unsigned)t->tv_usec)\n"
    "        : kit_real_select(count, in, out, bad, t);\n"
    "}\n";

/* The source with these around, in a directory of its own, laid out as the
 * other. The path lives until the next call. */
static const char *source_to_explore(struct grading *g) {
    static const char *const c11[] = {"thrd_create", NULL};
    static char path[600];
    const char *name = strrchr(g->path, '/') + 1; /* __FILE__ as ever */
    char *text;

    if (!place_copy(g, "explored", path, sizeof path))
        return path; /* it is there */
    FILE *file = fopen(path, "we");
    if (file == NULL)
        err(EXIT_FAILURE, "%s", path);
    fprintf(file, before, name);
    if (calls(g, c11)) {
        text = content("tests/grader/checks/c11_threads.h");
        fprintf(file, "%s#line 1 \"%s.c\"\n", text, name);
        free(text);
    }
    text = content(g->source);
    fputs(text, file);
    fputs(after, file);
    if (fclose(file) == EOF)
        err(EXIT_FAILURE, "%s", path);
    free(text);
    return path;
}

/* True when there is a report in *run, which the caller frees. */
static bool explore(struct grading *g, struct finding *f,
    const struct words *words, const char *bound, const char *outcomes,
    struct run *run) {
    struct grading other = *g;
    struct finding own = {.share = 0};
    struct words copy = *words;
    const char *env[] = {bound, MOST_RUNS, outcomes, NULL};
    struct program program = {
        .argv = copy.argv, .env = env, .deadline_ms = 10000};

    if (f->verdict.text[0] != '\0' || calls(g, unseen))
        return false;
    other.source = source_to_explore(g);
    copy.argv[0] = grade_build_explore(&other, &own);
    if (copy.argv[0] == NULL)
        return false;
    other.source = g->source; /* its lines are those that are named */
    grade_run(&other, &program, run, &own);
    snprintf(f->command, sizeof f->command, "%s", own.command);
    snprintf(f->picture, sizeof f->picture, "%s", own.picture);
    f->flags[0] = f->where[0] = '\0';
    if (run->end == EXITED && run->code <= 1 && run->count > 0)
        return true;
    run_free(run);
    return false;
}

/* The outcome in a line of explore's table, "  12  WORD  OUTCOME", or NULL. */
static const char *outcome_of(const char *line) {
    static const char *const words[] = {
        "right", "wrong", "reference", "other", NULL};
    const char *at = line + strspn(line, " ");
    size_t digits = strspn(at, "0123456789");

    if (digits == 0 || at[digits] != ' ')
        return NULL;
    at += digits + strspn(at + digits, " ");
    for (int i = 0; words[i] != NULL; i++) {
        size_t length = strlen(words[i]);
        if (strncmp(at, words[i], length) == 0 &&
            strncmp(at + length, "  ", 2) == 0)
            return at + length + strspn(at + length, " ");
    }
    return NULL;
}

/* A run that computes for long, or waits where explore does not see it. */
static bool is_undecided(const char *outcome) {
    return strstr(outcome, "never comes back") != NULL ||
           strstr(outcome, "never ends") != NULL ||
           strstr(outcome, "spins") != NULL;
}

/* Judges one outcome: exit 0 and lines, with a slash between. */
static void judge_outcome(const char *outcome,
    void (*judge)(const struct line *, size_t, const void *, struct verdict *),
    const void *arg, struct verdict *v) {
    struct line lines[MOST_LINES] = {{0, NULL}};
    size_t count = 0;
    struct verdict own = {0};
    char text[4000], *rest = NULL;

    if (strncmp(outcome, "exit 0: ", 8) != 0) {
        verdict_fail(v,
            "in some order of its threads: %.300s; expected: every order ends "
            "well",
            outcome);
        return;
    }
    snprintf(text, sizeof text, "%s", outcome + 8);
    char *line = strtok_r(text, "/", &rest);
    while (line != NULL && count < MOST_LINES) {
        lines[count++].text = line;
        line = strtok_r(NULL, "/", &rest);
    }
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

    if (!explore(g, f, words, bound, "OUTCOMES=any order", &run))
        return;
    for (size_t i = 0; i < run.count && f->verdict.text[0] == '\0'; i++) {
        const char *outcome = outcome_of(run.lines[i].text);
        if (strncmp(run.lines[i].text, "data race in ", 13) == 0)
            verdict_fail(&f->verdict, "%.400s; expected: no data race",
                run.lines[i].text);
        if (outcome == NULL || is_undecided(outcome))
            continue;
        judge_outcome(outcome, judge, arg, &f->verdict);
        if (strncmp(outcome, "deadlock", 8) == 0)
            tell_stuck(&run, &f->verdict);
    }
    run_free(&run);
    if (f->verdict.text[0] != '\0' && f->verdict.fault == FAULT_OWN)
        f->verdict.fault = cause_of_order(f->verdict.text);
}

void judge_lines_in_orders(struct grading *g, struct finding *f,
    const struct words *words, const char *bound,
    void (*judge)(const struct line *, size_t, const void *, struct verdict *),
    const void *arg) {
    struct run run;

    if (!explore(g, f, words, bound, NULL, &run))
        return;
    for (size_t i = 0; i < run.count && f->verdict.text[0] == '\0'; i++) {
        const char *outcome = outcome_of(run.lines[i].text);
        if (outcome != NULL && strncmp(outcome, "exit 0: ", 8) == 0)
            judge_outcome(outcome, judge, arg, &f->verdict);
    }
    run_free(&run);
}
