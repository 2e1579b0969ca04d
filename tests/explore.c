/*
 * explore.c - the parent: which schedules to run, and what came of them
 *
 * Design. The search is depth-first over the choices of the last run: go back
 * to the deepest step where another choice is still to be tried, and run the
 * program again with the steps up to there prescribed. It is done with 0
 * preemptions, then 1, then 2 (iterative context bounding, Musuvathi and
 * Qadeer 2007), so that the first failure found needs the fewest.
 *
 * Not every choice is tried. Two steps are dependent if their order matters:
 * same place, not both reads. If two dependent steps of a run could have come
 * in the other order, that order is to be tried: dynamic partial-order
 * reduction (Flanagan and Godefroid 2005). Under a bound the other order may
 * cost one preemption too many where the first thread could have given way for
 * free earlier; so it is tried there too: bounded partial-order reduction
 * (Coons, Musuvathi and McKinley 2013).
 */
#define _GNU_SOURCE
#include "explore.h"

#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ALL = 1000000, MOST_OUTPUT = 1 << 20, MOST_TEXT = 4000 };
enum { MOST_OUTCOMES = 64, MOST_ROWS = 60, PATIENCE_S = 10 };

int __real_main(int argc, char *argv[]);
int __wrap_main(int argc, char *argv[]);

struct outcome {
    enum fault fault;
    int status;    /* as of waitpid */
    uint64_t hash; /* of standard output */
    long count;
    bool wrong;
    char text[MOST_TEXT];
};

static char **arguments;
static int nargs, most = 2; /* preemptions */
static bool any_outcome;
static struct outcome outcomes[MOST_OUTCOMES];
static struct op race[2]; /* the first */
static int racer[2];
static int noutcomes;
static long schedules, wrong, racy, runs;
static bool bounded_away; /* a choice was left out, because of the bound */
static volatile sig_atomic_t stopped; /* by this signal */
static int in, out, errors;           /* the child's standard files */
static double began;
static struct { /* the first run that goes wrong, with the fewest preemptions */
    bool found, outcome;
    int cost;
    char schedule[4000];
    struct outcome as;
} failure;

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---------- One run ---------- */

static void limit(int what, rlim_t soft) {
    struct rlimit r = {soft, soft + 1};
    setrlimit((__rlimit_resource_t)what, &r);
}

static _Noreturn void child(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    signal(SIGINT, SIG_DFL);
    signal(SIGALRM, SIG_DFL);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, MOST_OUTPUT);
    limit(RLIMIT_AS, (rlim_t)1 << 29);
    alarm(PATIENCE_S);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    run_begin();
    exit(__real_main(nargs, arguments));
}

/* Runs the program once; its status as of waitpid. */
static int run(const char *replay) {
    int status;
    sh->nsteps = sh->nthreads = 0;
    sh->fault = NONE;
    sh->raced = false;
    sh->replay = replay;
    memset(sh->pending, 0, sizeof sh->pending);
    for (int i = 0; i < 2; i++)
        if (ftruncate(i ? errors : out, 0) == -1 ||
            lseek(i ? errors : out, 0, SEEK_SET) == -1)
            err(2, "explore: memory for output");
    fflush(stdout);
    pid_t pid = fork();
    if (pid == -1)
        err(2, "explore: fork");
    if (pid == 0)
        child();
    while (waitpid(pid, &status, 0) == -1)
        if (errno != EINTR)
            err(2, "explore: waitpid");
    kill(-pid, SIGKILL); /* whatever it started in spite of us */
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        sh->fault = HANGS;
    runs++;
    return status;
}

/* ---------- Which steps depend on which: what is still to be tried ------- */

static int actor(int i) {
    return sh->steps[i].choice % SPURIOUS;
}

static int cost_of(const struct step *s, int choice) {
    if (choice >= SPURIOUS)
        return 1 + cost_of(s, choice - SPURIOUS);
    return s->last >= 0 && choice != s->last && !s->free &&
           s->enabled >> s->last & 1;
}

/* Thread t is to go before step i. If it could not then, whoever could. */
static void try_at(int i, int t) {
    struct step *s = &sh->steps[i];
    s->todo |= s->enabled >> t & 1 ? 1u << t : s->enabled & 0xffff;
}

/* Under a bound: also where step i's thread came to go on, for free. */
static void try_before(int i, int t, bool bounded) {
    bool begun = false;
    try_at(i, t);
    for (; i >= 0 && bounded && !begun; i--) {
        const struct step *s = &sh->steps[i];
        begun = s->enabled != 0 && s->last != actor(i);
        if (begun || s->free)
            try_at(i, t);
    }
}

/* Op is what thread t does in step k, or would do there: makes sure that it
   is tried before each earlier step that depends on it. Moves t's clock. As
   the papers look at every state and we only here, a step since t's last one
   counts, and before that the latest (under a bound: of each thread). */
static void reverse(
    int k, int t, const struct op *op, unsigned *clock, bool bounded) {
    unsigned past[MOST_THREADS], seen = 0;
    int own = k - 1;
    while (own >= 0 && actor(own) != t)
        own--;
    if (own >= 0)
        join_clock(clock, sh->steps[own].clock);
    memcpy(past, clock, sizeof past);
    for (int i = k - 1; i >= 0; i--) {
        const struct step *s = &sh->steps[i];
        int u = actor(i);
        if (u == t || !dependent(&s->op, op))
            continue;
        join_clock(clock, s->clock);
        if (s->enabled == 0 || op->kind >= CREATE || past[u] >= s->index ||
            (i < own && seen >> u & 1))
            continue;
        try_before(i, t, bounded);
        if (i < own)
            seen |= bounded ? 1u << u : ~0u;
    }
}

/* Looks at the steps from the first new one on. */
static void analyse(int from, bool bounded) {
    unsigned count[MOST_THREADS] = {0}, clock[MOST_THREADS];
    int n = sh->nsteps;
    for (int k = 0; k < n; k++) {
        struct step *s = &sh->steps[k];
        int t = actor(k);
        s->index = ++count[t];
        if (k < from)
            continue;
        if (k >= sh->prefix) {
            s->done = 0;
            s->todo = sh->reduce ? 1u << s->choice : s->enabled;
        }
        if (s->op.kind == WAIT) /* and a wait that will end by itself */
            s->todo |= s->enabled & 1u << (SPURIOUS + t);
        s->cost = k == 0 ? 0 : s[-1].cost + cost_of(s - 1, s[-1].choice);
        memset(s->clock, 0, sizeof s->clock);
        if (sh->reduce)
            reverse(k, t, &s->op, s->clock, bounded);
        s->clock[t] = s->index;
    }
    /* A run that ends in the middle ends for all. */
    if (n > 0 && sh->fault != DEADLOCK && sh->fault != SPIN)
        sh->steps[n - 1].op = (struct op){EXIT, .size = UINTPTR_MAX};
    for (int t = 0; t < sh->nthreads && sh->reduce; t++) {
        memset(clock, 0, sizeof clock);
        if (sh->pending[t].alive)
            reverse(n, t, &sh->pending[t].op, clock, bounded);
    }
}

/* Prescribes the next run. False: all are done. */
static bool next_schedule(int bound) {
    for (int k = sh->nsteps - 1; k >= 0; k--) {
        struct step *s = &sh->steps[k];
        s->done |= 1u << s->choice;
        unsigned left = s->todo & s->enabled & ~s->done;
        for (; left != 0; left &= left - 1) {
            int choice = __builtin_ctz(left);
            if (s->cost + cost_of(s, choice) > bound) {
                bounded_away = true;
                continue;
            }
            s->choice = choice;
            sh->prefix = k + 1;
            return true;
        }
    }
    return false;
}

/* ---------- What came of a run ---------- */

/* In one line: newlines become slashes. */
static void describe(struct outcome *o, const char *output, const char *said) {
    static const char *const faults[] = {"", "deadlock",
        "a thread spins for ever, waiting for a change that nobody makes",
        "a thread never ends", "a lock is released that is not held",
        "a run never comes back: it computes, or waits in a system call"};
    const char *bar = *output && *said && o->status ? " | " : "";
    if (o->fault != NONE || WIFSIGNALED(o->status))
        snprintf(o->text, sizeof o->text, "%s%s",
            o->fault ? faults[o->fault] : "crash: ",
            o->fault ? "" : strsignal(WTERMSIG(o->status)));
    else
        snprintf(o->text, sizeof o->text, "exit %d: %s%s%s",
            WEXITSTATUS(o->status), output, bar, o->status ? said : "");
    for (char *c = o->text; *c != '\0'; c++)
        if (*c == '\n')
            *c = c[1] == '\0' ? '\0' : '/';
}

static struct outcome get_outcome(int status) {
    static char text[MOST_OUTPUT + 1], said[300];
    struct outcome o = {sh->fault, status, .count = 1};
    ssize_t n = 0, e = pread(errors, said, sizeof said - 1, 0);
    if (o.fault == NONE && !WIFSIGNALED(status))
        n = pread(out, text, sizeof text - 1, 0);
    said[e > 0 ? e : 0] = text[n > 0 ? n : 0] = '\0';
    uint64_t line = 0;
    for (ssize_t i = 0; i < n; i++) {
        line = (line ^ (unsigned char)text[i]) * 0x100000001B3u;
        if (text[i] == '\n' && sh->any_order) {
            o.hash += line; /* the same in any order of the lines */
            line = 0;
        }
    }
    o.hash += line;
    describe(&o, text, said);
    return o;
}

/* The schedule as a string: see replayed() in explore_run.c. The default
   choices at its end are left out. */
static void write_schedule(char *text, size_t size) {
    int end = -1, n = 0, choice = 0;
    size_t used = 0;
    for (int k = 0; k < sh->nsteps; k++) {
        const struct step *s = &sh->steps[k];
        bool stays = s->last >= 0 && s->enabled >> s->last & 1;
        if (s->enabled != 0 &&
            s->choice != (stays ? s->last : __builtin_ctz(s->enabled)))
            end = k;
    }
    snprintf(text, size, "M0"); /* the default throughout */
    for (int k = 0; k <= end + 1 && used + 16 < size; k++) {
        const struct step *s = &sh->steps[k];
        if (k <= end && s->enabled == 0)
            continue;
        if (n > 0 && (k > end || s->choice != choice)) {
            used += (size_t)snprintf(
                text + used, size - used, "%c%d", LETTERS[choice], n);
            n = 0;
        }
        choice = s->choice;
        n++;
    }
}

static void keep_failure(const struct outcome *o) {
    int n = sh->nsteps;
    const struct step *s = &sh->steps[n - 1];
    int cost = n == 0 ? 0 : s->cost + cost_of(s, s->choice);
    if (failure.found && (o->wrong == failure.as.wrong ? cost >= failure.cost
                                                       : failure.as.wrong))
        return;
    failure.found = true;
    failure.cost = cost;
    failure.as = *o;
    write_schedule(failure.schedule, sizeof failure.schedule);
}

/* Right is what the first good run printed: threads one after the other. */
static void count_outcome(int status) {
    struct outcome o = get_outcome(status);
    int i = 0, good = 0;
    while (good < noutcomes && outcomes[good].wrong)
        good++;
    while (i < noutcomes &&
           (outcomes[i].hash != o.hash || outcomes[i].fault != o.fault ||
               outcomes[i].status != o.status))
        i++;
    o.wrong = o.fault != NONE || o.status != 0 ||
              (!any_outcome && i == noutcomes && good < noutcomes);
    if (i < noutcomes) {
        o.wrong = outcomes[i].wrong;
        outcomes[i].count++;
    } else if (noutcomes < MOST_OUTCOMES)
        outcomes[noutcomes++] = o;
    schedules++;
    wrong += o.wrong;
    if (sh->raced && racy++ == 0) {
        memcpy(race, sh->race, sizeof race);
        memcpy(racer, sh->racer, sizeof racer);
    }
    if (o.wrong || sh->raced)
        keep_failure(&o);
}

static void progress(int bound) {
    static double next;
    double t = seconds(), part = 0, weight = 1;
    char bar[] = "....................";
    if (t < next || t < began + 1 || !isatty(STDERR_FILENO))
        return;
    next = t + 0.25;
    for (int k = 0; k < sh->nsteps && weight > 1e-4; k++) {
        const struct step *s = &sh->steps[k];
        int all = __builtin_popcount((s->todo | s->done) & s->enabled);
        if (all < 2)
            continue;
        part += weight * __builtin_popcount(s->done & ~(1u << s->choice)) / all;
        weight /= all;
    }
    memset(bar, '#', (size_t)(part * 20));
    fprintf(stderr,
        "\r[%s] %s %d preempted: %ld schedules, %.0f a second\033[K", bar,
        bound == ALL ? "more than" : "at most", bound == ALL ? 2 : bound,
        schedules, (double)runs / (t - began));
}

/* ---------- The search ---------- */

/* What no schedule can mend: said at once, and the end. */
static void check_fit(int status) {
    const char *why = NULL;
    if (sh->fault == UNFIT)
        why = sh->text;
    else if (lseek(in, 0, SEEK_CUR) != 0)
        why = "it reads input: give it arguments instead";
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ)
        why = "it writes more than 1 MiB";
    else if (sh->nthreads < 2 && sh->fault == NONE && WIFEXITED(status))
        why = "it starts no threads, so it has one schedule";
    if (why == NULL)
        return;
    fprintf(stderr, "explore: cannot explore %s: %s\n", *arguments, why);
    if (sh->fault == NONE && WIFEXITED(status))
        fprintf(stderr, "it ended with: %s\n", get_outcome(status).text);
    exit(2);
}

/* All schedules with at most so many preemptions. */
static void search(int bound) {
    unsigned known = sh->news - 1;
    do {
        if (sh->news != known) { /* there are more places than we knew */
            noutcomes = 0;
            schedules = wrong = racy = 0;
            failure.found = false;
            sh->prefix = 0;
            bounded_away = false;
        }
        known = sh->news;
        int status = run(NULL);
        if (sh->news != known)
            continue;
        check_fit(status);
        analyse(sh->prefix > 0 ? sh->prefix - 1 : 0, bound != ALL);
        count_outcome(status);
        progress(bound);
        if (sh->fault == ENDLESS || sh->fault == HANGS)
            stopped = SIGTERM;
    } while (!stopped && (sh->news != known || next_schedule(bound)));
}

static void interrupted(int number) {
    stopped = number;
}

static void search_all(void) {
    began = seconds();
    for (int bound = 0; bound <= most && !stopped; bound++) {
        if (most == ALL && (bound > 2 || failure.found))
            bound = ALL; /* the shortest is found, or far */
        search(bound);
        if (!bounded_away)
            break;
    }
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
}

/* ---------- The report: explore.awk fills in what is between \1 and \1 --- */

#define NAME "\1N%lu %lu %lx\1"
#define NAME_OF(op) (op)->at, (op)->size, (op)->at
#define LINE "\1L%lx\1" /* file.c:37 */
#define TEXT "\1T%lx\1" /* 37 sum = seen + 1; */

static const char *thread_name(int t) {
    static const char names[MOST_THREADS][5] = {"main", "A", "B", "C", "D", "E",
        "F", "G", "H", "I", "J", "K", "L", "N", "O", "P"}; /* M is main */
    return t < 0 ? "?" : names[t];
}

static unsigned long line_of(const void *pc) {
    return pc == NULL ? 0 : (unsigned long)pc - 1;
}

static const char *plural(long n) {
    return n == 1 ? "" : "s";
}

static void report_outcomes(void) {
    printf("%ld schedule%s, %d outcome%s\n", schedules, plural(schedules),
        noutcomes, plural(noutcomes));
    for (int i = 0; i < noutcomes; i++)
        printf("%8ld  %s  %s\n", outcomes[i].count,
            outcomes[i].wrong ? "wrong" : "right", outcomes[i].text);
    if (racy > 0)
        printf("data race in %ld of %ld schedules, the first: %s %ss " NAME
               " at " LINE ", %s %ss it at " LINE ", in no order\n",
            racy, schedules, thread_name(racer[0]), race[0].name,
            NAME_OF(&race[0]), line_of(race[0].pc), thread_name(racer[1]),
            race[1].name, line_of(race[1].pc));
}

/* Clocks by the beginnings and ends of threads alone: what was there before a
   thread began, or after it was joined, does not matter to it. */
static void order_by_life(void) {
    unsigned clocks[MOST_THREADS][MOST_THREADS] = {{0}};
    for (int k = 0; k < sh->nsteps; k++) {
        struct step *s = &sh->steps[k];
        unsigned *mine = clocks[actor(k)];
        for (int i = 0; i < k && s->op.kind >= CREATE; i++)
            if (sh->steps[i].op.at == s->op.at)
                join_clock(mine, sh->steps[i].clock);
        s->index = ++mine[actor(k)];
        memcpy(s->clock, mine, sizeof s->clock);
    }
}

/* Does another thread meet step k, and does the order matter? */
static bool matters(int k) {
    const struct step *s = &sh->steps[k];
    bool does = false;
    for (int t = 0; t < sh->nthreads; t++)
        if (sh->pending[t].alive && t != actor(k) &&
            sh->pending[t].op.kind < EXIT)
            does = does || dependent(&s->op, &sh->pending[t].op);
    for (int i = 0; i < sh->nsteps && !does; i++) {
        const struct step *other = &sh->steps[i];
        bool ordered = i < k ? s->clock[actor(i)] >= other->index
                             : other->clock[actor(k)] >= s->index;
        does = actor(i) != actor(k) && !ordered && other->op.kind < EXIT &&
               dependent(&s->op, &other->op);
    }
    return does && s->op.kind < EXIT;
}

/* Fields between tabs; explore.awk makes the columns. */
static void row(int number, int k, unsigned shown) {
    const struct step *s = &sh->steps[k];
    int unused = 64 - 8 * (int)s->op.size;
    printf("\2%d\t" NAME, number, NAME_OF(&s->op));
    for (int t = 0; t < sh->nthreads; t++) {
        if (!(shown >> t & 1))
            continue;
        printf("\t");
        if (t != actor(k))
            continue;
        printf("%s", s->choice >= SPURIOUS ? "(no signal) " : s->op.name);
        if (s->op.kind <= UPDATE) {
            int64_t value = (int64_t)(s->value << unused) >> unused;
            bool address = value > 1 << 20 || value < -(1 << 20);
            printf(address ? " \1N%ld 0 %lx\1" : " %ld", value, value);
        } else if (s->op.try && s->value != 0)
            printf(": no");
    }
    printf("\t" TEXT "\n", line_of(s->op.pc));
}

static void why_pending(int t) {
    const struct pending *p = &sh->pending[t];
    printf("  %s ", thread_name(t));
    if (p->op.kind == JOIN)
        printf("waits for the end of %s", thread_name(p->holder));
    else if (p->op.kind == WAKE && p->holder < 0)
        printf("waits for a signal of " NAME, NAME_OF(&p->op));
    else if (p->parked)
        printf("reads " NAME " again and again", NAME_OF(&p->op));
    else
        printf("waits in %s of " NAME, p->op.name, NAME_OF(&p->op));
    printf(" at " LINE, line_of(p->op.pc));
    if (p->op.kind != JOIN && p->holder >= 0)
        printf(", which %s holds since " LINE,
            p->holder == t ? "it" : thread_name(p->holder),
            line_of(p->holder_pc));
    if (p->op.kind == WAKE && p->lost_pc != NULL)
        printf(": lost wake-up, the last signal came when nobody waited (" LINE
               ")",
            line_of(p->lost_pc));
    printf("\n");
}

static void report_schedule(const struct outcome *o) {
    unsigned shown = 0;
    int rows = 0;
    order_by_life();
    for (int k = 0; k < sh->nsteps; k++)
        if (matters(k)) {
            shown |= 1u << actor(k);
            rows++;
        }
    for (int t = 0; t < sh->nthreads; t++)
        if (sh->pending[t].alive && o->fault != NONE)
            shown |= 1u << t;
    printf("\n\2step\tplace");
    for (int t = 0; t < sh->nthreads; t++)
        if (shown >> t & 1)
            printf("\t%s", thread_name(t));
    printf("\tsource\n");
    if (rows > MOST_ROWS)
        printf("  (the %d steps before are left out)\n", rows - MOST_ROWS);
    for (int k = 0, number = 0; k < sh->nsteps; k++)
        if (matters(k) && ++number > rows - MOST_ROWS)
            row(number, k, shown);
    bool blocked = o->fault == DEADLOCK || o->fault == SPIN;
    for (int t = 0; t < sh->nthreads && blocked; t++)
        if (sh->pending[t].alive)
            why_pending(t);
    if (!blocked && (o->fault != NONE || WIFSIGNALED(o->status)))
        printf("  %s got as far as " LINE ": " TEXT "\n",
            thread_name(sh->running), line_of(sh->pending[sh->running].op.pc),
            line_of(sh->pending[sh->running].op.pc));
}

/* Runs one schedule and shows it. Returns whether it is wrong. */
static bool replay(const char *schedule) {
    unsigned known;
    int status;
    do { /* until it meets no place that it did not know */
        known = sh->news;
        sh->prefix = 0;
        status = run(schedule);
    } while (sh->news != known);
    check_fit(status);
    struct outcome o = get_outcome(status);
    report_schedule(&o);
    printf("\nREPLAY=%s: %s\n", schedule, o.text);
    return o.fault != NONE || o.status != 0 || sh->raced;
}

/* The places that are worth a choice: a schedule is one with these. */
static void keep_places(bool write) {
    char path[4096];
    snprintf(path, sizeof path, "%s.places", *arguments);
    /* No stdio: what it allocates would move what the program allocates. */
    int file = write ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644)
                     : open(path, O_RDONLY);
    ssize_t size = sizeof sh->learned, n = -1;
    if (file != -1)
        n = write ? pwrite(file, sh->learned, (size_t)size, 0)
                  : pread(file, sh->learned, (size_t)size, 0);
    if (n != size || close(file) == -1)
        err(2, "%s: needed for REPLAY, made by a run without", path);
}

/*
 * A grader, to whom this process is as suspect as the program in it, gives a
 * token. It is where no child, and so no part of the program, can read it, and
 * stands before and after what is reported here.
 */
static char *token;

static void hide_token(void) {
    char *given = getenv("EXPLORE_TOKEN");
    if (given == NULL)
        return;
    token = mmap(
        NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (token == MAP_FAILED || madvise(token, 4096, MADV_WIPEONFORK) == -1)
        err(2, "explore: the token");
    snprintf(token, 4096, "%s", given);
    memset(given, 0, strlen(given));
}

static void show_token(void) {
    if (token != NULL)
        printf("%s\n", token);
    fflush(stdout);
}

/* The last words; the exit status. */
static int verdict(void) {
    char within[64] = "";
    if (bounded_away && !stopped)
        snprintf(within, sizeof within, " with at most %d preemption%s", most,
            plural(most));
    double took = seconds() - began;
    printf(
        "%ld runs in %.2f s, %.0f a second\n", runs, took, (double)runs / took);
    printf("It cannot see: weak memory (sequential consistency only), inside "
           "system calls\n(one step each), inside libraries (not "
           "instrumented).\n");
    if (stopped)
        printf("%s: not all schedules were tried\n",
            stopped == SIGINT    ? "stopped by Ctrl-C"
            : stopped == SIGALRM ? "stopped by TIMEOUT"
                                 : "a run without end stops the search");
    if (wrong > 0)
        printf("wrong in %ld of %ld schedules; the shortest needs %d "
               "preemption%s\n",
            wrong, schedules, failure.cost, plural(failure.cost));
    else if (racy > 0)
        printf("every outcome is right, but there is a data race in %ld of "
               "%ld schedules%s\n",
            racy, schedules, within);
    else
        printf("right in all %ld schedule%s%s\n", schedules, plural(schedules),
            stopped ? " tried so far" : within);
    return wrong > 0 || racy > 0 ? 1 : stopped ? 3 : 0;
}

/* ---------- The beginning ---------- */

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

static const char *settings(void) {
    const char *bound = setting("BOUND"), *order = setting("OUTCOMES");
    const char *on = setting("REDUCE"), *time = setting("TIMEOUT");
    if (bound != NULL && strcmp(bound, "all") == 0)
        most = ALL;
    else if (bound != NULL && (!isdigit((unsigned char)*bound) || bound[1]))
        errx(2, "BOUND=%s: must be 0 to 9, or all", bound);
    else if (bound != NULL)
        most = *bound - '0';
    if (time != NULL && atoi(time) < 1)
        errx(2, "TIMEOUT=%s: must be seconds", time);
    alarm(time != NULL ? (unsigned)atoi(time) : 0);
    sh->reduce = on == NULL || strcmp(on, "0") != 0;
    sh->any_order = order != NULL && strcmp(order, "any order") == 0;
    any_outcome = order != NULL && strcmp(order, "any") == 0;
    return setting("REPLAY");
}

static void open_files(void) {
    static char buffer[BUFSIZ]; /* malloc would move what programs allocate */
    struct sigaction action = {.sa_handler = interrupted};
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    in = memfd_create("input", MFD_CLOEXEC);
    out = memfd_create("output", MFD_CLOEXEC);
    errors = memfd_create("errors", MFD_CLOEXEC);
    if (in == -1 || out == -1 || errors == -1 || write(in, "\n", 1) != 1)
        err(2, "explore: memory for output");
    lseek(in, 0, SEEK_SET);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    /* On one CPU a thread hands over ten times as fast. */
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
}

int __wrap_main(int argc, char *argv[]) {
    nargs = argc;
    arguments = argv;
    sh = mmap(NULL, sizeof *sh, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (sh == MAP_FAILED)
        err(2, "explore: memory");
    hide_token();
    open_files();
    const char *schedule = settings();
    if (schedule != NULL)
        keep_places(false);
    if (schedule != NULL && setting("GDB") != NULL) {
        sh->replay = schedule; /* right here, for the debugger */
        sh->prefix = -1;
        run_begin();
        exit(__real_main(argc, argv));
    }
    if (schedule != NULL)
        return replay(schedule);
    search_all();
    if (token == NULL) /* a grader replays nothing */
        keep_places(true);
    show_token();
    report_outcomes();
    if (failure.found) {
        printf("\nThe first schedule that goes wrong (%d preemption%s): %s\n",
            failure.cost, plural(failure.cost), failure.as.text);
        replay(failure.schedule);
    }
    int status = verdict();
    show_token();
    return status;
}
