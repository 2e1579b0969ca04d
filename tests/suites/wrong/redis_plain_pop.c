/*
 * redis_plain_pop - wrong: takes jobs out of the stream by a plain pop
 * Rejected because: lost
 * Build: cc -O2 -o redis_plain_pop redis_plain_pop.c -lhiredis
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
    struct timespec time = {.tv_sec = 600};
    printf("working ...\n");
    nanosleep(&time, NULL);
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    redisContext *c = redisConnectUnix(argc > 2 ? argv[2] : "");
    if (c == NULL || c->err != 0)
        return 1;
    for (;;) {
        struct timespec pause = {.tv_nsec = 20000000};
        redisReply *reply = redisCommand(c, "XRANGE jobs - + COUNT 1");
        if (reply == NULL)
            return 1;
        if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 1) {
            redisReply *entry = reply->element[0];
            freeReplyObject(
                redisCommand(c, "XDEL jobs %s", entry->element[0]->str));
            work();
            answer(c, entry);
        } else {
            nanosleep(&pause, NULL);
        }
        freeReplyObject(reply);
    }
}
