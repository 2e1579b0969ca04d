/*
 * client - puts jobs into the queue in Redis and waits for their results
 * One job an argument; with "-" one a line of standard input. The work itself
 * is done by whoever runs a worker. Notice that the client may ask again, with
 * -i and the same words, for what it has asked before: what is done is not
 * done again, and what is open is waited for.
 * Build: cc -O2 -o client client.c link.c -lhiredis
 * Usage: ./client [-r URL] [-t s] [-i ID] [-b bundle] TASK ARGUMENT... | TASK -
 */
#include "link.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum {
    CHUNK = 256,
    ASKED_S = 7 * KEEP_S, /* longer than any job waits */
    WAIT_MS = 1000,
    PATIENCE_MS = 5000,
    SPARE_MS = 500
};

static char batch[MOST_BATCH + 1];
static const char *task;
static char **arguments;
static bool *answered;
static long bundle = 1, jobs, open_jobs, failed_jobs, deadline_ms;

/* ---------- What is asked ---------- */

static void add_argument(char *argument, size_t size) {
    static size_t room;
    if (size > MOST_ARGUMENT || strlen(argument) != size)
        errx(2, "job %ld: an argument has at most %d bytes, and no NUL",
            jobs + 1, MOST_ARGUMENT);
    if (jobs == MOST_JOBS)
        errx(2, "at most %d jobs at once", MOST_JOBS);
    if ((size_t)jobs == room) {
        room = room == 0 ? CHUNK : room * 2;
        arguments = realloc(arguments, room * sizeof *arguments);
        if (arguments == NULL)
            err(EXIT_FAILURE, "realloc");
    }
    arguments[jobs++] = argument;
}

static void read_arguments(void) {
    char *line = NULL;
    size_t room = 0;
    for (ssize_t size; (size = getline(&line, &room, stdin)) != -1;) {
        if (size > 0 && line[size - 1] == '\n')
            line[--size] = '\0';
        char *copy = size > MOST_ARGUMENT ? line : strdup(line);
        if (copy == NULL)
            err(EXIT_FAILURE, "strdup");
        add_argument(copy, (size_t)size);
    }
    if (ferror(stdin))
        err(EXIT_FAILURE, "standard input");
    free(line);
}

static void choose_batch(const char *wanted) {
    uint64_t random;
    if (wanted == NULL) {
        if (getrandom(&random, sizeof random, 0) != sizeof random)
            err(EXIT_FAILURE, "getrandom");
        snprintf(batch, sizeof batch, "%016jx", (uintmax_t)random);
    } else if (is_batch(wanted, strlen(wanted))) {
        snprintf(batch, sizeof batch, "%s", wanted);
    } else {
        errx(2, "-i %s: not 1 to %d letters, digits, '-' or '_'", wanted,
            MOST_BATCH);
    }
}

/* ---------- What is sent to Redis ---------- */

/* How many jobs of the batch are in the queue? Redis knows, whatever became of
 * an earlier answer. Redis also watches that nobody changes it meanwhile. */
static void send_question(struct link *link) {
    redisAppendCommand(link->context, "WATCH asked:%s", batch);
    redisAppendCommand(link->context, "XLEN jobs"); /* a stream, or nothing */
    redisAppendCommand(link->context, "GET asked:%s", batch);
}

/* Adds jobs from `first` on, in bundles, and notes it, both or (if another
 * client was quicker) neither. Returns how many answers will come. */
static int send_chunk(struct link *link, long first) {
    char id[MOST_BATCH + 24];
    long last = jobs - first > CHUNK ? first + CHUNK : jobs, entries = 0;
    const char *args[7 + 2 * MOST_BUNDLE] = {
        "XADD", "jobs", "*", "id", id, "task", task};
    redisAppendCommand(link->context, "MULTI");
    redisAppendCommand(
        link->context, "SET asked:%s %ld EX %d", batch, last, ASKED_S);
    for (long i = first; i < last; entries++) {
        int count = 7;
        snprintf(id, sizeof id, "%s.%ld", batch, i + 1);
        for (long end = i + bundle; i < end && i < last; i++) {
            args[count++] = "argument";
            args[count++] = arguments[i];
        }
        redisAppendCommandArgv(link->context, count, args, NULL);
    }
    redisAppendCommand(link->context, "EXEC");
    return (int)entries + 3;
}

/* The next results after the entry `last`, as soon as there are any. */
static void send_wait(struct link *link, const char *last, long ms) {
    redisAppendCommand(link->context,
        "XREAD COUNT 1000 BLOCK %ld STREAMS results:%s %s",
        ms < WAIT_MS ? ms : WAIT_MS, batch, last);
}

/* ---------- What comes back ---------- */

static void take_result(long job, const char *text) {
    if (job < 1 || job > jobs || answered[job - 1])
        return;
    answered[job - 1] = true;
    open_jobs--;
    failed_jobs += strncmp(text, "ok:", 3) != 0;
    printf("job %s.%ld, %s: %s\n", batch, job, arguments[job - 1], text);
}

/* The numbers of jobs, from - to, and a line of text for each. */
static void take_entry(const char *numbers, char *texts) {
    long job = atol(numbers);
    for (char *text; (text = strsep(&texts, "\n")) != NULL; job++)
        take_result(job, text);
}

/* Takes the answer to send_wait(). */
static void take_results(const redisReply *reply, char *last, size_t size) {
    if (reply->type != REDIS_REPLY_ARRAY)
        return;
    const redisReply *entries = reply->element[0]->element[1];
    for (size_t i = 0; i < entries->elements; i++) {
        const redisReply *fields = entries->element[i]->element[1];
        snprintf(last, size, "%s", entries->element[i]->element[0]->str);
        for (size_t f = 0; f + 1 < fields->elements; f += 2)
            take_entry(fields->element[f]->str, fields->element[f + 1]->str);
    }
    fflush(stdout);
}

/* Reads the answers to what was added, then the number of jobs in the queue;
 * -1: trouble. */
static long take_count(struct link *link, int answers) {
    long count = -1;
    for (redisReply *reply; answers >= 0; answers--) {
        if ((reply = link_reply(link)) == NULL)
            return -1;
        if (answers == 0)
            count = reply->type == REDIS_REPLY_STRING ? atol(reply->str) : 0;
        freeReplyObject(reply);
    }
    return count;
}

/* Adds what is not added yet, a chunk at a time, and then waits for results.
 * After each break of the connection Redis is asked again what it has. */
static void collect(struct link *link) {
    char last[48] = "0-0";
    long added = -1, connection = 0;
    for (long left; open_jobs > 0 && (left = deadline_ms - now_ms()) > 0;) {
        if (!link_up(link, left))
            continue;
        if (connection != link->connections)
            added = -1;
        connection = link->connections;
        link_patience(
            link, (left < PATIENCE_MS ? left : PATIENCE_MS) + SPARE_MS);
        if (added < jobs) {
            int answers = added < 0 ? 0 : send_chunk(link, added);
            send_question(link);
            added = take_count(link, answers + 2);
            if (answers > 0 && added >= 0)
                link_well(link);
            continue;
        }
        send_wait(link, last, left);
        redisReply *reply = link_reply(link);
        if (reply == NULL)
            continue;
        link_well(link);
        take_results(reply, last, sizeof last);
        freeReplyObject(reply);
    }
}

/* Names the open jobs: "ID.2 ID.5-9". */
static void tell_open(void) {
    fprintf(stderr, "client: given up; still open:");
    for (long first = 0, after; first < jobs; first = after) {
        after = first + 1;
        if (answered[first])
            continue;
        while (after < jobs && !answered[after])
            after++;
        if (after == first + 1)
            fprintf(stderr, " %s.%ld", batch, after);
        else
            fprintf(stderr, " %s.%ld-%ld", batch, first + 1, after);
    }
    fprintf(stderr, "\nclient: to ask again: the same with -i %s\n", batch);
}

/* ---------- The run ---------- */

static const char usage[] =
    "usage: client [-r URL] [-t seconds] [-i ID] [-b bundle] "
    "TASK {ARGUMENT... | -}\n"
    "-b: so many short jobs go to a worker at once, 1 to 16; by default 1\n"
    "URL: redis://[user:password@]host[:port][/database], or a socket's path;\n"
    "by default $REDIS_URL, else redis://127.0.0.1:6379\n";

int main(int argc, char *argv[]) {
    static struct link link;
    const char *url = NULL, *wanted = NULL;
    long seconds = 600;
    for (int option; (option = getopt(argc, argv, "+r:t:i:b:h")) != -1;)
        switch (option) {
        case 'r': url = optarg; break;
        case 't': seconds = number(option, 1000000); break;
        case 'i': wanted = optarg; break;
        case 'b': bundle = number(option, MOST_BUNDLE); break;
        case 'h': return fputs(usage, stdout) == EOF || fflush(stdout) == EOF;
        default: return 2;
        }
    if (argc - optind < 2)
        errx(2, "a task and at least one argument are needed, see -h");
    task = argv[optind++];
    if (strlen(task) > MOST_TASK)
        errx(2, "the name of a task has at most %d bytes", MOST_TASK);
    link_init(&link, url);
    choose_batch(wanted);
    if (argc - optind == 1 && strcmp(argv[optind], "-") == 0)
        read_arguments();
    else
        for (; optind < argc; optind++)
            add_argument(argv[optind], strlen(argv[optind]));
    if ((answered = calloc((size_t)jobs + 1, sizeof *answered)) == NULL)
        err(EXIT_FAILURE, "calloc");
    signal(SIGPIPE, SIG_IGN); /* a broken connection is an error like others */
    deadline_ms = now_ms() + seconds * 1000;
    open_jobs = jobs;
    collect(&link);
    if (open_jobs > 0)
        tell_open();
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return open_jobs > 0 || failed_jobs > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
