/*
 * processes_unflushed - wrong: what is in the buffer at fork is printed twice
 * Rejected because: times, not 1
 * Build: cc -O2 -o processes_unflushed processes_unflushed.c
 */
#include <stdio.h>
#include <stdlib.h>
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

/* Into a pipe, stdout is not line-buffered: Alice's first line is still in
 * the buffer that each child copies and its exit() writes. */
int main(void) {
    pid_t pids[3];
    printf("Alice: sending message 1 of 4 ...\n");
    for (int i = 1; i < 3; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            converse(names[i]);
            exit(0);
        }
    }
    sleep(1);
    printf("Alice: sent message 1 of 4\n");
    for (int n = 2; n <= 4; n++) {
        printf("Alice: sending message %d of 4 ...\n", n);
        sleep(1);
        printf("Alice: sent message %d of 4\n", n);
    }
    for (int i = 1; i < 3; i++)
        waitpid(pids[i], NULL, 0);
    fprintf(stderr, "12 messages to 3 customers in 4.00 s\n");
    return 0;
}
