/*
 * rare.c - a submission in which rare things happen: see rare_wrap.c
 */
#include "grader/checks/rare.h"
#include "grader/cause.h"
#include "grader/checks/moments.h"
#include "grader/sandbox.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *content(const char *path) {
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "re");

    if (file == NULL || getdelim(&text, &size, '\0', file) == -1)
        err(EXIT_FAILURE, "%s", path);
    fclose(file);
    return text;
}

/* ---------- Builds ---------- */

bool place_copy(
    const struct grading *g, const char *name, char *path, size_t size) {
    size_t top = strlen(g->source) - strlen(g->path) - 2;

    snprintf(path, size, "%.*s%s", (int)top, g->source, name);
    mkdir(path, 0755);
    snprintf(path, size, "%.*s%s/%.*s", (int)top, g->source, name,
        (int)strcspn(g->path, "/"), g->path);
    mkdir(path, 0755);
    snprintf(path, size, "%.*s%s/%s.c", (int)top, g->source, name, g->path);
    return access(path, F_OK) == -1;
}

/* The source, with this before it. */
static void write_copy(
    const struct grading *g, const char *path, const char *before) {
    char *text = content(g->source);
    FILE *file = fopen(path, "we");

    if (file == NULL ||
        fprintf(file, "%s#line 1 \"%s.c\"\n%s", before,
            strrchr(g->path, '/') + 1, text) < 0 ||
        fclose(file) == EOF)
        err(EXIT_FAILURE, "%s", path);
    free(text);
}

/* These flags, and what makes rare things happen. */
static const char *with_rare(char *buf, size_t size, const char *flags) {
    const char *kit = sandbox_kit();

    snprintf(buf, size, "%s -w -pthread %s/rare.o -Wl,@%s/rare.wraps", flags,
        kit, kit);
    return buf;
}

const char *build_rare(struct grading *g, struct finding *f) {
    struct finding own = {.share = 0};
    char flags[400];

    if (f->verdict.text[0] != '\0')
        return NULL;
    return grade_build(g, with_rare(flags, sizeof flags, "-O2"), &own);
}

const char *build_sanitized(
    struct grading *g, const char *flags, struct finding *f) {
    static const char *const c11[] = {"thrd_create", NULL};
    struct grading other = *g;
    char path[600], all[400];

    with_rare(all, sizeof all, flags);
    if (!calls(g, c11))
        return grade_build(g, all, f);
    char *threads = content("tests/grader/checks/c11_threads.h");
    if (place_copy(g, "c11", path, sizeof path))
        write_copy(&other, path, threads);
    free(threads);
    other.source = path;
    strncat(all, " -frandom-seed=c11", sizeof all - strlen(all) - 1);
    return grade_build(&other, all, f);
}

/* ---------- Other orders ---------- */

bool run_shaken(struct grading *g, struct finding *f, struct program *program,
    const char *variable, struct run *run) {
    const char **argv = (const char **)program->argv, *built = build_rare(g, f);
    const char *const *own = program->env;
    char shake[40];
    const char *env[] = {
        shake, variable ? variable : "KIT_SPURIOUS=1", "KIT_SPURIOUS=1", NULL};

    if (built == NULL)
        return false;
    snprintf(
        shake, sizeof shake, "KIT_SHAKE=%ld", grade_random(g, 0, 1000000000));
    program->env = env;
    argv[0] = built;
    f->flags[0] = '\0';
    grade_where(f,
        "some threads or processes are held up where they meet, so that "
        "another comes first%s",
        variable && strcmp(variable, NO_SPURIOUS) == 0
            ? ""
            : "; a wait at a condition variable may end though nobody has "
              "signalled");
    run_virtual(g, f, program, run);
    argv[0] = "";
    program->env = own;
    return true;
}

void judge_shaken(struct grading *g, struct finding *f, struct program *program,
    int runs, const char *variable,
    void (*judge)(const struct run *, const void *, struct verdict *),
    const void *arg) {
    struct run run;

    for (int i = 0; i < runs && f->verdict.text[0] == '\0'; i++) {
        if (!run_shaken(g, f, program, variable, &run))
            break;
        judge(&run, arg, &f->verdict);
        run_free(&run);
    }
}

/* ---------- What is refused ---------- */

static const struct {
    const char *name, *word; /* for the wrapper; for a sentence */
    int reason;              /* the errno that is to be told, or 0: any words */
} requests[] = {
    [THREAD] = {"thread", "another thread", EAGAIN},
    [PROCESS] = {"process", "another process", EAGAIN},
    [CHILD] = {"process", "another process", EAGAIN},
    [MEMORY] = {"memory", "memory", 0},
    [DESCRIPTOR] = {"descriptor", "another descriptor", 0},
    [OBJECT] = {"object", "a System V object", 0},
    [HANDLE] = {"handle", "another handle of curl", 0},
};

/* Takes our own line out; was it there? */
static bool take_note(struct run *run) {
    static const char mark[] = "kit: refused ";
    char *at = strstr(run->err_text, mark);

    if (at == NULL)
        return false;
    const char *rest = at + strcspn(at, "\n");
    rest += *rest == '\n';
    memmove(at, rest, strlen(rest) + 1);
    return true;
}

bool run_refused(struct grading *g, struct finding *f, struct program *program,
    enum refused what, int nth, struct run *run) {
    const char **argv = (const char **)program->argv, *built = build_rare(g, f);
    const char *const *own = program->env;
    char variable[40];
    const char *env[] = {variable, NULL};

    if (built == NULL)
        return false;
    snprintf(variable, sizeof variable, "KIT_REFUSE=%s:%d", requests[what].name,
        nth);
    program->env = env;
    argv[0] = built;
    f->flags[0] = '\0';
    grade_where(f,
        "the system refuses its request number %d for %s, and all after it",
        nth, requests[what].word);
    if (program->virtual_time && program->at_quiet == NULL)
        run_virtual(g, f, program, run);
    else
        grade_run(g, program, run, f);
    argv[0] = "";
    program->env = own;
    if (take_note(run))
        return true;
    run_free(run);
    return false;
}

/* Does it come to the same end when nothing is refused, at once or in some
 * other order of its threads? Then that is not what is looked for here. */
static bool ends_so_anyhow(
    struct grading *g, struct finding *f, struct program *program, int end) {
    struct finding own = {.share = 0};
    bool same = false;
    struct run run;

    for (int i = 0; i < 8 && !same; i++) {
        if (i == 0)
            run_virtual(g, &own, program, &run);
        else if (!run_shaken(g, &own, program, NULL, &run))
            break;
        same = (int)run.end == end;
        run_free(&run);
    }
    if (same)
        snprintf(f->skipped, sizeof f->skipped,
            "it %s also when nothing is refused, and another check says why",
            end == DEADLOCK    ? "deadlocks"
            : end == BUSY_WAIT ? "waits by asking again and again"
                               : "does not end");
    return same;
}

static bool hangs(const struct run *run) {
    return run->end == DEADLOCK || run->end == BUSY_WAIT ||
           run->end == TIMED_OUT;
}

static void judge_refused_run(struct grading *g, const struct run *run,
    enum refused what, int nth, struct verdict *v) {
    static const char *const c11[] = {"thrd_create", NULL};
    /* What C11 says of a thread has no errno. */
    int reason = what == THREAD && calls(g, c11) ? 0 : requests[what].reason;
    const char *words = reason ? strerror(reason) : "";
    char how[800];

    if (run->end != EXITED || run->code != 1 || run->err_text[0] == '\0' ||
        (what == CHILD && run->left_behind > 0) ||
        strstr(run->err_text, words) == NULL)
        verdict_fault(v,
            strstr(run->err_text, strerror(0)) ? FAULT_ERRNO : FAULT_OWN,
            "when the system refused it %s (number %d) it %s, stderr \"%.160s\""
            "; expected: exit status 1, %s%s%s on stderr%s",
            requests[what].word, nth, run_describe(run, how, sizeof how),
            run->err_text, reason ? "the reason, \"" : "the reason", words,
            reason ? "\"," : "", what == CHILD ? ", nothing left behind" : "");
}

void judge_refused_requests(struct grading *g, struct finding *f,
    struct program *program, enum refused what, int most,
    void (*judge)(const struct run *, const void *, struct verdict *),
    const void *arg) {
    struct run run;

    for (int nth = 1; nth <= most; nth++) {
        if (f->verdict.text[0] != '\0' || f->skipped[0] != '\0' ||
            !run_refused(g, f, program, what, nth, &run))
            break;
        if (run.end == EXITED && run.code == 0)
            judge(&run, arg, &f->verdict);
        else if (!hangs(&run) || !ends_so_anyhow(g, f, program, (int)run.end))
            judge_refused_run(g, &run, what, nth, &f->verdict);
        run_free(&run);
    }
}

static void judge_unread(
    struct finding *f, const struct run *run, const char *when, bool killed) {
    char how[800];
    /* The signal ends it, or its children, for whom somebody may wait then. */
    bool by_signal =
        killed && ((run->end == SIGNALLED && run->code == SIGPIPE) ||
                      (run->end == DEADLOCK && run->most_processes > 1));

    if (!by_signal && (run->end != EXITED || run->code != 1 ||
                          run->left_behind > 0 || run->err_text[0] == '\0'))
        verdict_fault(&f->verdict,
            run->end == EXITED && run->code == 0 ? FAULT_UNWRITTEN
                                                 : cause_of_end(run),
            "when %s it %s, stderr \"%.100s\"; expected: exit status 1 and the "
            "reason on stderr, nothing left behind",
            when, run_describe(run, how, sizeof how), run->err_text);
}

void judge_full_disk(
    struct grading *g, struct finding *f, struct program *program) {
    struct run run;

    for (int broken = 0; broken < 2; broken++) {
        if (f->verdict.text[0] != '\0' || f->skipped[0] != '\0')
            return;
        program->stdout_path = broken ? NULL : "/dev/full";
        program->stdout_broken = broken;
        grade_run(g, program, &run, f);
        program->stdout_path = NULL;
        program->stdout_broken = false;
        if (!hangs(&run) || run.most_processes > 1 ||
            !ends_so_anyhow(g, f, program, (int)run.end))
            judge_unread(f, &run,
                broken ? "nobody read its stdout any more" : "stdout was full",
                broken);
        run_free(&run);
    }
}

/* ---------- Signal handlers ---------- */

void judge_handlers(
    struct grading *g, struct finding *f, struct program *program) {
    static const char *const names[] = {"signal", "sigaction", NULL};
    static const char *const env[] = {"KIT_HANDLERS=1", NULL};
    static const char mark[] = "kit: ";
    const char **argv = (const char **)program->argv, *built;
    struct run run;

    if (!calls(g, names) || (built = build_rare(g, f)) == NULL)
        return;
    argv[0] = built;
    program->env = env;
    grade_run(g, program, &run, f);
    argv[0] = "";
    program->env = NULL;
    const char *said = strstr(run.err_text, mark);
    if (said != NULL) {
        said += sizeof mark - 1;
        verdict_fail(&f->verdict,
            "it called %.*s; expected: only what is async-signal-safe there",
            (int)strcspn(said, "\n"), said);
    }
    run_free(&run);
}
