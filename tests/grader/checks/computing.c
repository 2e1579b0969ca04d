/*
 * computing.c - processes that compute, as /proc shows them
 *
 * Whatever computes is ready to run, on however many CPUs. Two looks, one
 * right after the other: what was ready in both was so at one moment in
 * between. A program that computes one thing after another never has two.
 */
#include "grader/checks/computing.h"

#include <err.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

struct process {
    pid_t pid;
    struct proc_stat stat;
    bool parent; /* of another one in the list */
};

struct list {
    struct process *all;
    size_t count;
};

static int64_t now_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND + now.tv_nsec;
}

/* Every process of the program, with its state; .all is to be freed. */
static struct list look(const struct workers *w) {
    struct pids pids = {0};
    struct list list = {NULL, 0};

    proc_children(getpid(), 0, &pids);
    for (size_t i = 0; i < pids.count; i++) {
        struct process *p;
        size_t before = pids.count;
        if (pids_has(&w->before, pids.ids[i]))
            continue;
        list.all = realloc(list.all, (list.count + 1) * sizeof *list.all);
        if (list.all == NULL)
            err(EXIT_FAILURE, "realloc");
        p = &list.all[list.count++];
        *p = (struct process){.pid = pids.ids[i]};
        proc_children(p->pid, 0, &pids);
        p->parent = pids.count > before;
        if (!proc_stat(p->pid, 0, &p->stat))
            p->stat.state = 'X';
    }
    free(pids.ids);
    return list;
}

static bool is_ready(const struct list *list, pid_t pid) {
    for (size_t i = 0; i < list->count; i++)
        if (list->all[i].pid == pid)
            return list->all[i].stat.state == 'R';
    return false;
}

void watch_workers(struct workers *w) {
    w->before.count = 0;
    proc_children(getpid(), 0, &w->before);
    w->start_ns = now_ns();
}

/* Its threads count as well: they are not in its own state. */
static bool is_at_work(const struct process *p) {
    struct pids tasks = {0};
    struct proc_stat stat;
    bool ready = p->stat.state == 'R';

    if (!ready)
        proc_tasks(p->pid, &tasks);
    for (size_t i = 0; i < tasks.count && !ready; i++)
        ready = proc_stat(p->pid, tasks.ids[i], &stat) && stat.state == 'R';
    free(tasks.ids);
    return ready;
}

static void note_busiest(struct workers *w, const struct process *p) {
    if (p->stat.own_ms > w->busiest_ms) {
        w->busiest = p->pid;
        w->busiest_ms = p->stat.own_ms;
    }
    if (p->pid == w->busiest && is_at_work(p))
        w->busiest_seen_ns = now_ns() - w->start_ns;
    if (w->kill_after_ms > 0 && w->killed == 0 &&
        p->stat.own_ms >= w->kill_after_ms && kill(p->pid, SIGKILL) == 0)
        w->killed = p->pid;
}

/* Its parent is asleep: it waits for something else. */
static void note_zombie(
    struct workers *w, const struct list *list, const struct process *p) {
    bool asleep = false, first_is_there = false;

    for (size_t i = 0; i < list->count; i++) {
        const struct process *other = &list->all[i];
        if (other->pid == p->stat.parent)
            asleep = other->stat.state == 'S';
        if (other->pid == w->ended && other->stat.state == 'Z')
            first_is_there = true;
    }
    if (!first_is_there) {
        w->ended = p->pid;
        w->ended_ms = w->busiest_ms;
    } else if (p->pid == w->ended && asleep &&
               w->busiest_ms >= w->ended_ms + ZOMBIE_MS) {
        w->zombie = p->pid;
    }
}

/* Not of the sandbox around it. */
static bool is_program(pid_t pid) {
    char name[64];

    return proc_read(name, sizeof name, "/proc/%d/comm", pid) &&
           strncmp(name, "exercise_", 9) == 0;
}

/* Lets several children have ended before their parent hears of the first: it
 * is stopped when there are two, and goes on when all have ended, or sleep as
 * they wait for more work. */
static void let_meet(struct workers *w, const struct list *list) {
    for (size_t i = 0; i < list->count; i++) {
        const struct process *p = &list->all[i];
        int there = 0, ended = 0, busy = 0;
        for (size_t c = 0; c < list->count; c++) {
            bool child = list->all[c].stat.parent == p->pid;
            there += child;
            ended += child && list->all[c].stat.state == 'Z';
            busy += child && strchr("ZS", list->all[c].stat.state) == NULL;
        }
        if (!p->parent || !is_program(p->pid))
            continue;
        if (w->stopped == 0 && w->met < w->to_meet && there >= 2 &&
            ended == 0 && p->stat.state == 'S' && kill(p->pid, SIGSTOP) == 0)
            w->stopped = p->pid;
        else if (w->stopped == p->pid && busy == 0 &&
                 kill(p->pid, SIGCONT) == 0) {
            w->stopped = 0;
            w->met++;
        }
    }
}

enum outside look_at_workers(void *workers) {
    struct workers *w = workers;
    struct list first = look(w), second = look(w);
    int ready = 0;

    for (size_t i = 0; i < first.count; i++) {
        const struct process *p = &first.all[i];
        if (p->parent && p->stat.own_ms > w->parent_ms)
            w->parent_ms = p->stat.own_ms;
        if (p->parent)
            continue;
        if (p->stat.state == 'Z' && w->zombie == 0)
            note_zombie(w, &first, p);
        if (p->stat.state == 'R' && is_ready(&second, p->pid))
            ready++;
        note_busiest(w, p);
    }
    if (w->to_meet > 0)
        let_meet(w, &first);
    free(first.all);
    free(second.all);
    w->looks += ready > 0;
    if (ready > w->most_ready)
        w->most_ready = ready;
    return OUTSIDE_IDLE;
}
