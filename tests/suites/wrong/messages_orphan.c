/*
 * messages_orphan - wrong: a child process is left behind, still running
 * Rejected because: left
 * Build: cc -O2 -pthread -o messages_orphan messages_orphan.c
 */
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static char names[3][6] = {"Alice", "Bob", "Carol"};

static void wait_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static void message(const char *name, int n) {
    printf("%s: sending message %d of 4 ...\n", name, n);
    wait_ms(1000);
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
    if (fork() == 0) {
        wait_ms(1000000);
        _exit(0);
    }
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, converse, names[i]);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    fprintf(stderr, "12 messages to 3 customers in 4.00 s\n");
    return 0;
}
