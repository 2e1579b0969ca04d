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

/* How one is explored: settings of explore's, as "NAME=value". */
struct search {
    const char *bound, *outcomes;
    const char *reject; /* NULL: none */
};

/* True when there is a report in *run, which the caller frees. */
static bool explore(struct grading *g, struct finding *f,
    const struct words *words, const struct search *how, struct run *run) {
    struct grading other = *g;
    struct finding own = {.share = 0};
    struct words copy = *words;
    const char *env[] = {
        how->bound, MOST_RUNS, how->outcomes, how->reject, NULL};
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

/* What explore shows the schedule of, "REPLAY=A1B1: OUTCOME", or NULL. */
static const char *shown(const struct run *run) {
    for (size_t i = 0; i < run->count; i++)
        if (strncmp(run->lines[i].text, "REPLAY=", 7) == 0) {
            const char *colon = strstr(run->lines[i].text, ": ");
            return colon != NULL ? colon + 2 : NULL;
        }
    return NULL;
}

/* Of this thing, or of any if it is "". */
static bool has_race(const struct run *run, const char *thing) {
    for (size_t i = 0; i < run->count; i++)
        if (strncmp(run->lines[i].text, "data race in ", 13) == 0 &&
            strstr(run->lines[i].text, thing) != NULL)
            return true;
    return false;
}

/* Of the first race, "... the first: A writes NAME at x.c:49, ...". */
static void racy(const struct run *run, char *thing, size_t size) {
    static const char mark[] = "the first: ";

    for (size_t i = 0; i < run->count; i++) {
        const char *at = strstr(run->lines[i].text, mark);
        if (strncmp(run->lines[i].text, "data race in ", 13) != 0 || at == NULL)
            continue;
        at += sizeof mark - 1;
        at += strcspn(at, " "); /* who */
        at += strspn(at, " ");
        at += strcspn(at, " "); /* does what */
        at += strspn(at, " ");
        const char *end = strstr(at, " at ");
        snprintf(thing, size, "%.*s", end != NULL ? (int)(end - at) : 0, at);
    }
}

/* A row of the table of a schedule: " 3  next  write 1   52 source". */
struct row {
    char place[64];
    size_t thread; /* the column in which it stands */
    bool access, write;
};

/* False when the line is no row; places begin at one column, threads at
 * another. */
static bool read_row(
    const char *line, size_t places, size_t threads, struct row *row) {
    size_t at = threads, end = threads;

    if (line[strspn(line, " 0123456789")] == '\0' || strlen(line) <= threads ||
        strspn(line, " 0123456789") < 2 || places < 2 || line[0] != ' ')
        return false;
    while (end > places && line[end - 1] == ' ')
        end--;
    snprintf(row->place, sizeof row->place, "%.*s", (int)(end - places),
        line + places);
    at += strspn(line + at, " ");
    row->thread = at;
    row->write = strncmp(line + at, "write ", 6) == 0;
    row->access = row->write || strncmp(line + at, "read ", 5) == 0;
    return true;
}

/* Writes the name of what one thread has used, another has written then, and
 * the first writes after that; else "". */
static void between(const struct run *run, char *thing, size_t size) {
    enum { MOST_ROWS = 200 };
    static struct row rows[MOST_ROWS];
    size_t count = 0, places = 0, threads = 0;

    thing[0] = '\0';
    for (size_t i = 0; i < run->count && count < MOST_ROWS; i++) {
        const char *line = run->lines[i].text;
        const char *head = strstr(line, " step  place ");
        if (head != NULL) {
            places = (size_t)(head - line) + strlen(" step  ");
            threads = places + strlen("place");
            threads += strspn(line + threads, " ");
        } else if (threads > 0 &&
                   read_row(line, places, threads, &rows[count])) {
            count += rows[count].access;
        }
    }
    for (size_t c = 0; c < count && thing[0] == '\0'; c++)
        for (size_t b = 0; b < c && rows[c].write; b++)
            for (size_t a = 0; a < b && rows[b].write; a++)
                if (rows[a].thread == rows[c].thread &&
                    rows[b].thread != rows[c].thread &&
                    strcmp(rows[a].place, rows[b].place) == 0 &&
                    strcmp(rows[b].place, rows[c].place) == 0)
                    snprintf(thing, size, "%s", rows[c].place);
}

/* Only this is shown again: explore ranks what goes wrong in every program
 * before what the check alone knows to be wrong. */
static void show_outcome(struct grading *g, struct finding *f,
    const struct words *words, const struct search *how, const char *outcome) {
    char reject[4100];
    struct search again = *how;
    struct finding own = {.share = 0};
    struct run run;

    snprintf(reject, sizeof reject, "REJECT=%s", outcome + strlen("exit 0: "));
    again.reject = reject;
    if (!explore(g, &own, words, &again, &run))
        return;
    if (shown(&run) != NULL) {
        memcpy(f->command, own.command, sizeof f->command);
        memcpy(f->picture, own.picture, sizeof f->picture);
        between(&run, f->thing, sizeof f->thing);
    }
    run_free(&run);
}

/* The judge of lines, and what it wants to know. */
struct asked {
    void (*judge)(const struct line *, size_t, const void *, struct verdict *);
    const void *arg;
};

/* Does explore see the fault by itself? Its outcome, if the check does as well.
 */
static bool judge_fault(const struct run *run, const struct asked *asked,
    const char *outcome, struct verdict *v) {
    if (outcome == NULL || is_undecided(outcome) ||
        strncmp(outcome, "exit 0: ", 8) == 0)
        return false;
    judge_outcome(outcome, asked->judge, asked->arg, v);
    if (strncmp(outcome, "deadlock", 8) == 0)
        tell_stuck(run, v);
    return true;
}

void judge_orders(struct grading *g, struct finding *f,
    const struct words *words, const char *bound,
    void (*judge)(const struct line *, size_t, const void *, struct verdict *),
    const void *arg) {
    const struct search how = {bound, "OUTCOMES=any order", NULL};
    const struct asked asked = {judge, arg};
    struct verdict v = {0};
    struct run run;

    if (!explore(g, f, words, &how, &run))
        return;
    judge_fault(&run, &asked, shown(&run), &v);
    for (size_t i = 0; i < run.count && v.text[0] == '\0'; i++) {
        const char *outcome = outcome_of(run.lines[i].text);
        if (strncmp(run.lines[i].text, "data race in ", 13) == 0)
            verdict_fail(
                &v, "%.400s; expected: no data race", run.lines[i].text);
        if (outcome == NULL || judge_fault(&run, &asked, outcome, &v) ||
            is_undecided(outcome))
            continue;
        judge_outcome(outcome, judge, arg, &v);
        if (v.text[0] != '\0')
            show_outcome(g, f, words, &how, outcome);
    }
    if (v.text[0] != '\0' && v.fault == FAULT_OWN)
        v.fault = cause_of_order(v.text);
    if (v.fault == FAULT_BETWEEN && has_race(&run, f->thing))
        v.fault = FAULT_RACE;
    if (v.fault == FAULT_RACE && f->thing[0] == '\0')
        racy(&run, f->thing, sizeof f->thing);
    run_free(&run);
    f->verdict = v;
}

void judge_lines_in_orders(struct grading *g, struct finding *f,
    const struct words *words, const char *bound,
    void (*judge)(const struct line *, size_t, const void *, struct verdict *),
    const void *arg) {
    const struct search how = {bound, "OUTCOMES=", NULL};
    struct verdict v = {0};
    struct run run;

    if (!explore(g, f, words, &how, &run))
        return;
    for (size_t i = 0; i < run.count && v.text[0] == '\0'; i++) {
        const char *outcome = outcome_of(run.lines[i].text);
        if (outcome == NULL || strncmp(outcome, "exit 0: ", 8) != 0)
            continue;
        judge_outcome(outcome, judge, arg, &v);
        if (v.text[0] != '\0')
            show_outcome(g, f, words, &how, outcome);
    }
    run_free(&run);
    f->verdict = v;
}
