/*
 * cooking_two_places - wrong: one chef prepares all plates at the same time
 * Rejected because: at the same time
 * Build: cc -O2 -pthread -o cooking_two_places cooking_two_places.c
 */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

static void wait_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static void step(int plate, const char *doing, const char *done, long minutes) {
    printf("plate %d: %s ...\n", plate, doing);
    wait_ms(minutes * 10);
    printf("plate %d: %s\n", plate, done);
}

static void *cook(void *arg) {
    int plate = *(int *)arg;
    step(plate, "washing", "washed", 5);
    step(plate, "cutting", "cut", 13);
    step(plate, "boiling", "boiled", 30);
    step(plate, "serving", "served", 2);
    return NULL;
}

int main(void) {
    pthread_t threads[10];
    int numbers[10];
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int i = 0; i < 10; i++) {
        numbers[i] = i + 1;
        pthread_create(&threads[i], NULL, cook, &numbers[i]);
    }
    for (int i = 0; i < 10; i++)
        pthread_join(threads[i], NULL);
    fprintf(stderr, "10 plates in 212 minutes, chefs: 1\n");
    return 0;
}
