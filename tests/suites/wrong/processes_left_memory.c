/*
 * processes_left_memory - wrong: shared memory with a name, never unlinked
 * Rejected because: /dev/shm/processes_left_memory-
 * Build: cc -O2 -o processes_left_memory processes_left_memory.c -lrt
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    char name[40];
    snprintf(name, sizeof name, "/processes_left_memory-%d", (int)getpid());
    int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
    if (fd == -1 || ftruncate(fd, sizeof(long)) == -1)
        err(EXIT_FAILURE, "shm_open %s", name);
    long *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    pid_t pid = fork();
    if (pid == 0) {
        *shared = 1;
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    return *shared == 1 ? 0 : 1;
}
