/*
 * lanes.c - a recorded run as lanes: what was under way when, and how
 */
#define _GNU_SOURCE /* strverscmp */
#include "pictures/lanes.h"
#include "judge/events.h"
#include <err.h>
#include <libxml/chvalid.h>
#include <libxml/xmlstring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *allocate(size_t count, size_t size) {
    void *memory = calloc(count + 1, size);

    if (memory == NULL)
        err(EXIT_FAILURE, "calloc");
    return memory;
}

char *printable(const char *text, size_t length) {
    char *copy = allocate(length, 1), *to = copy;

    for (size_t i = 0; i < length;) {
        int bytes = (int)(length - i);
        int code = xmlGetUTF8Char((const xmlChar *)text + i, &bytes);
        if (code >= ' ' && (code < 0x7f || code > 0x9f) && xmlIsCharQ(code)) {
            memcpy(to, text + i, (size_t)bytes);
            to += bytes;
            i += (size_t)bytes;
        } else {
            *to++ = '?';
            i++;
        }
    }
    return copy;
}

/* ---------- Pieces ---------- */

/* A piece of events.h, with the places of its lines. */
struct found {
    size_t begin, end; /* end: the run's count if it was never ended */
    bool shared;       /* its thread has other lanes' pieces under way */
};

static const struct clocks *clocks_of(const struct recording *r, size_t line) {
    return line < r->run.count && r->clocks[line].tid != 0 ? &r->clocks[line]
                                                           : NULL;
}

static int64_t begin_ns(const struct recording *r, const struct found *piece) {
    return r->run.lines[piece->begin].at_ns;
}

/* Not before it began, though lines of two threads may come the other way
 * round. */
static int64_t finish_ns(const struct recording *r, const struct found *piece) {
    int64_t from = begin_ns(r, piece);
    int64_t to =
        piece->end < r->run.count ? r->run.lines[piece->end].at_ns : r->end_ns;

    return to > from ? to : from;
}

static const struct recording *sorted_run; /* what the comparisons look at */

static int by_thread(const void *a, const void *b) {
    const struct found *x = *(struct found *const *)a;
    const struct found *y = *(struct found *const *)b;
    pid_t p = sorted_run->clocks[x->begin].tid;
    pid_t q = sorted_run->clocks[y->begin].tid;
    int64_t s = begin_ns(sorted_run, x), t = begin_ns(sorted_run, y);

    if (p != q)
        return (p > q) - (p < q);
    return (s > t) - (s < t);
}

/* Marks every piece of a thread that began one before another was ended.
 * Returns these threads, sorted and with a 0 after the last; to be freed. */
static pid_t *mark_shared(
    const struct recording *r, struct found *pieces, size_t count) {
    pid_t *threads = allocate(count, sizeof *threads), *next = threads;
    struct found **sorted = allocate(count, sizeof *sorted);

    for (size_t i = 0; i < count; i++)
        sorted[i] = &pieces[i];
    sorted_run = r;
    qsort(sorted, count, sizeof *sorted, by_thread);
    for (size_t first = 0, i; first < count; first = i) {
        pid_t tid = r->clocks[sorted[first]->begin].tid;
        int64_t last = finish_ns(r, sorted[first]);
        bool shared = false;

        for (i = first + 1; i < count; i++) {
            if (r->clocks[sorted[i]->begin].tid != tid)
                break;
            shared = shared || begin_ns(r, sorted[i]) < last;
            if (finish_ns(r, sorted[i]) > last)
                last = finish_ns(r, sorted[i]);
        }
        if (!shared || tid == 0)
            continue;
        *next++ = tid;
        for (size_t j = first; j < i; j++)
            sorted[j]->shared = true;
    }
    free(sorted);
    return threads;
}

/* The shares of a stretch at whose ends a thread's clocks were these. */
static void set_shares(struct piece_of_work *piece, const struct clocks *from,
    const struct clocks *to) {
    int64_t whole = piece->to_ns - piece->from_ns;
    int64_t ran = to->ran_ns - from->ran_ns;
    int64_t ready = to->ready_ns - from->ready_ns;

    ran = ran < 0 ? 0 : ran < whole ? ran : whole;
    ready = ready < 0 ? 0 : ready < whole - ran ? ready : whole - ran;
    piece->known = true;
    piece->share_ns[COMPUTING] = ran;
    piece->share_ns[READY] = ready;
    piece->share_ns[WAITING] = whole - ran - ready;
}

static struct piece_of_work make_piece(
    const struct recording *r, const struct found *found, size_t lane) {
    const struct line *lines = r->run.lines;
    bool ended = found->end < r->run.count;
    struct piece_of_work piece = {.from_ns = begin_ns(r, found),
        .to_ns = finish_ns(r, found),
        .begin = lines[found->begin].text + lane + 2,
        .end = ended ? lines[found->end].text + lane + 2 : NULL,
        .tid = r->clocks[found->begin].tid};
    const struct clocks *from = clocks_of(r, found->begin);
    const struct clocks *to = clocks_of(r, found->end);

    if (r->virtual_time) { /* it passes only while all are asleep */
        piece.known = true;
        piece.share_ns[WAITING] = piece.to_ns - piece.from_ns;
    } else if (from != NULL && to != NULL && from->tid == to->tid &&
               !found->shared) {
        set_shares(&piece, from, to);
    }
    return piece;
}

/* ---------- Lanes ---------- */

/* By lane, then by their order. */
static int by_lane(const void *a, const void *b) {
    const struct found *x = a, *y = b;
    const char *s = sorted_run->run.lines[x->begin].text;
    const char *t = sorted_run->run.lines[y->begin].text;
    size_t m = events_lane(s), n = events_lane(t);
    int order = strncmp(s, t, m < n ? m : n);

    if (order == 0)
        order = (m > n) - (m < n);
    return order ? order : (x->begin > y->begin) - (x->begin < y->begin);
}

/* By their beginnings; those of one moment as a reader would sort them. */
static int by_beginning(const void *a, const void *b) {
    const struct lane *x = a, *y = b;
    int64_t s = x->pieces[0].from_ns, t = y->pieces[0].from_ns;

    if (s != t)
        return (s > t) - (s < t);
    return strverscmp(x->name, y->name);
}

static bool same_lane(const char *a, const char *b) {
    size_t length = events_lane(a);

    return length == events_lane(b) && strncmp(a, b, length) == 0;
}

/* `pieces` is sorted by lane. */
static void make_lanes(
    struct picture *picture, const struct found *pieces, size_t count) {
    const struct recording *r = picture->recording;
    const struct line *lines = r->run.lines;

    picture->lanes = allocate(count, sizeof *picture->lanes);
    for (size_t first = 0, i; first < count; first = i) {
        const char *text = lines[pieces[first].begin].text;
        struct lane *lane = &picture->lanes[picture->count++];

        i = first;
        while (i < count && same_lane(text, lines[pieces[i].begin].text))
            i++;
        lane->name = printable(text, events_lane(text));
        lane->pieces = allocate(i - first, sizeof *lane->pieces);
        for (size_t j = first; j < i; j++)
            lane->pieces[lane->count++] =
                make_piece(r, &pieces[j], events_lane(text));
    }
    qsort(picture->lanes, picture->count, sizeof *picture->lanes, by_beginning);
}

/* ---------- Threads and CPUs ---------- */

/* A line of a thread or of a process, to be sorted by both. */
struct printed {
    pid_t who;
    int64_t at_ns;
    size_t line;
};

static int by_who(const void *a, const void *b) {
    const struct printed *x = a, *y = b;

    if (x->who != y->who)
        return (x->who > y->who) - (x->who < y->who);
    if (x->at_ns != y->at_ns)
        return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
    return (x->line > y->line) - (x->line < y->line);
}

/* The lines whose clocks are known, by thread or by process; to be freed. */
static struct printed *sort_lines(
    const struct recording *r, bool processes, size_t *count) {
    struct printed *sorted = allocate(r->known, sizeof *sorted);

    *count = 0;
    for (size_t i = 0; i < r->run.count; i++)
        if (r->clocks[i].tid != 0)
            sorted[(*count)++] = (struct printed){
                processes ? r->clocks[i].pid : r->clocks[i].tid,
                r->run.lines[i].at_ns, i};
    qsort(sorted, *count, sizeof *sorted, by_who);
    return sorted;
}

/* The shares of one thread from each of its lines to the next. */
static void fill_thread(struct lane *lane, const struct recording *r,
    const struct printed *lines, size_t count) {
    lane->thread = true;
    lane->pieces = allocate(count, sizeof *lane->pieces);
    for (size_t i = 0; i + 1 < count; i++) {
        struct piece_of_work *piece = &lane->pieces[lane->count++];

        *piece = (struct piece_of_work){.from_ns = lines[i].at_ns,
            .to_ns = lines[i + 1].at_ns,
            .begin = "",
            .tid = lines[i].who};
        set_shares(
            piece, &r->clocks[lines[i].line], &r->clocks[lines[i + 1].line]);
    }
}

/* A lane for each thread whose pieces are of several lanes at once. */
static void add_threads(struct picture *picture, const pid_t *threads) {
    const struct recording *r = picture->recording;
    size_t lines, made = 0;
    struct printed *sorted = sort_lines(r, false, &lines);

    for (size_t first = 0, i; first < lines; first = i) {
        char name[40] = "its thread";

        for (i = first; i < lines && sorted[i].who == sorted[first].who; i++)
            ;
        if (sorted[first].who != *threads)
            continue;
        threads++;
        picture->lanes = realloc(
            picture->lanes, (picture->count + 1) * sizeof *picture->lanes);
        if (picture->lanes == NULL)
            err(EXIT_FAILURE, "realloc");
        struct lane *lane = &picture->lanes[picture->count++];
        *lane = (struct lane){0};
        if (made++ > 0)
            snprintf(name, sizeof name, "thread %zu", made);
        lane->name = printable(name, strlen(name));
        fill_thread(lane, r, &sorted[first], i - first);
    }
    free(sorted);
}

/* The kernel counts what another thread has used a few ms late, so that more
 * seems to be used between two lines than there are CPUs: then the stretch
 * before, of the same process if it is not the first, is a part of it. */
static void mend_used(struct picture *picture, size_t first, int64_t cpus) {
    size_t last = picture->used_count - 1;

    for (; last > first; last--) {
        struct used *used = &picture->used[last];
        if (used->cpu_ns <= cpus * (used->to_ns - used->from_ns))
            break;
        used[-1].cpu_ns += used->cpu_ns;
        used[-1].to_ns = used->to_ns;
    }
    picture->used_count = last + 1;
}

/* Between two lines of a process the CPU time of all its threads is known, and
 * what it used before the first: that cannot have begun later than this. */
static void add_used(struct picture *picture) {
    int64_t cpus = sysconf(_SC_NPROCESSORS_ONLN);
    size_t first = 0;
    const struct recording *r = picture->recording;
    size_t lines;
    struct printed *sorted = sort_lines(r, true, &lines);

    picture->used = allocate(lines, sizeof *picture->used);
    for (size_t i = 0; i < lines; i++) {
        int64_t to = sorted[i].at_ns, from = 0;
        int64_t cpu = r->clocks[sorted[i].line].process_ns;

        if (i > 0 && sorted[i - 1].who == sorted[i].who) {
            from = sorted[i - 1].at_ns;
            cpu -= r->clocks[sorted[i - 1].line].process_ns;
        } else {
            from = cpu < to ? to - cpu : 0;
            first = picture->used_count;
        }
        if (to <= from || cpu <= 0)
            continue;
        picture->used[picture->used_count++] = (struct used){from, to, cpu};
        mend_used(picture, first, cpus);
    }
    free(sorted);
}

/* Adds an amount of time, spread evenly over from_ns to to_ns, to the parts of
 * a stretch as shares of them. */
static void spread(int64_t from_ns, int64_t to_ns, int64_t amount_ns,
    int64_t until_ns, size_t count, double *parts) {
    double width = (double)until_ns / (double)count;
    double from = (double)from_ns, to = (double)to_ns;

    for (size_t i = (size_t)(from / width); i < count; i++) {
        double left = (double)i * width, right = left + width;
        if (left >= to)
            break;
        double part = (right < to ? right : to) - (left > from ? left : from);
        if (part > 0)
            parts[i] += (double)amount_ns * part / (to - from) / width;
    }
}

void picture_cpus(const struct picture *picture, int64_t until_ns, size_t count,
    double *cpus) {
    memset(cpus, 0, count * sizeof *cpus);
    for (size_t i = 0; i < picture->used_count; i++) {
        const struct used *used = &picture->used[i];
        spread(used->from_ns, used->to_ns, used->cpu_ns, until_ns, count, cpus);
    }
}

void picture_under_way(const struct picture *picture, size_t first, size_t last,
    int64_t until_ns, size_t count, double *lanes) {
    memset(lanes, 0, count * sizeof *lanes);
    for (size_t i = first; i < last; i++)
        for (size_t j = 0; j < picture->lanes[i].count; j++) {
            const struct piece_of_work *piece = &picture->lanes[i].pieces[j];
            spread(piece->from_ns, piece->to_ns, piece->to_ns - piece->from_ns,
                until_ns, count, lanes);
        }
}

/* ---------- The picture ---------- */

void picture_make(const char *title, const struct recording *recording,
    struct picture *picture) {
    const struct run *run = &recording->run;
    size_t count;
    struct piece *pieces = events_pieces(run->lines, run->count, &count);
    struct found *found = allocate(count, sizeof *found);

    for (size_t i = 0; i < count; i++)
        found[i] =
            (struct found){.begin = (size_t)(pieces[i].begin - run->lines),
                .end = pieces[i].end == NULL
                           ? run->count
                           : (size_t)(pieces[i].end - run->lines)};
    *picture = (struct picture){.title = printable(title, strlen(title)),
        .recording = recording,
        .end_ns = recording->end_ns};
    pid_t *threads = mark_shared(recording, found, count);
    qsort(found, count, sizeof *found, by_lane);
    make_lanes(picture, found, count);
    add_threads(picture, threads);
    add_used(picture);
    free(threads);
    free(found);
    free(pieces);
}

void picture_free(struct picture *picture) {
    for (size_t i = 0; i < picture->count; i++) {
        free(picture->lanes[i].name);
        free(picture->lanes[i].pieces);
    }
    free(picture->lanes);
    free(picture->used);
    free(picture->title);
}
