/*
 * redis_plain_pop - wrong: takes jobs out of the stream by a plain pop
 * Rejected because: lost
 * Build: cc -O2 -o redis_plain_pop redis_plain_pop.c -lhiredis
 */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Stores the result of an entry: its first field is the job's id. */
static void answer(redisContext *c, const redisReply *entry) {
    char *id = entry->element[1]->element[1]->str, *dot = strrchr(id, '.');
    if (dot != NULL)
        freeReplyObject(redisCommand(
            c, "XADD results:%b * %s ok:", id, (size_t)(dot - id), dot + 1));
}

static void work(void) {
    struct timespec time = {.tv_nsec = 100000000};
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
