/*
 * shown_text - one thread prints a text while another one changes it
 * Build: cc -pthread -o shown_text shown_text.c
 * Usage: ./shown_text puts|printf|fputs|fwrite
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static char text[16] = "one";
static const char *owner = "nobody";

static void *show(void *arg) {
    const char *how = arg;
    if (strcmp(how, "puts") == 0)
        puts(text);
    if (strcmp(how, "printf") == 0)
        printf("%d %.1f %s %c\n", 1, 2.5, text, '3');
    if (strcmp(how, "fputs") == 0)
        fputs(text, stdout);
    if (strcmp(how, "fwrite") == 0)
        fwrite(text, 1, 3, stdout);
    return NULL;
}

static void *change(void *arg) {
    strcpy(text, "two");
    owner = "change";
    return arg;
}

int main(int argc, char *argv[]) {
    static char printf_it[] = "printf";
    pthread_t one, two;
    pthread_create(&one, NULL, show, argc > 1 ? argv[1] : printf_it);
    pthread_create(&two, NULL, change, NULL);
    owner = "main";
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    return 0;
}
