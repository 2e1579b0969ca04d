/*
 * test_processes.c - the suite of 03-processes: what only processes can do
 *
 * The suites of the stories judge their work. Here it is the process tree:
 * children that are killed or cannot be forked, zombies, orphans, and names
 * left in the kernel. Programs that are killed themselves are run "by hand",
 * not by program_run(), for their orphans are to be looked at, not killed.
 */
#define _GNU_SOURCE /* asprintf */
#include "sites/sites.h"
#include "suites/suite.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
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

#if defined __has_feature /* clang */
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER true
#endif
#endif
#ifdef __SANITIZE_THREAD__ /* gcc */
#define THREAD_SANITIZER true
#endif
#ifndef THREAD_SANITIZER
#define THREAD_SANITIZER false
#endif

enum { SAFETY_MS = 20000, MOST_TEXT = 1 << 16 };

#define FOLDER "03-processes/"

/* ---------- A child that is killed ---------- */

struct killing {
    size_t child; /* in the order of starting, from 1 */
    int64_t at_ns;
    bool done;
};

static bool kill_child(const struct quiet *quiet, void *arg) {
    struct killing *killing = arg;

    if (killing->done || quiet->now_ns < killing->at_ns ||
        quiet->processes <= killing->child)
        return false;
    kill(quiet->pids[killing->child], SIGKILL);
    return killing->done = true;
}

/* How many lines of stdout contain the words. */
static size_t lines_with(const struct run *run, const char *words) {
    size_t count = 0;

    for (size_t i = 0; i < run->count; i++)
        count += strstr(run->lines[i].text, words) != NULL;
    return count;
}

/* Fails unless the run ended with 1, named the child, gave the others' sums,
 * and had no zombie at any quiet moment. */
static void judge_killed(const struct run *run, const char *blame,
    const char *summary, struct verdict *v) {
    char *expected;

    if (asprintf(&expected, "%s%s", blame, summary) == -1)
        err(EXIT_FAILURE, "out of memory");
    judge_end(run, 1, v);
    if (strcmp(run->err_text, expected) != 0)
        verdict_fail(v, "stderr is \"%.300s\"; expected: \"%s\"", run->err_text,
            expected);
    if (run->most_zombies > 0)
        verdict_fail(v, "%d zombies at a quiet moment", run->most_zombies);
    free(expected);
}

static void test_killed_messages(void) {
    const char *argv[] = {built(FOLDER "messages"), NULL};
    struct killing killing = {.child = 2, .at_ns = 1000000000};
    struct program program = {.argv = argv,
        .virtual_time = true,
        .at_quiet = kill_child,
        .arg = &killing};
    struct verdict v = {""};
    struct run run;

    program_run(&program, &run);
    judge_killed(&run, "messages: Bob: killed by signal 9 (Killed)\n",
        "8 messages to 2 customers in 4.00 s\n", &v);
    if (lines_with(&run, "Alice: sent") != 4 ||
        lines_with(&run, "Carol: sent") != 4)
        verdict_fail(&v, "the others were not served to the end");
    expect_right(&v);
    run_free(&run);
}

static void test_killed_cooking(void) {
    const char *argv[] = {built(FOLDER "cooking"), NULL};
    struct killing killing = {.child = 2, .at_ns = 1000000000};
    struct program program = {.argv = argv,
        .virtual_time = true,
        .at_quiet = kill_child,
        .arg = &killing};
    struct verdict v = {""};
    struct run run;

    program_run(&program, &run);
    judge_killed(&run, "cooking: chef 2: killed by signal 9 (Killed)\n",
        "5 plates in 250 minutes, chefs: 2\n", &v);
    expect_right(&v);
    run_free(&run);
}

/* ---------- At the gate of the practice sites ---------- */

struct gate {
    struct sites *sites;
    char base[64];
    struct killing killing; /* .child 0: nobody is killed */
    bool alone;             /* only the straggler was still held */
    size_t processes;       /* how many were there at that moment, */
    bool begun;             /* and had the page behind it been begun */
};

static enum outside ask_sites(void *arg) {
    return sites_will(((struct gate *)arg)->sites);
}

static bool open_gate(const struct quiet *quiet, void *arg) {
    struct gate *gate = arg;
    struct sites_counts now;

    if (gate->killing.child > 0 && kill_child(quiet, &gate->killing))
        return true;
    sites_count(gate->sites, &now);
    if (now.held == 1 && !gate->alone) {
        gate->alone = true;
        gate->processes = quiet->processes;
        for (size_t i = 0; i < quiet->count; i++)
            if (strncmp(quiet->lines[i].text, "page 6: fetching", 16) == 0)
                gate->begun = true;
    }
    return sites_release(gate->sites, 1) > 0;
}

static void run_at_gate(struct gate *gate, const char **argv, struct run *run) {
    struct program program = {.argv = argv,
        .virtual_time = true,
        .at_quiet = open_gate,
        .outside = ask_sites,
        .arg = gate};

    program_run(&program, run);
    sites_stop(gate->sites, NULL);
}

static void open_sites(struct gate *gate, bool closed) {
    struct sites_options options = {.gate = closed};

    gate->sites = start_sites(&options, gate->base, sizeof gate->base);
}

static void test_killed_download(void) {
    struct gate gate = {.killing = {.child = 2}};
    const char *argv[] = {built(FOLDER "download"), "-s", gate.base, NULL};
    struct verdict v = {""};
    struct run run;

    open_sites(&gate, true);
    run_at_gate(&gate, argv, &run);
    judge_killed(&run, "download: worker 2: killed by signal 9 (Killed)\n",
        "72 of 90 pages in 0.00 s, 5 at a time\n", &v);
    expect_right(&v);
    run_free(&run);
}

/* Ten pages for five workers, the first slow. When only that one is still on
 * its way, page 6 has not been begun by the process that holds both, and the
 * other four processes have ended; of the threads, another has taken it. */
static void straggle(const char *name, bool dealt, struct verdict *v) {
    struct gate gate = {.killing = {.child = 0}};
    char slow[80], small[80];
    struct run run;

    open_sites(&gate, true);
    snprintf(slow, sizeof slow, "%s/slow", gate.base);
    snprintf(small, sizeof small, "%s/small", gate.base);
    const char *argv[] = {built(name), "-n", "1", slow, small, small, small,
        small, small, small, small, small, small, NULL};
    run_at_gate(&gate, argv, &run);
    judge_end(&run, 0, v);
    if (lines_with(&run, ": fetched, ") != 10)
        verdict_fail(v, "not all pages have come");
    if (!gate.alone || gate.begun == dealt)
        verdict_fail(v, "page 6 was %sbegun while page 1 was on its way",
            gate.begun ? "" : "not ");
    if (gate.processes != (dealt ? 2 : 1) || run.most_zombies > 0)
        verdict_fail(v, "%zu processes beside the straggler, zombies: %d",
            gate.processes, run.most_zombies);
    run_free(&run);
}

static void test_straggler(void) {
    struct verdict dealt = {""}, taken = {""};

    straggle(FOLDER "download", true, &dealt);
    expect_right(&dealt);
    straggle("02-threads/download", false, &taken);
    expect_right(&taken);
}

/* ---------- Zombies ---------- */

static void judge_zombies(const char **argv, struct verdict *v) {
    struct program program = {.argv = argv, .virtual_time = true};
    struct run run;

    program_run(&program, &run);
    judge_end(&run, 0, v);
    if (run.most_zombies > 0)
        verdict_fail(v, "%d zombie while others went on", run.most_zombies);
    run_free(&run);
}

/* Of three plates the first chef has two: the second ends 50 minutes before
 * him. */
static void test_zombies(void) {
    const char *right[] = {built(FOLDER "cooking"), "-p", "3", NULL};
    const char *wrong[] = {built("tests/suites/wrong/processes_zombie"), NULL};
    struct verdict v = {""}, rejected = {""};

    judge_zombies(right, &v);
    expect_right(&v);
    judge_zombies(wrong, &rejected);
    expect_rejected(&rejected, "processes_zombie");
}

/* ---------- A child that cannot be forked ---------- */

static const struct {
    const char *name, *first, *third; /* the program, whom it cannot serve */
    const char *summary;              /* with two children of three */
} forks[] = {
    {"messages", "Alice", "Carol", "8 messages to 2 customers in 4.00 s\n"},
    {"cooking", "chef 1", "chef 3", "7 plates in 200 minutes, chefs: 3\n"},
    {"increment", "worker 1", "worker 3", "\n67000000 increments in "},
    {"download", "worker 1", "worker 3", "0 of 90 pages in "},
};

/* As root it runs as a user of its own, with room for itself and two children.
 * As anyone else there is no room, for this very process takes it. */
static void fail_to_fork(size_t i, bool root, struct verdict *v) {
    char name[64], blame[100];
    struct limit limit = {RLIMIT_NPROC, root ? 3 : 1};
    struct run run;

    snprintf(name, sizeof name, FOLDER "%s", forks[i].name);
    snprintf(blame, sizeof blame, "%s: %s: fork: %s\n", forks[i].name,
        root ? forks[i].third : forks[i].first, strerror(EAGAIN));
    const char *argv[] = {built(name), "-w", "3", NULL, NULL, NULL};
    struct program program = {.argv = argv,
        .limits = &limit,
        .limit_count = 1,
        .uid = root ? 54321 : 0,
        .virtual_time = true};
    if (strcmp(forks[i].name, "messages") == 0)
        argv[1] = NULL;
    if (strcmp(forks[i].name, "download") == 0) {
        argv[3] = "-s";
        argv[4] = "http://127.0.0.1:1"; /* nobody is there */
    }
    program_run(&program, &run);
    if (run.end == NOT_STARTED)
        skip("user 54321 cannot run %s", argv[0]);
    else
        judge_end(&run, 1, v);
    if (run.end == EXITED &&
        (strstr(run.err_text, blame) == NULL ||
            (root && strstr(run.err_text, forks[i].summary) == NULL)))
        verdict_fail(v, "stderr is \"%.300s\"; expected: \"%s\" and \"%s\"",
            run.err_text, blame, root ? forks[i].summary : "");
    run_free(&run);
}

static void test_no_fork(void) {
    if (THREAD_SANITIZER) {
        skip("ThreadSanitizer adds a thread to each process: it counts too");
        return;
    }
    for (size_t i = 0; i < sizeof forks / sizeof forks[0]; i++) {
        struct verdict v = {""};
        fail_to_fork(i, getuid() == 0, &v);
        expect(v.text[0] == '\0', "%s: %s", forks[i].name, v.text);
    }
}

/* ---------- By hand: programs that are killed ---------- */

/* Removes what a process of this id has left in the kernel. Programs name it
 * after themselves and their id. */
static void clear_names(pid_t pid, struct verdict *v) {
    static const char *const programs[] = {"sharing", "left"};
    char path[64];

    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        snprintf(path, sizeof path, "/dev/shm/%s-%d", programs[i], (int)pid);
        if (unlink(path) == 0)
            verdict_fail(v, "it left %s", path);
        if (mq_unlink(path + strlen("/dev/shm")) == 0)
            verdict_fail(
                v, "it left the message queue %s", path + strlen("/dev/shm"));
    }
}

struct hand {
    pid_t pid;
    int fd, pidfd; /* its stdout and stderr; its end */
    char text[MOST_TEXT];
    size_t length;
};

static void hand_start(struct hand *hand, const char *const *argv) {
    int ends[2];

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    *hand = (struct hand){0};
    if (pipe2(ends, O_CLOEXEC) == -1 || (hand->pid = fork()) == -1)
        err(EXIT_FAILURE, "fork");
    if (hand->pid == 0) {
        struct verdict of_another = {""}; /* which had this id before */
        clear_names(getpid(), &of_another);
        signal(SIGINT, SIG_DFL);
        signal(SIGPIPE, SIG_DFL);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && setpgid(0, 0) == 0 &&
            dup2(ends[1], 1) != -1 && dup2(ends[1], 2) != -1)
            execv(argv[0], (char *const *)argv);
        _exit(127);
    }
    close(ends[1]);
    hand->fd = ends[0];
    hand->pidfd = (int)syscall(SYS_pidfd_open, hand->pid, 0);
}

static int64_t now_ms(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Reads until the words have come (NULL: to the end). False at the end, or
 * when they have not come for very long. The words must be part of what one
 * write() says: stderr writes a line in pieces, and others write between. */
static bool hand_read(struct hand *hand, const char *words) {
    struct pollfd pipe = {.fd = hand->fd, .events = POLLIN};
    int64_t deadline = now_ms() + SAFETY_MS;

    while (words == NULL || strstr(hand->text, words) == NULL) {
        size_t room = sizeof hand->text - 1 - hand->length;
        int64_t left = deadline - now_ms();
        if (room == 0 || left <= 0 || poll(&pipe, 1, (int)left) != 1)
            return false;
        ssize_t got = read(hand->fd, hand->text + hand->length, room);
        if (got <= 0)
            return false;
        hand->length += (size_t)got;
    }
    return true;
}

/* Waits for the end of the program itself; -1 if it does not come. */
static int hand_wait(struct hand *hand) {
    struct pollfd end = {.fd = hand->pidfd, .events = POLLIN};
    int status = -1;

    if (poll(&end, 1, SAFETY_MS) != 1)
        kill(hand->pid, SIGKILL), kill(-hand->pid, SIGKILL);
    else
        waitpid(hand->pid, &status, 0);
    if (status == -1)
        waitpid(hand->pid, NULL, 0);
    return status;
}

/* The number behind "\nName:" in a status file. */
static unsigned long long field(
    const char *status, const char *name, int base) {
    const char *at = strstr(status, name);

    return at == NULL ? 0 : strtoull(at + strlen(name), NULL, base);
}

/* The CPU time that a process has used, or 0 when it is gone. */
static int64_t cpu_ms(pid_t pid) {
    struct timespec used;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) != 0 ||
        clock_gettime(clock, &used) == -1)
        return 0;
    return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

/* An orphan that was sent a deadly signal ends soon, however busy the machine
 * is: it is waited for. One that sleeps, in two looks, without having run and
 * with no signal pending, was sent none; nor was one that goes on to compute
 * for half a second of CPU time. */
static bool lives_on(pid_t pid) {
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd end = {.fd = pidfd, .events = POLLIN};
    unsigned long long before = 0, switches = 0;
    int64_t cpu = cpu_ms(pid);
    bool asleep = false;

    for (int look = 0; look < SAFETY_MS / 10 && !asleep; look++) {
        char path[40], text[4096] = "";
        if (poll(&end, 1, 10) == 1 || cpu_ms(pid) > cpu + 500)
            break;
        snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd == -1 || read(fd, text, sizeof text - 1) == -1)
            text[0] = '\0';
        close(fd);
        before = switches;
        switches = field(text, "\nvoluntary_ctxt_switches:", 10);
        asleep = look > 0 && switches == before &&
                 strstr(text, "\nState:\tS") != NULL &&
                 field(text, "\nSigPnd:", 16) == 0 &&
                 field(text, "\nShdPnd:", 16) == 0;
    }
    bool ended = poll(&end, 1, 0) == 1;
    if (!ended)
        kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(pidfd);
    return !ended;
}

/* Orphans become children of this process, the subreaper. */
static void judge_orphans(struct verdict *v) {
    char path[64];
    int pid;

    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)gettid());
    for (;;) {
        FILE *children = fopen(path, "re");
        if (children == NULL)
            err(EXIT_FAILURE, "%s", path);
        int found = fscanf(children, "%d", &pid);
        fclose(children);
        if (found != 1)
            return;
        if (lives_on(pid))
            verdict_fail(v, "a child (pid %d) lives on", pid);
    }
}

static void hand_end(struct hand *hand, struct verdict *v) {
    judge_orphans(v);
    clear_names(hand->pid, v);
    close(hand->fd);
    close(hand->pidfd);
}

/* Waits until it has so many children. Returns the last, or 0. */
static pid_t hand_child(const struct hand *hand, int wanted) {
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)hand->pid,
        (int)hand->pid);
    for (int look = 0; look < SAFETY_MS; look++) {
        int count = 0, pid = 0;
        FILE *children = fopen(path, "re");
        while (children != NULL && fscanf(children, "%d", &pid) == 1)
            if (++count == wanted)
                break;
        if (children != NULL)
            fclose(children);
        if (count == wanted)
            return pid;
        poll(NULL, 0, 1);
    }
    return 0;
}

/* Kills its child of that number, if it comes to have it. */
static bool hand_kill(const struct hand *hand, int number) {
    pid_t child = hand_child(hand, number);

    return child != 0 && kill(child, SIGKILL) == 0;
}

/* Programs that go on for minutes, and when they are well under way. */
struct long_run {
    int children;
    const char *words; /* on stdout; NULL: nothing */
    const char *argv[8];
};

/* Sends the signal to the whole group, as Ctrl-C does, or to the program
 * alone. Nothing may be left of it. */
static void judge_signal(
    const struct long_run *one, int number, bool group, struct verdict *v) {
    static struct hand hand;

    hand_start(&hand, one->argv);
    if (one->words != NULL && !hand_read(&hand, one->words))
        verdict_fail(v, "it never printed \"%s\"", one->words);
    if (hand_child(&hand, one->children) == 0)
        verdict_fail(v, "it never had %d children", one->children);
    kill(group ? -hand.pid : hand.pid, number);
    int status = hand_wait(&hand);
    if (status == -1 || !WIFSIGNALED(status) || WTERMSIG(status) != number)
        verdict_fail(v, "signal %d did not end it", number);
    hand_end(&hand, v);
}

static void test_orphans(void) {
    static const struct {
        int number;
        bool group;
        const char *what;
    } ways[] = {{SIGINT, true, "Ctrl-C"}, {SIGTERM, false, "SIGTERM"},
        {SIGKILL, false, "SIGKILL"}};
    struct gate gate;
    char never[80];

    open_sites(&gate, false);
    snprintf(never, sizeof never, "%s/never", gate.base);
    const char *sharing = built(FOLDER "sharing");
    const struct long_run runs[] = {
        {3, "Carol: sending", {built(FOLDER "messages"), "-i", "3600000"}},
        {2, "plate 2: washing", {built(FOLDER "cooking"), "-m", "60000"}},
        {2, "task 2: counting",
            {built(FOLDER "increment"), "-w", "2", "-n", "1000000000", "-t",
                "1000000"}},
        {5, "page 5: fetching", {built(FOLDER "download"), never}},
        {1, "close-on-exec closed",
            {built(FOLDER "start_methods"), "-r", "100000"}},
        {2, NULL, {sharing, "-m", "65536", "-w", "1"}},
        {2, NULL, {sharing, "-m", "65536", "-w", "2"}},
        {2, NULL, {sharing, "-m", "65536", "-w", "3"}},
        {2, NULL, {sharing, "-m", "65536", "-w", "4"}},
        {3, NULL, {sharing, "-m", "65536", "-w", "5"}},
    };
    for (size_t r = 0; r < sizeof runs / sizeof runs[0]; r++)
        for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
            struct verdict v = {""};
            judge_signal(&runs[r], ways[w].number, ways[w].group, &v);
            expect(v.text[0] == '\0', "%s (%zu), %s: %s", runs[r].argv[0], r,
                ways[w].what, v.text);
        }
    sites_stop(gate.sites, NULL);
}

static void test_wrong_orphan(void) {
    struct long_run wrong = {
        1, "Alice: sending", {built("tests/suites/wrong/processes_orphan")}};
    struct verdict rejected = {""};

    judge_signal(&wrong, SIGTERM, false, &rejected);
    expect_rejected(&rejected, "processes_orphan");
}

/* Kills the child of that number. The program must end with 1 by itself, and
 * say the words. */
static void judge_partner_killed(const char *const *argv, int children,
    int number, const char *words, struct verdict *v) {
    static struct hand hand;

    hand_start(&hand, argv);
    if (hand_child(&hand, children) == 0 || !hand_kill(&hand, number))
        verdict_fail(v, "it never had %d children", children);
    hand_read(&hand, NULL);
    int status = hand_wait(&hand);
    if (status == -1 || !WIFEXITED(status) || WEXITSTATUS(status) != 1 ||
        strstr(hand.text, words) == NULL)
        verdict_fail(v, "it said \"%.300s\"; expected: \"%s\" and exit 1",
            hand.text, words);
    hand_end(&hand, v);
}

static void test_sharing_killed(void) {
    for (int way = 1; way <= 5; way++)
        for (int number = 1; number <= (way == 5 ? 3 : 2); number++) {
            char w[2] = {(char)('0' + way), '\0'};
            const char *argv[] = {
                built(FOLDER "sharing"), "-m", "65536", "-w", w, NULL};
            struct verdict v = {""};
            judge_partner_killed(
                argv, way == 5 ? 3 : 2, number, "sharing: ", &v);
            expect(v.text[0] == '\0', "sharing -w %d, child %d killed: %s", way,
                number, v.text);
        }
}

/* Nobody sleeps while it counts: by hand. Both are killed, one by one. */
static void test_killed_increment(void) {
    const char *argv[] = {built(FOLDER "increment"), "-w", "2", "-t", "1000000",
        "-n", "1000000000", NULL};
    static struct hand hand;
    struct verdict v = {""};

    hand_start(&hand, argv);
    bool said = hand_child(&hand, 2) != 0 && hand_kill(&hand, 1) &&
                hand_read(&hand, "worker 1: killed by signal 9 (Killed)");
    said = hand_kill(&hand, 1) &&
           hand_read(&hand, "worker 2: killed by signal 9 (Killed)") && said;
    hand_read(&hand, NULL);
    int status = hand_wait(&hand);
    if (!said || strstr(hand.text, "\n0 increments in ") == NULL ||
        !WIFEXITED(status) || WEXITSTATUS(status) != 1)
        verdict_fail(&v, "it said \"%.300s\"", hand.text);
    hand_end(&hand, &v);
    expect_right(&v);
}

/* ---------- sharing and start_methods ---------- */

static void test_sharing(void) {
    static const char *const ways[] = {"pipes, one each way ", "socketpair ",
        "message queues ", "shared memory and a mutex ", "a manager "};
    const char *argv[] = {built(FOLDER "sharing"), "-m", "1", NULL};
    struct program program = {.argv = argv, .deadline_ms = 60000};
    struct verdict v = {""};
    struct run run;

    program_run(&program, &run);
    judge_end(&run, 0, &v);
    for (size_t i = 0; i < 5; i++)
        if (i >= run.count ||
            strncmp(run.lines[i].text, ways[i], strlen(ways[i])) != 0 ||
            strstr(run.lines[i].text, " MiB/s") == NULL)
            verdict_fail(&v, "line %zu is not that of \"%s\"", i + 1, ways[i]);
    if (run.count != 6 ||
        strcmp(run.lines[5].text,
            "a global variable: the child set it to 1, here it is 0") != 0)
        verdict_fail(&v,
            "%zu lines; expected: 6, the last on the global "
            "variable",
            run.count);
    expect_right(&v);
    run_free(&run);
}

/* Runs a program to its end, by hand, to see what names it leaves. */
static void judge_left(const char *const *argv, struct verdict *v) {
    static struct hand hand;

    hand_start(&hand, argv);
    hand_read(&hand, NULL);
    if (hand_wait(&hand) != 0)
        verdict_fail(v, "it failed: %.300s", hand.text);
    hand_end(&hand, v);
}

static void test_left_names(void) {
    const char *right[] = {built(FOLDER "sharing"), "-m", "1", NULL};
    static const char *const wrong[] = {
        "processes_left_memory", "processes_left_queue"};
    struct verdict v = {""};

    judge_left(right, &v);
    expect_right(&v);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char name[64];
        struct verdict rejected = {""};
        snprintf(name, sizeof name, "tests/suites/wrong/%s", wrong[i]);
        const char *argv[] = {built(name), NULL};
        judge_left(argv, &rejected);
        expect_rejected(&rejected, wrong[i]);
    }
}

static void test_start_methods(void) {
    static const char *const expected[] = {
        "fork: 40 + 2 = 42, variable new, descriptor open, close-on-exec open",
        "fork: 40 - 2 = 38, variable new, descriptor open, close-on-exec open",
        "posix_spawn: 40 + 2 = 42, variable old, descriptor open, "
        "close-on-exec closed",
        "posix_spawn: 40 - 2 = 38, variable old, descriptor open, "
        "close-on-exec closed"};
    static const char *const costs[] = {"thread ", "fork ", "posix_spawn "};
    const char *argv[] = {
        built(FOLDER "start_methods"), "-n", "40", "-r", "9", NULL};
    struct program program = {.argv = argv};
    struct verdict v = {""};
    struct run run;

    program_run(&program, &run);
    judge_end(&run, 0, &v);
    for (size_t i = 0; i < 4; i++) /* two processes: in any order */
        if (lines_with(&run, expected[i]) != 1)
            verdict_fail(&v, "no line is \"%s\"", expected[i]);
    for (size_t i = 0; i < 3; i++)
        if (run.count != 7 ||
            strncmp(run.lines[4 + i].text, costs[i], strlen(costs[i])) != 0)
            verdict_fail(&v, "no line gives the cost of \"%s\"", costs[i]);
    expect_right(&v);
    run_free(&run);
}

static void test_zombie_shown(void) {
    static const char *const expected[] = {
        "not waited for: Z (zombie)", "waited for: gone"};
    const char *argv[] = {built(FOLDER "start_methods"), "-z", NULL};
    struct program program = {.argv = argv};
    struct verdict v = {""};
    struct run run;

    program_run(&program, &run);
    judge_end(&run, 0, &v);
    events_compare(run.lines, run.count, expected, 2, &v);
    expect_right(&v);
    run_free(&run);
}

/* ---------- Wrong programs ---------- */

/* Judges a run of the default messages: every line, in order, in 4 s. */
static void judge_messages(const char *path, struct verdict *v) {
    static const char *const names[] = {"Alice", "Bob", "Carol"};
    const char *argv[] = {path, NULL};
    struct program program = {.argv = argv, .virtual_time = true};
    char *lines[24];
    struct run run;

    for (int i = 0; i < 12; i++)
        if (asprintf(&lines[2 * i], "%s: sending message %d of 4 ...",
                names[i / 4], i % 4 + 1) == -1 ||
            asprintf(&lines[2 * i + 1], "%s: sent message %d of 4",
                names[i / 4], i % 4 + 1) == -1)
            err(EXIT_FAILURE, "out of memory");
    program_run(&program, &run);
    judge_end(&run, 0, v);
    events_compare(run.lines, run.count, (const char *const *)lines, 24, v);
    if (run.virtual_ns != INT64_C(4000000000))
        verdict_fail(v, "it took %.3f s; expected: 4.000 s",
            (double)run.virtual_ns / 1e9);
    for (int i = 0; i < 24; i++)
        free(lines[i]);
    run_free(&run);
}

/* Two workers that count to a million each; what is printed is the sum. */
static void judge_sum(const char *path, struct verdict *v) {
    const char *argv[] = {path, NULL};
    struct program program = {.argv = argv, .virtual_time = true};
    struct run run;

    program_run(&program, &run);
    judge_end(&run, 0, v);
    if (strncmp(run.err_text, "2000000 increments in ", 22) != 0)
        verdict_fail(v,
            "stderr is \"%.200s\"; expected: \"2000000 "
            "increments in ...\"",
            run.err_text);
    run_free(&run);
}

static void test_wrong(void) {
    static const struct {
        const char *name;
        void (*judge)(const char *path, struct verdict *v);
    } wrong[] = {
        {"processes_wait_in_loop", judge_messages},
        {"processes_no_exit", judge_messages},
        {"processes_unflushed", judge_messages},
        {"processes_private_counter", judge_sum},
        {"processes_private_mutex", judge_sum},
        {"processes_private_sem", judge_sum},
    };
    struct verdict right = {""};

    judge_messages(built(FOLDER "messages"), &right);
    expect_right(&right);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char name[64];
        struct verdict v = {""};
        snprintf(name, sizeof name, "tests/suites/wrong/%s", wrong[i].name);
        wrong[i].judge(built(name), &v);
        expect_rejected(&v, wrong[i].name);
    }
}

CU_TestInfo processes_tests[] = {
    {"a killed conversation is named, the others go on", test_killed_messages},
    {"a killed chef is named, the other goes on", test_killed_cooking},
    {"killed counting workers are named", test_killed_increment},
    {"a killed download worker is named, the others go on",
        test_killed_download},
    {"a child that cannot be forked is named, the others go on", test_no_fork},
    {"behind a straggler a dealt page waits, a taken one not", test_straggler},
    {"no child is a zombie while others go on", test_zombies},
    {"Ctrl-C, SIGTERM and SIGKILL leave no orphan and no name", test_orphans},
    {"a program that leaves an orphan is rejected", test_wrong_orphan},
    {"sharing moves all data in five ways", test_sharing},
    {"sharing with a killed child fails, and never hangs", test_sharing_killed},
    {"sharing leaves no name behind", test_left_names},
    {"start_methods shows what is inherited, and three costs",
        test_start_methods},
    {"start_methods shows a zombie", test_zombie_shown},
    {"wrong programs are rejected for their reason", test_wrong},
    CU_TEST_INFO_NULL,
};
