/*
 * test_usage.c - wrong usage of every program, and output that cannot be
 * written: a full disk, a reader that has gone, a descriptor that is closed
 *
 * The options are read from each program's own -h line: "[-c customers]" is an
 * option that takes a number. What takes a text is in a table. Which programs
 * there are is read from the sources, so it runs at the top of the source tree.
 */
#define _GNU_SOURCE /* strsep */
#include "suites/suite.h"

#include <ctype.h>
#include <err.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Options whose value is a text, so that no value is wrong in form; and
 * whether the program takes words besides its options. */
static const struct {
    const char *program, *text_options;
    bool words, for_ever; /* it works until it is told to stop */
} kinds[] = {
    {"download", "s", true, false},
    {"both", "s", false, false},
    {"client", "ri", true, true},
    {"worker", "r", false, true},
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

static const char *const bad_numbers[] = {
    "x", "0", "-1", "99999999999", "99999999999999999999", "3x", ""};
enum { BAD_NUMBERS = sizeof bad_numbers / sizeof bad_numbers[0] };

static size_t kind_of(const char *program) {
    size_t i = 0;

    while (i < KINDS && strcmp(kinds[i].program, program) != 0)
        i++;
    return i;
}

static const char *text_options_of(const char *program) {
    size_t kind = kind_of(program);
    return kind < KINDS ? kinds[kind].text_options : "";
}

static bool takes_words(const char *program) {
    size_t kind = kind_of(program);
    return kind < KINDS && kinds[kind].words;
}

static void run_with(
    struct run *run, const char *path, const char *one, const char *two) {
    const char *argv[] = {path, one, two, NULL};
    struct program program = {.argv = argv, .virtual_time = true};

    program_run(&program, run);
}

/* One line on stderr that holds the words, nothing on stdout, exit 2. */
static void expect_refused(const char *path, const char *one, const char *two,
    const char *word, const char *range) {
    struct run run;

    run_with(&run, path, one, two);
    const char *newline = strchr(run.err_text, '\n');
    bool one_line = newline != NULL && newline[1] == '\0';
    expect(run.end == EXITED && run.code == 2 && run.count == 0 && one_line &&
               strstr(run.err_text, word) != NULL &&
               strstr(run.err_text, range) != NULL,
        "%s %s %s: exit %d, %zu lines on stdout, stderr \"%.200s\"; expected: "
        "exit 2, nothing on stdout, one line with \"%s\" and \"%s\"",
        path, one, two == NULL ? "" : two, run.code, run.count, run.err_text,
        word, range);
    run_free(&run);
}

/* Calls the check for every program of the lessons. The exercises are
 * skeletons, which do not work yet: make grade judges what is made of them. */
static void each_program(void (*check)(const char *path, const char *name)) {
    glob_t found;

    /* What was built from a source that is gone is no program of the kit. */
    if (glob("0[1-6]-*/*.c", 0, NULL, &found) != 0)
        errx(EXIT_FAILURE, "no programs here: run me at the top of the tree");
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char path[200];
        snprintf(path, sizeof path, "%.*s", (int)strlen(found.gl_pathv[i]) - 2,
            found.gl_pathv[i]);
        const char *program = built(path), *name = strrchr(path, '/') + 1;
        if (strncmp(name, "exercise_", 9) != 0 && is_built(path))
            check(program, name);
    }
    globfree(&found);
}

static void check_numbers(const char *path, const char *name) {
    struct run help;

    run_with(&help, path, "-h", NULL);
    expect(help.end == EXITED && help.code == 0 && help.err_text[0] == '\0' &&
               help.count > 0 && strncmp(help.lines[0].text, "usage: ", 7) == 0,
        "%s -h: exit %d, stderr \"%.200s\"; expected: exit 0 and \"usage: "
        "...\" on stdout",
        path, help.code, help.err_text);
    for (size_t l = 0; l < help.count; l++)
        for (const char *c = help.lines[l].text; (c = strstr(c, "[-")); c++) {
            char option[3] = {'-', c[2], '\0'};
            bool number = isalnum((unsigned char)c[2]) && c[3] == ' ' &&
                          !strchr(text_options_of(name), c[2]);
            if (!number)
                continue;
            for (size_t i = 0; i < BAD_NUMBERS; i++) {
                char range[] = " from 1 to ";
                char value[40];
                snprintf(value, sizeof value, "%s %s", option, bad_numbers[i]);
                expect_refused(path, option, bad_numbers[i], value, range);
            }
            expect_refused(path, option, NULL, &option[1], "argument");
        }
    run_free(&help);
}

static void test_numbers(void) {
    each_program(check_numbers);
}

static void check_unknown(const char *path, const char *name) {
    expect_refused(path, "-Z", NULL, "Z", "");
    if (!takes_words(name))
        expect_refused(path, "stray", NULL, "stray", "");
}

static void test_unknown(void) {
    each_program(check_unknown);
}

/* The exit status of an error: 1, or the thread sanitizer's own where it says
 * that it has found a data race, as it must in wrong programs of 06-locks. */
static bool failed_properly(const struct run *run) {
    bool race = strstr(run->err_text, "ThreadSanitizer: data race") != NULL;

    return run->end == EXITED && run->code == (race ? 66 : 1);
}

/* Is it the program of a story in one of these folders (NULL: any)? */
static bool is_story(const char *path, const char *folders) {
    static const char *const stories[] = {
        "/messages", "/download", "/increment", "/cooking"};
    const char *name = strrchr(path, '/');
    char folder[4] = "";

    snprintf(folder, sizeof folder, "%.2s", strstr(path, "/0") + 1);
    for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++)
        if (strcmp(name, stories[i]) == 0)
            return folders == NULL || strstr(folders, folder) != NULL;
    return false;
}

/* Trouble that many have is told once: no two lines differ in numbers only. A
 * sanitizer's report of a wrong program of 06-locks is no such thing. */
static bool tells_once(const char *text) {
    char *seen[20], *copy = strdup(text), *rest = copy;
    size_t count = 0;
    bool once = true;

    if (strstr(text, "ThreadSanitizer: data race") != NULL)
        rest = NULL;
    for (char *line; (line = strsep(&rest, "\n")) != NULL && once;) {
        char *to = line;
        for (const char *from = line; *from != '\0'; from++)
            if (!isdigit((unsigned char)*from))
                *to++ = *from;
        *to = '\0';
        for (size_t i = 0; i < count; i++)
            once = once && strcmp(seen[i], line) != 0;
        once = once && count < sizeof seen / sizeof seen[0];
        if (once)
            seen[count++] = line;
    }
    free(copy);
    return once;
}

/* As every filter, a program of one process dies of SIGPIPE. Of several, the
 * children do, and the parent says so. */
static void expect_broken(const char *path, const struct run *run) {
    char how[700];
    bool killed = run->end == SIGNALLED && run->code == SIGPIPE;
    bool right = is_story(path, "01 02 04") ? killed
                 : is_story(path, "03 05")
                     ? failed_properly(run) &&
                           strstr(run->err_text, "killed by signal 13") != NULL
                     : killed || failed_properly(run);

    expect(right, "%s into a closed pipe %s; expected: %s", path,
        run_describe(run, how, sizeof how),
        is_story(path, "03 05") ? "exit 1, and who died of SIGPIPE"
                                : "SIGPIPE");
}

static void check_output(const char *path, const char *name) {
    const char *argv[] = {path, "-h", NULL};
    struct program full = {.argv = argv, .stdout_path = "/dev/full"};
    struct program broken = {.argv = argv, .stdout_broken = true};
    struct run run;
    char how[700];

    size_t kind = kind_of(name);
    bool ends = kind == KINDS || !kinds[kind].for_ever;
    /* With -h, then doing its work. */
    for (int i = 0; i < (ends ? 2 : 1); i++, argv[1] = NULL) {
        full.virtual_time = broken.virtual_time = true;
        program_run(&full, &run);
        expect(failed_properly(&run), "%s > /dev/full %s; expected: exit 1",
            path, run_describe(&run, how, sizeof how));
        expect(run.left_behind == 0, "%s > /dev/full left %s", path,
            run.left_names);
        expect(tells_once(run.err_text), "%s > /dev/full: stderr is \"%.300s\"",
            path, run.err_text);
        run_free(&run);
        program_run(&broken, &run);
        if (argv[1] == NULL)
            expect_broken(path, &run);
        expect(tells_once(run.err_text),
            "%s into a closed pipe: stderr is \"%.300s\"", path, run.err_text);
        expect(run.left_behind == 0, "%s into a closed pipe left %s", path,
            run.left_names);
        run_free(&run);
    }
}

static void test_output(void) {
    each_program(check_output);
}

/* ---------- A descriptor that is closed ---------- */

/* Standard output, or error, is closed: the program must end at once, having
 * done nothing. With -h, too. */
static void check_closed(const char *path, const char *name) {
    static const struct {
        const char *how;
        bool says; /* standard error is open */
    } ways[] = {{"exec \"$0\" >&-", true}, {"exec \"$0\" <&- >&-", true},
        {"exec \"$0\" -h >&-", true}, {"exec \"$0\" 2>&-", false}};

    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        const char *argv[] = {"/bin/sh", "-c", ways[i].how, path, NULL};
        struct program program = {.argv = argv, .virtual_time = true};
        struct run run;
        char said[100];
        program_run(&program, &run);
        snprintf(said, sizeof said,
            "%s: standard output or error: Bad file descriptor\n", name);
        expect(run.end == EXITED && run.code == 1 && run.count == 0 &&
                   run.virtual_ns == 0 && run.most_processes <= 1 &&
                   strcmp(run.err_text, ways[i].says ? said : "") == 0,
            "%s for %s: exit %d after %.2f s, %zu lines, stderr \"%.200s\"; "
            "expected: exit 1 at once, \"%s\"",
            ways[i].how, path, run.code, (double)run.virtual_ns / 1e9,
            run.count, run.err_text, ways[i].says ? said : "");
        run_free(&run);
    }
}

static void test_closed(void) {
    each_program(check_closed);
}

/* ---------- Lines of several processes ---------- */

/* On a socket that keeps packets apart, each write is one. A line in pieces
 * would be torn by others that write meanwhile. */
static void check_whole_lines(const char *path, const char *name) {
    char text[300];
    int ends[2];

    if (!is_story(path, NULL) && strstr(path, "/03-") == NULL &&
        strstr(path, "/05-") == NULL)
        return;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1)
        err(EXIT_FAILURE, "socketpair");
    pid_t pid = fork();
    if (pid == -1)
        err(EXIT_FAILURE, "fork");
    if (pid == 0) {
        if (dup2(ends[1], STDERR_FILENO) != -1)
            execl(
                path, path, takes_words(name) ? "-nx" : "stray", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    ssize_t got = recv(ends[0], text, sizeof text - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    expect(got > 0 && text[got - 1] == '\n',
        "%s: the first it writes to stderr is \"%s\"; expected: a line", path,
        text);
    close(ends[0]);
    waitpid(pid, NULL, 0);
}

static void test_whole_lines(void) {
    each_program(check_whole_lines);
}

/* ---------- More workers than jobs ---------- */

static const struct {
    const char *name, *argv[6], *says;
    int tasks; /* threads and processes in all */
} few_jobs[] = {
    {"02-threads/download", {"-n1", "-w1000"}, " 3 at a time\n", 4},
    {"03-processes/download", {"-n1", "-w1000"}, " 3 at a time\n", 4},
    {"04-async/download", {"-n1", "-w1000"}, " 3 at a time\n", 1},
    {"05-queue/download", {"-n1", "-w1000"}, " 3 at a time\n", 4},
    {"02-threads/increment", {"-t2", "-w1000"}, " 2 at a time\n", 3},
    {"03-processes/increment", {"-t2", "-w1000"}, " 2 at a time\n", 3},
    {"05-queue/increment", {"-t2", "-w1000"}, " 2 at a time\n", 3},
    {"02-threads/increment", {"-t1"}, " 1 at a time\n", 2},
    {"03-processes/increment", {"-t1"}, " 1 at a time\n", 2},
    {"05-queue/increment", {"-t1"}, " 1 at a time\n", 2},
    {"03-processes/cooking", {"-p2", "-w1000"}, ", chefs: 2\n", 3},
    {"05-queue/cooking", {"-p2", "-w1000"}, ", chefs: 2\n", 3},
    {"05-queue/messages", {"-c2", "-w1000"}, " 2 customers ", 3},
};

static void test_few_jobs(void) {
    struct sites_options options = {.gate = false};
    char base[64];
    struct sites *sites = start_sites(&options, base, sizeof base);

    for (size_t i = 0; i < sizeof few_jobs / sizeof few_jobs[0]; i++) {
        bool download = strstr(few_jobs[i].name, "download") != NULL;
        const char *argv[] = {built(few_jobs[i].name), few_jobs[i].argv[0],
            few_jobs[i].argv[1], download ? "-s" : NULL, base, NULL};
        struct program program = {.argv = argv,
            .virtual_time = true,
            .outside = sites_will,
            .arg = sites};
        struct verdict verdict = {0};
        struct run run;
        program_run(&program, &run);
        judge_end(&run, 0, &verdict);
        expect(verdict.text[0] == '\0' && run.most_tasks <= few_jobs[i].tasks &&
                   strstr(run.err_text, few_jobs[i].says) != NULL,
            "%s %s: %s, %d threads in all, stderr \"%.200s\"; expected: %d, "
            "\"%s\"",
            few_jobs[i].name, few_jobs[i].argv[0], verdict.text, run.most_tasks,
            run.err_text, few_jobs[i].tasks, few_jobs[i].says);
        run_free(&run);
    }
    sites_stop(sites, NULL);
}

CU_TestInfo usage_tests[] = {
    {"a wrong number is refused with option, value and range", test_numbers},
    {"unknown options and stray words are refused", test_unknown},
    {"a full disk or a closed pipe is an error, told once", test_output},
    {"with a closed descriptor nothing is done", test_closed},
    {"lines on stderr are written whole", test_whole_lines},
    {"workers are never more than there are jobs", test_few_jobs},
    CU_TEST_INFO_NULL,
};
