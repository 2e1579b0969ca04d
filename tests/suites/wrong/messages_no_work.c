/*
 * messages_no_work - wrong: prints all of it, and waits for nothing
 * Rejected because: lasted 0 s, not 1 s
 * Build: cc -O2 -o messages_no_work messages_no_work.c
 */
#include <stdio.h>

static char names[3][6] = {"Alice", "Bob", "Carol"};

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int n = 1; n <= 4; n++) {
        for (int i = 0; i < 3; i++)
            printf("%s: sending message %d of 4 ...\n", names[i], n);
        for (int i = 0; i < 3; i++)
            printf("%s: sent message %d of 4\n", names[i], n);
    }
    fprintf(stderr, "12 messages to 3 customers in 4.00 s\n");
    return 0;
}
