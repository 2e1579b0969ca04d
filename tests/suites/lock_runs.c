/*
 * lock_runs.c - runs of the programs of 06-locks: see lock_runs.h
 */
#include "suites/lock_runs.h"
#include "suites/suite.h"

#include <stdio.h>
#include <string.h>

const char *path_of(const char *name) {
    char relative[100];

    snprintf(relative, sizeof relative, "06-locks/%s", name);
    return built(relative);
}

void run_with(struct run *run, const char *path, const char *one,
    const char *two, bool virtual_time) {
    const char *argv[] = {path, one, two, NULL};
    const char *env[] = {TSAN_QUIET, NULL};
    struct program program = {.argv = argv,
        .env = env,
        .deadline_ms = 60000,
        .virtual_time = virtual_time};

    program_run(&program, run);
}

bool printed(const struct run *run, const char *words) {
    for (size_t i = 0; i < run->count; i++)
        if (strstr(run->lines[i].text, words) != NULL)
            return true;
    return false;
}
