/*
 * order.c - runs one check in a process of its own, and scores it
 */
#define _GNU_SOURCE
#include "grader/order.h"
#include "grader/build.h"
#include "grader/sandbox.h"
#include "grader/trial.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    CHECK_SECONDS = 300,   /* of the submission's own time */
    GIVE_UP_SECONDS = 2400 /* however little of it the machine gave */
};

static volatile sig_atomic_t stopped;

/* Is there in a grader that was built with --coverage. */
extern void __gcov_dump(void) __attribute__((weak));

/* Each check has random numbers of its own: one more run in one check does
 * not change another's inputs. */
static unsigned long seed_of(unsigned long seed, const struct result *r) {
    const char *parts[] = {r->exercise->path, r->check->name};

    seed = seed * 6364136223846793005 + 1442695040888963407;
    for (int i = 0; i < 2; i++)
        for (const char *at = parts[i]; *at != '\0'; at++)
            seed = (seed ^ (unsigned char)*at) * 1099511628211;
    return seed;
}

static void note_stop(int number) {
    stopped = number;
}

static const int stops[] = {SIGINT, SIGTERM, SIGHUP};

/* Catches what stops the grader, or lets it end a check's process. */
static void on_stop(void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler}, old;

    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++)
        if (sigaction(stops[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(stops[i], &action, NULL);
}

void order_catch_stops(void) {
    on_stop(note_stop);
}

int order_stopped(void) {
    return stopped;
}

static bool is_stop(int number) {
    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++)
        if (stops[i] == number)
            return true;
    return false;
}

/* Waits for the child and tells it to stop when we are to. The signals are
 * blocked but while it waits with this mask, so that none slips in between. */
static int await(pid_t child, const sigset_t *mask) {
    struct pollfd ended = {
        .fd = (int)syscall(SYS_pidfd_open, child, 0), .events = POLLIN};
    int status;

    if (ended.fd == -1)
        err(EXIT_FAILURE, "pidfd_open");
    do {
        if (stopped)
            kill(child, SIGTERM);
    } while (ppoll(&ended, 1, NULL, mask) == -1 && errno == EINTR);
    close(ended.fd);
    if (waitpid(child, &status, 0) == -1)
        err(EXIT_FAILURE, "waitpid");
    return status;
}

static void block_stops(sigset_t *mask) {
    sigset_t blocked;

    sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++)
        sigaddset(&blocked, stops[i]);
    sigprocmask(SIG_BLOCK, &blocked, mask);
}

/* A line that came twice has another cause in a program without fork(). */
static void settle(struct grading *g, struct finding *f) {
    static const char *const forks[] = {"fork", "vfork", NULL};
    static const char *const threads[] = {
        "pthread_create", "thrd_create", NULL};

    if (f->verdict.fault != FAULT_TWICE || calls(g, forks))
        return;
    f->verdict.fault = calls(g, threads) ? FAULT_TAKEN_TWICE : FAULT_OWN;
}

bool order_apart(void (*judge)(struct grading *, struct finding *),
    struct grading *g, struct finding *f) {
    pid_t parent = getpid(), child;
    sigset_t mask;
    int status;

    fflush(stdout);
    block_stops(&mask);
    child = fork();
    if (child == -1)
        err(EXIT_FAILURE, "fork");
    if (child == 0) {
        on_stop(SIG_DFL);
        sigprocmask(SIG_SETMASK, &mask, NULL);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent)
            _exit(EXIT_FAILURE);
        program_budget(CHECK_SECONDS * 1000);
        alarm(GIVE_UP_SECONDS);
        judge(g, f);
        settle(g, f);
        trial_end_if_stopped();
        if (__gcov_dump != NULL) /* make coverage */
            __gcov_dump();
        _exit(EXIT_SUCCESS);
    }
    status = await(child, &mask);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    if (!stopped && WIFSIGNALED(status) && is_stop(WTERMSIG(status)))
        stopped = WTERMSIG(status);
    if (WIFEXITED(status) && WEXITSTATUS(status) == TRIAL_TOO_SLOW) {
        f->verdict.text[0] = '\0';
        snprintf(f->skipped, sizeof f->skipped,
            "the machine is too busy: it was not over after %d s",
            GIVE_UP_SECONDS);
    }
    if (WIFEXITED(status) &&
        (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == TRIAL_TOO_SLOW))
        return true;
    sandbox_sweep();
    return false;
}

static double now(void) {
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void score(struct result *r) {
    const struct finding *f = &r->finding;

    if (f->verdict.text[0] != '\0') {
        r->outcome = FAILED;
        r->score = f->share > 0 && f->share < 1 ? f->share * r->points : 0;
    } else if (f->skipped[0] != '\0') {
        r->outcome = UNMEASURED;
    } else {
        r->outcome = PASSED;
        r->score = r->points;
    }
}

/* The check that this one needs and that has not passed, or NULL. */
static const struct result *obstacle(
    const struct report *report, const struct result *r) {
    for (size_t i = 0; i < report->count; i++) {
        const struct result *other = &report->results[i];
        if (r->check->needs != NULL && other->exercise == r->exercise &&
            strcmp(other->check->name, r->check->needs) == 0 &&
            other->outcome != PASSED && other->outcome != UNMEASURED)
            return other;
    }
    return NULL;
}

void order_run(
    const struct report *report, struct grading *g, struct result *r) {
    const struct result *other = obstacle(report, r);
    double start = now();

    if (other != NULL) {
        r->outcome = DEPENDS;
        verdict_fail(&r->finding.verdict,
            "not looked at, because \"%s\" failed", other->check->name);
        return;
    }
    g->check = r->check;
    g->seed = g->random = seed_of(report->seed, r);
    if (order_apart(r->check->judge, g, &r->finding)) {
        score(r);
    } else if (!stopped) {
        r->outcome = BROKEN;
        memset(&r->finding.verdict, 0, sizeof r->finding.verdict);
        verdict_fail(&r->finding.verdict,
            "the grader itself failed in this check; this is not the "
            "submission's fault");
    }
    r->seconds = now() - start;
}
