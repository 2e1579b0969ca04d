/*
 * misuse - somebody does to a lock what only its holder may do
 * Build: cc -pthread -o misuse misuse.c
 * Usage: ./misuse release|destroy|wait|write
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t room = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t book = PTHREAD_RWLOCK_INITIALIZER;

static void *holder(void *unused) {
    pthread_mutex_lock(&room);
    pthread_mutex_unlock(&room);
    return unused;
}

static void *other(void *how) {
    if (strcmp(how, "release") == 0)
        pthread_mutex_unlock(&room);
    else if (strcmp(how, "destroy") == 0)
        pthread_mutex_destroy(&room);
    else if (strcmp(how, "wait") == 0)
        pthread_cond_wait(&change, &room);
    else {
        pthread_rwlock_wrlock(&book);
        if (pthread_rwlock_wrlock(&book) == EDEADLK)
            puts("it holds it already");
        pthread_rwlock_unlock(&book);
    }
    return NULL;
}

int main(int argc, char *argv[]) {
    static char how[20];
    pthread_t a, b;
    snprintf(how, sizeof how, "%s", argc > 1 ? argv[1] : "release");
    pthread_create(&a, NULL, holder, NULL);
    pthread_create(&b, NULL, other, how);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}
