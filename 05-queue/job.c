/*
 * job.c - jobs of the queue: read them, run them, report them: see job.h
 */
#include "job.h"
#include "tasks.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TEXT = MOST_RESULT + 40 };

/* A line of three parts, which the caller frees. */
static char *line(const char *begin, const char *middle, const char *end) {
    char text[MOST_TEXT];
    snprintf(text, sizeof text, "%s%s%s", begin, middle, end);
    char *copy = strdup(text);
    if (copy == NULL)
        err(EXIT_FAILURE, "strdup");
    for (char *c = copy; (c = strchr(c, '\n')) != NULL;)
        *c = ' '; /* it is stored as a line */
    return copy;
}

/* ---------- Reading ---------- */

/* The number after the text's last dot, and the size of what is before it;
 * 0: there is none. */
static long read_id(const char *id, size_t *batch) {
    const char *dot = id == NULL ? NULL : strrchr(id, '.');
    if (dot == NULL || !is_batch(id, (size_t)(dot - id)) || dot[1] == '\0' ||
        dot[1 + strspn(dot + 1, "0123456789")] != '\0')
        return 0;
    long first = strtol(dot + 1, NULL, 10);
    *batch = (size_t)(dot - id);
    return first <= MOST_JOBS ? first : 0;
}

/* Returns what is wrong, or NULL. */
static const char *read_fields(struct entry *entry, const redisReply *fields) {
    bool fits = true;
    for (size_t i = 0; i + 1 < fields->elements; i += 2) {
        const char *name = fields->element[i]->str;
        const redisReply *value = fields->element[i + 1];
        bool whole = strlen(value->str) == value->len; /* holds no NUL */
        if (strcmp(name, "id") == 0 && whole && value->len < MOST_BATCH + 12)
            entry->id = value->str;
        else if (strcmp(name, "task") == 0 && whole && value->len <= MOST_TASK)
            entry->task = value->str;
        else if (strcmp(name, "argument") == 0 && whole &&
                 value->len <= MOST_ARGUMENT && entry->count < MOST_BUNDLE)
            entry->jobs[entry->count++].argument = value->str;
        else if (strcmp(name, "tried") == 0 && strcmp(value->str, "1") == 0)
            entry->tries++;
        else if (strcmp(name, "argument") == 0 || strcmp(name, "tried") == 0)
            fits = false;
    }
    entry->first = read_id(entry->id, &entry->batch);
    if (entry->first == 0)
        return "malformed entry: no id";
    if (entry->task == NULL || entry->count == 0 || !fits)
        return "malformed entry: no task, or no argument";
    return NULL;
}

void entry_accept(struct entry *entry, const redisReply *reply, long times) {
    *entry = (struct entry){.place = reply->element[0]->str, .tries = times};
    const char *why = read_fields(entry, reply->element[1]);
    if (why == NULL && entry->count == 1 && task_named(entry->task) == NULL)
        why = "no task of that name";
    else if (why == NULL && entry->count == 1 && entry->tries > MOST_TRIES)
        why = "its worker died in each of 3 tries";
    entry->dead = why != NULL;
    entry->count += entry->count == 0; /* somebody may wait for an answer */
    if (entry->dead)
        for (size_t i = 0; i < entry->count; i++)
            entry->jobs[i].text = line("failed: ", why, "");
}

void entry_forget(struct entry *entry) {
    for (size_t i = 0; i < entry->count; i++)
        free(entry->jobs[i].text);
    entry->count = 0;
}

/* ---------- Running ---------- */

void entry_run(struct entry *entry) {
    char result[MOST_RESULT];
    task *run = entry->dead ? NULL : task_named(entry->task);
    /* What may not be run in a bundle is left alone, to be split. */
    if (run == NULL || (entry->count > 1 && entry->tries > 1))
        return;
    for (size_t i = 0; i < entry->count; i++) {
        struct job *job = &entry->jobs[i];
        job->done = run(job->argument, result, MOST_RESULT);
        if (job->done) {
            job->text = line("ok: ", result, "");
            continue;
        }
        warnx("job %.*s.%ld: try %ld of %d failed: %s", (int)entry->batch,
            entry->id, entry->first + (long)i, entry->tries, MOST_TRIES,
            result);
        job->text = line("failed: ", result, " (3 tries)");
        entry->dead = entry->count == 1 && entry->tries == MOST_TRIES;
    }
}

/* ---------- What is sent to Redis ---------- */

/* Three scripts. First comes what can fail, so that an entry is acknowledged
 * only when all is stored. If somebody else has acknowledged it, he has stored
 * what became of it: what was stored now is taken out again. */

/* ARGV: n entries, oldest first; then for each the numbers of its jobs and
 * their results. If only `count` were still to be acknowledged, others have
 * removed theirs, and (as Redis may have come back from an older state) the
 * newest may not have been handed out. */
static const char finish[] =
    "local call, jobs, results = redis.call, KEYS[1], KEYS[2]\n"
    "local n = #ARGV / 3\n"
    "local stored = call('XADD', results, '*', unpack(ARGV, n + 1))\n"
    "local count = call('XACK', jobs, 'workers', unpack(ARGV, 1, n))\n"
    "if count == n then\n"
    "  call('XDEL', jobs, unpack(ARGV, 1, n))\n"
    "else\n"
    "  call('XDEL', results, stored)\n"
    "  for i = 1, n do\n"
    "    if count > 0 and call('XDEL', jobs, ARGV[i]) == 1 then\n"
    "      count = count - 1\n"
    "      call('XADD', results, '*', unpack(ARGV, n + 2 * i - 1, n + 2 * i))\n"
    "    end\n"
    "  end\n"
    "end\n"
    "if call('TTL', results) < 86400 then call('EXPIRE', results, 90000) end\n";

/* For one entry, ARGV[1]: what to store, and the end. */
#define BEGIN                                                      \
    "local call, jobs, results = redis.call, KEYS[1], KEYS[2]\n"   \
    "local stored = {}\n"                                          \
    "local function store(key, ...)\n"                             \
    "  stored[#stored + 1] = {key, call('XADD', key, '*', ...)}\n" \
    "  if key == results then call('EXPIRE', key, 90000) end\n"    \
    "end\n"
#define END                                                             \
    "if call('XACK', jobs, 'workers', ARGV[1]) == 1 then\n"             \
    "  call('XDEL', jobs, ARGV[1])\n"                                   \
    "else\n"                                                            \
    "  for _, one in ipairs(stored) do call('XDEL', unpack(one)) end\n" \
    "end\n"

/* Further: the batch, the number of the first job, the task; and for each job
 * its argument, and its result or nothing. What has none becomes an entry of
 * its own, that counts as tried once, whether it was run or not. */
static const char split[] =
    BEGIN "local done, left = {}, {}\n"
          "for i = 5, #ARGV, 2 do\n"
          "  local number, text = ARGV[3] + (i - 5) / 2, ARGV[i + 1]\n"
          "  local to = text == '' and left or done\n"
          "  to[#to + 1] = number\n"
          "  to[#to + 1] = text == '' and ARGV[i] or text\n"
          "end\n"
          "if #done > 0 then store(results, unpack(done)) end\n"
          "for i = 1, #left, 2 do\n"
          "  store(jobs, 'id', ARGV[2] .. '.' .. left[i], 'task', ARGV[4],\n"
          "    'tried', 1, 'argument', left[i + 1])\n"
          "end\n" END;

/* Further: id, task, argument, the reason; the numbers of its jobs (none, if
 * nobody waits for them), and their results. KEYS[3]: the dead letters. */
static const char bury[] =
    BEGIN "call('XTRIM', KEYS[3], 'MAXLEN', '~', 10000)\n"
          "if ARGV[6] ~= '' then store(results, ARGV[6], ARGV[7]) end\n"
          "store(KEYS[3], 'entry', ARGV[1], 'id', ARGV[2], 'task', ARGV[3],\n"
          "  'argument', ARGV[4], 'reason', ARGV[5])\n" END;

static char finish_sha[41]; /* the name Redis gave to the script */

/* An idle consumer is a worker that has gone. */
static const char sweep[] =
    "for _, one in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1],\n"
    "    'workers')) do\n"
    "  if one[4] == 0 and one[6] > tonumber(ARGV[1]) then\n"
    "    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], 'workers', one[2])\n"
    "  end\n"
    "end\n";

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
    redisReply *sha = link_answers(link, 1) ? link_reply(link) : NULL;
    if (sha == NULL)
        return false;
    snprintf(finish_sha, sizeof finish_sha, "%s", sha->str);
    freeReplyObject(sha);
    return true;
}

/* The key of the results. */
static const char *key_of(const struct entry *entry) {
    static char key[MOST_BATCH + 10];
    snprintf(key, sizeof key, "results:%.*s", (int)entry->batch, entry->id);
    return key;
}

enum { MOST_NUMBERS = 48 };

/* The numbers of the entry's jobs: "7" or "7-9". */
static const char *numbers_of(const struct entry *entry, char *to) {
    int size = snprintf(to, MOST_NUMBERS, "%ld", entry->first);
    if (entry->count > 1)
        snprintf(to + size, MOST_NUMBERS - (size_t)size, "-%ld",
            entry->first + (long)entry->count - 1);
    return to;
}

/* The results of all jobs of the entry, a line each. Returns the end. */
static char *join(const struct entry *entry, char *to) {
    for (size_t i = 0; i < entry->count; i++)
        to = stpcpy(stpcpy(to, i == 0 ? "" : "\n"), entry->jobs[i].text);
    return to + 1;
}

static bool all_done(const struct entry *entry) {
    bool all = true;
    for (size_t i = 0; i < entry->count; i++)
        all = all && entry->jobs[i].done;
    return all;
}

/* Reports what is done of the first entry's batch, and marks it as sent. */
static void report_done(
    struct link *link, const struct entry *entries, size_t count, bool *sent) {
    static char texts[MOST_ENTRIES * MOST_BUNDLE * MOST_TEXT];
    char numbers[MOST_ENTRIES][MOST_NUMBERS];
    const char *args[5 + 3 * MOST_ENTRIES] = {
        "EVALSHA", finish_sha, "2", "jobs", key_of(entries)};
    size_t same[MOST_ENTRIES], n = 0;
    char *text = texts;
    for (size_t i = 0; i < count; i++)
        if (entries[i].batch == entries->batch && all_done(&entries[i]) &&
            memcmp(entries[i].id, entries->id, entries->batch) == 0)
            same[n++] = i;
    for (size_t i = 0; i < n; i++) {
        const struct entry *entry = &entries[same[i]];
        sent[same[i]] = true;
        args[5 + i] = entry->place;
        args[5 + n + 2 * i] = numbers_of(entry, numbers[i]);
        args[6 + n + 2 * i] = text;
        text = join(entry, text);
    }
    redisAppendCommandArgv(link->context, (int)(5 + 3 * n), args, NULL);
}

/* A bundle of which not all is done. */
static void report_split(struct link *link, const struct entry *entry) {
    char batch[MOST_BATCH + 1], first[24];
    const char *args[9 + 2 * MOST_BUNDLE] = {"EVAL", split, "2", "jobs",
        key_of(entry), entry->place, batch, first, entry->task};
    int count = 9;
    snprintf(batch, sizeof batch, "%.*s", (int)entry->batch, entry->id);
    snprintf(first, sizeof first, "%ld", entry->first);
    for (size_t i = 0; i < entry->count; i++) {
        args[count++] = entry->jobs[i].argument;
        args[count++] = entry->jobs[i].done ? entry->jobs[i].text : "";
    }
    redisAppendCommandArgv(link->context, count, args, NULL);
}

static const char *text_of(const char *field) {
    return field == NULL ? "" : field;
}

static void report_dead(struct link *link, const struct entry *entry) {
    char texts[MOST_BUNDLE * MOST_TEXT], numbers[MOST_NUMBERS];
    bool told = entry->first > 0;
    join(entry, texts);
    redisAppendCommand(link->context,
        "EVAL %s 3 jobs %s jobs:dead %s %s %s %s %s %s %s", bury,
        told ? key_of(entry) : "", entry->place, text_of(entry->id),
        text_of(entry->task), text_of(entry->jobs[0].argument),
        entry->jobs[0].text, told ? numbers_of(entry, numbers) : "", texts);
}

/* All that is done of a batch is one command; each other entry is its own. */
int jobs_report(struct link *link, const struct entry *entries, size_t count,
    const char *me, long idle_ms) {
    bool sent[MOST_ENTRIES] = {false};
    int answers = 0;
    for (size_t i = 0; i < count; i++) {
        const struct entry *entry = &entries[i];
        if (sent[i])
            continue;
        answers++;
        if (entry->dead)
            report_dead(link, entry);
        else if (all_done(entry))
            report_done(link, entry, count - i, sent + i);
        else if (entry->count > 1)
            report_split(link, entry);
        else
            redisAppendCommand(link->context,
                "XCLAIM jobs workers %s 0 %s IDLE %ld JUSTID", me, entry->place,
                idle_ms);
    }
    return answers;
}
