/*
 * job.c - a job of the queue: read it, run it, report it: see job.h
 */
#include "job.h"
#include "tasks.h"

#include <err.h>
#include <stdio.h>
#include <string.h>

/* Entries that may be done and not removed, of a worker; and for how long it
 * need not look. */
enum { FEW_UNCUT = 100, MOST_UNCUT = 1000, LOOK_MS = 1000 };

/* The field's text; NULL if it is missing, too long, or holds a NUL. */
static const char *field(
    const redisReply *fields, const char *name, size_t most) {
    for (size_t i = 0; i + 1 < fields->elements; i += 2) {
        const redisReply *value = fields->element[i + 1];
        if (strcmp(fields->element[i]->str, name) == 0)
            return value->len <= most && strlen(value->str) == value->len
                       ? value->str
                       : NULL;
    }
    return NULL;
}

/* Reads an entry of the stream. Returns why it cannot be run, or NULL. */
static const char *read_job(struct job *job, const redisReply *entry) {
    const redisReply *fields = entry->element[1];
    job->entry = entry->element[0]->str;
    job->number = NULL;
    job->id = field(fields, "id", MOST_BATCH + 12);
    job->task = field(fields, "task", MOST_TASK);
    job->argument = field(fields, "argument", MOST_ARGUMENT);
    const char *dot = job->id == NULL ? NULL : strrchr(job->id, '.');
    if (dot == NULL || !is_batch(job->id, (size_t)(dot - job->id)) ||
        dot[1] == '\0' || dot[1 + strspn(dot + 1, "0123456789")] != '\0')
        return "malformed entry: no id";
    job->number = dot + 1;
    if (job->task == NULL || job->argument == NULL)
        return "malformed entry: no task, or no argument";
    if (task_named(job->task) == NULL)
        return "no task of that name";
    return job->tries > MOST_TRIES ? "its worker died in each of 3 tries"
                                   : NULL;
}

void job_accept(struct job *job, const redisReply *entry, long tries) {
    job->tries = tries;
    const char *why = read_job(job, entry);
    job->outcome = why == NULL ? DONE : DEAD; /* unless it fails */
    if (why != NULL)
        snprintf(job->text, sizeof job->text, "failed: %s", why);
}

void job_run(struct job *job) {
    static const char ok[] = "ok: ";
    char *result = job->text + sizeof ok - 1, why[MOST_RESULT];
    if (job->outcome == DEAD)
        return;
    memcpy(job->text, ok, sizeof ok);
    bool done = task_named(job->task)(job->argument, result, MOST_RESULT);
    for (char *c = result; (c = strchr(c, '\n')) != NULL;)
        *c = ' '; /* a result is one line */
    if (done)
        return;
    warnx("job %s: try %ld of %d failed: %s", job->id, job->tries, MOST_TRIES,
        result);
    job->outcome = job->tries < MOST_TRIES ? FAILED : DEAD;
    snprintf(why, sizeof why, "%s", result);
    snprintf(
        job->text, sizeof job->text, "failed: %s (%d tries)", why, MOST_TRIES);
}

/* ---------- What is sent to Redis ---------- */

/* Removes what is done. If there are no others, the n entries in ARGV, if they
 * are few. Else an entry goes when all older ones are done too: to cut off the
 * stream's tail costs less than to take out one by one; of a long stream only
 * `now` and then, and in whole nodes. Returns how many went; -1: the stream is
 * long, and nothing was done; -2: something is left, look again. */
#define CUT                                                              \
    "local length = call('XLEN', jobs)\n"                                \
    "if length == n and n < 8 then\n"                                    \
    "  return call('XDEL', jobs, unpack(ARGV, 1, n))\n"                  \
    "end\n"                                                              \
    "if length > 1000 and now == 'look' then return -1 end\n"            \
    "local open = call('XPENDING', jobs, 'workers')[2]\n"                \
    "if length > 1000 and now ~= 'tidy' then\n"                          \
    "  local cut = call('XTRIM', jobs, 'MINID', '~', open or ARGV[n])\n" \
    "  return cut > 0 and cut or -2\n"                                   \
    "end\n"                                                              \
    "local groups = open and {} or call('XINFO', 'GROUPS', jobs)\n"      \
    "for _, group in ipairs(groups) do\n"                                \
    "  if group[2] == 'workers' then\n"                                  \
    "    open = group[8]:gsub('%d+$', function(n) return n + 1 end)\n"   \
    "  end\n"                                                            \
    "end\n"                                                              \
    "return call('XTRIM', jobs, 'MINID', open)\n"

/* Acknowledge, store, remove: n entries, their numbers and results in one batch
 * (two texts: to Lua each word costs), and how to remove: "look" whether to,
 * "now", "later", "tidy" (leave nothing), or "out", which takes these entries
 * out of the middle. Who acknowledges first stores; if others acknowledged a
 * part of them, only what has no result yet. */
static const char finish[] =
    "local call, jobs, results = redis.call, KEYS[1], KEYS[2]\n"
    "local n, now = #ARGV - 3, ARGV[#ARGV]\n"
    "local count = call('XACK', jobs, 'workers', unpack(ARGV, 1, n))\n"
    "if count == n then\n"
    "  call('XADD', results, '*', ARGV[n + 1], ARGV[n + 2])\n"
    "elseif count > 0 then\n"
    "  local has, numbers, texts = {}, {}, {}\n"
    "  for _, e in ipairs(call('XRANGE', results, '-', '+')) do\n"
    "    for number in e[2][1]:gmatch('%d+') do has[number] = true end\n"
    "  end\n"
    "  local text = ARGV[n + 2]:gmatch('[^\\n]+')\n"
    "  for number in ARGV[n + 1]:gmatch('%d+') do\n"
    "    local text = text()\n"
    "    if not has[number] then\n"
    "      table.insert(numbers, number)\n"
    "      table.insert(texts, text)\n"
    "    end\n"
    "  end\n"
    "  if #numbers > 0 then\n"
    "    call('XADD', results, '*', table.concat(numbers, ' '),\n"
    "      table.concat(texts, '\\n'))\n"
    "  end\n"
    "end\n"
    "if now == 'later' then return end\n"
    "call('EXPIRE', results, 86400)\n"
    "if count < n then n, now = -1, 'tidy' end\n" /* some never handed out? */
    "if now == 'out' then\n"
    "  call('XDEL', jobs, unpack(ARGV, 1, n))\n"
    "end\n" CUT;

/* Acknowledge, move to the dead letters, store, remove. */
static const char bury[] =
    "local call, jobs, n, now = redis.call, KEYS[1], 1, 'now'\n"
    "if call('XACK', jobs, 'workers', ARGV[1]) == 0 then return end\n"
    "call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', 'entry', ARGV[1],\n"
    "  'reason', ARGV[3], 'id', ARGV[4], 'task', ARGV[5],\n"
    "  'argument', ARGV[6])\n"
    "if KEYS[3] ~= '' then\n"
    "  call('XADD', KEYS[3], '*', ARGV[2], ARGV[3])\n"
    "  call('EXPIRE', KEYS[3], 86400)\n"
    "end\n" CUT;

static const char *text_of(const char *field) {
    return field == NULL ? "" : field;
}

/* For a worker with nothing to do: whatever was left for later, by anybody. */
static const char tidy[] =
    "local call, jobs, n, now = redis.call, KEYS[1], -1, 'tidy'\n" CUT;

static char finish_sha[41]; /* the name Redis gave to the script */

/* Of the stream, as far as this worker knows. */
static struct {
    size_t uncut;              /* jobs reported since entries were removed */
    bool is_long;              /* it was when somebody looked */
    bool unlooked;             /* something was left for later */
    long look_ms;              /* when to look, and set the expiry, again */
    char key[MOST_BATCH + 10]; /* of the results whose expiry was set */
} state;

/* An idle consumer is a worker that has gone. */
static const char sweep[] =
    "for _, one in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1],\n"
    "    'workers')) do\n"
    "  if one[4] == 0 and one[6] > tonumber(ARGV[1]) then\n"
    "    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], 'workers', one[2])\n"
    "  end\n"
    "end\n";

bool jobs_reported(struct link *link, int answers) {
    for (redisReply *reply; answers > 0; answers--) {
        if ((reply = link_reply(link)) == NULL)
            return false;
        if (reply->type == REDIS_REPLY_INTEGER) {
            state.is_long = reply->integer == -1;
            state.unlooked = reply->integer != 0; /* or not all at once */
            if (reply->integer > 0)
                state.uncut = 0;
        }
        freeReplyObject(reply);
    }
    return true;
}

bool jobs_prepare(struct link *link, long lease_ms) {
    redisReply *made =
        redisCommand(link->context, "XGROUP CREATE jobs workers 0 MKSTREAM");
    bool ok = made != NULL && (made->type != REDIS_REPLY_ERROR ||
                                  strncmp(made->str, "BUSYGROUP", 9) == 0);
    if (!ok)
        link_fail(link, made == NULL ? "no answer" : made->str);
    freeReplyObject(made);
    if (!ok)
        return false;
    state.is_long = false;
    state.unlooked = true; /* a worker that was killed may have left some */
    redisAppendCommand(link->context, "EVAL %s 1 jobs %ld", sweep, lease_ms);
    redisAppendCommand(link->context, "SCRIPT LOAD %s", finish);
    redisReply *sha = jobs_reported(link, 1) ? link_reply(link) : NULL;
    if (sha == NULL)
        return false;
    snprintf(finish_sha, sizeof finish_sha, "%s", sha->str);
    freeReplyObject(sha);
    return true;
}

static size_t batch_size(const struct job *job) {
    return (size_t)(job->number - 1 - job->id);
}

/* The key of the results; empty: nobody to tell. */
static const char *key_of(const struct job *job, char *key, size_t size) {
    key[0] = '\0';
    if (job->number != NULL)
        snprintf(key, size, "results:%.*s", (int)batch_size(job), job->id);
    return key;
}

/* How to remove entries with this report, of n jobs. Of a long stream most
 * reports leave it to a later one, and the expiry too. */
static const char *removal(const char *key, size_t n, bool last) {
    long now = now_ms();
    bool may_wait = !last && state.is_long && now < state.look_ms &&
                    strcmp(key, state.key) == 0;
    state.uncut += n; /* too many only if an older job lasts long */
    if (may_wait && state.uncut < FEW_UNCUT) {
        state.unlooked = true;
        return "later";
    }
    state.look_ms = now + LOOK_MS;
    snprintf(state.key, sizeof state.key, "%s", key);
    if (last)
        return "tidy";
    if (state.uncut > MOST_UNCUT + 16 * n) /* others work on blocks as well */
        return "out";
    return state.uncut < FEW_UNCUT ? "look" : "now";
}

/* Reports what is done of the first job's batch, and marks it as sent. */
static void report_batch(struct link *link, const struct job *jobs,
    size_t count, bool *sent, bool last) {
    static char numbers[MOST_BLOCK * (MOST_BATCH + 13)];
    static char texts[MOST_BLOCK * (sizeof jobs->text + 1)];
    const char *args[8 + MOST_BLOCK] = {"EVALSHA", finish_sha, "2", "jobs"};
    char key[MOST_BATCH + 10], *number = numbers, *text = texts;
    size_t size = batch_size(jobs), n = 0;
    for (size_t i = 0; i < count; i++)
        if (jobs[i].outcome == DONE && batch_size(&jobs[i]) == size &&
            memcmp(jobs[i].id, jobs->id, size) == 0) {
            sent[i] = true;
            args[5 + n] = jobs[i].entry;
            number = stpcpy(stpcpy(number, n == 0 ? "" : " "), jobs[i].number);
            text = stpcpy(stpcpy(text, n == 0 ? "" : "\n"), jobs[i].text);
            n++;
        }
    args[4] = key_of(jobs, key, sizeof key);
    args[5 + n] = numbers;
    args[6 + n] = texts;
    args[7 + n] = removal(key, n, last);
    redisAppendCommandArgv(link->context, (int)(8 + n), args, NULL);
}

/* All that is done of a batch is one command; each other job is its own. */
int jobs_report(struct link *link, const struct job *jobs, size_t count,
    const char *me, long idle_ms, bool last) {
    bool sent[MOST_BLOCK] = {false};
    char key[MOST_BATCH + 10];
    int answers = 0;
    if (count == 0 && last && state.unlooked) {
        redisAppendCommand(link->context, "EVAL %s 1 jobs", tidy);
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        const struct job *job = &jobs[i];
        if (sent[i])
            continue;
        answers++;
        if (job->outcome == DONE)
            report_batch(link, job, count - i, sent + i, last);
        else if (job->outcome == FAILED)
            redisAppendCommand(link->context,
                "XCLAIM jobs workers %s 0 %s IDLE %ld JUSTID", me, job->entry,
                idle_ms);
        else
            redisAppendCommand(link->context,
                "EVAL %s 3 jobs jobs:dead %s %s %s %s %s %s %s", bury,
                key_of(job, key, sizeof key), job->entry, text_of(job->number),
                job->text, text_of(job->id), text_of(job->task),
                text_of(job->argument));
    }
    return answers;
}
