/*
 * explore.c - the parent: which schedules to run, and what came of them
 *
 * Design. The search is depth-first over the choices of the last run: go back
 * to the deepest step where another choice is still to be tried, and run the
 * program again with the steps up to there prescribed. It is done with 0
 * preemptions, then 1, then 2 (iterative context bounding, Musuvathi and
 * Qadeer 2007), so that the first failure found needs the fewest. What need
 * not be tried is found out in explore_run.c.
 */
#define _GNU_SOURCE
#include "explore/explore.h"

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

enum { MOST_OUTPUT = 1 << 20, MOST_OUTCOMES = 64, PATIENCE_S = 10 };

struct outcome {
    uint64_t hash; /* of all that makes it another one */
    bool wrong;
    char text[4000];
    long count;
};

struct shared *sh;
static char **arguments;
static int nargs, most = 2; /* preemptions */
static bool any_outcome;
static struct outcome outcomes[MOST_OUTCOMES];
static int noutcomes;
static long schedules, wrong, racy, runs;
static char race[sizeof sh->race]; /* the first */
static bool bounded_away; /* a choice was left out, because of the bound */
static volatile sig_atomic_t stopped; /* by this signal */
static int in, out, errors;           /* the child's standard files */
static double began;
static struct outcome failure; /* the first with the fewest preemptions */
static int failure_cost;       /* -1: none so far */
static char failing[2 * MOST_STEPS + 32]; /* its schedule */

int program_main(int argc, char *argv[]);

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---------- One run ---------- */

static void limit(int what, rlim_t most_of_it) {
    setrlimit((__rlimit_resource_t)what,
        &(struct rlimit){most_of_it, most_of_it + 1});
}

static _Noreturn void child(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    signal(SIGINT, SIG_DFL);
    signal(SIGALRM, SIG_DFL);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, MOST_OUTPUT);
    limit(RLIMIT_AS, 1 << 29);
    alarm(PATIENCE_S);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    run_begin();
    exit(program_main(nargs, arguments));
}

/* Runs the program once; its status as of waitpid. */
static int run(const char *replay) {
    int status;
    sh->nsteps = sh->nthreads = sh->cost = 0;
    sh->fault = NONE;
    sh->text = NULL;
    sh->race[0] = sh->table[0] = '\0';
    sh->replay = replay;
    fflush(stdout);
    pid_t pid = -1;
    if (ftruncate(errors, 0) == 0 && lseek(errors, 0, SEEK_SET) == 0 &&
        ftruncate(out, 0) == 0 && lseek(out, 0, SEEK_SET) == 0)
        pid = fork();
    if (pid == -1)
        err(2, "explore: a run");
    if (pid == 0)
        child();
    while (waitpid(pid, &status, 0) == -1)
        if (errno != EINTR)
            err(2, "explore: waitpid");
    kill(-pid, SIGKILL); /* whatever it started in spite of us */
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
        sh->fault = ENDLESS;
        sh->text = "a run never comes back: it computes, or waits in a system "
                   "call";
    }
    runs++;
    return status;
}

/* Prescribes the next run. False: all are done. */
static bool next_schedule(void) {
    for (int k = sh->nsteps - 1; k >= 0; k--) {
        struct step *s = &sh->steps[k];
        s->done |= 1u << s->choice;
        for (unsigned left = s->enabled & ~s->done; left; left &= left - 1) {
            s->choice = __builtin_ctz(left);
            sh->prefix = k + 1;
            if (s->cost + cost_of(s, s->choice) <= sh->bound)
                return true;
            bounded_away = true;
        }
    }
    return false;
}

/* ---------- What came of a run ---------- */

/* In one line: newlines become slashes. Standard error counts for nothing. */
static struct outcome get_outcome(int status) {
    static char text[MOST_OUTPUT + 1], said[300];
    bool bad = sh->fault != NONE || status != 0;
    bool cut = sh->fault != NONE || WIFSIGNALED(status); /* what it printed */
    struct outcome o = {(unsigned)status ^ (uintptr_t)sh->text, bad, "", 1};
    ssize_t n = cut ? 0 : pread(out, text, sizeof text - 1, 0);
    ssize_t e = bad ? pread(errors, said, sizeof said - 1, 0) : 0;
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
    if (sh->fault != NONE)
        snprintf(o.text, sizeof o.text, "%s", sh->text);
    else if (WIFSIGNALED(status))
        snprintf(
            o.text, sizeof o.text, "crash: %s", strsignal(WTERMSIG(status)));
    else
        snprintf(o.text, sizeof o.text, "exit %d: %.3500s%s%s",
            WEXITSTATUS(status), text, *text && *said ? " | " : "", said);
    for (char *c = o.text; *c != '\0'; c++)
        if (*c == '\n')
            *c = c[1] == '\0' ? '\0' : '/';
    return o;
}

/* The schedule as a string: see replayed() in explore_run.c. The usual choices
   at its end are left out. */
static void write_schedule(char *text, size_t size) {
    const struct step *s = sh->steps;
    int end = sh->nsteps, n;
    while (end > 0 && s[end - 1].choice == s[end - 1].usual)
        end--;
    snprintf(text, size, "M0"); /* the usual throughout */
    for (int k = 0; k < end && size > 16; k += n) {
        for (n = 1; k + n < end && s[k + n].choice == s[k].choice; n++)
            continue;
        int used = snprintf(text, size, "%c%d", LETTERS[s[k].choice], n);
        text += used;
        size -= (size_t)used;
    }
}

/* Right is what the first good run printed: threads one after the other. */
static void count_outcome(int status) {
    struct outcome o = get_outcome(status);
    int i = 0, good = 0;
    while (good < noutcomes && outcomes[good].wrong)
        good++;
    while (i < noutcomes && outcomes[i].hash != o.hash)
        i++;
    o.wrong = o.wrong || (good < noutcomes && i != good && !any_outcome);
    if (i < noutcomes)
        outcomes[i].count++;
    else if (noutcomes < MOST_OUTCOMES)
        outcomes[noutcomes++] = o;
    schedules++;
    wrong += o.wrong;
    if (*sh->race != '\0' && racy++ == 0)
        memcpy(race, sh->race, sizeof race);
    bool better = o.wrong == failure.wrong ? sh->cost < failure_cost : o.wrong;
    if ((o.wrong || *sh->race != '\0') && (failure_cost < 0 || better)) {
        failure_cost = sh->cost;
        failure = o;
        write_schedule(failing, sizeof failing);
    }
}

static void progress(void) {
    static double next;
    double t = seconds(), part = 0, weight = 1;
    char bar[] = "....................";
    if (t < next || t < began + 1 || !isatty(STDERR_FILENO))
        return;
    next = t + 0.25;
    for (int k = 0; k < sh->nsteps && weight > 1e-4; k++) {
        const struct step *s = &sh->steps[k];
        weight /= __builtin_popcount(s->enabled);
        part += weight * __builtin_popcount(s->done & ~(1u << s->choice));
    }
    memset(bar, '#', (size_t)(part * 20));
    bool all = sh->bound == ALL;
    fprintf(stderr,
        "\r[%s] %s %d preempted: %ld schedules, %.0f a second\033[K", bar,
        all ? "more than" : "at most", all ? 2 : sh->bound, schedules,
        (double)runs / (t - began));
}

/* ---------- The search ---------- */

/* What no schedule can mend: said at once, and the end. */
static void check_fit(int status) {
    bool ended = sh->fault == NONE && WIFEXITED(status);
    const char *why = NULL;
    if (sh->fault == UNFIT)
        why = sh->text;
    else if (lseek(in, 0, SEEK_CUR) != 0)
        why = "it reads input: give it arguments instead";
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ)
        why = "it writes more than 1 MiB";
    else if (sh->nthreads < 2 && ended)
        why = "it starts no threads, so it has one schedule";
    if (why == NULL)
        return;
    fprintf(stderr, "explore: cannot explore %s: %s\n", *arguments, why);
    if (ended)
        fprintf(stderr, "it ended with: %s\n", get_outcome(status).text);
    exit(2);
}

/* All schedules with at most so many preemptions. */
static void search(int bound) {
    noutcomes = 0;
    schedules = wrong = racy = 0;
    failure_cost = -1;
    bounded_away = false;
    sh->prefix = 0;
    sh->bound = bound;
    sh->search++;
    do {
        int status = run(NULL);
        if (sh->fault == NEWS) {
            search(bound); /* from the beginning */
            return;
        }
        check_fit(status);
        if (sh->fault != SEEN)
            count_outcome(status);
        if (sh->fault == ENDLESS)
            stopped = SIGTERM;
        progress();
    } while (!stopped && next_schedule());
}

static void interrupted(int number) {
    stopped = number;
}

static void search_all(void) {
    began = seconds();
    for (int bound = 0; bound <= most && !stopped; bound++) {
        if (most == ALL && (bound > 2 || failure_cost >= 0))
            bound = ALL; /* the shortest is found, or far */
        search(bound);
        if (!bounded_away)
            break;
    }
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
}

/* ---------- The report ---------- */

#define S(n) ((n) == 1 ? "" : "s")

static void report_outcomes(void) {
    printf("%ld schedule%s, %d outcome%s\n", schedules, S(schedules), noutcomes,
        S(noutcomes));
    for (int i = 0; i < noutcomes; i++)
        printf("%8ld  %s  %s\n", outcomes[i].count,
            outcomes[i].wrong ? "wrong" : "right", outcomes[i].text);
    if (racy > 0)
        printf("data race in %ld of %ld schedules, the first: %s\n", racy,
            schedules, race);
    if (failure_cost >= 0)
        printf("\nThe first schedule that goes wrong (%d preemption%s): %s\n",
            failure_cost, S(failure_cost), failure.text);
}

/* Runs one schedule and shows it. Returns whether it is wrong. */
static bool replay(const char *schedule) {
    int status;
    sh->prefix = 0;
    do
        status = run(schedule);
    while (sh->fault == NEWS);
    check_fit(status);
    struct outcome o = get_outcome(status);
    printf("\n%s", sh->table);
    if (sh->fault > STUCK || WIFSIGNALED(status))
        printf("  %s got as far as " LINE ": " TEXT "\n",
            thread_name(sh->running), LINE_OF(sh->pc), LINE_OF(sh->pc));
    printf("\nREPLAY=%s: %s\n", schedule, o.text);
    return o.wrong || *sh->race != '\0';
}

/* The last words; the exit status. */
static int verdict(void) {
    char within[64] = "";
    double took = seconds() - began;
    if (stopped)
        snprintf(within, sizeof within, " tried so far");
    else if (bounded_away)
        snprintf(within, sizeof within, " with at most %d preemption%s", most,
            S(most));
    printf("%ld runs in %.2f s, %.0f a second\n"
           "It cannot see: weak memory (sequential consistency only), inside "
           "system calls\n(one step each), inside libraries (not "
           "instrumented).\n",
        runs, took, (double)runs / took);
    if (stopped)
        printf("%s: not all schedules were tried\n",
            stopped == SIGINT    ? "stopped by Ctrl-C"
            : stopped == SIGALRM ? "stopped by TIMEOUT"
                                 : "a run without end stops the search");
    if (wrong > 0)
        printf("wrong in %ld of %ld schedules; the shortest needs %d "
               "preemption%s\n",
            wrong, schedules, failure_cost, S(failure_cost));
    else if (racy > 0)
        printf("every outcome is right, but there is a data race in %ld of "
               "%ld schedules%s\n",
            racy, schedules, within);
    else
        printf(
            "right in all %ld schedule%s%s\n", schedules, S(schedules), within);
    return wrong > 0 || racy > 0 ? 1 : stopped ? 3 : 0;
}

/* ---------- The beginning ---------- */

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value != NULL ? value : "";
}

/*
 * A grader, to whom this process is as suspect as the program in it, gives a
 * token. It is where no child, and so no part of the program, can read it, and
 * stands before and after what is reported here.
 */
static const char *hide_token(void) {
    char *given = getenv("EXPLORE_TOKEN");
    if (given == NULL)
        return "";
    char *token = mmap(
        NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (token == MAP_FAILED || madvise(token, 4096, MADV_WIPEONFORK) == -1)
        err(2, "explore: the token");
    snprintf(token, 4096, "%s\n", given);
    memset(given, 0, strlen(given));
    return token;
}

static void *shared(size_t size, int file) {
    int flags = file == -1 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, file, 0);
    if (memory == MAP_FAILED)
        err(2, "explore: memory");
    return memory;
}

/* In a file, as a REPLAY needs what was learned: the same places to choose. */
static void share_memory(void) {
    int file = open(setting("PLACES"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file != -1 && ftruncate(file, sizeof *sh) == -1)
        err(2, "explore: PLACES");
    sh = shared(sizeof *sh, file);
    sh->seen = shared(MOST_STATES * sizeof *sh->seen, -1);
}

static void open_files(void) {
    static char buffer[BUFSIZ]; /* malloc would move what programs allocate */
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    in = memfd_create("input", MFD_CLOEXEC);
    out = memfd_create("output", MFD_CLOEXEC);
    errors = memfd_create("errors", MFD_CLOEXEC);
    if (out == -1 || errors == -1 || pwrite(in, "\n", 1, 0) != 1)
        err(2, "explore: memory for output");
}

static void settings(void) {
    struct sigaction action = {.sa_handler = interrupted};
    const char *bound = setting("BOUND"), *order = setting("OUTCOMES");
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    alarm((unsigned)atoi(setting("TIMEOUT")));
    if (*bound != '\0')
        most = strcmp(bound, "all") == 0 ? ALL : atoi(bound);
    sh->reduce = strcmp(setting("REDUCE"), "0") != 0;
    sh->any_order = strcmp(order, "any order") == 0;
    any_outcome = strcmp(order, "any") == 0;
    /* On one CPU a thread hands over ten times as fast. */
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
}

int main(int argc, char *argv[]) {
    const char *token = hide_token(), *schedule = setting("REPLAY");
    nargs = argc;
    arguments = argv;
    share_memory();
    open_files();
    settings();
    if (*schedule != '\0' && *setting("GDB") != '\0') {
        sh->replay = schedule; /* right here, for the debugger */
        sh->prefix = -1;
        sh->nsteps = sh->nthreads = sh->cost = 0;
        run_begin();
        exit(program_main(argc, argv));
    }
    if (*schedule != '\0')
        return replay(schedule);
    search_all();
    printf("%s", token);
    report_outcomes();
    if (failure_cost >= 0)
        replay(failing);
    int status = verdict();
    printf("%s", token);
    return status;
}
