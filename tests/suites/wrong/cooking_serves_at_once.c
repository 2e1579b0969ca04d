/*
 * cooking_serves_at_once - wrong: the chef serves each plate before the next
 * Rejected because: took 226.000 minutes
 * Build: cc -O2 -pthread -o cooking_serves_at_once cooking_serves_at_once.c
 */
#include <pthread.h>
#include <stdbool.h>
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

static pthread_t pots[10];
static int numbers[10];

static void *boil(void *plate) {
    step(*(int *)plate, "boiling", "boiled", 30);
    return NULL;
}

int main(void) {
    int served = 0;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int i = 0; i < 10; i++) {
        /* By now the pot put on three plates ago has boiled. */
        if (i - served == 3) {
            pthread_join(pots[served++], NULL);
            step(served, "serving", "served", 2);
        }
        numbers[i] = i + 1;
        step(i + 1, "washing", "washed", 5);
        step(i + 1, "cutting", "cut", 13);
        pthread_create(&pots[i], NULL, boil, &numbers[i]);
    }
    while (served < 10) {
        pthread_join(pots[served++], NULL);
        step(served, "serving", "served", 2);
    }
    fprintf(stderr, "10 plates in 212 minutes, chefs: 1\n");
    return 0;
}
