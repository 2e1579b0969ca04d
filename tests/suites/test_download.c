/*
 * test_download.c - the suite of the story "download", for every tool
 *
 * The practice sites hold every answer at the gate until the program sleeps,
 * so how many requests are in flight is a fact the server knows, not a matter
 * of timing. Each time one answer is let go, and the next request must take
 * its place.
 */
#define _GNU_SOURCE /* asprintf */
#include "suites/suite.h"

#include <curl/curl.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *path;
    long bytes;
} pages[] = {{"/small", 11369}, {"/medium", 107786}, {"/large", 608312}};

static const struct sites_options open = {.gate = false},
                                  closed = {.gate = true};

/* What the server saw of a run at the gate. */
struct gate {
    struct sites *sites;
    char base[64];
    long count, workers; /* expected: pages in all, requests at once */
    long released;
    int looks;
    struct verdict *verdict;
};

static enum outside ask_sites(void *arg) {
    return sites_will(((struct gate *)arg)->sites);
}

/* The program sleeps: count what waits at the gate, let the oldest go. */
static bool open_gate(const struct quiet *quiet, void *arg) {
    struct gate *gate = arg;
    struct sites_counts now;
    long left = gate->count - gate->released;
    long expected = gate->workers < left ? gate->workers : left;

    (void)quiet;
    sites_count(gate->sites, &now);
    if (now.held == 0)
        return false;
    if (now.held < expected && gate->verdict->text[0] == '\0' &&
        look_again(&gate->looks))
        return true;
    if (now.held != expected)
        verdict_fail(gate->verdict,
            "it had %ld request%s in flight after "
            "%ld of %ld pages; expected: %ld",
            now.held, now.held == 1 ? "" : "s", gate->released, gate->count,
            expected);
    gate->looks = 0;
    gate->released += sites_release(gate->sites, 1);
    return true;
}

static void judge_lines(const struct run *run, const struct gate *gate) {
    char **lines = calloc((size_t)gate->count * 2, sizeof *lines);

    for (long i = 0; i < gate->count; i++)
        if (asprintf(&lines[2 * i], "page %ld: fetching %s%s ...", i + 1,
                gate->base, pages[i % 3].path) == -1 ||
            asprintf(&lines[2 * i + 1], "page %ld: fetched, %ld bytes", i + 1,
                pages[i % 3].bytes) == -1)
            abort();
    events_compare(run->lines, run->count, (const char *const *)lines,
        (size_t)gate->count * 2, gate->verdict);
    for (long i = 0; i < gate->count * 2; i++)
        free(lines[i]);
    free(lines);
}

/* Runs a download of 90 pages at the gate; judges what it and the server say.
 */
static void judge(const char *path, long workers, struct verdict *verdict) {
    struct gate gate = {.count = 90, .workers = workers, .verdict = verdict};
    char w[24];
    const char *argv[] = {path, "-w", w, "-s", gate.base, NULL};
    struct program program = {.argv = argv,
        .virtual_time = true,
        .at_quiet = open_gate,
        .outside = ask_sites,
        .arg = &gate};
    struct run run;
    struct sites_counts last;

    gate.sites = start_sites(&closed, gate.base, sizeof gate.base);
    snprintf(w, sizeof w, "%ld", workers);
    run_lesson(&program, &run);
    sites_stop(gate.sites, &last);
    judge_end(&run, 0, verdict);
    judge_lines(&run, &gate);
    if (last.requests != gate.count || last.served != gate.count)
        verdict_fail(verdict,
            "the server had %ld requests and answered %ld; "
            "expected: %ld",
            last.requests, last.served, gate.count);
    size_t overlap = events_overlap(run.lines, run.count);
    if (overlap != (size_t)workers)
        verdict_fail(verdict,
            "by its lines %zu pages were under way at once; "
            "expected: %ld",
            overlap, workers);
    if (last.connections != workers)
        verdict_fail(verdict,
            "it opened %ld connections; expected: %ld, each "
            "used again and again",
            last.connections, workers);
    if (strncmp(run.err_text, "90 of 90 pages in ", 18) != 0)
        verdict_fail(verdict,
            "stderr is \"%.200s\"; expected: \"90 of 90 "
            "pages in ...\"",
            run.err_text);
    run_free(&run);
}

static bool has_download(size_t tool, char *name, size_t size) {
    snprintf(name, size, "%s/download", tools[tool]);
    return expect(is_built(name), "%s is missing", name);
}

static void test_tools(void) {
    static const long workers[] = {5, 1, 3};
    char name[64];

    for (size_t t = 0; tools[t] != NULL; t++)
        for (size_t i = 0; i < 3 && has_download(t, name, sizeof name); i++) {
            struct verdict verdict = {""};
            if (t == 0 && workers[i] > 1)
                continue;
            judge(built(name), workers[i], &verdict);
            expect(verdict.text[0] == '\0', "%s -w %ld: %s", name, workers[i],
                verdict.text);
        }
}

static void judge_failures(const char *path, struct verdict *verdict);

void download_judge(
    const char *tool, const char *path, struct verdict *verdict) {
    judge(path, 1, verdict);
    if (strcmp(tool, tools[0]) != 0 && verdict->text[0] == '\0')
        judge(path, 5, verdict);
    if (verdict->text[0] == '\0')
        judge_failures(path, verdict);
}

static void test_wrong(void) {
    static const char *const wrong[] = {
        "download_six_at_once", "download_waves", "download_sequential"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct verdict verdict = {""};
        char name[64];
        snprintf(name, sizeof name, "tests/suites/wrong/%s", wrong[i]);
        judge(built(name), 5, &verdict);
        expect_rejected(&verdict, wrong[i]);
    }
}

/* Pages that fail, each with curl's reason, and two that do not. */
static const struct {
    const char *path;
    CURLcode code;
} mixed[] = {{"/small", CURLE_OK}, {"/missing", CURLE_HTTP_RETURNED_ERROR},
    {"/broken", CURLE_HTTP_RETURNED_ERROR}, {"/redirect", CURLE_OK},
    {"/loop", CURLE_TOO_MANY_REDIRECTS}, {"/cut", CURLE_PARTIAL_FILE},
    {"/reset", CURLE_RECV_ERROR}};
enum { MIXED = sizeof mixed / sizeof mixed[0] };

static void judge_mixed(
    const struct run *run, char **urls, struct verdict *verdict) {
    judge_end(run, 1, verdict);
    for (int i = 0; i < MIXED; i++) {
        char wanted[200], fetched[60];
        bool said = false;
        snprintf(
            fetched, sizeof fetched, "page %d: fetched, 11369 bytes", i + 1);
        for (size_t l = 0; l < run->count; l++)
            said = said || strcmp(run->lines[l].text, fetched) == 0;
        snprintf(wanted, sizeof wanted, "page %d: %s: %s\n", i + 1, urls[i],
            curl_easy_strerror(mixed[i].code));
        bool blamed = strstr(run->err_text, wanted) != NULL;
        if (said != (mixed[i].code == CURLE_OK))
            verdict_fail(verdict, "%s was%s reported as fetched", urls[i],
                said ? "" : " not");
        if (blamed != (mixed[i].code != CURLE_OK))
            verdict_fail(verdict, "stderr says%s \"%.*s\"",
                blamed ? "" : " nothing like", (int)strlen(wanted) - 1, wanted);
    }
    if (run->count != 2 * MIXED)
        verdict_fail(verdict, "%zu lines on stdout; expected: %d", run->count,
            2 * MIXED);
}

static void judge_failures(const char *path, struct verdict *verdict) {
    char base[64];
    struct sites *sites = start_sites(&open, base, sizeof base);
    const char *argv[3 + MIXED + 1] = {path, "-n", "1"};
    char *urls[MIXED];
    struct run run;

    for (int i = 0; i < MIXED; i++) {
        if (asprintf(&urls[i], "%s%s", base, mixed[i].path) == -1)
            abort();
        argv[3 + i] = urls[i];
    }
    struct program program = {.argv = argv};
    run_lesson(&program, &run);
    judge_mixed(&run, urls, verdict);
    run_free(&run);
    sites_stop(sites, NULL);
    for (int i = 0; i < MIXED; i++)
        free(urls[i]);
}

static void test_failures(void) {
    char name[64];

    for (size_t t = 0; tools[t] != NULL; t++) {
        struct verdict verdict = {""};
        if (!has_download(t, name, sizeof name))
            continue;
        judge_failures(built(name), &verdict);
        expect(verdict.text[0] == '\0', "%s: %s", name, verdict.text);
    }
    struct verdict verdict = {""};
    judge_failures(
        built("tests/suites/wrong/download_errors_ignored"), &verdict);
    expect_rejected(&verdict, "download_errors_ignored");
}

/* A page that never comes is given up after exactly 30 s of virtual time, and
 * does not keep the others from coming. */
static void test_never(void) {
    char name[64];

    for (size_t t = 0; tools[t] != NULL; t++) {
        if (!has_download(t, name, sizeof name))
            continue;
        struct gate gate = {.sites = NULL};
        char never[80], small[80];
        struct verdict verdict = {""};
        struct run run;
        gate.sites = start_sites(&open, gate.base, sizeof gate.base);
        snprintf(never, sizeof never, "%s/never", gate.base);
        snprintf(small, sizeof small, "%s/small", gate.base);
        const char *argv[] = {built(name), "-n", "1", never, small, NULL};
        struct program program = {.argv = argv,
            .virtual_time = true,
            .outside = ask_sites,
            .arg = &gate};
        program_run(&program, &run);
        judge_end(&run, 1, &verdict);
        if (strstr(run.err_text, "/never: Timeout was reached\n") == NULL ||
            strstr(run.err_text, "1 of 2 pages in 30.0") == NULL)
            verdict_fail(&verdict, "stderr is \"%.300s\"", run.err_text);
        expect(verdict.text[0] == '\0', "%s: %s", name, verdict.text);
        run_free(&run);
        sites_stop(gate.sites, NULL);
    }
}

/* No server: says how to start it. https: curl's reason, from its own words. */
static void test_not_there(void) {
    char base[64], https[64], name[64];
    struct sites *sites = start_sites(&open, base, sizeof base);
    int port = sites_port(sites);

    snprintf(https, sizeof https, "https://127.0.0.1:%d/small", port);
    for (size_t t = 0; tools[t] != NULL; t++) {
        if (!has_download(t, name, sizeof name))
            continue;
        const char *argv[] = {built(name), "-n", "1", https, NULL};
        struct program program = {.argv = argv};
        struct run run;
        program_run(&program, &run);
        expect(run.end == EXITED && run.code == 1 &&
                   strstr(run.err_text,
                       curl_easy_strerror(CURLE_SSL_CONNECT_ERROR)) != NULL,
            "%s %s: \"%.300s\"", name, https, run.err_text);
        run_free(&run);
    }
    sites_stop(sites, NULL);
    for (size_t t = 0; tools[t] != NULL; t++) {
        if (!has_download(t, name, sizeof name))
            continue;
        const char *argv[] = {built(name), "-n", "1", "-s", base, NULL};
        struct program program = {.argv = argv};
        struct run run;
        program_run(&program, &run);
        expect(run.end == EXITED && run.code == 1 &&
                   strstr(run.err_text, "make sites") != NULL,
            "%s without a server: \"%.300s\"", name, run.err_text);
        run_free(&run);
    }
}

/* The most memory of a download of so many large pages, in KiB. */
static long peak_of(const char *name, const char *base, const char *times) {
    char large[80];
    struct run run;

    snprintf(large, sizeof large, "%s/large", base);
    const char *argv[] = {built(name), "-n", times, large, NULL};
    struct program program = {.argv = argv};
    program_run(&program, &run);
    expect(run.end == EXITED && run.code == 0, "%s -n %s: \"%.300s\"", name,
        times, run.err_text);
    long peak = run.peak_kib;
    run_free(&run);
    return peak;
}

/* 300 pages of 608,312 bytes are 178 MiB. A sanitizer keeps some of what is
 * freed, so a tenth of that is the bound. */
static void test_memory(void) {
    char base[64], name[64];
    struct sites *sites = start_sites(&open, base, sizeof base);

    for (size_t t = 0; tools[t] != NULL; t++) {
        if (!has_download(t, name, sizeof name))
            continue;
        long few = peak_of(name, base, "5"), many = peak_of(name, base, "300");
        expect(many - few < 18 * 1024,
            "%s: %ld KiB for 5 large pages, %ld KiB "
            "for 300; expected: no more",
            name, few, many);
    }
    sites_stop(sites, NULL);
}

/* All pages come, and yet the run has failed: nobody can read what it says. */
static void test_full_disk(void) {
    char base[64], name[64];
    struct sites *sites = start_sites(&open, base, sizeof base);

    for (size_t t = 0; tools[t] != NULL; t++) {
        if (!has_download(t, name, sizeof name))
            continue;
        const char *argv[] = {built(name), "-n", "1", "-s", base, NULL};
        struct program program = {.argv = argv, .stdout_path = "/dev/full"};
        struct run run;
        struct verdict verdict = {""};
        program_run(&program, &run);
        judge_end(&run, 1, &verdict);
        if (strstr(run.err_text, "standard output") == NULL &&
            strstr(run.err_text, "print") == NULL)
            verdict_fail(&verdict, "stderr is \"%.300s\"", run.err_text);
        expect(
            verdict.text[0] == '\0', "%s > /dev/full: %s", name, verdict.text);
        run_free(&run);
    }
    sites_stop(sites, NULL);
}

CU_TestInfo download_tests[] = {
    {"every tool has exactly its number of requests in flight", test_tools},
    {"wrong programs are rejected for their reason", test_wrong},
    {"failed pages are named, the others come, exit 1", test_failures},
    {"a page that never comes is given up", test_never},
    {"no server and no TLS are told", test_not_there},
    {"memory does not grow with the pages", test_memory},
    {"a full disk is an error though all pages come", test_full_disk},
    CU_TEST_INFO_NULL,
};
