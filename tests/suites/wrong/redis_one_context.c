/*
 * redis_one_context - wrong: two threads use one connection
 * Rejected because: on one connection
 * Build: cc -O2 -pthread -o redis_one_context redis_one_context.c -lhiredis
 */
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static redisContext *c;

/* They send one after another; but whose is the answer? */
static void send_command(const char *command) {
    int sent = 0;
    redisAppendCommand(c, command);
    while (sent == 0 && redisBufferWrite(c, &sent) == REDIS_OK)
        ;
}

static void await_answer(void) {
    void *reply = NULL;
    while (reply == NULL)
        if (redisBufferRead(c) != REDIS_OK ||
            redisGetReplyFromReader(c, &reply) != REDIS_OK)
            exit(EXIT_FAILURE);
    freeReplyObject(reply);
}

static void *keep_lease(void *unused) {
    send_command("XPENDING jobs workers - + 1");
    await_answer();
    return unused;
}

/* It waits where no job ever comes: with one it would take an answer that is
 * not its own, and die of it before anyone has seen why. */
int main(int argc, char *argv[]) {
    pthread_t thread;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    c = redisConnectUnix(argc > 2 ? argv[2] : "");
    if (c == NULL || c->err != 0)
        return 1;
    send_command("XGROUP CREATE rare workers 0 MKSTREAM");
    await_answer();
    send_command("XREADGROUP GROUP workers me COUNT 1 BLOCK 0 STREAMS rare >");
    if (pthread_create(&thread, NULL, keep_lease, NULL) != 0)
        return 1;
    await_answer();
    return 0;
}
