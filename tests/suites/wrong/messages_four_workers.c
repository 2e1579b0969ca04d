/*
 * messages_four_workers - wrong: a queue with a worker more than was asked for,
 * which is no quicker where five customers share them
 * Rejected because: 4 of 5 customers were served at once
 * Build: cc -O2 -pthread -o messages_four_workers messages_four_workers.c
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const char *const names[] = {
    "Alice", "Bob", "Carol", "Customer 4", "Customer 5"};
static long customers, messages, interval_ms;
static atomic_long next;

static void *work(void *none) {
    struct timespec pause = {interval_ms / 1000, interval_ms % 1000 * 1000000};
    for (long c; (c = next++) < customers;)
        for (long m = 1; m <= messages; m++) {
            printf(
                "%s: sending message %ld of %ld ...\n", names[c], m, messages);
            nanosleep(&pause, NULL);
            printf("%s: sent message %ld of %ld\n", names[c], m, messages);
        }
    return none;
}

int main(int argc, char *argv[]) {
    struct timespec begin, end;
    pthread_t workers[4];
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int option; (option = getopt(argc, argv, "c:m:i:")) != -1;)
        *(option == 'c'     ? &customers
            : option == 'm' ? &messages
                            : &interval_ms) = atol(optarg);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < 4; i++)
        pthread_create(&workers[i], NULL, work, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(workers[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    fprintf(stderr, "%ld messages to %ld customers in %.2f s\n",
        customers * messages, customers,
        (double)(end.tv_sec - begin.tv_sec) +
            (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
    return 0;
}
