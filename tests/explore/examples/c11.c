/*
 * c11 - the threads of C11: with a lock, with none, and their own clean-up
 * Build: cc -pthread -o c11 c11.c
 * Usage: ./c11 lock|none|once|condition
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>

static mtx_t lock;
static cnd_t change;
static once_flag once = ONCE_FLAG_INIT;
static tss_t own;
static int count, begun, ended;

static void begin(void) {
    begun++;
}

static void end(void *unused) {
    (void)unused;
    mtx_lock(&lock);
    ended++;
    cnd_signal(&change);
    mtx_unlock(&lock);
}

static int work(void *how) {
    bool locked = strcmp(how, "none") != 0;
    call_once(&once, begin);
    tss_set(own, how);
    if (locked)
        mtx_lock(&lock);
    count++;
    if (locked)
        mtx_unlock(&lock);
    thrd_exit(7);
}

int main(int argc, char *argv[]) {
    static char how[20];
    thrd_t pool[2];
    int result[2];
    snprintf(how, sizeof how, "%s", argc > 1 ? argv[1] : "lock");
    mtx_init(&lock, mtx_plain);
    cnd_init(&change);
    tss_create(&own, end);
    for (int i = 0; i < 2; i++)
        thrd_create(&pool[i], work, how);
    if (strcmp(how, "condition") == 0) {
        mtx_lock(&lock);
        while (ended < 2)
            cnd_wait(&change, &lock);
        mtx_unlock(&lock);
    }
    for (int i = 0; i < 2; i++)
        thrd_join(pool[i], &result[i]);
    printf("%d %d %d %d\n", count, begun, ended, result[0] + result[1]);
    return count != 2;
}
