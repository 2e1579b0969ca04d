/*
 * slot_on_stack - a buffer of one on main's stack; take() looks once only
 * Build: cc -pthread -o slot_on_stack slot_on_stack.c
 */
#include <pthread.h>
#include <stdlib.h>

struct slot {
    pthread_mutex_t lock;
    pthread_cond_t change;
    int full;
};

static void put(struct slot *s) {
    pthread_mutex_lock(&s->lock);
    while (s->full)
        pthread_cond_wait(&s->change, &s->lock);
    s->full = 1;
    pthread_cond_broadcast(&s->change);
    pthread_mutex_unlock(&s->lock);
}

static void take(struct slot *s) {
    pthread_mutex_lock(&s->lock);
    if (!s->full) /* while */
        pthread_cond_wait(&s->change, &s->lock);
    if (!s->full)
        exit(1);
    s->full = 0;
    pthread_cond_broadcast(&s->change);
    pthread_mutex_unlock(&s->lock);
}

static void *produce(void *slot) {
    for (int i = 0; i < 4; i++)
        put(slot);
    return NULL;
}

static void *consume(void *slot) {
    for (int i = 0; i < 2; i++)
        take(slot);
    return NULL;
}

int main(void) {
    struct slot slot = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    pthread_t pool[3];
    pthread_create(&pool[0], NULL, produce, &slot);
    pthread_create(&pool[1], NULL, consume, &slot);
    pthread_create(&pool[2], NULL, consume, &slot);
    for (int i = 0; i < 3; i++)
        pthread_join(pool[i], NULL);
    return 0;
}
