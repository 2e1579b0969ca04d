/*
 * bench_latency.c - how long one job takes, from adding it to its result
 *
 * Usage: bench_latency SOCKET|PORT. There must be a worker, and no stream
 * before: the entries have IDs of their own, from 1-1. Prints the median of
 * 2000 jobs, added one after another on one connection, and that of as many
 * PINGs between them, in microseconds. To add one takes the commands which the
 * client's script comes to; they and the wait for the result are sent at once.
 */
#include <err.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 2000 };

static double now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void take_reply(redisContext *context) {
    redisReply *reply = NULL;
    if (redisGetReply(context, (void **)&reply) != REDIS_OK ||
        reply->type == REDIS_REPLY_ERROR || reply->type == REDIS_REPLY_NIL)
        errx(EXIT_FAILURE, "no answer, or an error");
    freeReplyObject(reply);
}

int main(int argc, char *argv[]) {
    static double job[ROUNDS], ping[ROUNDS];
    if (argc != 2)
        errx(2, "usage: bench_latency SOCKET|PORT");
    redisContext *context = strchr(argv[1], '/') != NULL
                                ? redisConnectUnix(argv[1])
                                : redisConnect("127.0.0.1", atoi(argv[1]));
    if (context == NULL || context->err != 0)
        errx(EXIT_FAILURE, "%s: no Redis there", argv[1]);
    for (int i = 0; i < ROUNDS; i++) {
        double start = now_us();
        redisAppendCommand(context, "HSET asked:latency-%d 1 %d-1", i, i + 1);
        redisAppendCommand(context,
            "XADD jobs %d-1 id latency-%d number 1 task nothing argument x",
            i + 1, i);
        redisAppendCommand(
            context, "XREAD BLOCK 5000 STREAMS results:latency-%d 0-0", i);
        for (int answer = 0; answer < 3; answer++)
            take_reply(context);
        job[i] = now_us() - start;
        start = now_us();
        redisAppendCommand(context, "PING");
        take_reply(context);
        ping[i] = now_us() - start;
    }
    redisFree(context);
    qsort(job, ROUNDS, sizeof *job, by_size);
    qsort(ping, ROUNDS, sizeof *ping, by_size);
    printf("%.1f %.1f\n", job[ROUNDS / 2], ping[ROUNDS / 2]);
    return EXIT_SUCCESS;
}
