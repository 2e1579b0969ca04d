/*
 * proc.h - the one reader of /proc: tasks, children, states, system calls
 *
 * A task that is gone while it is looked at is no error: a function returns
 * false, or adds nothing.
 */
#ifndef PROC_H
#define PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A list that grows; begin with {0} and free .ids in the end. */
struct pids {
    pid_t *ids;
    size_t count;
};

void pids_add(struct pids *, pid_t);
bool pids_has(const struct pids *, pid_t);

/* Adds the ids of a process's tasks; false when the process is gone. */
bool proc_tasks(pid_t pid, struct pids *);

/* Adds the children of one task (tid 0: of all tasks of the process). */
void proc_children(pid_t pid, pid_t tid, struct pids *);

/* What .../stat says of a task (tid 0: of the process). */
struct proc_stat {
    char state; /* R, S, Z, ... */
    pid_t parent;
    int64_t own_ms;  /* CPU time, */
    int64_t all_ms;  /* with that of the children it has waited for */
    int exit_signal; /* SIGCHLD after fork() */
};

bool proc_stat(pid_t pid, pid_t tid, struct proc_stat *);

/* The system call that a task sleeps in, with its arguments unless args is
 * NULL; -1 when it sleeps in none, -2 when it runs. */
long proc_call(pid_t pid, pid_t tid, unsigned long args[6]);

/* Reads a file whole into buf, of size bytes, as a string; the path is as of
 * printf(). */
__attribute__((format(printf, 3, 4))) bool proc_read(
    char *buf, size_t size, const char *format, ...);

/* In the text of a status file the number behind a name such as "\nVmRSS:", in
 * this base; 0 when there is none. Of several numbers the last. */
uint64_t proc_field(const char *status, const char *name, int base);
pid_t proc_last(const char *status, const char *name);

#endif
