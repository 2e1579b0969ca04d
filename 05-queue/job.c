/*
 * job.c - a job of the queue: read it, run it, report it: see job.h
 */
#include "job.h"
#include "tasks.h"

#include <err.h>
#include <stdio.h>
#include <string.h>

/* The field's text; NULL if it is missing, too long, or holds a NUL. */
static char *field(const redisReply *fields, const char *name, size_t most) {
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
    snprintf(job->entry, sizeof job->entry, "%s", entry->element[0]->str);
    job->key[0] = '\0';
    job->number = NULL;
    job->id = field(fields, "id", MOST_BATCH + 12);
    job->task = field(fields, "task", MOST_TASK);
    job->argument = field(fields, "argument", MOST_ARGUMENT);
    char *dot = job->id == NULL ? NULL : strrchr(job->id, '.');
    if (dot == NULL || !is_batch(job->id, (size_t)(dot - job->id)) ||
        dot[1] == '\0' || dot[1 + strspn(dot + 1, "0123456789")] != '\0')
        return "malformed entry: no id";
    snprintf(job->key, sizeof job->key, "results:%.*s", (int)(dot - job->id),
        job->id);
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
    char text[MOST_RESULT];
    text[0] = '\0';
    if (job->outcome == DEAD)
        return;
    if (task_named(job->task)(job->argument, text, sizeof text)) {
        snprintf(job->text, sizeof job->text, "ok: %s", text);
        return;
    }
    warnx("job %s: try %ld of %d failed: %s", job->id, job->tries, MOST_TRIES,
        text);
    job->outcome = job->tries < MOST_TRIES ? FAILED : DEAD;
    snprintf(
        job->text, sizeof job->text, "failed: %s (%d tries)", text, MOST_TRIES);
}

/* ---------- What is sent to Redis ---------- */

/* Acknowledge, store, remove. Who acknowledges first stores; of a block that
 * others acknowledged in part, only what has no result yet. Where all older
 * entries are done too, cutting the stream's tail costs less than deleting. */
static const char finish[] =
    "if #ARGV == 4 then\n"
    "  if redis.call('XACK', KEYS[1], 'workers', ARGV[1]) == 0 then\n"
    "    return\n"
    "  end\n"
    "  redis.call('XADD', ARGV[2], '*', ARGV[3], ARGV[4])\n"
    "  redis.call('EXPIRE', ARGV[2], 86400)\n"
    "  redis.call('XDEL', KEYS[1], ARGV[1])\n"
    "  return\n"
    "end\n"
    "local adds, ids, numbers = {}, {}, {}\n"
    "for i = 1, #ARGV, 4 do\n"
    "  ids[#ids + 1] = ARGV[i]\n"
    "end\n"
    "local mine = redis.call('XACK', KEYS[1], 'workers', unpack(ids))\n"
    "if mine == 0 then return end\n"
    "for i = 1, #ARGV, 4 do\n"
    "  local key = ARGV[i + 1]\n"
    "  if not adds[key] then\n"
    "    adds[key], numbers[key] = {'XADD', key, '*'}, {}\n"
    "    if mine < #ids then\n"
    "      for _, e in ipairs(redis.call('XRANGE', key, '-', '+')) do\n"
    "        for f = 1, #e[2], 2 do numbers[key][e[2][f]] = true end\n"
    "      end\n"
    "    end\n"
    "  end\n"
    "  if not numbers[key][ARGV[i + 2]] then\n"
    "    local add = adds[key]\n"
    "    add[#add + 1] = ARGV[i + 2]\n"
    "    add[#add + 1] = ARGV[i + 3]\n"
    "  end\n"
    "end\n"
    "for key, add in pairs(adds) do\n"
    "  if #add > 3 then redis.call(unpack(add)) end\n"
    "  redis.call('EXPIRE', key, 86400)\n"
    "end\n"
    "if redis.call('XPENDING', KEYS[1], 'workers')[1] == 0 then\n"
    "  redis.call('XTRIM', KEYS[1], 'MINID', ids[#ids])\n"
    "  ids = {ids[#ids]}\n"
    "end\n"
    "redis.call('XDEL', KEYS[1], unpack(ids))\n";

/* Acknowledge, move to the dead letters, store, remove. */
static const char bury[] =
    "if redis.call('XACK', KEYS[1], 'workers', ARGV[1]) == 0 then return end\n"
    "redis.call('XDEL', KEYS[1], ARGV[1])\n"
    "redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', 'entry', ARGV[1],\n"
    "  'reason', ARGV[4], 'id', ARGV[5], 'task', ARGV[6],\n"
    "  'argument', ARGV[7])\n"
    "if ARGV[2] ~= '' then\n"
    "  redis.call('XADD', ARGV[2], '*', ARGV[3], ARGV[4])\n"
    "  redis.call('EXPIRE', ARGV[2], 86400)\n"
    "end\n";

static const char *text_of(const char *field) {
    return field == NULL ? "" : field;
}

static char finish_sha[41]; /* the name Redis gave to the script */

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
    redisAppendCommand(link->context, "EVAL %s 1 jobs %ld", sweep, lease_ms);
    redisAppendCommand(link->context, "SCRIPT LOAD %s", finish);
    redisReply *sha = jobs_reported(link, 1) ? link_reply(link) : NULL;
    if (sha == NULL)
        return false;
    snprintf(finish_sha, sizeof finish_sha, "%s", sha->str);
    freeReplyObject(sha);
    return true;
}

/* All that is done is one command; each other job is one of its own. */
int jobs_report(struct link *link, const struct job *jobs, size_t count,
    const char *me, long idle_ms) {
    const char *args[4 + 4 * MOST_BLOCK] = {"EVALSHA", finish_sha, "1", "jobs"};
    int used = 4, answers = 0;
    for (const struct job *job = jobs; job < jobs + count; job++) {
        if (job->outcome == DONE) {
            args[used++] = job->entry;
            args[used++] = job->key;
            args[used++] = job->number;
            args[used++] = job->text;
            continue;
        }
        answers++;
        if (job->outcome == FAILED)
            redisAppendCommand(link->context,
                "XCLAIM jobs workers %s 0 %s IDLE %ld JUSTID", me, job->entry,
                idle_ms);
        else
            redisAppendCommand(link->context,
                "EVAL %s 2 jobs jobs:dead %s %s %s %s %s %s %s", bury,
                job->entry, job->key, text_of(job->number), job->text,
                text_of(job->id), text_of(job->task), text_of(job->argument));
    }
    if (used > 4)
        redisAppendCommandArgv(link->context, used, args, NULL);
    return answers + (used > 4);
}
