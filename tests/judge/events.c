/*
 * events.c - reads the event lines of a program: order, overlap, durations
 *
 * DESIGN. Lines are compared by sorting, not by searching: a story may have
 * tens of thousands. Texts are compared as multisets first; where these are
 * equal, only the order can be wrong, and both sides sorted by lane (stably)
 * must then be equal place by place. A fault is so the first by the sorted
 * texts, the same in every run that has it.
 */
#include "judge/events.h"
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS 60
#define ROWS 12
#define LONGEST_NAME 20

size_t events_lane(const char *text) {
    const char *colon = strstr(text, ": ");

    return colon ? (size_t)(colon - text) : 0;
}

static bool same_lane(const char *a, const char *b) {
    size_t length = events_lane(a);

    return length == events_lane(b) && strncmp(a, b, length) == 0;
}

static bool begins(const char *text) {
    size_t length = strlen(text);

    return events_lane(text) > 0 && length > 4 &&
           strcmp(text + length - 4, " ...") == 0;
}

/* ---------- Sorting lines ---------- */

struct entry {
    const char *text;
    size_t index;
};

static int by_index(const struct entry *a, const struct entry *b) {
    return (a->index > b->index) - (a->index < b->index);
}

static int by_text(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    int order = strcmp(x->text, y->text);

    return order ? order : by_index(x, y);
}

/* By lane, then by place: what a lane did stays in its order. */
static int by_lane(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    size_t m = events_lane(x->text), n = events_lane(y->text);
    int order = strncmp(x->text, y->text, m < n ? m : n);

    if (order == 0)
        order = (m > n) - (m < n);
    return order ? order : by_index(x, y);
}

static struct entry *new_entries(size_t count) {
    struct entry *entries = calloc(count + 1, sizeof(*entries));

    if (entries == NULL)
        err(EXIT_FAILURE, "calloc");
    return entries;
}

static struct entry *entries_of(const struct line *lines, size_t count) {
    struct entry *entries = new_entries(count);

    for (size_t i = 0; i < count; i++)
        entries[i] = (struct entry){lines[i].text, i};
    return entries;
}

/* ---------- Pieces and overlap ---------- */

struct piece *events_pieces(
    const struct line *lines, size_t count, size_t *found) {
    struct entry *sorted = entries_of(lines, count);
    const struct line **ends = calloc(count + 1, sizeof(struct line *));
    struct piece *pieces = calloc(count + 1, sizeof(*pieces));

    if (ends == NULL || pieces == NULL)
        err(EXIT_FAILURE, "calloc");
    qsort(sorted, count, sizeof(*sorted), by_lane);
    for (size_t i = 0; i + 1 < count; i++)
        if (same_lane(sorted[i].text, sorted[i + 1].text))
            ends[sorted[i].index] = &lines[sorted[i + 1].index];
    *found = 0;
    for (size_t i = 0; i < count; i++)
        if (begins(lines[i].text))
            pieces[(*found)++] = (struct piece){&lines[i], ends[i]};
    free(ends);
    free(sorted);
    return pieces;
}

size_t events_overlap(const struct line *lines, size_t count) {
    size_t found, working = 0, most = 0;
    struct piece *pieces = events_pieces(lines, count, &found);
    bool *ends = calloc(count + 1, sizeof(*ends));

    if (ends == NULL)
        err(EXIT_FAILURE, "calloc");
    for (size_t i = 0; i < found; i++)
        if (pieces[i].end != NULL)
            ends[pieces[i].end - lines] = true;
    for (size_t i = 0; i < count; i++) {
        working -= ends[i];
        working += begins(lines[i].text);
        if (working > most)
            most = working;
    }
    free(ends);
    free(pieces);
    return most;
}

void events_last(const struct line *lines, size_t count, const char *what,
    int64_t ns, struct verdict *verdict) {
    size_t found, matching = 0;
    struct piece *pieces = events_pieces(lines, count, &found);

    for (size_t i = 0; i < found; i++) {
        const struct line *begin = pieces[i].begin, *end = pieces[i].end;

        if (strstr(begin->text, what) == NULL)
            continue;
        matching++;
        if (end == NULL)
            verdict_fail(verdict, "\"%.200s\" was never ended", begin->text);
        else if (end->at_ns - begin->at_ns != ns)
            verdict_fail(verdict, "\"%.200s\" lasted %.9g s, not %.9g s",
                begin->text, (double)(end->at_ns - begin->at_ns) / 1e9,
                (double)ns / 1e9);
    }
    if (matching == 0)
        verdict_fail(
            verdict, "no line begins a piece of work with \"%.200s\"", what);
    free(pieces);
}

/* ---------- Comparing ---------- */

static size_t repeats(const struct entry *sorted, size_t count, size_t from) {
    size_t n = 1;

    while (from + n < count &&
           strcmp(sorted[from].text, sorted[from + n].text) == 0)
        n++;
    return n;
}

/* Both sorted by text. */
static void compare_texts(const struct entry *got, size_t got_count,
    const struct entry *want, size_t want_count, struct verdict *verdict) {
    size_t i = 0, j = 0;

    while (i < got_count || j < want_count) {
        int order = i == got_count    ? 1
                    : j == want_count ? -1
                                      : strcmp(got[i].text, want[j].text);
        size_t m = order <= 0 ? repeats(got, got_count, i) : 0;
        size_t n = order >= 0 ? repeats(want, want_count, j) : 0;

        if (n == 0)
            verdict_fault(verdict, FAULT_LINE,
                "the line \"%.200s\" is not expected", got[i].text);
        else if (m == 0)
            verdict_fault(verdict, FAULT_LINE, "the line \"%.200s\" is missing",
                want[j].text);
        else if (m != n)
            verdict_fault(verdict, m > n ? FAULT_TWICE : FAULT_LINE,
                "the line \"%.200s\" was printed %zu time%s, not %zu",
                got[i].text, m, m == 1 ? "" : "s", n);
        i += m;
        j += n;
    }
}

/* Both sorted by lane, with the same texts. */
static void compare_order(const struct entry *got, const struct entry *want,
    size_t count, struct verdict *verdict) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(got[i].text, want[i].text) != 0) {
            verdict_fault(verdict, FAULT_ORDER,
                "the lane \"%.*s\" is out of order: \"%.200s\" came where "
                "\"%.200s\" belongs",
                (int)events_lane(got[i].text), got[i].text, got[i].text,
                want[i].text);
            return;
        }
}

/* Is there a line of this lane? */
static bool has_lane(
    const struct entry *lines, size_t count, const char *text) {
    for (size_t i = 0; i < count; i++)
        if (same_lane(lines[i].text, text))
            return true;
    return false;
}

/* Both sorted by text: does a line come more often than it is to? */
static bool has_twice(const struct entry *got, size_t got_count,
    const struct entry *want, size_t want_count) {
    size_t i = 0, j = 0;

    while (i < got_count && j < want_count) {
        int order = strcmp(got[i].text, want[j].text);
        size_t m = order <= 0 ? repeats(got, got_count, i) : 0;
        size_t n = order >= 0 ? repeats(want, want_count, j) : 0;
        if (order == 0 && m > n)
            return true;
        i += m;
        j += n;
    }
    return false;
}

/* Is a piece of work begun that was never ended? Each lane's last line. */
static bool has_unended(const struct line *lines, size_t count) {
    size_t found;
    struct piece *pieces = events_pieces(lines, count, &found);
    bool unended = false;

    for (size_t i = 0; i < found; i++)
        unended = unended || pieces[i].end == NULL;
    free(pieces);
    return unended;
}

enum fault events_sort(const struct line *lines, size_t count,
    const char *const *expected, size_t expected_count) {
    struct entry *got = entries_of(lines, count);
    struct entry *want = new_entries(expected_count);
    enum fault fault = count == 0 ? FAULT_NO_LINES : FAULT_LINE;

    for (size_t i = 0; i < expected_count; i++)
        want[i] = (struct entry){expected[i], i};
    qsort(got, count, sizeof(*got), by_text);
    qsort(want, expected_count, sizeof(*want), by_text);
    if (has_twice(got, count, want, expected_count))
        fault = FAULT_TWICE;
    else if (has_unended(lines, count))
        fault = FAULT_NOT_ENDED;
    for (size_t i = 0; i < expected_count && fault == FAULT_LINE; i++)
        if (begins(want[i].text) && !has_lane(got, count, want[i].text))
            fault = FAULT_NOT_BEGUN;
    free(got);
    free(want);
    return fault;
}

void events_compare(const struct line *lines, size_t count,
    const char *const *expected, size_t expected_count,
    struct verdict *verdict) {
    struct entry *got = entries_of(lines, count);
    struct entry *want = new_entries(expected_count);
    struct verdict own = {0};

    for (size_t i = 0; i < expected_count; i++)
        want[i] = (struct entry){expected[i], i};
    qsort(got, count, sizeof(*got), by_text);
    qsort(want, expected_count, sizeof(*want), by_text);
    compare_texts(got, count, want, expected_count, &own);
    if (own.text[0] == '\0') {
        qsort(got, count, sizeof(*got), by_lane);
        qsort(want, count, sizeof(*want), by_lane);
        compare_order(got, want, count, &own);
    }
    if (own.text[0] != '\0' && own.fault != FAULT_ORDER)
        own.fault = events_sort(lines, count, expected, expected_count);
    if (own.text[0] != '\0')
        verdict_fault(verdict, own.fault, "%s", own.text);
    free(got);
    free(want);
}

/* ---------- Timeline ---------- */

/* Draws the pieces of one lane into `row`, a column for each part of `end`.
 * False if it has none. */
static bool draw(char *row, size_t columns, const struct line *first,
    const struct piece *pieces, size_t found, int64_t end) {
    bool any = false;

    memset(row, ' ', columns);
    row[columns] = '\0';
    for (size_t i = 0; i < found; i++) {
        int64_t from = pieces[i].begin->at_ns, to = end;
        size_t column;

        if (!same_lane(pieces[i].begin->text, first->text))
            continue;
        any = true;
        if (pieces[i].end != NULL)
            to = pieces[i].end->at_ns;
        column = (size_t)((double)from / (double)end * (double)columns);
        while (column < columns &&
               (double)column / (double)columns * (double)end < (double)to)
            row[column++] = '.';
    }
    return any;
}

/* Whether no line before this one is of its lane. */
static bool is_first(const struct line *lines, const struct line *line) {
    for (const struct line *other = lines; other < line; other++)
        if (same_lane(other->text, line->text))
            return false;
    return true;
}

const char *events_timeline(
    const struct line *lines, size_t count, char *buf, size_t size) {
    int64_t end =
        count > 0 && lines[count - 1].at_ns > 0 ? lines[count - 1].at_ns : 1;
    size_t found, used = 0, width = 1, rows = 0;
    struct piece *pieces = events_pieces(lines, count, &found);
    char row[COLUMNS + 1];

    for (size_t i = 0; i < count; i++)
        if (events_lane(lines[i].text) > width)
            width = events_lane(lines[i].text);
    if (width > LONGEST_NAME)
        width = LONGEST_NAME;
    buf[0] = '\0';
    for (size_t i = 0; i < count && rows < ROWS && used < size; i++) {
        int name = (int)events_lane(lines[i].text);

        if (name == 0 || !is_first(lines, &lines[i]))
            continue;
        if (!draw(row, COLUMNS - width - 3, &lines[i], pieces, found, end))
            continue;
        used += (size_t)snprintf(buf + used, size - used, "%-*.*s |%s|\n",
            (int)width, name < (int)width ? name : (int)width, lines[i].text,
            row);
        rows++;
    }
    free(pieces);
    return buf;
}
