/*
 * redis_one_context - wrong: two threads use one connection
 * Rejected because: on one connection
 * Build: cc -O2 -pthread -o redis_one_context redis_one_context.c -lhiredis
 */
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

/* Stores the result of an entry: its first fields are id and number. */
static void answer(redisContext *c, const redisReply *entry) {
    const redisReply *fields = entry->element[1];
    if (fields->elements == 8)
        freeReplyObject(redisCommand(c, "XADD results:%s * %s ok:",
            fields->element[1]->str, fields->element[3]->str));
}

/* Renews the lease, on the connection that the main thread uses. */
static void *keep_lease(void *context) {
    struct timespec third = {.tv_nsec = 30000000};
    for (;;) {
        nanosleep(&third, NULL);
        freeReplyObject(redisCommand(context, "XPENDING jobs workers - + 1"));
    }
    return NULL;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    redisContext *c = redisConnectUnix(argc > 2 ? argv[2] : "");
    if (c == NULL || c->err != 0)
        return 1;
    freeReplyObject(redisCommand(c, "XGROUP CREATE jobs workers 0 MKSTREAM"));
    pthread_t thread;
    if (pthread_create(&thread, NULL, keep_lease, c) != 0)
        return 1;
    for (;;) {
        redisReply *reply =
            redisCommand(c, "XREADGROUP GROUP workers me COUNT 1 BLOCK "
                            "0 STREAMS jobs >");
        if (reply == NULL)
            return 1;
        if (reply->type == REDIS_REPLY_ARRAY) {
            redisReply *entry = reply->element[0]->element[1]->element[0];
            answer(c, entry);
            freeReplyObject(redisCommand(
                c, "XACK jobs workers %s", entry->element[0]->str));
            freeReplyObject(
                redisCommand(c, "XDEL jobs %s", entry->element[0]->str));
        }
        freeReplyObject(reply);
    }
}
