/*
 * backoff - who does not get both forks puts the first back, and tries again
 * Build: cc -pthread -o backoff backoff.c
 * Usage: ./backoff
 */
#include <pthread.h>
#include <stdio.h>

enum { SEATS = 3 };

static pthread_mutex_t forks[SEATS] = {PTHREAD_MUTEX_INITIALIZER,
    PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
static int meals[SEATS];

static void *eat(void *seat) {
    int *meal = seat, left = (int)(meal - meals), right = (left + 1) % SEATS;

    pthread_mutex_lock(&forks[left]);
    while (pthread_mutex_trylock(&forks[right]) != 0) {
        pthread_mutex_unlock(&forks[left]);
        pthread_mutex_lock(&forks[left]);
    }
    ++*meal;
    pthread_mutex_unlock(&forks[right]);
    pthread_mutex_unlock(&forks[left]);
    return NULL;
}

int main(void) {
    pthread_t threads[SEATS];

    for (int i = 0; i < SEATS; i++)
        pthread_create(&threads[i], NULL, eat, &meals[i]);
    for (int i = 0; i < SEATS; i++)
        pthread_join(threads[i], NULL);
    printf("%d meals\n", meals[0] + meals[1] + meals[2]);
    return 0;
}
