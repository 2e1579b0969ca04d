/*
 * messages_no_time - wrong: says nothing about how long it took
 * Rejected because: stderr is ""; expected: "12 messages
 * Build: cc -O2 -pthread -o messages_no_time messages_no_time.c
 */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

static char names[3][6] = {"Alice", "Bob", "Carol"};

static void message(const char *name, int n) {
    printf("%s: sending message %d of 4 ...\n", name, n);
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    printf("%s: sent message %d of 4\n", name, n);
}

static void *converse(void *name) {
    for (int n = 1; n <= 4; n++)
        message(name, n);
    return NULL;
}

int main(void) {
    pthread_t threads[3];
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, converse, names[i]);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
