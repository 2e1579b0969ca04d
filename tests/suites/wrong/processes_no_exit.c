/*
 * processes_no_exit - wrong: children do not exit but go on in the loop
 * Rejected because: times, not 1
 * Build: cc -O2 -o processes_no_exit processes_no_exit.c
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
    pid_t pids[3];
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int i = 0; i < 3; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            converse(names[i]);
    }
    for (int i = 0; i < 3; i++)
        waitpid(pids[i], NULL, 0);
    fprintf(stderr, "12 messages to 3 customers in 4.00 s\n");
    return 0;
}
