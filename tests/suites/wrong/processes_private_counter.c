/*
 * processes_private_counter - wrong: each child counts in its own copy
 * Rejected because: stderr is "0 increments in
 * Build: cc -O2 -o processes_private_counter processes_private_counter.c
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile long sum;

int main(void) {
    pid_t pids[2];
    for (int i = 0; i < 2; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            for (long n = 0; n < 1000000; n++)
                sum += 1;
            _exit(0);
        }
    }
    for (int i = 0; i < 2; i++)
        waitpid(pids[i], NULL, 0);
    fprintf(stderr, "%ld increments in 0.01 s, 2 at a time\n", sum);
    return 0;
}
