/*
 * messages_spare_thread - wrong: a thread starts the others, and waits for them
 * Rejected because: it ran 5 threads in 1 processes
 * Build: cc -O2 -pthread -o messages_spare_thread messages_spare_thread.c
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

static void *start(void *unused) {
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, converse, names[i]);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return unused;
}

int main(void) {
    pthread_t thread;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    pthread_create(&thread, NULL, start, NULL);
    pthread_join(thread, NULL);
    fprintf(stderr, "12 messages to 3 customers in 4.00 s\n");
    return 0;
}
