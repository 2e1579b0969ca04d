/*
 * any_order - two threads print; which comes first is nobody's business
 * Outcomes: any order
 * Build: cc -pthread -o any_order any_order.c
 */
#include <pthread.h>
#include <stdio.h>

static void *greet(void *name) {
    printf("%s: hello\n", (const char *)name);
    printf("%s: goodbye\n", (const char *)name);
    return NULL;
}

int main(void) {
    static char alice[] = "Alice", bob[] = "Bob";
    pthread_t a, b;
    pthread_create(&a, NULL, greet, alice);
    pthread_create(&b, NULL, greet, bob);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}
