/*
 * redis_dies_malformed - wrong: takes every entry for a job
 * Rejected because: no answer after a malformed entry
 * Build: cc -O2 -o redis_dies_malformed redis_dies_malformed.c -lhiredis
 */
#include <hiredis/hiredis.h>
#include <stdio.h>

/* Stores the result of an entry. */
static void answer(redisContext *c, const redisReply *entry) {
    const redisReply *fields = entry->element[1];
    printf("working on %s ...\n", fields->element[7]->str);
    freeReplyObject(redisCommand(c, "XADD results:%s * %s ok:",
        fields->element[1]->str, fields->element[3]->str));
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
            answer(c, entry);
            freeReplyObject(redisCommand(
                c, "XACK jobs workers %s", entry->element[0]->str));
            freeReplyObject(
                redisCommand(c, "XDEL jobs %s", entry->element[0]->str));
        }
        freeReplyObject(reply);
    }
}
