/*
 * worker - takes jobs from the queue in Redis, runs them, stores the results
 * Start as many as you like, anywhere. A job is acknowledged only when its
 * result is stored, so it is never lost: the lease of a worker that dies runs
 * out, and another takes its job over. Notice that a job can therefore run
 * twice, and that its result is stored once: acknowledging is the guard.
 * Build: cc -O2 -pthread -o worker worker.c job.c link.c tasks.c -lhiredis
 * Usage: ./worker [-r URL] [-n jobs_then_stop] [-b in_hand] [-l lease_ms]
 */
#include "job.h"

#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000, MOST_BLOCK_MS = 1000 };

static long jobs_left = -1, in_hand = 1, lease_ms = 10000;
static long look_ms, block_ms; /* between looks for dead workers; for a job */
static char me[300];           /* this consumer's name: host and process */
static atomic_bool stopping;   /* lock-free: a handler may write it */

/* What was taken in one go. */
struct block {
    struct entry entries[MOST_ENTRIES];
    size_t count;
    bool done; /* to be reported */
    redisReply *reply;
};

/* While one block is worked on, the next is asked for. Only the main thread
 * writes. It changes counts and places under the lock, and the lease's thread
 * reads them under it. */
static struct {
    pthread_mutex_t lock;
    struct block blocks[2];
} held = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---------- Taking jobs ---------- */

static void hold(struct block *block, redisReply *reply,
    const redisReply *entries, long times) {
    pthread_mutex_lock(&held.lock);
    block->reply = reply;
    block->done = false;
    for (size_t i = 0; i < entries->elements && i < MOST_ENTRIES; i++)
        entry_accept(
            &block->entries[block->count++], entries->element[i], times);
    pthread_mutex_unlock(&held.lock);
    for (size_t i = 0; i < block->count && jobs_left > 0; i++) {
        long jobs = (long)block->entries[i].count;
        jobs_left -= jobs < jobs_left ? jobs : jobs_left;
    }
}

static void let_go(struct block *block) {
    pthread_mutex_lock(&held.lock);
    for (size_t i = 0; i < block->count; i++)
        entry_forget(&block->entries[i]);
    block->count = 0;
    pthread_mutex_unlock(&held.lock);
    if (block->reply != NULL)
        freeReplyObject(block->reply);
    block->reply = NULL;
}

/* Takes what XREADGROUP answered: nothing in the time, or a block. While a long
 * job ran nobody has renewed its lease: then it is left to be taken over. */
static void take_next(struct block *block, redisReply *reply, long asked_ms) {
    if (reply->type == REDIS_REPLY_ARRAY && now_ms() - asked_ms < lease_ms / 2)
        hold(block, reply, reply->element[0]->element[1], 1);
    else
        freeReplyObject(reply);
}

/* Takes what XAUTOCLAIM answered: a job whose worker let its lease run out, or
 * none up to the cursor. How often it was tried, Redis knows. */
static void take_over(
    struct link *link, struct block *block, redisReply *reply, char *cursor) {
    const redisReply *entries = reply->element[1];
    redisReply *pending = NULL;
    snprintf(cursor, MOST_PLACE, "%s", reply->element[0]->str);
    if (entries->elements > 0) {
        const char *entry = entries->element[0]->element[0]->str;
        redisAppendCommand(
            link->context, "XPENDING jobs workers %s %s 1", entry, entry);
        pending = link_reply(link);
    }
    if (pending != NULL && pending->elements == 1)
        hold(block, reply, entries,
            (long)pending->element[0]->element[3]->integer);
    else
        freeReplyObject(reply);
    if (pending != NULL)
        freeReplyObject(pending);
}

static void stop_signals(int how) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(how, &signals, NULL);
}

static bool connect_to(struct link *link) {
    stop_signals(SIG_UNBLOCK);                 /* a pause may be interrupted */
    bool up = link_up(link, 2L * PATIENCE_MS); /* the longest, and time */
    stop_signals(SIG_BLOCK);
    if (!up)
        return false;
    link_patience(link, PATIENCE_MS + block_ms);
    return jobs_prepare(link, lease_ms);
}

/* Asks for a job to take over. */
static void ask_over(struct link *link, const char *cursor) {
    redisAppendCommand(link->context,
        "XAUTOCLAIM jobs workers %s %ld %s COUNT 1", me, lease_ms, cursor);
}

/* Asks for a block: half of what may be in hand. Waits for one only if there is
 * nothing to work on meanwhile. The command is made once: hiredis needs longer
 * for that than Redis for the answer. */
static void ask_next(struct link *link, bool wait) {
    static struct {
        char *text;
        int size;
        long most;
    } made[2], *ask;
    long most = in_hand < 2 ? 1 : in_hand / 2;
    if (jobs_left > 0 && jobs_left < most)
        most = jobs_left;
    ask = &made[wait];
    if (ask->most != most) {
        redisFreeCommand(ask->text);
        ask->most = most;
        if (wait)
            ask->size = redisFormatCommand(&ask->text,
                "XREADGROUP GROUP workers %s COUNT %ld BLOCK %ld "
                "STREAMS jobs >",
                me, most, block_ms);
        else
            ask->size = redisFormatCommand(&ask->text,
                "XREADGROUP GROUP workers %s COUNT %ld STREAMS jobs >", me,
                most);
        if (ask->size < 0)
            errx(EXIT_FAILURE, "out of memory");
    }
    redisAppendFormattedCommand(link->context, ask->text, (size_t)ask->size);
}

static void run_block(struct block *block) {
    for (size_t i = 0; i < block->count && !block->done; i++)
        entry_run(&block->entries[i]);
    block->done = true;
}

/* Stores what was done and takes what is next, in one round trip; with more
 * than one job in hand, works on a block during it. What could not be stored
 * is in `done` still, and is sent again alone: what would be handed out in an
 * answer that nobody reads counts as a try. */
static void serve(struct link *link) {
    struct block *done = &held.blocks[0], *next = &held.blocks[1];
    char cursor[MOST_PLACE] = "0-0";
    long next_look = 0;
    bool failed = false;
    for (bool more; (more = !stopping && jobs_left != 0) || done->count > 0 ||
                    next->count > 0;) {
        if (link->context == NULL && !connect_to(link))
            continue;
        int answers = jobs_report(link, done->entries, done->count, me,
            lease_ms - look_ms / 2); /* due at the next look */
        long asked = now_ms();
        bool look = asked >= next_look;
        /* What is taken over may kill its worker: alone, it takes no other
         * job along. */
        more = more && !failed && (next->count == 0 || (in_hand > 1 && !look));
        if (more && look)
            ask_over(link, cursor);
        else if (more)
            ask_next(link, next->count == 0);
        link_send(link);
        run_block(next);
        if ((failed = !link_answers(link, answers)))
            continue;
        let_go(done);
        redisReply *reply = more ? link_reply(link) : NULL;
        if (answers > 0 || reply != NULL)
            link_well(link);
        if (reply != NULL && look)
            take_over(link, done, reply, cursor);
        else if (reply != NULL)
            take_next(done, reply, asked);
        if (reply != NULL && look && done->count == 0 &&
            strcmp(cursor, "0-0") == 0)
            next_look = now_ms() + look_ms;
        struct block *taken = done;
        done = next;
        next = taken;
    }
}

/* Renews the lease of the jobs held, on a connection of its own: an answer
 * belongs to whoever asked, so two threads must not share one. */
static void *keep_lease(void *arg) {
    struct link *link = arg;
    long third_ms = lease_ms < 3 ? 1 : lease_ms / 3;
    struct timespec third = {third_ms / 1000, third_ms % 1000 * 1000000};
    for (;;) {
        char entries[2 * MOST_ENTRIES][MOST_PLACE];
        const char *args[6 + 2 * MOST_ENTRIES] = {
            "XCLAIM", "jobs", "workers", me, "0"};
        int count = 5;
        nanosleep(&third, NULL);
        pthread_mutex_lock(&held.lock);
        for (const struct block *b = held.blocks; b < held.blocks + 2; b++)
            for (size_t i = 0; i < b->count; i++) {
                char *entry = entries[count - 5];
                snprintf(entry, MOST_PLACE, "%s", b->entries[i].place);
                args[count++] = entry;
            }
        pthread_mutex_unlock(&held.lock);
        link->pause_ms = 0; /* a third of the lease is pause enough */
        if (count == 5 || !link_up(link, third_ms))
            continue;
        args[count++] = "JUSTID";
        redisAppendCommandArgv(link->context, count, args, NULL);
        redisReply *reply = link_reply(link);
        if (reply != NULL)
            freeReplyObject(reply);
    }
    return NULL;
}

/* ---------- The run ---------- */

static const char usage[] =
    "usage: worker [-r URL] [-n jobs_then_stop] [-b in_hand] [-l lease_ms]\n"
    "-n: stop after so many jobs, or a few more if they came in one entry\n"
    "-b: so many entries at once, 1 to 64; by default 1\n"
    "-l: the same for all workers, by default 10000\n"
    "URL: redis://[user:password@]host[:port][/database], or a socket's path;\n"
    "by default $REDIS_URL, else redis://127.0.0.1:6379\n";

/* The first signal lets what is in hand be finished, a second ends the
 * process. */
static void stop(int unused) {
    (void)unused;
    stopping = true;
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
}

static void prepare(struct link *lease) {
    struct sigaction on_stop = {.sa_handler = stop};
    pthread_t thread;
    char host[200] = "";
    look_ms = lease_ms < 10 ? 1 : lease_ms / 10;
    block_ms = look_ms < MOST_BLOCK_MS ? look_ms : MOST_BLOCK_MS;
    gethostname(host, sizeof host - 1);
    snprintf(me, sizeof me, "%s:%ld", host, (long)getpid());
    signal(SIGPIPE, SIG_IGN); /* a broken connection is an error like others */
    if (sigaction(SIGTERM, &on_stop, NULL) == -1 ||
        sigaction(SIGINT, &on_stop, NULL) == -1)
        err(EXIT_FAILURE, "sigaction");
    /* Signals are for the lease's thread: a task is never interrupted. */
    if ((errno = pthread_create(&thread, NULL, keep_lease, lease)) != 0 ||
        (errno = pthread_detach(thread)) != 0)
        err(EXIT_FAILURE, "pthread_create");
    stop_signals(SIG_BLOCK);
}

int main(int argc, char *argv[]) {
    static struct link link, lease;
    const char *url = NULL;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int option; (option = getopt(argc, argv, "r:n:b:l:h")) != -1;)
        switch (option) {
        case 'r': url = optarg; break;
        case 'n': jobs_left = number(option, 1000000000); break;
        case 'b': in_hand = number(option, 2L * MOST_ENTRIES); break;
        case 'l': lease_ms = number(option, 86400000); break;
        case 'h': return fputs(usage, stdout) == EOF;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    link_init(&link, url);
    link_init(&lease, url);
    lease.silent = true;
    prepare(&lease);
    serve(&link);
    if (link.context != NULL)
        redisFree(link.context);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
