/*
 * unfit - programs that go wrong, or that cannot be explored
 * Build: cc -pthread -o unfit unfit.c
 * Usage: ./unfit none|read|fork|socket|loop|spin|steps|memory|flood|crash|
 *        abort|unlock|many|pipe
 */
#include <err.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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
    while (strcmp(how, "loop") == 0)
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
    return NULL;
}

int main(int argc, char *argv[]) {
    static char none[] = "none";
    char *how = argc > 1 ? argv[1] : none;
    int many = strcmp(how, "none") == 0 ? 0 : strcmp(how, "many") == 0 ? 20 : 1;
    pthread_t pool[20];
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
