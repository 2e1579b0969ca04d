/*
 * box_on_stack - the shared data are main's own: a box that three look into
 * Build: cc -pthread -o box_on_stack box_on_stack.c
 */
#include <pthread.h>
#include <stdio.h>

struct box {
    pthread_mutex_t lock;
    int full;
};

static int look(struct box *box) {
    pthread_mutex_lock(&box->lock);
    int seen = box->full;
    pthread_mutex_unlock(&box->lock);
    return seen;
}

static void set(struct box *box, int full) {
    pthread_mutex_lock(&box->lock);
    box->full = full;
    pthread_mutex_unlock(&box->lock);
}

static void *work(void *box) {
    set(box, look(box) + 1);
    return NULL;
}

int main(void) {
    struct box box = {PTHREAD_MUTEX_INITIALIZER, 0};
    pthread_t pool[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&pool[i], NULL, work, &box);
    for (int i = 0; i < 3; i++)
        pthread_join(pool[i], NULL);
    printf("%d\n", box.full);
    return box.full != 3;
}
