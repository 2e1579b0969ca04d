/*
 * processes_wait_in_loop - wrong: waits for each child before the next starts
 * Rejected because: took 12.000 s
 * Build: cc -O2 -o processes_wait_in_loop processes_wait_in_loop.c
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const names[] = {"Alice", "Bob", "Carol"};

static void converse(const char *name) {
    for (int n = 1; n <= 4; n++) {
        printf("%s: sending message %d of 4 ...\n", name, n);
        sleep(1);
        printf("%s: sent message %d of 4\n", name, n);
    }
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int i = 0; i < 3; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            converse(names[i]);
            _exit(0);
        }
        waitpid(pid, NULL, 0);
    }
    fprintf(stderr, "12 messages to 3 customers in 4.00 s\n");
    return 0;
}
