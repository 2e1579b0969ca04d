/*
 * watch.c - the loop of a run: until the program has ended or it is decided
 *
 * At quiet, in this order: at_quiet may act; the clock moves to the next
 * deadline; a task that sleeps past the shim is waited for in real time; else
 * it is a deadlock.
 */
#define _GNU_SOURCE
#include "run/driver.h"
#include "run/stops.h"

#include <err.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SPIN_CALLS 1000000 /* clock readings or yields that prove a spin */
#define LONGEST_WAIT (10 * MS)
#define LONGEST_TURN (20 * MS)
#define LEAST_SHARE 8      /* of a turn that counts at least: one in so many */
#define MOST_PROCESSES 100 /* in a sandbox, at once */
#define MOST_STARTED 1000  /* and one after another */
#define CONFIRM (20 * MS)  /* before a deadlock is looked for once more */

static void decide_deadlock(struct driver *d) {
    const struct look *look = &d->second;
    char calls[6][100], where[800] = "", call[100];
    int counts[6] = {0}, others = 0;

    for (size_t i = 0; i < look->count; i++) {
        if (look->tasks[i].own || look->tasks[i].helper ||
            look->tasks[i].state == 'Z')
            continue;
        describe_task(&look->tasks[i], call, sizeof(call));
        int k = 0;
        while (k < 6 && counts[k] > 0 && strcmp(calls[k], call) != 0)
            k++;
        if (k == 6)
            others++;
        else if (counts[k]++ == 0)
            snprintf(calls[k], sizeof(calls[k]), "%s", call);
    }
    for (int k = 0; k < 6 && counts[k] > 0; k++) {
        size_t used = strlen(where);
        snprintf(where + used, sizeof(where) - used, "%s%d in %s",
            k > 0 ? ", " : "", counts[k], calls[k]);
    }
    if (others > 0) {
        size_t used = strlen(where);
        snprintf(where + used, sizeof(where) - used, ", %d elsewhere", others);
    }
    if (look->alive == 1)
        decide(d, DEADLOCK, 0,
            "deadlocked at %.3f s: its one thread sleeps, and nobody is left "
            "to wake it: %s",
            (double)stamp(d) / 1e9, where + strlen("1 "));
    else
        decide(d, DEADLOCK, 0,
            "deadlocked at %.3f s: all of its %d %s sleep, and none is left to "
            "wake another: %s",
            (double)stamp(d) / 1e9, look->alive,
            look->pids.count > 1 ? "threads and processes" : "threads", where);
}

/* The tasks of a look as the clock wants them; to be freed. Without the dead:
 * one that was killed in its sleep has a deadline for ever. */
static struct clock_task *clock_tasks(const struct look *look, size_t *count) {
    struct clock_task *tasks = calloc(look->count + 1, sizeof(*tasks));

    if (tasks == NULL)
        err(EXIT_FAILURE, "calloc");
    *count = 0;
    for (size_t i = 0; i < look->count; i++)
        if (strchr("ZX", look->tasks[i].state) == NULL)
            tasks[(*count)++] =
                (struct clock_task){look->tasks[i].pid, look->tasks[i].tid,
                    look->tasks[i].inner_pid, look->tasks[i].inner_tid};
    return tasks;
}

/* The next deadline of a look's tasks, or of at_quiet if that is earlier, to
 * which the clock is moved if wanted; -1 when there is none. */
static int64_t next_deadline(
    struct driver *d, const struct look *look, bool move) {
    struct clock_task *tasks;
    int64_t next, due = -1;
    size_t count;

    if (!d->program->virtual_time)
        return -1;
    tasks = clock_tasks(look, &count);
    next = clock_next(&d->clock, tasks, count);
    if (move && d->program->due != NULL)
        due = d->program->due(d->program->arg);
    if (due > clock_now(&d->clock) && (next == -1 || due < next))
        next = due;
    if (move && next != -1)
        clock_advance(&d->clock, next, tasks, count);
    free(tasks);
    return next;
}

static bool ask_at_quiet(struct driver *d) {
    struct quiet quiet = {.now_ns = stamp(d),
        .pids = d->second.pids.ids,
        .processes = d->second.pids.count,
        .lines = d->run->lines,
        .count = d->run->count,
        .past_clock = d->run->past_clock};

    return d->program->at_quiet &&
           d->program->at_quiet(&quiet, d->program->arg);
}

/* At quiet: makes something happen. False when there is only to wait. */
static bool act(struct driver *d) {
    const struct look *look = &d->second;
    const char *real = NULL;

    if (look->zombies > d->run->most_zombies)
        d->run->most_zombies = look->zombies;
    if (ask_at_quiet(d))
        return true;
    for (size_t i = 0; i < look->count && real == NULL; i++)
        real = real_sleep(d, &look->tasks[i]);
    if (d->program->virtual_time && real != NULL)
        d->run->past_clock = real;
    if (next_deadline(d, look, true) != -1)
        return true;
    for (size_t i = 0; i < look->pids.count && real == NULL; i++)
        real = real_timer(d, look->pids.ids[i]);
    if (real != NULL)
        d->run->past_clock = d->program->virtual_time ? real : NULL;
    else if (++d->deadlocks == 2)
        decide_deadlock(d);
    return false;
}

/* Not quiet: is it because something runs without end? */
static void check_spin(struct driver *d) {
    bool virtual = d->program->virtual_time;
    int64_t limit = d->program->busy_cpu_ms ? d->program->busy_cpu_ms : 1000;
    int64_t looks = virtual ? atomic_load(&d->clock.page->looks) : 0;
    int64_t idles = virtual ? atomic_load(&d->clock.page->idles) : 0;
    int64_t cpu = d->first.cpu_ms, next = next_deadline(d, &d->first, false);
    bool stuck = next != -1 || outside(d) == OUTSIDE_HOLDS;
    char waits[80] = "nobody sleeps";

    if (next != -1)
        snprintf(waits, sizeof(waits), "a task sleeps until %.3f s",
            (double)next / 1e9);
    else if (stuck)
        snprintf(waits, sizeof(waits), "an answer is held for it");
    if (looks - d->looks_base > SPIN_CALLS)
        decide(d, BUSY_WAIT, 0,
            "busy wait: read the clock %" PRId64
            " times while it stood at %.3f s and %s",
            looks - d->looks_base, (double)stamp(d) / 1e9, waits);
    else if (stuck && idles - d->idles_base > SPIN_CALLS)
        decide(d, BUSY_WAIT, 0,
            "busy wait: yielded or looked without waiting %" PRId64
            " times while the clock stood at %.3f s and %s",
            idles - d->idles_base, (double)stamp(d) / 1e9, waits);
    else if (stuck && cpu - d->cpu_base > limit)
        decide(d, BUSY_WAIT, 0,
            "busy wait: used %.1f s of CPU time while the "
            "clock stood at %.3f s and %s",
            (double)(cpu - d->cpu_base) / 1e3, (double)stamp(d) / 1e9, waits);
    if (!stuck) {
        d->cpu_base = cpu;
        d->idles_base = idles;
    }
}

static void note_progress(struct driver *d) {
    d->deadlocks = 0;
    d->cpu_base = d->second.cpu_ms;
    if (d->program->virtual_time) {
        d->looks_base = atomic_load(&d->clock.page->looks);
        d->idles_base = atomic_load(&d->clock.page->idles);
    }
}

/* The CPU time of this thread. */
static int64_t own_now(void) {
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * (1000 * MS) + ts.tv_nsec;
}

/* The time in which the harness got no CPU, or the machine stood still, is not
 * the program's: a turn of the loop counts as at most LONGEST_TURN, or as the
 * CPU time that the program used in it, if that is more. Nor is the time in
 * which the program wanted a CPU and got none: then only what it used counts.
 * Not all of that is seen, as a process that nobody waits for takes it away, so
 * a part of the turn counts always. */
static void note_spent(struct driver *d) {
    int64_t now = real_now(), turn = now - d->last;
    int64_t used = d->first.cpu_ms * MS - d->cpu_last;
    int64_t counted = turn < LONGEST_TURN ? turn : LONGEST_TURN;
    int64_t own = own_now(), looking = own - d->own_last;

    d->last = now;
    d->own_last = own;
    d->cpu_last = d->first.cpu_ms * MS;
    if (d->first.ready)
        counted /= LEAST_SHARE;
    if (counted < used)
        counted = used;
    if (counted < looking) /* it decides how much there is to look at */
        counted = looking;
    d->spent += counted < turn ? counted : turn;
}

static void check_time(struct driver *d) {
    int64_t limit = d->program->deadline_ms ? d->program->deadline_ms : 60000;

    if (d->spent > limit * MS)
        decide(
            d, TIMED_OUT, 0, "did not end within %.3g s", (double)limit / 1e3);
    if (d->spent > d->budget)
        decide(d, TIMED_OUT, 0,
            "did not end: it and the runs before it have used up their time");
}

/* The limit of a user's processes holds it, but not what it costs us. */
static void check_processes(struct driver *d) {
    if (d->launcher == 0)
        return;
    if (d->most_pids > MOST_PROCESSES)
        decide(
            d, GREEDY, 0, "had more than %d processes at once", MOST_PROCESSES);
    if (d->seen > MOST_STARTED && !d->program->forks)
        decide(d, GREEDY, 0, "started more than %d processes", MOST_STARTED);
}

static void check_end(struct driver *d) {
    struct pollfd ended = {.fd = d->pidfd, .events = POLLIN};

    if (stops_number() != 0)
        decide(d, INTERRUPTED, stops_number(),
            "was stopped: the tests got signal %d (%s)", stops_number(),
            strsignal(stops_number()));
    if (poll(&ended, 1, 0) == 1)
        decide(d, EXITED, 0, " ");
    decide_flood(d);
    if (d->program->memory_kib > 0 &&
        d->first.memory_kib > d->program->memory_kib)
        decide(d, GREEDY, 0, "used more than %ld MiB of memory",
            d->program->memory_kib / 1024);
    if (d->launcher != 0 && d->program->box->overfull())
        decide(d, GREEDY, 0, "wrote more than 256 MiB of files");
    check_processes(d);
    check_time(d);
}

void watch(struct driver *d) {
    int64_t wait = MS / 20;
    bool quiet;

    d->own_last = own_now();
    while (!d->decided) {
        wait_for(d, wait);
        if (drain(d))
            wait = MS / 20;
        check_end(d);
        if (d->decided)
            break;
        quiet = is_quiet(d);
        note_spent(d);
        if (quiet) {
            wait = act(d) ? MS / 20 : CONFIRM;
            if (wait != CONFIRM)
                note_progress(d);
        } else {
            d->deadlocks = 0;
            check_spin(d);
            note_parallel(d);
            wait = wait * 2 < LONGEST_WAIT ? wait * 2 : LONGEST_WAIT;
        }
    }
}
