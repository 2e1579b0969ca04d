/*
 * evidence.c - what every judge of a run asks first: see evidence.h
 */
#include "judge/evidence.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void judge_end(const struct run *run, int status, struct verdict *verdict) {
    char how[1024];
    const char *report = strstr(run->err_text, "Sanitizer");

    if (report == NULL)
        report = strstr(run->err_text, "runtime error:");
    if (report != NULL)
        verdict_fail(verdict, "a sanitizer reports: %.300s", report);
    if (run->end != EXITED || run->code != status || run->left_behind > 0 ||
        run->left_objects[0] != '\0')
        verdict_fail(verdict,
            "it %s; expected: exit status %d and nothing "
            "left behind",
            run_describe(run, how, sizeof how), status);
    if (run->unfinished)
        verdict_fail(verdict, "its last line has no newline");
    if (run->past_clock != NULL)
        verdict_fail(verdict,
            "it waited by %s, a way that the clock does not see: this is not "
            "supported, and its times mean nothing",
            run->past_clock);
}

struct sites *start_sites(
    const struct sites_options *options, char *base, size_t size) {
    char error[300];
    struct sites *sites = sites_start(options, error, sizeof error);

    if (sites == NULL)
        errx(EXIT_FAILURE, "%s", error);
    snprintf(base, size, "http://127.0.0.1:%d", sites_port(sites));
    return sites;
}

enum outside sites_will(void *sites) {
    struct sites_counts now;

    sites_count(sites, &now);
    if (!now.settled || now.due > 0)
        return OUTSIDE_BUSY;
    return now.held > 0 ? OUTSIDE_HOLDS : OUTSIDE_IDLE;
}

void lesson_run(const struct lesson *lesson, const struct program *program,
    struct run *run) {
    if (lesson->run != NULL)
        lesson->run(program, run, lesson->arg);
    else
        program_run(program, run);
}
