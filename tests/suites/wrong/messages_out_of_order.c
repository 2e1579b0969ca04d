/*
 * messages_out_of_order - wrong: the second message comes before the first
 * Rejected because: out of order
 * Build: cc -O2 -pthread -o messages_out_of_order messages_out_of_order.c
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
    static const int order[] = {2, 1, 3, 4};
    for (int i = 0; i < 4; i++)
        message(name, order[i]);
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
