/*
 * gone - memory that is used when it is gone, or that never was there
 * Build: cc -pthread -o gone gone.c
 * Usage: ./gone post|signal|lock|end|inside|thread|return|array
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct box {
    pthread_mutex_t lock;
    pthread_cond_t change;
    sem_t ready;
    char name[10];
};
static struct box *box;
static int how, *theirs;
static _Thread_local int mine;

static void *use(void *number) {
    char *text = malloc(10);
    if (how == 'p')
        sem_post(&box->ready);
    if (how == 's')
        pthread_cond_signal(&box->change);
    if (how == 'l')
        pthread_mutex_lock(&box->lock);
    if (how == 'e' || how == 'i')
        text[how == 'e' ? 10 : 9] = 1;
    if (how == 't')
        theirs = &mine;
    if (number != NULL)
        *(int *)number *= 2;
    free(text);
    return NULL;
}

/* The thread goes on when its number is gone. */
static void start(pthread_t *thread) {
    int number = 1;
    pthread_create(thread, NULL, use, &number);
}

/* The size of its array is not known before. */
static void in_array(pthread_t *thread, int many) {
    int numbers[many];
    numbers[many - 1] = 1;
    pthread_create(thread, NULL, use, &numbers[many - 1]);
    pthread_join(*thread, NULL);
    pthread_create(thread, NULL, use, NULL);
}

int main(int argc, char *argv[]) {
    pthread_t thread;
    how = argc > 1 ? argv[1][0] : 'p';
    box = calloc(1, sizeof *box);
    pthread_mutex_init(&box->lock, NULL);
    pthread_cond_init(&box->change, NULL);
    sem_init(&box->ready, 0, 0);
    if (how == 'r')
        start(&thread);
    else if (how == 'a')
        in_array(&thread, argc);
    else
        pthread_create(&thread, NULL, use, NULL);
    if (strchr("psl", how) != NULL)
        free(box);
    pthread_join(thread, NULL);
    return how == 't' ? *theirs : 0;
}
