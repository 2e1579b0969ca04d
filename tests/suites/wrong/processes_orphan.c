/*
 * processes_orphan - wrong: a child lives on when its parent is killed
 * Rejected because: lives on
 * Build: cc -O2 -o processes_orphan processes_orphan.c
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    pid_t pid = fork();
    if (pid == 0) {
        printf("Alice: sending message 1 of 1 ...\n");
        sleep(3600);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    return 0;
}
