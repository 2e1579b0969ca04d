/*
 * moments.c - what the quiet moments of a run show
 */
#include "grader/checks/moments.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>

long open_descriptors(const pid_t *pids, size_t count) {
    long found = 0, seen = 0;

    for (size_t i = 0; i < count; i++) {
        char path[40];
        struct dirent *entry;
        snprintf(path, sizeof path, "/proc/%d/fd", pids[i]);
        DIR *dir = opendir(path);
        while (dir != NULL && (entry = readdir(dir)) != NULL)
            found += isdigit((unsigned char)entry->d_name[0]) != 0;
        if (dir != NULL) {
            closedir(dir);
            seen++;
        }
    }
    return seen > 0 ? found : -1;
}

static bool look(const struct quiet *quiet, void *arg) {
    struct moments *m = arg;
    long most = m->most_looks > 0 ? m->most_looks : 3000;
    bool first = m->seen == 0;

    m->quiet++;
    m->since_line = quiet->count > m->seen ? 0 : m->since_line + 1;
    m->seen = quiet->count;
    if (quiet->count > 0 && m->since_line == 0) {
        m->last_open = open_descriptors(quiet->pids, quiet->processes);
        if (first)
            m->first_open = m->last_open;
    }
    if (m->kill_at > 0 && m->killed == 0 && quiet->count >= m->kill_at &&
        quiet->processes > 1 && kill(quiet->pids[1], SIGKILL) == 0) {
        m->killed = quiet->pids[1];
        return true;
    }
    if (m->since_line < most || m->looks)
        return false;
    return m->looks = kill(quiet->pids[0], SIGKILL) == 0;
}

void run_moments(struct grading *g, struct finding *f, struct program *program,
    struct run *run, struct moments *m) {
    m->first_open = m->last_open = -1;
    program->virtual_time = true;
    program->at_quiet = look;
    program->arg = m;
    grade_run(g, program, run, f);
    program->at_quiet = NULL;
    if (m->looks && run->end == SIGNALLED) {
        run->end = TIMED_OUT;
        snprintf(run->why, sizeof run->why,
            "woke %ld times to look, and nothing had happened: it is to wait "
            "instead",
            m->since_line);
    }
}

void run_virtual(struct grading *g, struct finding *f, struct program *program,
    struct run *run) {
    struct moments m = {.quiet = 0};

    run_moments(g, f, program, run, &m);
}

void judge_descriptors(const struct moments *m, long jobs, struct verdict *v) {
    long more = m->last_open - m->first_open;

    if (m->first_open != -1 && m->last_open != -1 && 2 * more >= jobs)
        verdict_fault(v, FAULT_LEFT_OPEN,
            "it had %ld descriptors open at first and %ld at the end of %ld "
            "jobs; expected: each is closed when its job is done",
            m->first_open, m->last_open, jobs);
}

void judge_left(const struct run *run, struct verdict *v) {
    char how[800];

    if (run->left_objects[0] != '\0')
        verdict_fault(v, FAULT_LEFT_OBJECT,
            "it left %s behind; expected: nothing is left when it has ended",
            run->left_objects);
    if (run->left_behind > 0)
        verdict_fault(v, FAULT_LEFT_PROCESS,
            "it %s; expected: nothing is left when it has ended",
            run_describe(run, how, sizeof how));
}
