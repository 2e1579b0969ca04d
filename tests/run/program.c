/*
 * program.c - run a program under test and gather the evidence
 *
 * The DESIGN is in driver.h: here is a run from its beginning to the end of
 * its last process.
 */
#define _GNU_SOURCE
#include "run/driver.h"
#include "run/launcher.h"
#include "run/stops.h"

#include <err.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILL_ROUNDS 10000 /* of a millisecond and more */

static int64_t budget = INT64_MAX; /* of the runs to come */
static atomic_bool *timed_out;     /* shared with forks; NULL: no budget yet */

int program_interrupted(void) {
    return stops_number();
}

void program_budget(int64_t ms) {
    budget = ms * MS;
    if (timed_out == NULL)
        timed_out = mmap(NULL, sizeof(*timed_out), PROT_READ | PROT_WRITE,
            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (timed_out == MAP_FAILED)
        err(EXIT_FAILURE, "mmap");
    atomic_store(timed_out, false);
}

bool program_timed_out(void) {
    return timed_out != NULL && atomic_load(timed_out);
}

/* Counts and names what the ended program has left. */
static void note_left_behind(struct driver *d) {
    struct look *look = &d->first;
    struct run *run = d->run;
    char text[4096], name[32] = "";

    take_look(d, look);
    for (size_t i = 1; i < look->pids.count; i++) {
        size_t used = strlen(run->left_names);
        char *zombie;

        if (!proc_read(
                text, sizeof(text), "/proc/%d/status", look->pids.ids[i]))
            continue;
        run->left_behind++;
        if (sizeof(run->left_names) - used < 80) {
            if (strstr(run->left_names, " ...") == NULL)
                snprintf(run->left_names + used, sizeof(run->left_names) - used,
                    ", ...");
            continue;
        }
        zombie = strstr(text, "\nState:\tZ");
        sscanf(text, "Name:\t%31[^\n]", name);
        snprintf(run->left_names + used, sizeof(run->left_names) - used,
            "%s%s (pid %d%s)", used > 0 ? ", " : "", name, look->pids.ids[i],
            zombie ? ", not waited for" : "");
    }
}

/* How the program ended, as its parent saw it. */
static void note_end(struct driver *d, int status, const struct rusage *use) {
    d->run->cpu_ns = (use->ru_utime.tv_sec + use->ru_stime.tv_sec) * 1000 * MS +
                     (use->ru_utime.tv_usec + use->ru_stime.tv_usec) * 1000;
    if (d->run->peak_kib == 0) /* too short to be seen: an upper bound */
        d->run->peak_kib = use->ru_maxrss;
    if (d->run->end != EXITED)
        return;
    d->run->code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
    d->run->end = WIFEXITED(status) ? EXITED : SIGNALLED;
    if (WIFEXITED(status))
        snprintf(d->run->why, sizeof(d->run->why), "exited with status %d",
            d->run->code);
    else
        snprintf(d->run->why, sizeof(d->run->why),
            "was killed by signal %d (%s)", d->run->code,
            strsignal(d->run->code));
}

static bool reap_program(struct driver *d) {
    struct rusage use;
    int status;

    if (wait4(d->pid, &status, WNOHANG, &use) != d->pid)
        return false;
    d->pid = 0;
    if (d->launcher == 0)
        note_end(d, status, &use);
    return true;
}

/* In a sandbox: what the launcher has to report. Without a word it is gone,
 * and nobody but the program can have ended it. */
static void read_end(struct driver *d) {
    struct launch_report report;

    d->program->box->left(
        d->launcher, d->run->left_objects, sizeof(d->run->left_objects));
    if (read(d->pidfd, &report, sizeof(report)) == (ssize_t)sizeof(report)) {
        size_t used = strlen(d->run->left_objects);
        snprintf(d->run->left_objects + used,
            sizeof(d->run->left_objects) - used, "%s%s",
            used > 0 && report.left[0] != '\0' ? ", " : "", report.left);
        note_end(d, report.value, &report.use);
        return;
    }
    d->run->end = SIGNALLED;
    d->run->code = SIGKILL;
    snprintf(
        d->run->why, sizeof(d->run->why), "ended the process that started it");
}

/* Kills and reaps until nothing of the tree is left. The group goes first and
 * at once, so that a fork bomb cannot outrun us; its number is the program's,
 * which is not reaped yet. A process of the tree is reaped only by one of the
 * tree or by us, so a number just read from the list is still its own. Rounds
 * are counted, not time: the machine may stand still for a while. */
static void kill_tree(struct driver *d) {
    const struct look *look = &d->first;
    char stat[512] = "(gone)";
    size_t left = 1;

    kill(-d->pid, SIGKILL);
    if (d->launcher != 0)
        d->program->box->kill(d->launcher);
    for (int round = 0; left > 0; round++) {
        take_look(d, &d->first);
        left = 0;
        for (size_t i = 0; i < look->pids.count; i++) {
            pid_t pid = look->pids.ids[i];

            kill(pid, SIGKILL);
            if (pid == d->pid ? !reap_program(d)
                              : waitpid(pid, NULL, WNOHANG) != pid)
                left++;
        }
        if (round == KILL_ROUNDS) {
            proc_read(stat, sizeof(stat), "/proc/%d/stat", look->pids.ids[0]);
            errx(EXIT_FAILURE, "cannot be killed: %s", stat);
        }
        if (left > 0)
            poll(NULL, 0, 1);
        else if (look->pids.count > 0)
            left = 1; /* what they left is ours only now: look again */
    }
}

static void finish(struct driver *d) {
    struct run *run = d->run;
    int most[] = {run->most_tasks, run->most_processes};

    if (run->end == EXITED) {
        note_left_behind(d);
        if (d->launcher != 0)
            read_end(d);
    }
    d->dismantling = true;
    kill_tree(d);
    if (d->launcher != 0)
        d->program->box->clean();
    run->most_tasks = most[0];
    run->most_processes = most[1];
    drain(d);
    if (run->end == EXITED || run->end == SIGNALLED) {
        d->decided = false;
        decide_flood(d);
    }
    end_output(d);
    if (d->program->virtual_time) {
        const struct clock_page *page = d->clock.page;

        run->virtual_ns = clock_now(&d->clock);
        run->clock_changed = !clock_is_intact(&d->clock);
        run->sleeps = atomic_load(&page->sleeps);
        run->looks = atomic_load(&page->looks);
    }
}

static void close_all(struct driver *d) {
    if (d->out.fd != -1)
        close(d->out.fd);
    if (d->err.fd != -1)
        close(d->err.fd);
    close(d->pidfd);
    if (d->program->virtual_time)
        clock_close(&d->clock);
    free(d->out.text);
    free(d->before.ids);
    free(d->known.ids);
    free(d->since.tasks);
    free(d->since.pids.ids);
    free(d->first.tasks);
    free(d->first.pids.ids);
    free(d->second.tasks);
    free(d->second.pids.ids);
}

void program_run(const struct program *program, struct run *run) {
    size_t cap = program->output_bytes ? program->output_bytes : 1 << 20;
    struct driver d = {.program = program,
        .run = run,
        .out = {.cap = cap},
        .err = {.cap = cap},
        .budget = budget,
        .start = real_now()};
    struct sigaction old[STOPS];
    char shim[PATH_MAX + 32] = "LD_PRELOAD=", variable[64];
    const char *clock[] = {NULL, NULL, NULL}, **env;

    *run = (struct run){0};
    d.last = d.start;
    stops_catch(old);
    note_before(&d);
    if (program->virtual_time) {
        if (clock_open(&d.clock) == -1)
            err(EXIT_FAILURE, "clock_open");
        d.clock.page->cpu_permille = program->cpu_permille;
        d.clock.page->timers =
            clock_timers(program->box ? program->box->uid : program->uid);
        find_shim(program, shim + strlen(shim), PATH_MAX);
        snprintf(variable, sizeof(variable), CLOCK_VARIABLE "=%d", d.clock.fd);
        clock[0] = shim;
        clock[1] = variable;
    }
    env = make_environment(program, clock);
    start(&d, program->box ? clock : env);
    watch(&d);
    finish(&d);
    close_all(&d);
    free(env);
    stops_restore(old);
    budget -= d.spent < budget ? d.spent : budget;
    if (run->end == TIMED_OUT && timed_out != NULL)
        atomic_store(timed_out, true);
    if (stops_number() != 0 && run->end != INTERRUPTED)
        raise(stops_number()); /* came too late for the run */
}

void run_free(struct run *run) {
    for (size_t i = 0; i < run->count; i++)
        free(run->lines[i].text);
    free(run->lines);
    free(run->err_text);
}

const char *run_describe(const struct run *run, char *buf, size_t size) {
    int used = snprintf(
        buf, size, "%s%s", run->end == BUSY_WAIT ? "was in a " : "", run->why);

    if (run->left_behind > 0 && (size_t)used < size)
        used += snprintf(buf + used, size - (size_t)used,
            " and left %d process%s behind: %s", run->left_behind,
            run->left_behind == 1 ? "" : "es", run->left_names);
    if (run->left_objects[0] != '\0' && (size_t)used < size)
        snprintf(buf + used, size - (size_t)used, " and left behind: %s",
            run->left_objects);
    return buf;
}
