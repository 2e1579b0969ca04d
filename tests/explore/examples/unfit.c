/*
 * unfit - programs that go wrong, or that cannot be explored
 * Build: cc -pthread -o unfit unfit.c
 * Usage: ./unfit none|read|fork|socket|loop|spin|steps|memory|flood|crash|
 *        abort|unlock|many|pipe|semop|futex|flock
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int flag;
static int *nowhere;

static void *work(void *arg) {
    const char *how = arg;
    char *block;
    int fds[2];
    if (strcmp(how, "read") == 0)
        getchar();
    if (strcmp(how, "fork") == 0 && fork() == 0)
        pause();
    if (strcmp(how, "socket") == 0)
        socket(AF_INET, SOCK_STREAM, 0);
    for (bool loop = strcmp(how, "loop") == 0; loop;)
        continue;
    while (strcmp(how, "spin") == 0 && !flag)
        continue;
    while (strcmp(how, "steps") == 0)
        atomic_fetch_add(&flag, 1);
    while (strcmp(how, "memory") == 0) {
        if ((block = malloc(1 << 20)) == NULL)
            err(EXIT_FAILURE, "malloc");
        memset(block, 1, 1 << 20);
    }
    while (strcmp(how, "flood") == 0)
        puts("all work and no play makes Jack a dull boy");
    if (strcmp(how, "crash") == 0)
        *nowhere = 1;
    if (strcmp(how, "abort") == 0)
        abort();
    if (strcmp(how, "unlock") == 0)
        pthread_mutex_unlock(&lock);
    if (strcmp(how, "pipe") == 0 && pipe(fds) == 0)
        return (void *)read(fds[0], fds, 1);
    if (strcmp(how, "semop") == 0)
        semop(0, NULL, 0);
    if (strcmp(how, "futex") == 0)
        syscall(SYS_futex, &flag, FUTEX_WAIT, 0, NULL, NULL, 0);
    if (strcmp(how, "flock") == 0) /* twice the same file, as two opens */
        for (int i = 0; i < 2; i++)
            flock(open("/proc/self/exe", O_RDONLY), LOCK_EX);
    return NULL;
}

int main(int argc, char *argv[]) {
    static char none[] = "none";
    char *how = argc > 1 ? argv[1] : none;
    int many = strcmp(how, "none") == 0 ? 0 : strcmp(how, "many") == 0 ? 70 : 1;
    pthread_t pool[70];
    if (strcmp(how, "refuse") == 0) {
        fputs("usage: unfit\n-w 0: too few\n", stderr);
        return 2;
    }
    for (int i = 0; i < many; i++)
        pthread_create(&pool[i], NULL, work, how);
    if (strcmp(how, "steps") == 0)
        while (flag < 1000000)
            sched_yield();
    for (int i = 0; i < many; i++)
        pthread_join(pool[i], NULL);
    puts("end");
    return 0;
}
