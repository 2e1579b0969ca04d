/*
 * one_buffer - two threads write their greeting into one buffer
 * By strcpy and strcat, which a compiler may do without a call, or by snprintf.
 * Build: cc -pthread -o one_buffer one_buffer.c
 * Usage: ./one_buffer strcpy|snprintf
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static char buffer[32];
static int by_parts;

static void *greet(void *name) {
    if (by_parts) {
        strcpy(buffer, "hi ");
        strcat(buffer, name);
    } else {
        snprintf(buffer, sizeof buffer, "hi %s", (char *)name);
    }
    return NULL;
}

int main(int argc, char *argv[]) {
    static char ann[] = "Ann", bob[] = "Bob";
    pthread_t a, b;
    by_parts = argc > 1 && strcmp(argv[1], "strcpy") == 0;
    pthread_create(&a, NULL, greet, ann);
    pthread_create(&b, NULL, greet, bob);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    puts(buffer);
    return 0;
}
