/*
 * test_download.c - the suite of the story "download", for every tool
 */
#include "judge/stories.h"
#include "suites/suite.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

static const struct sites_options open = {.gate = false};

static bool has_download(size_t tool, char *name, size_t size) {
    snprintf(name, size, "%s/download", tools[tool]);
    return expect(is_built(name), "%s is missing", name);
}

static bool says(const struct run *run, const char *line) {
    for (size_t i = 0; i < run->count; i++)
        if (strcmp(run->lines[i].text, line) == 0)
            return true;
    return false;
}

static void test_tools(void) {
    expect_story("download", download_judge);
}

static void judge_five(const struct lesson *lesson, struct verdict *verdict) {
    download_judge_flight(lesson, 5, verdict);
}

static void test_wrong(void) {
    static const char *const counts[] = {"download_six_at_once",
        "download_waves", "download_sequential", "download_new_connections",
        "download_no_time", NULL};
    static const char *const errors[] = {
        "download_errors_ignored", "download_no_reason", NULL};

    expect_all_rejected(counts, "02-threads", judge_five);
    expect_all_rejected(errors, "02-threads", download_judge_failures);
}

/* A page that never comes is given up after exactly 30 s of virtual time, and
 * does not keep the others from coming. */
static void test_never(void) {
    char name[64];

    for (size_t t = 0; tools[t] != NULL; t++) {
        if (!has_download(t, name, sizeof name))
            continue;
        char base[64], never[80], small[80];
        struct sites *sites = start_sites(&open, base, sizeof base);
        struct verdict verdict = {0};
        struct run run;
        snprintf(never, sizeof never, "%s/never", base);
        snprintf(small, sizeof small, "%s/small", base);
        const char *argv[] = {built(name), "-n", "1", never, small, NULL};
        struct program program = {.argv = argv,
            .virtual_time = true,
            .outside = sites_will,
            .arg = sites};
        program_run(&program, &run);
        judge_end(&run, 1, &verdict);
        if (!says(&run, "page 1: failed, Timeout was reached") ||
            strncmp(run.err_text, "1 of 2 pages in 30.0", 20) != 0)
            verdict_fail(&verdict, "it does not say why, stderr is \"%.300s\"",
                run.err_text);
        expect(verdict.text[0] == '\0', "%s: %s", name, verdict.text);
        run_free(&run);
        sites_stop(sites, NULL);
    }
}

/* No server: says how to start it. https: curl's reason, from its own words. */
static void test_not_there(void) {
    char base[64], https[64], name[64], reason[100];
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
        snprintf(reason, sizeof reason, "page 1: failed, %s",
            curl_easy_strerror(CURLE_SSL_CONNECT_ERROR));
        expect(run.end == EXITED && run.code == 1 && says(&run, reason),
            "%s %s does not say \"%s\"", name, https, reason);
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

/* A proxy of the machine's is not asked for what is on the machine itself. */
static void test_proxy(void) {
    static const char *const env[] = {"http_proxy=http://127.0.0.1:1",
        "all_proxy=http://127.0.0.1:1", "no_proxy=", "NO_PROXY=", NULL};
    char base[64], local[64], name[64];
    struct sites *sites = start_sites(&open, base, sizeof base);

    snprintf(local, sizeof local, "http://localhost:%d", sites_port(sites));
    for (size_t t = 0; tools[t] != NULL; t++)
        for (int i = 0; i < 2 && has_download(t, name, sizeof name); i++) {
            const char *argv[] = {
                built(name), "-n", "1", "-s", i == 0 ? base : local, NULL};
            struct program program = {.argv = argv, .env = env};
            struct verdict verdict = {0};
            struct run run;
            program_run(&program, &run);
            judge_end(&run, 0, &verdict);
            expect(verdict.text[0] == '\0', "%s -s %s with a proxy set: %s",
                name, argv[4], verdict.text);
            run_free(&run);
        }
    sites_stop(sites, NULL);
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
        struct verdict verdict = {0};
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
    {"every tool has its number in flight, and names failed pages", test_tools},
    {"wrong programs are rejected for their reason", test_wrong},
    {"a page that never comes is given up", test_never},
    {"no server and no TLS are told", test_not_there},
    {"a proxy is not asked for the practice sites", test_proxy},
    {"memory does not grow with the pages", test_memory},
    {"a full disk is an error though all pages come", test_full_disk},
    CU_TEST_INFO_NULL,
};
