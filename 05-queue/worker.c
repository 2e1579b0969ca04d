/*
 * worker - takes jobs from a stream in Redis, runs them, stores the results
 * A job stays pending until its result is stored: if its worker dies, the lease
 * runs out and another takes it over. So a job may run twice; its result is
 * stored once. After three tries it is a dead letter. Any trouble with Redis
 * ends the worker, as if it had died: until ./worker; do sleep 1; done
 * Build: cc -O2 -pthread -o worker worker.c tasks.c -lhiredis -lcurl
 * Usage: ./worker [-r host[:port] or socket] [-l lease_ms]
 */
#include "tasks.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 3 };
static const char *where = "127.0.0.1";
static long lease_ms = 10000;
static char me[300];            /* this consumer's name: host and process */
static atomic_bool look = true; /* is it time to look for leases run out? */
static atomic_int stopping;     /* set by a signal, in either thread */

/* The answer to what was asked last. What was sent before that without waiting
 * is read first: to store a result and take the next job is one round trip. */
static int unread;
static redisReply *last_answer(redisContext *redis) {
    for (; unread > 0; unread--)
        freeReplyObject(answer(redis));
    return answer(redis);
}

/* ---------- The lease: renewed on a connection of its own ---------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char held[48]; /* the entry being worked on, or "": guarded by lock */

static void hold(const char *place) {
    pthread_mutex_lock(&lock);
    snprintf(held, sizeof held, "%s", place);
    pthread_mutex_unlock(&lock);
}

/* Ten times a lease. The lock is held until Redis has answered, or the job
 * could be given back before and would be claimed again. */
static void *keep_lease(void *unused) {
    redisContext *redis = dial(where);
    struct timespec tenth = {lease_ms / 10000, lease_ms % 10000 * 100000};
    for (;; nanosleep(&tenth, NULL), look = true) {
        pthread_mutex_lock(&lock);
        if (held[0] != '\0') {
            redisAppendCommand(
                redis, "XCLAIM jobs workers %s 0 %s JUSTID", me, held);
            freeReplyObject(answer(redis));
        }
        pthread_mutex_unlock(&lock);
    }
    return unused;
}

/* ---------- A job ---------- */

/* Whoever comes second, or with an entry that was replaced, stores nothing. */
static const char finish[] =
    "local jobs, asked, results, dead = unpack(KEYS)\n"
    "local place, number, how, text = unpack(ARGV)\n"
    "if redis.call('HGET', asked, number) == place then\n"
    "  redis.call('XADD', results, '*', number, how .. text)\n"
    "  redis.call('EXPIRE', results, 86400)\n"
    "  redis.call('HSET', asked, number, 'done')\n"
    "end\n"
    "if redis.call('XACK', jobs, 'workers', place) > 0 and how ~= 'ok: ' then\n"
    "  local entry = redis.call('XRANGE', jobs, place, place)[1] or {0, {}}\n"
    "  redis.call('XADD', dead, 'MAXLEN', '~', 10000, '*', 'why', text,\n"
    "    unpack(entry[2], 1, math.min(#entry[2], 8)))\n"
    "end\n"
    "redis.call('XDEL', jobs, place)\n";
static redisReply *script; /* its name in Redis, which has it since the start */

/* NULL: it is missing, or no text within the limit. */
static const char *field(const redisReply *entry, const char *name) {
    const redisReply *fields = entry->element[1];
    for (size_t i = 0; i + 1 < fields->elements; i += 2) {
        const redisReply *value = fields->element[i + 1];
        if (strcmp(fields->element[i]->str, name) == 0 &&
            value->len <= MAX_ARGUMENT && strlen(value->str) == value->len)
            return value->str;
    }
    return NULL;
}

/* Runs a job and sends what became of it. */
static void run(redisContext *redis, const redisReply *entry, long tries) {
    const char *place = entry->element[0]->str, *id = field(entry, "id");
    const char *number = field(entry, "number"), *name = field(entry, "task");
    const char *argument = field(entry, "argument");
    char result[MAX_RESULT] = "its worker died in the last try";
    task *work = name == NULL ? NULL : task_named(name);
    bool done = false, dead = true;
    if (id == NULL || number == NULL || name == NULL || argument == NULL) {
        snprintf(result, sizeof result, "malformed entry");
        id = number = ""; /* nobody to tell */
    } else if (work == NULL) {
        snprintf(result, sizeof result, "no task of that name");
    } else if (tries <= TRIES) {
        hold(place);
        done = work(argument, result, sizeof result);
        hold("");
        dead = tries == TRIES;
    }
    if (done || dead)
        redisAppendCommand(redis,
            "EVALSHA %s 4 jobs asked:%s results:%s jobs:dead %s %s %s %s",
            script->str, id, id, place, number,
            done ? "ok: " : "failed: ", result);
    else /* whoever looks next may have it, as if its worker had died */
        redisAppendCommand(redis, "XCLAIM jobs workers %s 0 %s IDLE %ld JUSTID",
            me, place, lease_ms);
    unread = 1;
}

/* Takes over a job whose lease has run out, if there is one. */
static void take_over(redisContext *redis) {
    static char cursor[48] = "0-0";
    redisAppendCommand(redis, "XAUTOCLAIM jobs workers %s %ld %s COUNT 1", me,
        lease_ms, cursor);
    redisReply *reply = last_answer(redis), *entries = reply->element[1];
    snprintf(cursor, sizeof cursor, "%s", reply->element[0]->str);
    look = strcmp(cursor, "0-0") != 0; /* there are more to be looked at */
    if (entries->elements > 0) {
        const char *at = entries->element[0]->element[0]->str;
        redisAppendCommand(redis, "XPENDING jobs workers %s %s 1", at, at);
        redisReply *pending = last_answer(redis);
        if (pending->elements > 0) /* else somebody has finished it */
            run(redis, entries->element[0],
                (long)pending->element[0]->element[3]->integer);
        freeReplyObject(pending);
    }
    freeReplyObject(reply);
}

static void take_next(redisContext *redis) {
    redisAppendCommand(redis,
        "XREADGROUP GROUP workers %s COUNT 1 BLOCK 1000 STREAMS jobs >", me);
    redisReply *reply = last_answer(redis);
    if (reply->type == REDIS_REPLY_ARRAY)
        run(redis, reply->element[0]->element[1]->element[0], 1);
    freeReplyObject(reply);
}

/* ---------- The run ---------- */

static void stop(int signal) {
    stopping = signal;
}

int main(int argc, char *argv[]) {
    pthread_t thread;
    check_output();
    for (int option; (option = getopt(argc, argv, "r:l:h")) != -1;)
        switch (option) {
        case 'r': where = optarg; break;
        case 'l': lease_ms = number(option, optarg, 86400000); break;
        case 'h':
            return puts("usage: worker [-r host[:port] | -r socket] "
                        "[-l lease_ms]") == EOF;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    gethostname(me, sizeof me - 20);
    snprintf(me + strlen(me), 20, ":%ld", (long)getpid());
    signal(SIGPIPE, SIG_IGN); /* a broken connection is told like the rest */
    signal(SIGTERM, stop);
    redisContext *redis = dial(where);
    freeReplyObject(/* an error: it is there, or the next command will tell */
        redisCommand(redis, "XGROUP CREATE jobs workers 0 MKSTREAM"));
    redisAppendCommand(redis, "SCRIPT LOAD %s", finish);
    script = answer(redis);
    if ((errno = pthread_create(&thread, NULL, keep_lease, NULL)) != 0)
        err(EXIT_FAILURE, "pthread_create");
    while (!stopping && !ferror(stdout))
        (look ? take_over : take_next)(redis);
    if (unread > 0)
        freeReplyObject(answer(redis));
    redisFree(redis);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
