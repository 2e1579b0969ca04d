/*
 * messages_deadlock - wrong: two threads take two locks in opposite order
 * Rejected because: deadlock
 * Build: cc -O2 -pthread -o messages_deadlock messages_deadlock.c
 */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

static char names[3][6] = {"Alice", "Bob", "Carol"};
static pthread_mutex_t phone = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t paper = PTHREAD_MUTEX_INITIALIZER;

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
    pthread_mutex_t *first = name == names[0] ? &phone : &paper;
    pthread_mutex_t *second = name == names[0] ? &paper : &phone;
    pthread_mutex_lock(first);
    message(name, 1);
    pthread_mutex_lock(second);
    for (int n = 2; n <= 4; n++)
        message(name, n);
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
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
