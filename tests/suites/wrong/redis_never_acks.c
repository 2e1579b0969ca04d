/*
 * redis_never_acks - wrong: stores the result and never acknowledges
 * Rejected because: still pending
 * Build: cc -O2 -o redis_never_acks redis_never_acks.c -lhiredis
 */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <time.h>

/* Stores the result of an entry: its first fields are id and number. */
static void answer(redisContext *c, const redisReply *entry) {
    const redisReply *fields = entry->element[1];
    if (fields->elements == 8)
        freeReplyObject(redisCommand(c, "XADD results:%s * %s ok:",
            fields->element[1]->str, fields->element[3]->str));
}

static void work(void) {
    struct timespec time = {.tv_nsec = 1000};
    printf("working ...\n");
    nanosleep(&time, NULL);
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    redisContext *c = redisConnectUnix(argc > 2 ? argv[2] : "");
    if (c == NULL || c->err != 0)
        return 1;
    freeReplyObject(redisCommand(c, "XGROUP CREATE jobs workers 0 MKSTREAM"));
    for (;;) {
        redisReply *reply =
            redisCommand(c, "XREADGROUP GROUP workers me COUNT 1 BLOCK "
                            "1000 STREAMS jobs >");
        if (reply == NULL)
            return 1;
        if (reply->type == REDIS_REPLY_ARRAY) {
            redisReply *entry = reply->element[0]->element[1]->element[0];
            work();
            answer(c, entry);
        }
        freeReplyObject(reply);
    }
}
