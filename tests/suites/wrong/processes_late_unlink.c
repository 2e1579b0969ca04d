/*
 * processes_late_unlink - wrong: Ctrl-C can come while its queue has a name
 * Rejected because: it left the message queue /processes_late_unlink-
 * Build: cc -O2 -o processes_late_unlink processes_late_unlink.c -lrt
 */
#include <err.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    struct mq_attr limits = {.mq_maxmsg = 1, .mq_msgsize = 1};
    char name[40], byte = 0;
    snprintf(name, sizeof name, "/processes_late_unlink-%d", (int)getpid());
    mqd_t queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &limits);
    if (queue == (mqd_t)-1 || mq_unlink(name) == -1)
        err(EXIT_FAILURE, "mq_open %s", name);
    pid_t pid = fork();
    if (pid == 0)
        _exit(mq_send(queue, "1", 1, 0) == -1);
    waitpid(pid, NULL, 0);
    return mq_receive(queue, &byte, 1, NULL) == 1 && byte == '1' ? 0 : 1;
}
