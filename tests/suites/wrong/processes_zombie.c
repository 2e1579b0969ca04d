/*
 * processes_zombie - wrong: waits in the order of starting, so that a child
 * that ends early stays a zombie
 * Rejected because: zombie
 * Build: cc -O2 -o processes_zombie processes_zombie.c
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    pid_t pids[2];
    for (int i = 0; i < 2; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            sleep(i == 0 ? 2 : 1);
            _exit(0);
        }
    }
    for (int i = 0; i < 2; i++)
        waitpid(pids[i], NULL, 0);
    return 0;
}
