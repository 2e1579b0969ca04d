/*
 * processes_open_end - wrong: the child keeps the writing end of the pipe it
 * reads from, so that it never sees the end
 * Rejected because: deadlock
 * Build: cc -O2 -o processes_open_end processes_open_end.c
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    int ends[2];
    long block = 1;
    if (pipe(ends) == -1)
        return 1;
    pid_t pid = fork();
    if (pid == 0) {
        while (read(ends[0], &block, sizeof block) > 0) {}
        _exit(0);
    }
    close(ends[0]);
    if (write(ends[1], &block, sizeof block) == -1)
        return 1;
    close(ends[1]);
    waitpid(pid, NULL, 0);
    printf("200 blocks came back, all right\n");
    return 0;
}
