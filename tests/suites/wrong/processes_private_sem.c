/*
 * processes_private_sem - wrong: a semaphore in shared memory, but its
 * pshared is 0: the post wakes nobody in another process
 * Rejected because: deadlock
 * Build: cc -O2 -pthread -o processes_private_sem processes_private_sem.c
 */
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    sem_t *ready = mmap(NULL, sizeof *ready, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    sem_init(ready, 0, 0);
    pid_t pid = fork();
    if (pid == 0) {
        sleep(1); /* the parent waits by then */
        sem_post(ready);
        _exit(0);
    }
    sem_wait(ready);
    waitpid(pid, NULL, 0);
    return 0;
}
