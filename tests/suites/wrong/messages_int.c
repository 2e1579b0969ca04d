/*
 * messages_int - wrong: adds up nanoseconds in an int, which holds 2 s
 * Rejected because: a sanitizer reports
 * Build: cc -O2 -fsanitize=undefined -pthread -o messages_int messages_int.c
 */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

static char names[3][6] = {"Alice", "Bob", "Carol"};
static int slept_ns[3];

static void wait_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static void *converse(void *name) {
    for (int n = 1; n <= 4; n++) {
        printf("%s: sending message %d of 4 ...\n", (char *)name, n);
        wait_ms(1000);
        slept_ns[(char(*)[6])name - names] += 1000000000;
        printf("%s: sent message %d of 4\n", (char *)name, n);
    }
    return NULL;
}

int main(void) {
    pthread_t threads[3];
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, converse, names[i]);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    fprintf(stderr, "12 messages to 3 customers in 4.00 s\n");
    return 0;
}
