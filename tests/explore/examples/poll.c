/*
 * poll - waits by looking again and again; nobody, or somebody late, says go
 * Build: cc -pthread -o poll poll.c
 * Usage: ./poll sleep|yield|mutex|timed|count|late
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static atomic_int go;
static int tries;

static bool may_go_on(bool timed) {
    struct timespec until = {1, 0};
    pthread_mutex_lock(&lock);
    bool now = go;
    if (!now && timed)
        pthread_cond_timedwait(&changed, &lock, &until);
    pthread_mutex_unlock(&lock);
    return now;
}

static void *wait_for_go(void *arg) {
    int how = *(const char *)arg, looked = 0;
    while (how == 's' && !go)
        usleep(1000);
    while (how == 'y' && !go)
        sched_yield();
    while (how == 'm' && !may_go_on(false))
        usleep(1000);
    while (how == 't' && !may_go_on(true))
        continue;
    while (how == 'c' && !go)
        looked++;
    while (how == 'l' && !go)
        tries += ++looked > 0;
    return NULL;
}

static void *say_go(void *arg) {
    usleep(1000);
    go = 1;
    return arg;
}

int main(int argc, char *argv[]) {
    static char none[] = "sleep";
    pthread_t one, two;
    char *how = argc > 1 ? argv[1] : none;
    bool late = strcmp(how, "late") == 0;
    pthread_create(&one, NULL, wait_for_go, how);
    if (late)
        pthread_create(&two, NULL, say_go, NULL);
    pthread_join(one, NULL);
    if (late)
        pthread_join(two, NULL);
    puts("gone");
    return 0;
}
