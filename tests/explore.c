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
 * reduction (Flanagan and Godefroid 2005), with sleep sets (Godefroid 1996)
 * and source sets (Abdulla, Aronsson, Jonsson and Sagonas 2014) when there is
 * no bound. Under a bound the other order may cost one
 * preemption too many where the first thread could have given way for free
 * earlier; so it is tried there too: bounded partial-order reduction (Coons,
 * Musuvathi and McKinley 2013). Sleep sets would be wrong there.
 */
#define _GNU_SOURCE
#include "explore.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ALL = 1000000, MOST_OUTCOMES = 64, MOST_RACES = 8, PATIENCE_S = 20 };

int __real_main(int argc, char *argv[]);
int __wrap_main(int argc, char *argv[]);
void __wrap_exit(int status); /* explore_hooks.c: a step, then exit */

/* Settings, and what was found. */
static int most = 2;
static bool reduce = true, any_outcome;
static const char *replay;
static struct outcome outcomes[MOST_OUTCOMES];
static struct {
    struct race race;
    long runs;
} races[MOST_RACES];
static int noutcomes, nraces;
static long schedules, wrong, racy, runs;
static struct failure failure;
static bool hangs;        /* a run did not end: no use in going on */
static bool bounded_away; /* a choice was left out, because of the bound */
static volatile sig_atomic_t stop;
static int in, out, errors; /* the child's standard files */
static double began;

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---------- One run ---------- */

static void limit(unsigned what, rlim_t most_of_it) {
    struct rlimit r = {most_of_it, most_of_it + 1};
    setrlimit((__rlimit_resource_t)what, &r);
}

/* A crash: note what the others were about to do, then crash. */
static void crashed(int number) {
    run_over();
    signal(number, SIG_DFL);
    raise(number);
}

static void child(int argc, char *argv[]) {
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    signal(SIGINT, SIG_DFL);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        signal(crashes[i], crashed);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, MOST_OUTPUT);
    limit(RLIMIT_AS, (rlim_t)1 << 29);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    run_begin();
    __wrap_exit(__real_main(argc, argv));
}

/* Runs the program once; its status as of waitpid. */
static int run(int argc, char *argv[]) {
    int status;
    sh->nsteps = sh->nthreads = 0;
    sh->fault = NONE;
    sh->raced = false;
    sh->replay = replay;
    memset(sh->stuck, 0, sizeof sh->stuck);
    for (int i = 0; i < 2; i++)
        if (ftruncate(i ? errors : out, 0) == -1 ||
            lseek(i ? errors : out, 0, SEEK_SET) == -1)
            err(2, "explore: memory for output");
    pid_t pid = fork();
    if (pid == -1)
        err(2, "explore: fork");
    if (pid == 0)
        child(argc, argv);
    struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), POLLIN, 0};
    double until = seconds() + PATIENCE_S;
    while (poll(&end, 1, PATIENCE_S * 1000) == -1 && errno == EINTR)
        continue; /* Ctrl-C: let this run end */
    if (seconds() >= until && kill(pid, SIGKILL) == 0)
        sh->fault = HANGS;
    close(end.fd);
    while (waitpid(pid, &status, 0) == -1)
        if (errno != EINTR)
            err(2, "explore: waitpid");
    kill(-pid, SIGKILL); /* whatever it started in spite of us */
    runs++;
    return status;
}

/* ---------- Which steps depend on which: what is still to be tried ------- */

static int cost_of(const struct step *s, int choice) {
    if (choice >= SPURIOUS)
        return 1 + cost_of(s, choice - SPURIOUS);
    return s->last >= 0 && choice != s->last && !s->free &&
           s->enabled >> s->last & 1;
}

/* Can both be possible at the same time? Not taking and releasing a lock. But
   under a bound that pair matters too: to come while the lock is held is to
   be blocked, and then the other thread goes on for free. */
static bool together(const struct op *a, const struct op *b) {
    bool drop = a->kind == UNLOCK || b->kind == UNLOCK;
    return a->at != b->at || !drop || a->try || b->try;
}

/* Thread t is to go before step i. If it could not then, whoever could. */
static void try_at(int i, int t) {
    struct step *s = &sh->steps[i];
    s->todo |= s->enabled >> t & 1 ? 1u << t : s->enabled & 0xffff;
}

/* Under a bound: also where step i's thread came to go on, for free. */
static void try_before(int i, int t) {
    try_at(i, t);
    bool begun = false;
    for (; i > 0 && !begun; i--) {
        const struct step *s = &sh->steps[i];
        begun = s->last != s->choice % SPURIOUS;
        if (begun || s->free)
            try_at(i, t);
    }
    if (!begun)
        try_at(0, t);
}

static bool in_past(const unsigned *clock, int i) {
    const struct step *s = &sh->steps[i];
    return clock[s->choice % SPURIOUS] >= s->index;
}

/* Sleep sets want more than "thread t before step i": somebody must go who
   can begin what leads to t's step k without step i. Those are the initials
   of source sets; they are not t if others had to go before it. */
static void try_initial(int i, int k, int t, const unsigned *clock) {
    struct step *s = &sh->steps[i];
    int first[MOST_THREADS], n = 0;
    unsigned seen = 0, initials = 0;
    for (int j = i + 1; j <= k; j++) {
        const unsigned *c = j == k ? clock : sh->steps[j].clock;
        int u = j == k ? t : sh->steps[j].choice % SPURIOUS;
        if (seen >> u & 1 || (j < k && in_past(c, i)))
            continue;
        bool initial = true;
        for (int m = 0; m < n; m++)
            initial = initial && !in_past(c, first[m]);
        if (initial)
            initials |= 1u << u;
        seen |= 1u << u;
        if (j < k)
            first[n++] = j;
    }
    initials &= s->enabled;
    if (initials == 0)
        s->todo |= s->enabled & 0xffff;
    else if ((initials & s->todo) == 0)
        s->todo |= initials & -initials;
}

/* Op is what thread t does in step k, or would do there: makes sure that it
   is tried before each earlier step that depends on it. Moves t's clock. As
   the papers look at every state and we only here, a step since t's last one
   counts, and before that the latest (under a bound: of each thread). */
static void reverse(
    int k, int t, const struct op *op, unsigned *clock, int end, bool bounded) {
    unsigned mine[MOST_THREADS], seen = 0;
    int own = k - 1;
    while (own >= 0 && sh->steps[own].choice % SPURIOUS != t)
        own--;
    if (own >= 0)
        join_clock(clock, sh->steps[own].clock);
    memcpy(mine, clock, sizeof mine);
    for (int i = k - 1; i >= 0; i--)
        if (i == end || dependent(&sh->steps[i].op, op))
            join_clock(clock, sh->steps[i].clock);
    for (int i = k - 1; i >= 0; i--) {
        const struct step *s = &sh->steps[i];
        int other = s->choice % SPURIOUS;
        if (other == t || !(i == end || dependent(&s->op, op)) ||
            (!bounded && !together(&s->op, op)) || in_past(mine, i) ||
            (i < own && seen >> other & 1))
            continue;
        if (bounded)
            try_before(i, t);
        else
            try_initial(i, k, t, clock);
        if (i < own)
            seen |= bounded ? 1u << other : ~0u;
    }
}

/* Looks at the steps from the first new one on. */
static void analyse(int from, bool bounded, bool abrupt) {
    unsigned count[MOST_THREADS] = {0};
    int n = sh->nsteps, end = abrupt ? n - 1 : -1;
    for (int k = 0; k < n; k++) {
        struct step *s = &sh->steps[k];
        int t = s->choice % SPURIOUS;
        s->index = ++count[t];
        if (k < from)
            continue;
        if (k >= sh->prefix) {
            s->done = 0;
            s->todo = reduce ? 1u << s->choice : s->enabled;
        }
        if (s->op.kind == WAIT) /* and a wait that will end by itself */
            s->todo |= s->enabled & 1u << (SPURIOUS + t);
        s->cost = k == 0 ? 0 : s[-1].cost + cost_of(s - 1, s[-1].choice);
        memcpy(s->clock, s->before, sizeof s->clock);
        if (reduce)
            reverse(k, t, &s->op, s->clock, -1, bounded);
        s->clock[t] = s->index;
    }
    for (int t = 0; t < sh->nthreads && reduce; t++) {
        unsigned clock[MOST_THREADS] = {0};
        if (sh->stuck[t].alive && sh->stuck[t].op.kind < CREATE)
            reverse(n, t, &sh->stuck[t].op, clock, end, bounded);
    }
}

/* Prescribes the next run. False: all are done. */
static bool next_schedule(int bound) {
    for (int k = sh->nsteps - 1; k >= 0; k--) {
        struct step *s = &sh->steps[k];
        s->done |= 1u << s->choice;
        unsigned left = s->todo & s->enabled & ~s->done & ~s->sleep;
        for (; left != 0; left &= left - 1) {
            int choice = __builtin_ctz(left);
            if (s->cost + cost_of(s, choice) > bound) {
                bounded_away = true;
                continue;
            }
            s->choice = choice;
            sh->prefix = k + 1;
            sh->sleep = sh->use_sleep ? s->sleep | s->done : 0;
            return true;
        }
    }
    return false;
}

/* ---------- What came of a run ---------- */

static void get_output(struct outcome *o) {
    static char text[MOST_OUTPUT];
    ssize_t n = pread(out, text, sizeof text, 0);
    ssize_t e = pread(errors, o->err, sizeof o->err - 1, 0);
    o->err[e > 0 ? e : 0] = '\0';
    uint64_t line = 0;
    for (ssize_t i = 0; i < n; i++) {
        line = (line ^ (unsigned char)text[i]) * 0x100000001B3u;
        if (text[i] == '\n' && sh->any_order) {
            o->hash += line; /* the same in any order of the lines */
            line = 0;
        }
    }
    o->hash += line;
    n = n < (ssize_t)sizeof o->out ? n : (ssize_t)sizeof o->out - 1;
    memcpy(o->out, text, n > 0 ? (size_t)n : 0);
}

static void add_race(void) {
    const struct race *r = &sh->race;
    int i = 0;
    while (i < nraces && !(races[i].race.op[0].pc == r->op[0].pc &&
                             races[i].race.op[1].pc == r->op[1].pc))
        i++;
    if (i == MOST_RACES)
        return;
    if (i == nraces)
        races[nraces++].race = *r;
    races[i].runs++;
}

static int preemptions(void) {
    int n = sh->nsteps;
    const struct step *s = &sh->steps[n - 1];
    return n == 0 ? 0 : s->cost + cost_of(s, s->choice);
}

static void keep_failure(const struct outcome *o) {
    if (failure.found && failure.cost <= preemptions())
        return;
    failure.found = true;
    failure.cost = preemptions();
    failure.nsteps = sh->nsteps;
    failure.nthreads = sh->nthreads;
    failure.running = sh->running;
    failure.outcome = *o;
    failure.race = sh->race;
    memcpy(failure.stuck, sh->stuck, sizeof failure.stuck);
    memcpy(
        failure.steps, sh->steps, (size_t)sh->nsteps * sizeof *failure.steps);
}

/* Right is what the first good run printed: threads one after the other. */
static void count_outcome(int status) {
    static struct outcome o;
    int i, good = 0;
    o = (struct outcome){sh->fault, status, .count = 1};
    if (sh->fault == NONE && !WIFSIGNALED(status))
        get_output(&o);
    while (good < noutcomes && outcomes[good].wrong)
        good++;
    for (i = 0; i < noutcomes; i++)
        if (outcomes[i].hash == o.hash && outcomes[i].fault == o.fault &&
            outcomes[i].status == o.status)
            break;
    o.wrong = o.fault != NONE || o.status != 0 ||
              (!any_outcome && i == noutcomes && good < noutcomes);
    if (i < noutcomes) {
        o.wrong = outcomes[i].wrong;
        outcomes[i].count++;
    } else if (noutcomes < MOST_OUTCOMES)
        outcomes[noutcomes++] = o;
    schedules++;
    wrong += o.wrong;
    racy += sh->raced;
    if (sh->raced)
        add_race();
    if (o.wrong || replay != NULL)
        keep_failure(&o);
}

static void progress(int bound) {
    static double next;
    double t = seconds(), part = 0, weight = 1;
    if (t < next || t < began + 1 || !isatty(STDERR_FILENO))
        return;
    next = t + 0.25;
    for (int k = 0; k < sh->nsteps && weight > 1e-4; k++) {
        const struct step *s = &sh->steps[k];
        int all = __builtin_popcount((s->todo | s->done) & s->enabled);
        int done = __builtin_popcount(s->done & ~(1u << s->choice));
        part += weight * done / all;
        weight /= all;
    }
    char bar[] = "....................", within[32] = "without a bound";
    memset(bar, '#', (size_t)(part * 20));
    if (bound != ALL)
        snprintf(within, sizeof within, "at most %d preempted", bound);
    fprintf(stderr, "\r[%s] %s: %ld schedules, %.0f a second \033[K", bar,
        within, schedules, (double)runs / (t - began));
}

/* ---------- The search ---------- */

/* What no schedule can mend: said at once, and the end. */
static void check_fit(int status) {
    const char *why = NULL;
    if (sh->fault == UNFIT || sh->fault == DIVERGED)
        why = sh->text;
    else if (replay != NULL && thread_number(*sh->replay) >= sh->nthreads)
        why = "REPLAY does not fit: it is not this program's schedule";
    else if (lseek(in, 0, SEEK_CUR) != 0)
        why = "the program reads input: give it arguments instead";
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ)
        why = "the program writes more than 1 MiB";
    else if (sh->nthreads < 2 && sh->fault == NONE && WIFEXITED(status))
        why = "the program starts no threads: it has one schedule";
    if (why == NULL)
        return;
    struct outcome o = {sh->fault, status, .count = 1};
    char text[600] = "";
    get_output(&o);
    if (WIFEXITED(status) && sh->fault == NONE && sh->nthreads < 2)
        describe(&o, text, sizeof text);
    fprintf(stderr, "explore: cannot explore this: %s%s%s%s\n", why,
        *text ? " (" : "", text, *text ? ")" : "");
    exit(2);
}

static void restart(void) {
    noutcomes = nraces = 0;
    memset(races, 0, sizeof races);
    schedules = wrong = racy = 0;
    sh->prefix = 0;
    sh->sleep = 0;
    bounded_away = false;
}

/* All schedules with at most so many preemptions. */
static void search(int bound, int argc, char *argv[]) {
    sh->use_sleep = reduce && bound == ALL;
    restart();
    for (;;) {
        unsigned learned = sh->nlearned;
        int status = run(argc, argv);
        if (sh->nlearned != learned) {
            restart(); /* there are more places to look at than we knew */
            failure.found = failure.found && failure.cost < bound;
            if (!stop)
                continue;
        }
        check_fit(status);
        bool abrupt = WIFSIGNALED(status) ||
                      (sh->fault != NONE && sh->fault != DEADLOCK &&
                          sh->fault != SPIN && sh->fault != CUT);
        analyse(sh->prefix > 0 ? sh->prefix - 1 : 0, bound != ALL, abrupt);
        if (sh->fault != CUT)
            count_outcome(status);
        progress(bound);
        hangs = sh->fault == ENDLESS || sh->fault == HANGS;
        if (stop || hangs || replay != NULL || !next_schedule(bound))
            return;
    }
}

static int usage(const char *name, const char *value, const char *range) {
    fprintf(stderr, "explore: %s=%s: must be %s\n", name, value, range);
    return 2;
}

static int settings(void) {
    const char *bound = getenv("BOUND"), *order = getenv("OUTCOMES");
    const char *off = getenv("REDUCE");
    if (bound != NULL && strcmp(bound, "all") == 0)
        most = ALL;
    else if (bound != NULL && *bound >= '0' && *bound <= '9' && bound[1] == 0)
        most = *bound - '0';
    else if (bound != NULL && *bound != '\0')
        return usage("BOUND", bound, "0 to 9, or all");
    if (off != NULL && *off != '\0' && strcmp(off, "0") != 0 &&
        strcmp(off, "1") != 0)
        return usage("REDUCE", off, "0 or 1");
    reduce = off == NULL || strcmp(off, "0") != 0;
    sh->any_order = order != NULL && strcmp(order, "any order") == 0;
    any_outcome = order != NULL && strcmp(order, "any") == 0;
    replay = getenv("REPLAY");
    sh->replay = replay = replay != NULL && *replay != '\0' ? replay : NULL;
    return 0;
}

static void interrupted(int number) {
    (void)number;
    stop = 1;
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

static void report_outcomes(void) {
    char text[600];
    printf("%ld schedule%s, %d outcome%s\n", schedules,
        schedules == 1 ? "" : "s", noutcomes, noutcomes == 1 ? "" : "s");
    for (int i = 0; i < noutcomes; i++) {
        describe(&outcomes[i], text, sizeof text);
        printf("%8ld  %s  %s\n", outcomes[i].count,
            outcomes[i].wrong ? "wrong" : "right", text);
    }
    for (int i = 0; i < nraces; i++)
        report_race(&races[i].race, races[i].runs, schedules);
}

/* The last words; the exit status. */
static int verdict(bool complete) {
    char within[64] = "";
    if (!complete)
        snprintf(within, sizeof within, " with at most %d preemption%s", most,
            most == 1 ? "" : "s");
    printf("It cannot see: weak memory (sequential consistency only), inside "
           "system calls\n(one step each), inside libraries (not "
           "instrumented).\n");
    if (stop || hangs)
        printf("%s: not all schedules were tried\n",
            stop ? "stopped by Ctrl-C" : "a run without end stops the search");
    if (replay != NULL)
        printf("this schedule is %s\n",
            wrong > 0 || racy > 0 ? "wrong" : "without a fault");
    else if (wrong > 0)
        printf("wrong in %ld of %ld schedules; the shortest needs %d "
               "preemption%s\n",
            wrong, schedules, failure.cost, failure.cost == 1 ? "" : "s");
    else if (racy > 0)
        printf("every outcome is right, but there is a data race in %ld of "
               "%ld schedules%s\n",
            racy, schedules, within);
    else
        printf("right in all %ld schedule%s%s%s\n", schedules,
            schedules == 1 ? "" : "s", stop ? " tried so far" : "",
            stop ? "" : within);
    return wrong > 0 || racy > 0 ? 1 : stop ? 130 : 0;
}

static int explore(int argc, char *argv[]) {
    int bound = 0;
    struct sigaction action = {.sa_handler = interrupted};
    in = memfd_create("input", MFD_CLOEXEC);
    out = memfd_create("output", MFD_CLOEXEC);
    errors = memfd_create("errors", MFD_CLOEXEC);
    if (in == -1 || out == -1 || errors == -1 || write(in, "\n", 1) != 1)
        err(2, "explore: memory for output");
    lseek(in, 0, SEEK_SET);
    sigaction(SIGINT, &action, NULL);
    /* On one CPU a thread hands over ten times as fast. */
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
    began = seconds();
    for (;; bound++) {
        if (bound > 2 && most == ALL)
            bound = ALL;
        search(bound, argc, argv);
        if (stop || hangs || bound >= most || !bounded_away ||
            sh->replay != NULL)
            break;
        if (most == ALL && wrong > 0)
            bound = ALL - 1; /* the shortest is found: now all */
    }
    double took = seconds() - began;
    fprintf(stderr, "%s%ld runs in %.2f s, %.0f a second\n",
        isatty(STDERR_FILENO) ? "\r\033[K" : "", runs, took,
        (double)runs / took);
    show_token();
    report_outcomes();
    if (failure.found)
        report_failure(&failure);
    int status = verdict(!bounded_away);
    show_token();
    return status;
}

int __wrap_main(int argc, char *argv[]) {
    sh = mmap(NULL, sizeof *sh, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (sh == MAP_FAILED)
        err(2, "explore: memory");
    hide_token();
    int bad = settings();
    if (bad)
        return bad;
    const char *debug = getenv("EXPLORE_DEBUG");
    if (debug != NULL && *debug != '\0' && replay != NULL) {
        run_begin(); /* right here, for a debugger */
        __wrap_exit(__real_main(argc, argv));
    }
    return explore(argc, argv);
}
