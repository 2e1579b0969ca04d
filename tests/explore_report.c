/*
 * explore_report.c - the parent: what was found, in words and as a table
 *
 * Design. Addresses become names by asking nm and addr2line about the running
 * program (it is linked at a fixed address and with -g). That is slow, and
 * done only for the few lines that are printed.
 */
#define _GNU_SOURCE
#include "explore.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_ROWS = 60 };

static const char *const verbs[] = {"read", "write", "update", "compare",
    "lock", "unlock", "read lock", "write lock", "unlock", "wait", "wake",
    "signal", "broadcast", "take", "post", "value", "arrive", "pass", "once",
    "once done", "print", "exit", "create", "join", "sleep"};

static const char *thread_name(int t) {
    static const char names[MOST_THREADS][5] = {"main", "A", "B", "C", "D", "E",
        "F", "G", "H", "I", "J", "K", "L", "N", "O", "P"}; /* M is main */
    return t < 0 ? "?" : names[t];
}

static pid_t asked;

/* What a tool says about this program and an address, to be read. */
static FILE *ask(const char *tool, const char *option, uintptr_t address) {
    char exe[512], at[32];
    int ends[2];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    exe[n > 0 ? n : 0] = '\0';
    snprintf(at, sizeof at, "0x%" PRIxPTR, address);
    if (pipe(ends) == -1 || (asked = fork()) == -1)
        return NULL;
    if (asked == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(STDERR_FILENO);
        execlp(tool, tool, option, exe, address ? at : NULL, NULL);
        _exit(127);
    }
    close(ends[1]);
    return fdopen(ends[0], "r");
}

static void answered(FILE *answer) {
    if (answer == NULL)
        return;
    fclose(answer);
    waitpid(asked, NULL, 0);
}

/* The name of what is at an address: counter, fork[2], pool+8. */
static void name_of(const struct op *op, char *name, size_t size) {
    char line[300], symbol[200], type;
    unsigned long at, bytes;
    snprintf(name, size, op->kind == PRINT ? "output" : "%" PRIxPTR, op->at);
    FILE *nm = ask("nm", "-S", 0);
    while (nm != NULL && fgets(line, sizeof line, nm) != NULL) {
        if (sscanf(line, "%lx %lx %c %199s", &at, &bytes, &type, symbol) != 4 ||
            op->at < at || op->at >= at + bytes || strchr("tTwW", type))
            continue;
        unsigned long offset = op->at - at, cell = op->size;
        if (op->kind >= LOCK) /* what a lock is: 40 bytes, mostly */
            cell = bytes % 40 == 0   ? 40
                   : bytes % 48 == 0 ? 48
                   : bytes % 56 == 0 ? 56
                   : bytes % 32 == 0 ? 32
                                     : bytes;
        snprintf(name, size, "%.40s", symbol);
        if (bytes != cell && bytes % cell == 0 && offset % cell == 0)
            snprintf(name, size, "%.40s[%lu]", symbol, offset / cell);
        else if (offset != 0)
            snprintf(name, size, "%.40s+%lu", symbol, offset);
    }
    answered(nm);
}

/* file:line of a return address, and the text of the line. */
static void source_of(
    void *pc, char *where, size_t size, char *text, size_t text_size) {
    char path[300] = "?", line[300];
    text[0] = '\0';
    snprintf(where, size, "?");
    FILE *tool = ask("addr2line", "-e", (uintptr_t)pc - 1);
    if (tool == NULL)
        return;
    if (fgets(path, sizeof path, tool) == NULL)
        path[0] = '\0';
    answered(tool);
    char *colon = strrchr(path, ':'), *slash = strrchr(path, '/');
    if (colon == NULL || slash == NULL)
        return;
    int number = atoi(colon + 1);
    snprintf(
        where, size, "%.*s:%d", (int)(colon - slash - 1), slash + 1, number);
    *colon = '\0';
    FILE *file = fopen(path, "r");
    for (int i = 0; file != NULL && i < number; i++)
        if (fgets(line, sizeof line, file) == NULL)
            line[0] = '\0';
    if (file == NULL)
        return;
    fclose(file);
    char *begin = line;
    while (isspace((unsigned char)*begin))
        begin++;
    snprintf(text, text_size, "%.*s", (int)strcspn(begin, "\n"), begin);
}

static const char *line_of(void *pc) {
    static char where[2][100];
    static int turn_about;
    char text[200], *w = where[turn_about ^= 1];
    source_of(pc, w, sizeof where[0], text, sizeof text);
    return w;
}

/* An outcome in one line. */
void describe(const struct outcome *o, char *text, unsigned long size) {
    int s = o->status;
    static const char *const faults[] = {"", "deadlock",
        "a thread spins for ever, waiting for a change that nobody makes",
        "a thread never ends", "a lock is released that is not held",
        "a run never comes back: it computes, or waits in a system call"};
    if (o->fault != NONE)
        snprintf(text, size, "%s", faults[o->fault]);
    else if (WIFSIGNALED(s))
        snprintf(text, size, "crash: %s", strsignal(WTERMSIG(s)));
    else
        snprintf(text, size, "exit %d: %s%s%s", WEXITSTATUS(s), o->out,
            *o->out && *o->err && s ? " | " : "", s ? o->err : "");
    for (char *c = text; *c != '\0'; c++)
        if (*c == '\n')
            *c = c[1] == '\0' ? '\0' : '/';
}

void report_race(const struct race *r, long runs, long schedules) {
    char name[80];
    name_of(&r->op[0], name, sizeof name);
    printf("data race in %ld of %ld schedules: %s %ss %s at %s,", runs,
        schedules, thread_name(r->thread[0]), verbs[r->op[0].kind], name,
        line_of(r->op[0].pc));
    printf(" %s %ss it at %s, in no order\n", thread_name(r->thread[1]),
        verbs[r->op[1].kind], line_of(r->op[1].pc));
}

/* Does another thread touch what this step touches? */
static bool matters(const struct failure *f, const struct step *s) {
    if (s->op.kind == EXIT)
        return false;
    for (int i = 0; i < f->nthreads; i++)
        if (f->stuck[i].alive && i != s->choice % SPURIOUS &&
            dependent(&s->op, &f->stuck[i].op))
            return true;
    for (int i = 0; i < f->nsteps; i++)
        if (f->steps[i].choice % SPURIOUS != s->choice % SPURIOUS &&
            f->steps[i].op.kind != EXIT && dependent(&f->steps[i].op, &s->op))
            return true;
    return false;
}

static void cell(const struct step *s, char *text, size_t size) {
    const char *verb = verbs[s->op.kind];
    int unused = 64 - 8 * (int)s->op.size;
    int64_t value = (int64_t)(s->value << unused) >> unused;
    struct op pointer = {READ, .size = 1, .at = s->value};
    if (s->op.kind <= COMPARE && value > -100000 && value < 1000000)
        snprintf(text, size, "%s %" PRId64, verb, value);
    else if (s->op.kind <= COMPARE) {
        char name[80];
        name_of(&pointer, name, sizeof name);
        snprintf(text, size, "%s %s", verb, name);
    } else if (s->choice >= SPURIOUS)
        snprintf(text, size, "wait (!)");
    else
        snprintf(text, size, "%s%s%s", s->op.try ? "try " : "", verb,
            s->op.try && s->value ? ": no" : "");
}

static void row(
    int number, int t, unsigned shown, const struct op *op, const char *what) {
    char name[80], where[100], text[200];
    name_of(op, name, sizeof name);
    source_of(op->pc, where, sizeof where, text, sizeof text);
    if (number > 0)
        printf("%5d  %-12.12s", number, name);
    else
        printf("    -  %-12.12s", name);
    for (int i = 0; i < MOST_THREADS; i++)
        if (shown >> i & 1)
            printf(" %-12.12s", i == t ? what : "");
    const char *colon = strrchr(where, ':');
    printf(" %s %s\n", colon ? colon + 1 : where, text);
}

static void why_stuck(const struct failure *f, int t) {
    const struct stuck *s = &f->stuck[t];
    char name[80];
    name_of(&s->op, name, sizeof name);
    printf("  %s", thread_name(t));
    if (s->op.kind == JOIN)
        printf(" waits for the end of %s", thread_name(s->holder));
    else if (s->op.kind == WAKE)
        printf(" waits for a signal of %s", name);
    else if (s->op.kind <= COMPARE)
        printf(" reads %s again and again", name);
    else
        printf(" waits to %s %s", verbs[s->op.kind], name);
    printf(" at %s", line_of(s->op.pc));
    if (s->op.kind != JOIN && s->holder >= 0)
        printf(", which %s holds since %s",
            s->holder == t ? "it" : thread_name(s->holder),
            line_of(s->holder_pc));
    if (s->op.kind == WAKE && s->lost_pc != NULL)
        printf(": lost wake-up, the last signal came when nobody waited (%s)",
            line_of(s->lost_pc));
    printf("\n");
}

static void where_ended(const struct failure *f) {
    char where[100], text[200];
    void *pc = f->stuck[f->running].op.pc;
    source_of(pc, where, sizeof where, text, sizeof text);
    if (pc != NULL)
        printf("  %s got as far as %s: %s\n", thread_name(f->running), where,
            text);
}

/* The schedule as a string: see replayed() in explore_run.c. The default
   choices at its end are left out. */
static void print_replay(const struct failure *f) {
    int n = f->nsteps;
    for (; n > 0; n--) {
        const struct step *s = &f->steps[n - 1];
        int usual = s->last >= 0 && s->enabled >> s->last & 1
                        ? s->last
                        : __builtin_ctz(s->enabled);
        if (s->choice != usual)
            break;
    }
    printf("REPLAY=");
    for (int k = 0; k < n; k++) {
        const struct step *s = &f->steps[k];
        int t = s->choice % SPURIOUS;
        char letter = t == 0 ? 'M' : *thread_name(t);
        bool ends = k + 1 == n || s[1].choice != t;
        if (s->choice >= SPURIOUS)
            printf("%c", tolower(letter));
        else if (ends)
            printf("%c%lu", letter, k + 1 < f->nsteps ? s[1].parked : 9999);
    }
    printf("%s\n", n == 0 ? "M0" : "");
}

void report_failure(const struct failure *f) {
    char text[600];
    unsigned shown = 0;
    int rows = 0, skip, done = 0;
    describe(&f->outcome, text, sizeof text);
    for (int k = 0; k < f->nsteps; k++)
        if (matters(f, &f->steps[k])) {
            shown |= 1u << f->steps[k].choice % SPURIOUS;
            rows++;
        }
    for (int t = 0; t < f->nthreads; t++)
        if (f->stuck[t].alive && f->outcome.fault != NONE)
            shown |= 1u << t;
    skip = rows > MOST_ROWS ? rows - MOST_ROWS : 0;
    printf("\nThe %s (%d preemption%s): %s\n\n step  place       ",
        sh->replay ? "schedule" : "first schedule that goes wrong", f->cost,
        f->cost == 1 ? "" : "s", text);
    for (int t = 0; t < f->nthreads; t++)
        if (shown >> t & 1)
            printf(" %-12s", thread_name(t));
    printf(" source\n");
    if (skip > 0)
        printf("  (the %d steps before are left out)\n", skip);
    for (int k = 0; k < f->nsteps; k++) {
        const struct step *s = &f->steps[k];
        if (!matters(f, s) || ++done <= skip)
            continue;
        cell(s, text, sizeof text);
        row(k + 1, s->choice % SPURIOUS, shown, &s->op, text);
    }
    bool blocked = f->outcome.fault == DEADLOCK || f->outcome.fault == SPIN;
    for (int t = 0; t < f->nthreads && blocked; t++)
        if (f->stuck[t].alive)
            why_stuck(f, t);
    if (!blocked &&
        (f->outcome.fault != NONE || WIFSIGNALED(f->outcome.status)))
        where_ended(f);
    printf("\n");
    print_replay(f);
}
