/*
 * beside.c - a program that runs beside the test and prints to files: see
 * beside.h
 */
#include "suites/beside.h"
#include "suites/by_hand.h"
#include "suites/redis_server.h"

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void beside_start(struct beside *beside, const char *dir,
    const char *stdin_path, const char *const *argv) {
    static int number;
    char out[sizeof beside->err];
    pid_t parent = getpid();
    snprintf(out, sizeof out, "%s/out%d", dir, number);
    snprintf(beside->err, sizeof beside->err, "%s/err%d", dir, number++);
    beside->out = open(out, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int error = open(beside->err, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int in = open(
        stdin_path == NULL ? "/dev/null" : stdin_path, O_RDONLY | O_CLOEXEC);
    if (in == -1 || error == -1 || beside->out == -1 ||
        (beside->pid = fork()) == -1)
        err(EXIT_FAILURE, "%s", argv[0]);
    if (beside->pid == 0)
        hand_become(argv, parent, in, beside->out, error);
    close(in);
    close(error);
}

/* All that was printed; the caller frees it. */
static char *read_all(int fd) {
    struct stat file;
    if (fstat(fd, &file) == -1)
        err(EXIT_FAILURE, "fstat");
    char *text = calloc((size_t)file.st_size + 1, 1);
    if (text == NULL || pread(fd, text, (size_t)file.st_size, 0) == -1)
        err(EXIT_FAILURE, "what was printed");
    return text;
}

bool beside_has(const struct beside *beside, const char *words) {
    char *text = read_all(beside->out);
    bool found = strstr(text, words) != NULL;
    free(text);
    return found;
}

bool beside_printed(const struct beside *beside, const char *words) {
    bool found = false, ended = false;
    for (int left = STEPS; left > 0 && !found && !ended; left--) {
        ended = beside_ended(beside); /* looked at before the text is */
        found = beside_has(beside, words);
        if (!found)
            step();
    }
    return found;
}

const char *beside_said(const struct beside *beside) {
    static char text[4096];
    FILE *file = fopen(beside->err, "r");
    size_t size = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);
    text[size] = '\0';
    if (file != NULL)
        fclose(file);
    return text;
}

bool beside_ended(const struct beside *beside) {
    siginfo_t ended = {.si_pid = 0};
    waitid(P_PID, (id_t)beside->pid, &ended, WEXITED | WNOHANG | WNOWAIT);
    return ended.si_pid != 0;
}

int beside_end(struct beside *beside, char **text) {
    int status;
    for (int left = STEPS; left > 0 && !beside_ended(beside); left--)
        step();
    kill(beside->pid, SIGKILL); /* nothing, if it has ended */
    kill(-beside->pid, SIGKILL);
    waitpid(beside->pid, &status, 0);
    if (text != NULL)
        *text = read_all(beside->out);
    close(beside->out);
    beside->pid = 0;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

void beside_kill(struct beside *beside) {
    kill(beside->pid, SIGKILL);
    beside_end(beside, NULL);
}

void beside_signal(const struct beside *beside, int signal) {
    kill(beside->pid, signal);
}

void beside_stop(const struct beside *beside) {
    siginfo_t stopped;
    kill(beside->pid, SIGSTOP);
    waitid(P_PID, (id_t)beside->pid, &stopped, WSTOPPED | WEXITED | WNOWAIT);
}
