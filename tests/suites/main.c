/*
 * main.c - the runner: test_runner BUILD_DIR [SUITE...]
 *
 * Runs the suites (all but the slow, or those named) on the programs in
 * BUILD_DIR, from the top of the source tree. Prints one line a test, the
 * sentences of what failed below it, and a last line with the sums. Exit
 * status: 0 if nothing failed, 1 if something did or nothing ran, 2 for wrong
 * usage, 128 + n when stopped by signal n.
 *
 * Each suite runs in a child, two at a time: one waits, the other computes. No
 * verdict depends on that, as none depends on how busy the machine is. What
 * they print is shown in the order of the suites. Whatever becomes of a child,
 * its parent here ends all that it has started and removes its files; and only
 * what has said that it got to the end is believed: a test may call exit(0).
 */
#define _GNU_SOURCE
#include "run/proc.h"
#include "run/remove.h"
#include "run/stops.h"
#include "suites/run_suite.h"
#include "suites/suite.h"

#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_ONCE = 2, MOST_SUITES = 100, LOOK_MS = 50 };

/* A suite, and its child. */
struct work {
    const struct suite *suite;
    struct counts *counts; /* memory that is shared with the child */
    pid_t pid;             /* 0: not begun, or it has ended */
    int end, said;         /* its pidfd; its stdout, in memory */
    off_t shown;           /* so much of that has been */
};

static struct work works[MOST_SUITES];
static size_t suites;

/* ---------- Which suites ---------- */

static const struct suite *find_suite(const char *name) {
    for (const struct suite *s = all_suites; s->name != NULL; s++)
        if (strcmp(s->name, name) == 0)
            return s;
    fprintf(stderr, "%s: no such suite; there are", name);
    for (const struct suite *s = all_suites; s->name != NULL; s++)
        fprintf(stderr, " %s", s->name);
    fprintf(stderr, "\n");
    exit(2);
}

static void choose(char *const *names) {
    for (int i = 0; names[i] != NULL && suites < MOST_SUITES; i++)
        works[suites++].suite = find_suite(names[i]);
    for (const struct suite *s = all_suites; s->name != NULL; s++)
        if (names[0] == NULL && !s->slow && suites < MOST_SUITES)
            works[suites++].suite = s;
    struct counts *shared = mmap(NULL, MOST_SUITES * sizeof *shared,
        PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        err(EXIT_FAILURE, "mmap");
    for (size_t i = 0; i < suites; i++)
        works[i].counts = &shared[i];
}

/* ---------- A child ---------- */

static void start(struct work *w, const struct sigaction *as_before) {
    pid_t parent = getpid();

    w->said = memfd_create(w->suite->name, MFD_CLOEXEC);
    if (w->said == -1 || (w->pid = fork()) == -1)
        err(EXIT_FAILURE, "%s", w->suite->name);
    if (w->pid == 0) {
        stops_restore(as_before);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent ||
            dup2(w->said, STDOUT_FILENO) == -1)
            _exit(EXIT_FAILURE);
        run_suite(w->suite, w->counts);
        exit(EXIT_SUCCESS);
    }
    w->end = (int)syscall(SYS_pidfd_open, w->pid, 0);
    if (w->end == -1)
        err(EXIT_FAILURE, "pidfd_open");
}

static void show(struct work *w) {
    char text[BUFSIZ];
    ssize_t got;

    while ((got = pread(w->said, text, sizeof text, w->shown)) > 0)
        w->shown += (off_t)fwrite(text, 1, (size_t)got, stdout);
    if (got == -1 || fflush(stdout) == EOF)
        err(EXIT_FAILURE, "standard output");
}

/* Has the child ended by now? Then how is noted. */
static bool has_ended(struct work *w) {
    const char *name = w->suite->name;
    int status;

    if (w->pid == 0 || waitpid(w->pid, &status, WNOHANG) != w->pid)
        return false;
    w->pid = 0;
    close(w->end);
    bool well = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS &&
                w->counts->to_the_end;
    if (WIFSIGNALED(status))
        dprintf(w->said, "FAIL %s: signal %d (%s) has ended the suite\n", name,
            WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (!w->counts->to_the_end)
        dprintf(w->said,
            "FAIL %s: a test has ended the suite, with exit status %d\n", name,
            WEXITSTATUS(status));
    else if (!well) /* a sanitizer found something at the end */
        dprintf(w->said, "FAIL %s: the suite has ended with exit status %d\n",
            name, WEXITSTATUS(status));
    w->counts->failed += !well;
    return true;
}

/* ---------- All of them ---------- */

/* Until a child has ended, a signal has come, or it is time to show more. */
static void await(const struct work *first, const struct work *next) {
    struct pollfd ends[AT_ONCE];
    const struct timespec look = {.tv_nsec = LOOK_MS * 1000000};
    nfds_t count = 0;
    sigset_t all, before;

    for (const struct work *w = first; w < next; w++)
        if (w->pid != 0)
            ends[count++] = (struct pollfd){.fd = w->end, .events = POLLIN};
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    if (stops_number() == 0)
        ppoll(ends, count, &look, &before);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static void run_all(const struct sigaction *as_before) {
    struct work *first = works, *next = works, *last = works + suites;
    int running = 0;

    while (first < last && stops_number() == 0) {
        for (; running < AT_ONCE && next < last; running++)
            start(next++, as_before);
        await(first, next);
        for (struct work *w = first; w < next; w++)
            running -= has_ended(w);
        show(first);
        for (; first < next && first->pid == 0; first++) {
            show(first);
            close(first->said);
        }
    }
}

/* Kills and reaps until nothing is left: orphans become children of ours. */
static void end_all(void) {
    struct pids left = {0};

    do {
        left.count = 0;
        proc_children(getpid(), 0, &left);
        for (size_t i = 0; i < left.count; i++)
            kill(left.ids[i], SIGKILL);
        for (size_t i = 0; i < left.count; i++)
            waitpid(left.ids[i], NULL, 0);
    } while (left.count > 0);
    free(left.ids);
}

/* Prints the sums; returns the exit status. */
static int sum_up(void) {
    struct counts sum = {.passed = 0};

    if (stops_number() != 0) {
        printf("stopped by signal %d (%s)\n", stops_number(),
            strsignal(stops_number()));
        return 128 + stops_number();
    }
    for (size_t i = 0; i < suites; i++) {
        sum.passed += works[i].counts->passed;
        sum.failed += works[i].counts->failed;
        sum.skipped += works[i].counts->skipped;
    }
    printf("%d passed, %d failed, %d skipped\n", sum.passed, sum.failed,
        sum.skipped);
    if (fflush(stdout) == EOF || ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return sum.failed == 0 && sum.passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char *argv[]) {
    const char *tmp = getenv("TMPDIR");
    struct sigaction as_before[STOPS];
    char folder[256];

    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (argc < 2 || access(argv[1], X_OK) == -1)
        errx(2, "usage: test_runner BUILD_DIR [SUITE...]");
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    choose(argv + 2);
    set_build_dir(argv[1]);
    /* At exit ThreadSanitizer sleeps a second, past the virtual clock, for
     * reports of threads that are still running. Its symbolizer is a process
     * beside the program, slow to start: a verdict needs no names. */
    setenv("TSAN_OPTIONS", "atexit_sleep_ms=0:symbolize=0", 0);
    snprintf(folder, sizeof folder, "%s/kit-tests-XXXXXX",
        tmp == NULL || tmp[0] == '\0' ? "/tmp" : tmp);
    stops_catch(as_before);
    /* Programs of another user go through it, too. */
    if (mkdtemp(folder) == NULL || chmod(folder, 0711) == -1 ||
        setenv("TMPDIR", folder, 1) == -1 ||
        prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
        err(EXIT_FAILURE, "%s", folder);
    run_all(as_before);
    end_all();
    remove_tree(folder);
    return sum_up();
}
