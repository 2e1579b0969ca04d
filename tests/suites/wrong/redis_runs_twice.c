/*
 * redis_runs_twice - wrong: begins again when it is started again
 * Rejected because: results of one job
 * Build: cc -O2 -o redis_runs_twice redis_runs_twice.c -lhiredis
 */
#include <hiredis/hiredis.h>
#include <stdio.h>

/* Stores the result of an entry: its first fields are id and number. */
static void answer(redisContext *c, const redisReply *entry) {
    const redisReply *fields = entry->element[1];
    if (fields->elements == 8)
        freeReplyObject(redisCommand(c, "XADD results:%s * %s ok:",
            fields->element[1]->str, fields->element[3]->str));
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    redisContext *c = redisConnectUnix(argc > 2 ? argv[2] : "");
    if (c == NULL || c->err != 0)
        return 1;
    char last[60] = "0-0"; /* its own place in the stream, lost at its end */
    for (;;) {
        redisReply *reply =
            redisCommand(c, "XREAD COUNT 1 BLOCK 1000 STREAMS jobs %s", last);
        if (reply == NULL)
            return 1;
        if (reply->type == REDIS_REPLY_ARRAY) {
            redisReply *entry = reply->element[0]->element[1]->element[0];
            snprintf(last, sizeof last, "%s", entry->element[0]->str);
            answer(c, entry);
        }
        freeReplyObject(reply);
    }
}
