/*
 * client - puts jobs into a stream in Redis and waits for their results
 * One job an argument; with "-" one a line of standard input. Notice that the
 * same words with the same -i add nothing that is in the stream or done.
 * Build: cc -O2 -o client client.c -lhiredis
 * Usage: ./client [-r host[:port] or socket] [-t s] [-i ID] TASK ARGUMENT...|-
 */
#include "tasks.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

enum { MAX_JOBS = 100000, HEAD = 8 };
static char fresh[MAX_ID]; /* a name for jobs without -i */
static const char *id = fresh;
static const char *words[HEAD + MAX_JOBS]; /* a command, then the arguments */
static bool answered[MAX_JOBS + 2];        /* from 1; a job more at both ends */
static long jobs, open_jobs, failed_jobs;
static const char id_bytes[] = "abcdefghijklmnopqrstuvwxyz-_"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/* ---------- Asking ---------- */

static void add_argument(const char *argument, size_t size) {
    if (jobs == MAX_JOBS)
        errx(2, "at most %d jobs at once", MAX_JOBS);
    if (size > MAX_ARGUMENT || strlen(argument) != size)
        errx(2, "job %ld: over %d bytes, or a NUL", jobs + 1, MAX_ARGUMENT);
    if ((words[HEAD + jobs++] = strdup(argument)) == NULL)
        err(EXIT_FAILURE, "strdup");
}

static void read_arguments(void) {
    char *line = NULL;
    size_t room = 0;
    for (ssize_t size; (size = getline(&line, &room, stdin)) != -1;) {
        size -= line[size - 1] == '\n';
        size -= size > 0 && line[size - 1] == '\r';
        line[size] = '\0';
        add_argument(line, (size_t)size);
    }
    free(line);
    if (ferror(stdin))
        err(EXIT_FAILURE, "standard input");
}

/* One script: all jobs are added or none. Later, those that have been lost. */
static const char add[] =
    "local jobs, asked, results = unpack(KEYS)\n"
    "local sum = redis.sha1hex(table.concat(ARGV, '\\0', 2))\n"
    "if (redis.call('HGET', asked, 'sum') or sum) ~= sum then return 0 end\n"
    "local kept = redis.call('XLEN', results) > 0\n"
    "redis.call('HSET', asked, 'sum', sum)\n"
    "redis.call('EXPIRE', asked, 604800)\n"
    "for number = 1, #ARGV - 2 do\n"
    "  local place = redis.call('HGET', asked, number)\n"
    "  local there = kept\n"
    "  if place ~= 'done' then\n"
    "    there = place and #redis.call('XRANGE', jobs, place, place) > 0\n"
    "  end\n"
    "  if not there then\n"
    "    place = redis.call('XADD', jobs, '*', 'id', ARGV[1], 'number',\n"
    "      number, 'task', ARGV[2], 'argument', ARGV[number + 2])\n"
    "    redis.call('HSET', asked, number, place)\n"
    "  end\n"
    "end\n"
    "return 1\n";

static void send_jobs(redisContext *redis, const char *name) {
    char asked[MAX_ID + 10], results[MAX_ID + 10];
    snprintf(asked, sizeof asked, "asked:%s", id);
    snprintf(results, sizeof results, "results:%s", id);
    const char *head[] = {"EVAL", add, "3", "jobs", asked, results, id, name};
    memcpy(words, head, sizeof head);
    redisAppendCommandArgv(redis, HEAD + (int)jobs, words, NULL);
    redisReply *reply = answer(redis);
    open_jobs = reply->integer == 0 ? 0 : jobs; /* 0: none was added */
    freeReplyObject(reply);
    if (open_jobs == 0)
        errx(2, "-i %s: was used for other words", id);
}

/* ---------- Collecting ---------- */

static void take_results(const redisReply *entries, char *last, size_t size) {
    for (size_t i = 0; i < entries->elements; i++) {
        redisReply *const *entry = entries->element[i]->element;
        redisReply *const *fields = entry[1]->element;
        long job = atol(fields[0]->str);
        snprintf(last, size, "%s", entry[0]->str);
        if (job < 1 || job > jobs || answered[job])
            continue;
        answered[job] = true;
        open_jobs--;
        failed_jobs += strncmp(fields[1]->str, "ok:", 3) != 0;
        printf("job %s.%ld, ", id, job);
        print_text(words[HEAD + job - 1]);
        printf(": ");
        print_text(fields[1]->str);
        printf("\n");
    }
}

/* Until nothing has come for so many seconds. */
static void collect(redisContext *redis, long seconds) {
    char last[48] = "0-0";
    for (long left = seconds; left > 0 && open_jobs > 0 && !ferror(stdout);) {
        redisAppendCommand(redis,
            "XREAD COUNT 1000 BLOCK 1000 STREAMS results:%s %s", id, last);
        redisReply *reply = answer(redis);
        left = reply->type == REDIS_REPLY_NIL ? left - 1 : seconds;
        if (reply->type != REDIS_REPLY_NIL) /* of the one stream, entries */
            take_results(reply->element[0]->element[1], last, sizeof last);
        freeReplyObject(reply);
        if (open_jobs > 0)
            usleep(10000); /* us: many come at once, not each by itself */
    }
}

/* At the end, however it came: names what is open, "2 5-9". */
static void tell_open(void) {
    if (open_jobs == 0)
        return;
    fprintf(stderr, "client: still open: job");
    for (long i = 1; i <= jobs; i++)
        if (!answered[i] && (answered[i - 1] || answered[i + 1]))
            fprintf(stderr, "%c%ld", answered[i - 1] ? ' ' : '-', i);
    fprintf(stderr, "; to collect: the same with -i %s\n", id);
}

/* ---------- The run ---------- */

int main(int argc, char *argv[]) {
    const char *where = "127.0.0.1";
    long seconds = 600;
    check_output();
    snprintf(fresh, sizeof fresh, "%lx-%lx", (long)time(NULL), (long)getpid());
    for (int option; (option = getopt(argc, argv, "+r:t:i:h")) != -1;)
        switch (option) {
        case 'r': where = optarg; break;
        case 't': seconds = number(option, optarg, 1000000); break;
        case 'i': id = optarg; break;
        case 'h':
            return puts("usage: client [-r host[:port] or socket] [-t seconds] "
                        "[-i ID] TASK {ARGUMENT... | -}") == EOF;
        default: return 2;
        }
    if (argc - optind < 2)
        errx(2, "a task and at least one argument are needed, see -h");
    if (*id == '\0' || strlen(id) > MAX_ID || id[strspn(id, id_bytes)] != '\0')
        errx(2, "-i %s: letters, digits, - and _, at most %d", id, MAX_ID);
    const char *name = argv[optind++];
    if (argc - optind == 1 && strcmp(argv[optind], "-") == 0)
        read_arguments();
    else
        for (; optind < argc; optind++)
            add_argument(argv[optind], strlen(argv[optind]));
    signal(SIGPIPE, SIG_IGN); /* a broken connection is told like the rest */
    redisContext *redis = dial(where);
    open_jobs = jobs;
    answered[0] = answered[jobs + 1] = true;
    atexit(tell_open);
    send_jobs(redis, name);
    collect(redis, seconds);
    redisFree(redis);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return open_jobs + failed_jobs == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
