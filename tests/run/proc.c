/*
 * proc.c - the one reader of /proc: see proc.h
 */
#define _GNU_SOURCE
#include "run/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void pids_add(struct pids *list, pid_t pid) {
    if ((list->count & (list->count - 1)) == 0) { /* room: a power of two */
        size_t room = list->count ? 2 * list->count : 1;
        list->ids = realloc(list->ids, room * sizeof(pid_t));
        if (list->ids == NULL)
            err(EXIT_FAILURE, "realloc");
    }
    list->ids[list->count++] = pid;
}

bool pids_has(const struct pids *list, pid_t pid) {
    for (size_t i = 0; i < list->count; i++)
        if (list->ids[i] == pid)
            return true;
    return false;
}

bool proc_tasks(pid_t pid, struct pids *list) {
    struct dirent *entry;
    char path[32];
    DIR *tasks;

    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    tasks = opendir(path);
    if (tasks == NULL)
        return false;
    while ((entry = readdir(tasks)) != NULL)
        if (isdigit((unsigned char)entry->d_name[0]))
            pids_add(list, atoi(entry->d_name));
    closedir(tasks);
    return true;
}

/* The list can be long: read by line. */
static void children_of_task(pid_t pid, pid_t tid, struct pids *list) {
    char path[64];
    FILE *file;
    int child;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, tid);
    file = fopen(path, "re");
    if (file == NULL)
        return;
    while (fscanf(file, "%d", &child) == 1)
        pids_add(list, child);
    fclose(file);
}

void proc_children(pid_t pid, pid_t tid, struct pids *list) {
    struct pids tasks = {0};

    if (tid != 0)
        pids_add(&tasks, tid);
    else
        proc_tasks(pid, &tasks);
    for (size_t i = 0; i < tasks.count; i++)
        children_of_task(pid, tasks.ids[i], list);
    free(tasks.ids);
}

bool proc_stat(pid_t pid, pid_t tid, struct proc_stat *stat) {
    const int64_t ms = 1000 / sysconf(_SC_CLK_TCK);
    long long values[39] = {0};
    char text[1024], *at;
    bool read = tid == 0 ? proc_read(text, sizeof(text), "/proc/%d/stat", pid)
                         : proc_read(text, sizeof(text),
                               "/proc/%d/task/%d/stat", pid, tid);

    at = read ? strrchr(text, ')') : NULL;
    if (at == NULL || strlen(at) < 4)
        return false;
    stat->state = at[2];
    at += strlen(") S");
    for (int field = 4; field <= 38; field++)
        values[field] = strtoll(at, &at, 10);
    stat->parent = (pid_t)values[4];
    stat->own_ms = (values[14] + values[15]) * ms;
    stat->all_ms = stat->own_ms + (values[16] + values[17]) * ms;
    stat->exit_signal = (int)values[38];
    return true;
}

long proc_call(pid_t pid, pid_t tid, unsigned long args[6]) {
    unsigned long own[6];
    long call = -1;
    char text[256];

    if (args == NULL)
        args = own;
    if (!proc_read(text, sizeof(text), "/proc/%d/task/%d/syscall", pid, tid))
        return -1;
    if (strncmp(text, "running", 7) == 0)
        return -2;
    sscanf(text, "%ld %lx %lx %lx %lx %lx %lx", &call, &args[0], &args[1],
        &args[2], &args[3], &args[4], &args[5]);
    return call;
}

bool proc_read(char *buf, size_t size, const char *format, ...) {
    char path[96];
    va_list args;
    ssize_t got;
    int fd;

    va_start(args, format);
    vsnprintf(path, sizeof(path), format, args);
    va_end(args);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return false;
    got = read(fd, buf, size - 1);
    close(fd);
    buf[got > 0 ? got : 0] = '\0';
    return got >= 0;
}

uint64_t proc_field(const char *status, const char *name, int base) {
    const char *at = strstr(status, name);

    return at ? strtoull(at + strlen(name), NULL, base) : 0;
}

pid_t proc_last(const char *status, const char *name) {
    const char *at = strstr(status, name);
    long number = 0;
    char *end;

    if (at == NULL)
        return 0;
    at += strlen(name);
    while (at += strspn(at, " \t"), isdigit((unsigned char)*at)) {
        number = strtol(at, &end, 10);
        at = end;
    }
    return (pid_t)number;
}
