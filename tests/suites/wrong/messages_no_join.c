/*
 * messages_no_join - wrong: main waits a while where it should join
 * Rejected because: is missing
 * Build: cc -O2 -pthread -o messages_no_join messages_no_join.c
 */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

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
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int i = 0; i < 3; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, converse, names[i]);
        pthread_detach(thread);
    }
    wait_ms(1500);
    fprintf(stderr, "12 messages to 3 customers in 4.00 s\n");
    return 0;
}
