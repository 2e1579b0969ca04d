/*
 * processes_private_mutex - wrong: a mutex in shared memory that is not marked
 * PTHREAD_PROCESS_SHARED: its unlock wakes nobody in another process
 * Rejected because: deadlock
 * Build: cc -O2 -pthread -o processes_private_mutex processes_private_mutex.c
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    pthread_mutex_t *mutex = mmap(NULL, sizeof *mutex, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[2];
    pthread_mutex_init(mutex, NULL);
    for (int i = 0; i < 2; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            pthread_mutex_lock(mutex);
            sleep(1); /* the other one must wait */
            pthread_mutex_unlock(mutex);
            _exit(0);
        }
    }
    for (int i = 0; i < 2; i++)
        waitpid(pids[i], NULL, 0);
    return 0;
}
