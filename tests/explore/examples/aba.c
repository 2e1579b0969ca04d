/*
 * aba - a free list with compare-and-swap: the same head, another list
 * A thread reads the head and its next; while it rests, another takes two
 * nodes and gives the first back. The head is the same, its next is not.
 * Build: cc -pthread -o aba aba.c
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

struct node {
    _Atomic(struct node *) next;
    atomic_int taken;
};

static struct node nodes[3];
static _Atomic(struct node *) head;
static atomic_int twice;

static struct node *pop(void) {
    struct node *top = head;
    while (
        top != NULL && !atomic_compare_exchange_strong(&head, &top, top->next))
        continue;
    if (top != NULL && atomic_fetch_add(&top->taken, 1) > 0)
        twice = 1;
    return top;
}

static void push(struct node *node) {
    node->taken = 0;
    struct node *top = head;
    do
        node->next = top;
    while (!atomic_compare_exchange_strong(&head, &top, node));
}

static void *one(void *unused) {
    pop();
    return unused;
}

static void *two(void *unused) {
    struct node *first = pop();
    pop();
    if (first != NULL)
        push(first);
    pop();
    pop();
    return unused;
}

int main(void) {
    pthread_t a, b;
    for (int i = 0; i < 2; i++)
        nodes[i].next = &nodes[i + 1];
    head = &nodes[0];
    pthread_create(&a, NULL, one, NULL);
    pthread_create(&b, NULL, two, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    puts(twice ? "a node has two owners" : "every node has one owner");
    return twice;
}
