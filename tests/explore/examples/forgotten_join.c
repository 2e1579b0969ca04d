/*
 * forgotten_join - main ends, and with it whoever is not done
 * main waits for none of its threads, for the first only, for none of those
 * that sleep; with "detached" it knows that they are done.
 * Build: cc -pthread -o forgotten_join forgotten_join.c
 * Usage: ./forgotten_join none|first|asleep|detached
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static int done, asleep;

static void *save(void *name) {
    if (asleep)
        sleep(1);
    printf("saved %s\n", (const char *)name);
    pthread_mutex_lock(&lock);
    done++;
    pthread_cond_signal(&change);
    pthread_mutex_unlock(&lock);
    return NULL;
}

int main(int argc, char *argv[]) {
    static char a[] = "a", b[] = "b";
    const char *how = argc > 1 ? argv[1] : "none";
    pthread_t first, second;
    asleep = strcmp(how, "asleep") == 0;
    puts("saving");
    pthread_create(&first, NULL, save, a);
    if (strcmp(how, "first") == 0)
        pthread_join(first, NULL);
    pthread_create(&second, NULL, save, b);
    if (strcmp(how, "detached") == 0) {
        pthread_mutex_lock(&lock);
        while (done < 2)
            pthread_cond_wait(&change, &lock);
        pthread_mutex_unlock(&lock);
    }
    return 0;
}
