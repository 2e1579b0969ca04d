/*
 * cooking_guesses_minutes - wrong: the minutes that it says are 10 plates' work
 * in turn, not what it took
 * Rejected because: stderr is "10 plates in 500 minutes, chefs: 1
 * Build: cc -O2 -pthread -o cooking_guesses_minutes cooking_guesses_minutes.c
 */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

static void step(int plate, const char *doing, const char *done, long minutes) {
    printf("plate %d: %s ...\n", plate, doing);
    nanosleep(&(struct timespec){.tv_nsec = minutes * 10000000}, NULL);
    printf("plate %d: %s\n", plate, done);
}

static void *boil(void *plate) {
    step(*(int *)plate, "boiling", "boiled", 30);
    return NULL;
}

int main(void) {
    static int numbers[10];
    pthread_t pots[10];
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int i = 0; i < 10; i++) {
        numbers[i] = i + 1;
        step(i + 1, "washing", "washed", 5);
        step(i + 1, "cutting", "cut", 13);
        pthread_create(&pots[i], NULL, boil, &numbers[i]);
    }
    for (int i = 0; i < 10; i++) {
        pthread_join(pots[i], NULL);
        step(i + 1, "serving", "served", 2);
    }
    fprintf(stderr, "10 plates in 500 minutes, chefs: 1\n");
    return 0;
}
