/*
 * check_workers.c - processes that compute, as /proc shows them
 *
 * Whatever computes is ready to run, on however many CPUs. Two looks, one
 * right after the other: what was ready in both was so at one moment in
 * between. A program that computes one thing after another never has two.
 */
#include "grader/checks/common.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_PROCESSES = 256 };

struct process {
    pid_t pid;
    char state;
    pid_t ppid;
    long cpu_ms;
    bool parent; /* of another one in the list */
};

struct list {
    struct process all[MOST_PROCESSES];
    size_t count;
};

static int64_t now_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND + now.tv_nsec;
}

/* State and CPU time. False when the process is gone. */
static bool read_stat(const char *path, struct process *p) {
    char text[1024];
    unsigned long user, system;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd == -1 ? -1 : read(fd, text, sizeof text - 1);
    if (fd != -1)
        close(fd);
    if (got <= 0)
        return false;
    text[got] = '\0';
    const char *rest = strrchr(text, ')');
    if (rest == NULL || sscanf(rest,
                            ") %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu "
                            "%lu",
                            &p->state, &p->ppid, &user, &system) != 4)
        return false;
    p->cpu_ms = (long)(user + system) * 1000 / sysconf(_SC_CLK_TCK);
    return true;
}

/* Adds the children of all threads of a process. Returns how many it has. */
static size_t add_children(struct list *list, pid_t pid) {
    char path[300];
    struct dirent *entry;
    size_t before = list->count;

    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    while (tasks != NULL && (entry = readdir(tasks)) != NULL) {
        int child;
        snprintf(
            path, sizeof path, "/proc/%d/task/%s/children", pid, entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
        while (file != NULL && list->count < MOST_PROCESSES &&
               fscanf(file, "%d", &child) == 1)
            list->all[list->count++] = (struct process){.pid = child};
        if (file != NULL)
            fclose(file);
    }
    if (tasks != NULL)
        closedir(tasks);
    return list->count - before;
}

static bool is_before(const struct workers *w, pid_t pid) {
    for (size_t i = 0; i < w->before_count; i++)
        if (w->before[i] == pid)
            return true;
    return false;
}

/* Every process of the program, with its state. */
static void look(const struct workers *w, struct list *list) {
    size_t kept = 0;

    list->count = 0;
    add_children(list, getpid());
    for (size_t i = 0; i < list->count; i++)
        if (!is_before(w, list->all[i].pid))
            list->all[kept++] = list->all[i];
    list->count = kept;
    for (size_t i = 0; i < list->count; i++) {
        char path[40];
        list->all[i].parent = add_children(list, list->all[i].pid) > 0;
        snprintf(path, sizeof path, "/proc/%d/stat", list->all[i].pid);
        if (!read_stat(path, &list->all[i]))
            list->all[i].state = 'X';
    }
}

static bool is_ready(const struct list *list, pid_t pid) {
    for (size_t i = 0; i < list->count; i++)
        if (list->all[i].pid == pid)
            return list->all[i].state == 'R';
    return false;
}

void watch_workers(struct workers *w) {
    static struct list list;

    list.count = 0;
    add_children(&list, getpid());
    w->before_count = 0;
    for (size_t i = 0; i < list.count && w->before_count < 64; i++)
        w->before[w->before_count++] = list.all[i].pid;
    w->start_ns = now_ns();
}

/* Its threads count as well: they are not in its own state. */
static bool is_at_work(const struct process *p) {
    char path[300];
    struct dirent *entry;
    bool ready = p->state == 'R';

    snprintf(path, sizeof path, "/proc/%d/task", p->pid);
    DIR *tasks = ready ? NULL : opendir(path);
    while (tasks != NULL && !ready && (entry = readdir(tasks)) != NULL) {
        struct process task;
        if (entry->d_name[0] == '.')
            continue;
        snprintf(
            path, sizeof path, "/proc/%d/task/%s/stat", p->pid, entry->d_name);
        ready = read_stat(path, &task) && task.state == 'R';
    }
    if (tasks != NULL)
        closedir(tasks);
    return ready;
}

static void note_busiest(struct workers *w, const struct process *p) {
    if (p->cpu_ms > w->busiest_ms) {
        w->busiest = p->pid;
        w->busiest_ms = p->cpu_ms;
    }
    if (p->pid == w->busiest && is_at_work(p))
        w->busiest_seen_ns = now_ns() - w->start_ns;
    if (w->kill_after_ms > 0 && w->killed == 0 &&
        p->cpu_ms >= w->kill_after_ms && kill(p->pid, SIGKILL) == 0)
        w->killed = p->pid;
}

/* Its parent is asleep: it waits for something else. */
static void note_zombie(
    struct workers *w, const struct list *list, const struct process *p) {
    bool asleep = false, first_is_there = false;

    for (size_t i = 0; i < list->count; i++) {
        const struct process *other = &list->all[i];
        if (other->pid == p->ppid)
            asleep = other->state == 'S';
        if (other->pid == w->ended && other->state == 'Z')
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

enum outside look_at_workers(void *workers) {
    static struct list first, second;
    struct workers *w = workers;
    int ready = 0;

    look(w, &first);
    look(w, &second);
    for (size_t i = 0; i < first.count; i++) {
        const struct process *p = &first.all[i];
        if (p->parent && p->cpu_ms > w->parent_ms)
            w->parent_ms = p->cpu_ms;
        if (p->parent)
            continue;
        if (p->state == 'Z' && w->zombie == 0)
            note_zombie(w, &first, p);
        if (p->state == 'R' && is_ready(&second, p->pid))
            ready++;
        note_busiest(w, p);
    }
    w->looks += ready > 0;
    if (ready > w->most_ready)
        w->most_ready = ready;
    return OUTSIDE_IDLE;
}
