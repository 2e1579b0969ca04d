/*
 * download.c - is a program of the story "download" right?
 *
 * The practice sites hold every answer at the gate until the program sleeps.
 * Each time one answer is let go, and the next request must take its place.
 */
#define _GNU_SOURCE /* asprintf */
#include "judge/events.h"
#include "judge/evidence.h"
#include "judge/gate.h"
#include "judge/stories.h"

#include <curl/curl.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *path;
    long bytes;
} pages[] = {{"/small", 11369}, {"/medium", 107786}, {"/large", 608312}};

static void judge_lines(
    const struct run *run, const struct gate *gate, struct verdict *verdict) {
    char **lines = calloc((size_t)gate->all * 2, sizeof *lines);

    for (long i = 0; i < gate->all; i++)
        if (asprintf(&lines[2 * i], "page %ld: fetching %s%s ...", i + 1,
                gate->base, pages[i % 3].path) == -1 ||
            asprintf(&lines[2 * i + 1], "page %ld: fetched, %ld bytes", i + 1,
                pages[i % 3].bytes) == -1)
            err(EXIT_FAILURE, "asprintf");
    events_compare(run->lines, run->count, (const char *const *)lines,
        (size_t)gate->all * 2, verdict);
    for (long i = 0; i < gate->all * 2; i++)
        free(lines[i]);
    free(lines);
}

/* Judges what it and the server say of a run of 90 pages. */
static void judge_flight(const struct run *run, const struct gate *gate,
    const struct sites_counts *last, struct verdict *verdict) {
    size_t overlap = events_overlap(run->lines, run->count);
    bool well = run->end == EXITED && run->code == 0;

    /* The gate would say of one too many that it was in flight. */
    if (last->requests > gate->all || (well && last->served != gate->all))
        verdict_fail(verdict,
            "the server had %ld requests and answered %ld; expected: %ld",
            last->requests, last->served, gate->all);
    gate_judge_least(gate, verdict);
    gate_judge_most(gate, verdict);
    judge_end(run, 0, verdict);
    judge_lines(run, gate, verdict);
    if (overlap != (size_t)gate->most)
        verdict_fail(verdict,
            "by its lines %zu pages were under way at once; expected: %ld",
            overlap, gate->most);
    if (last->connections != gate->most)
        verdict_fail(verdict,
            "it opened %ld connections; expected: %ld, each used again and "
            "again",
            last->connections, gate->most);
    if (strncmp(run->err_text, "90 of 90 pages in ", 18) != 0)
        verdict_fail(verdict,
            "stderr is \"%.200s\"; expected: \"90 of 90 pages in ...\"",
            run->err_text);
}

void download_judge_flight(
    const struct lesson *lesson, long workers, struct verdict *verdict) {
    struct gate gate = {.all = 90, .most = workers};
    char w[24];
    const char *argv[] = {lesson->path, "-w", w, "-s", gate.base, NULL};
    struct program program = {.argv = argv};
    struct verdict found = {0};
    struct run run;
    struct sites_counts last;

    gate_open(&gate);
    gate_watch(&gate, &program);
    snprintf(w, sizeof w, "%ld", workers);
    lesson_run(lesson, &program, &run);
    gate_close(&gate, &last);
    judge_flight(&run, &gate, &last, &found);
    if (found.text[0] != '\0')
        verdict_fail(verdict, "with -w %s %s", w, found.text);
    run_free(&run);
}

/* Pages that fail, each with its HTTP status or curl's reason, and two that do
 * not. */
static const struct {
    const char *path;
    CURLcode code;
    const char *status;
} mixed[] = {{"/small", CURLE_OK, NULL},
    {"/missing", CURLE_HTTP_RETURNED_ERROR, "HTTP 404"},
    {"/broken", CURLE_HTTP_RETURNED_ERROR, "HTTP 500"},
    {"/redirect", CURLE_OK, NULL}, {"/loop", CURLE_TOO_MANY_REDIRECTS, NULL},
    {"/cut", CURLE_PARTIAL_FILE, NULL}, {"/reset", CURLE_RECV_ERROR, NULL}};
enum { MIXED = sizeof mixed / sizeof mixed[0] };

static void judge_mixed(
    const struct run *run, char **urls, struct verdict *verdict) {
    static const char summary[] = "2 of 7 pages in ";

    judge_end(run, 1, verdict);
    for (int i = 0; i < MIXED; i++) {
        char wanted[200];
        bool said = false;
        if (mixed[i].code == CURLE_OK)
            snprintf(
                wanted, sizeof wanted, "page %d: fetched, 11369 bytes", i + 1);
        else
            snprintf(wanted, sizeof wanted, "page %d: failed, %s", i + 1,
                mixed[i].status != NULL ? mixed[i].status
                                        : curl_easy_strerror(mixed[i].code));
        for (size_t l = 0; l < run->count; l++)
            said = said || strcmp(run->lines[l].text, wanted) == 0;
        if (!said)
            verdict_fail(
                verdict, "no line on stdout is \"%s\" (%s)", wanted, urls[i]);
    }
    if (run->count != 2 * MIXED)
        verdict_fail(verdict, "%zu lines on stdout; expected: %d", run->count,
            2 * MIXED);
    if (strncmp(run->err_text, summary, strlen(summary)) != 0)
        verdict_fail(verdict, "stderr is \"%.200s\"; expected: \"%s...\"",
            run->err_text, summary);
}

void download_judge_failures(
    const struct lesson *lesson, struct verdict *verdict) {
    static const struct sites_options open;
    char base[64];
    struct sites *sites = start_sites(&open, base, sizeof base);
    const char *argv[3 + MIXED + 1] = {lesson->path, "-n", "1"};
    char *urls[MIXED];
    struct run run;

    for (int i = 0; i < MIXED; i++) {
        if (asprintf(&urls[i], "%s%s", base, mixed[i].path) == -1)
            err(EXIT_FAILURE, "asprintf");
        argv[3 + i] = urls[i];
    }
    struct program program = {.argv = argv};
    lesson_run(lesson, &program, &run);
    judge_mixed(&run, urls, verdict);
    run_free(&run);
    sites_stop(sites, NULL);
    for (int i = 0; i < MIXED; i++)
        free(urls[i]);
}

void download_judge(const struct lesson *lesson, struct verdict *verdict) {
    static const long workers[] = {1, 5, 3};
    size_t count = strcmp(lesson->tool, "01-sequential") == 0 ? 1 : 3;

    for (size_t i = 0; i < count && verdict->text[0] == '\0'; i++)
        download_judge_flight(lesson, workers[i], verdict);
    if (verdict->text[0] == '\0')
        download_judge_failures(lesson, verdict);
}
