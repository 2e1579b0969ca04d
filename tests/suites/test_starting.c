/*
 * test_starting.c - the suite of how processes of 03 start and end: jobs,
 * start_cost, zombie, and both, which starts threads in them
 */
#define _GNU_SOURCE /* asprintf */
#include "judge/gate.h"
#include "suites/suite.h"

#include <curl/curl.h>
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "03-processes/"

/* ---------- jobs, start_cost and zombie ---------- */

static void judge_lines(const char *const *argv, const char *const *lines,
    size_t count, struct verdict *v) {
    struct program program = {.argv = argv};
    struct run run;

    program_run(&program, &run);
    judge_end(&run, 0, v);
    events_compare(run.lines, run.count, lines, count, v);
    run_free(&run);
}

static void test_jobs(void) {
    static const char *const both_ways[] = {
        "add: 50 + 2 = 52, forked, variable changed, descriptor open, "
        "close-on-exec open",
        "add: 50 + 2 = 52, begun anew, variable as compiled, descriptor open, "
        "close-on-exec closed",
        "subtract: 50 - 2 = 48, forked, variable changed, descriptor open, "
        "close-on-exec open",
        "subtract: 50 - 2 = 48, begun anew, variable as compiled, descriptor "
        "open, close-on-exec closed"};
    static const char *const alone[] = {
        "subtract: 40 - 2 = 38, begun anew, variable as compiled, descriptor "
        "closed, close-on-exec closed"};
    const char *two[] = {built(FOLDER "jobs"), "-n", "50", NULL};
    const char *one[] = {built(FOLDER "jobs"), "-j", "2", NULL};
    struct verdict v = {0};

    judge_lines(two, both_ways, 4, &v);
    judge_lines(one, alone, 1, &v);
    expect_right(&v);
}

/* What a start costs is not judged; that the memory is there, is. */
static void test_start_cost(void) {
    static const char *const ways[] = {
        "thread ", "fork ", "fork + exec ", "posix_spawn "};
    const char *argv[] = {
        built(FOLDER "start_cost"), "-r", "9", "-m", "60", NULL};
    struct program program = {.argv = argv};
    struct verdict v = {0};
    struct run run;

    program_run(&program, &run);
    judge_end(&run, 0, &v);
    for (size_t i = 0; i < 4; i++)
        if (run.count != 4 ||
            strncmp(run.lines[i].text, ways[i], strlen(ways[i])) != 0 ||
            strstr(run.lines[i].text, " us") == NULL)
            verdict_fail(&v, "no line gives the cost of \"%s\"", ways[i]);
    if (run.peak_kib < 60 * 1024)
        verdict_fail(&v, "-m 60: it had %ld KiB", run.peak_kib);
    expect_right(&v);
    run_free(&run);
}

static void test_zombie(void) {
    static const char *const lines[] = {
        "ended, not waited for: Z (zombie)", "waited for: gone, exit status 7"};
    const char *argv[] = {built(FOLDER "zombie"), NULL};
    struct verdict v = {0};

    judge_lines(argv, lines, 2, &v);
    expect_right(&v);
}

/* ---------- both ---------- */

enum { PAGES = 9, KINDS = 3, ROUNDS = 2 };
static const char *const paths[KINDS] = {"/small", "/medium", "/large"};

/* FNV-1a over the page, twice; its size in *size. */
static unsigned right_sum(const char *base, const char *path, size_t *size) {
    char url[100], *text;
    unsigned sum = 2166136261;
    FILE *file = open_memstream(&text, size);
    CURL *curl = curl_easy_init();

    snprintf(url, sizeof url, "%s%s", base, path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, file);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "127.0.0.1");
    CURLcode code = curl_easy_perform(curl);
    fclose(file);
    expect(code == CURLE_OK, "%s: %s", url, curl_easy_strerror(code));
    for (size_t i = 0; i < ROUNDS * *size; i++)
        sum = (sum ^ (unsigned char)text[i % *size]) * 16777619;
    curl_easy_cleanup(curl);
    free(text);
    return sum;
}

/* What it must print, with sites at this URL. */
static void right_lines(const char *base, char *lines[2 * PAGES]) {
    struct sites_options options = {.gate = false};
    char open[64];
    struct sites *sites = start_sites(&options, open, sizeof open);
    unsigned sums[KINDS];
    size_t sizes[KINDS];

    for (int k = 0; k < KINDS; k++)
        sums[k] = right_sum(open, paths[k], &sizes[k]);
    sites_stop(sites, NULL);
    for (int i = 0; i < PAGES; i++)
        if (asprintf(&lines[2 * i], "page %d: fetching %s%s ...", i + 1, base,
                paths[i % KINDS]) == -1 ||
            asprintf(&lines[2 * i + 1],
                "page %d: fetched, %zu bytes, checksum %08x", i + 1,
                sizes[i % KINDS], sums[i % KINDS]) == -1)
            err(EXIT_FAILURE, "out of memory");
}

static void run_both(
    struct gate *gate, long processes, long threads, struct run *run) {
    char p[24], w[24];
    const char *argv[] = {built(FOLDER "both"), "-p", p, "-w", w, "-n", "2",
        "-t", "3", "-s", gate->base, NULL};
    struct program program = {.argv = argv};

    snprintf(p, sizeof p, "%ld", processes);
    snprintf(w, sizeof w, "%ld", threads);
    gate_open(gate);
    gate_watch(gate, &program);
    program_run(&program, run);
    gate_close(gate, NULL);
}

/* At the gate each thread of each process has its request. */
static void judge_both(long processes, long threads, struct verdict *v) {
    struct gate gate = {.all = PAGES, .most = processes * threads};
    char *lines[2 * PAGES];
    struct run run;

    run_both(&gate, processes, threads, &run);
    right_lines(gate.base, lines);
    judge_end(&run, 0, v);
    gate_judge_least(&gate, v);
    gate_judge_most(&gate, v);
    events_compare(
        run.lines, run.count, (const char *const *)lines, 2 * PAGES, v);
    if (run.most_processes != 1 + processes ||
        run.most_tasks != 1 + processes * (1 + threads))
        verdict_fail(v, "%d processes and %d threads; expected: %ld and %ld",
            run.most_processes, run.most_tasks, 1 + processes,
            1 + processes * (1 + threads));
    for (int i = 0; i < 2 * PAGES; i++)
        free(lines[i]);
    run_free(&run);
}

static void test_both(void) {
    static const long shapes[][2] = {{1, 4}, {4, 1}, {2, 3}};

    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct verdict v = {0};
        judge_both(shapes[i][0], shapes[i][1], &v);
        expect(v.text[0] == '\0', "both -p %ld -w %ld: %s", shapes[i][0],
            shapes[i][1], v.text);
    }
}

/* Kills the second process when all six threads wait. */
static bool kill_second(const struct quiet *quiet, long held, void *done) {
    if (*(bool *)done || held < 6)
        return false;
    kill(quiet->pids[2], SIGKILL);
    return *(bool *)done = true;
}

static size_t lines_with(const struct run *run, const char *words) {
    size_t count = 0;

    for (size_t i = 0; i < run->count; i++)
        count += strstr(run->lines[i].text, words) != NULL;
    return count;
}

/* The other takes all pages but the three that were lost. */
static void test_both_killed(void) {
    bool done = false;
    struct gate gate = {
        .all = PAGES, .most = 6, .look = kill_second, .arg = &done};
    struct verdict v = {0};
    struct run run;

    run_both(&gate, 2, 3, &run);
    judge_end(&run, 1, &v);
    if (lines_with(&run, ": fetched, ") != PAGES - 3 ||
        strstr(run.err_text, "1 processes failed or were killed") == NULL)
        verdict_fail(&v, "%zu pages came, stderr is \"%.200s\"",
            lines_with(&run, ": fetched, "), run.err_text);
    expect_right(&v);
    run_free(&run);
}

static void test_both_failed(void) {
    struct sites_options options = {.gate = false};
    char base[64], nothing[80];
    struct sites *sites = start_sites(&options, base, sizeof base);
    const char *argv[] = {built(FOLDER "both"), "-t", "1", "-s", nothing, NULL};
    struct program program = {.argv = argv,
        .virtual_time = true,
        .outside = sites_will,
        .arg = sites};
    struct verdict v = {0};
    struct run run;

    snprintf(nothing, sizeof nothing, "%s/nothing", base);
    program_run(&program, &run);
    judge_end(&run, 1, &v);
    if (lines_with(&run, ": failed, HTTP 404") != KINDS ||
        strncmp(run.err_text, "0 of 3 pages in ", 16) != 0)
        verdict_fail(&v, "stderr is \"%.200s\"", run.err_text);
    expect_right(&v);
    run_free(&run);
    sites_stop(sites, NULL);
}

CU_TestInfo starting_tests[] = {
    {"jobs shows what a forked and a spawned one have", test_jobs},
    {"start_cost measures four ways, beside memory", test_start_cost},
    {"zombie shows one in /proc", test_zombie},
    {"both has its threads in its processes, and the right pages", test_both},
    {"both with a killed process does what is left, and fails",
        test_both_killed},
    {"both names pages that fail", test_both_failed},
    CU_TEST_INFO_NULL,
};
