/*
 * quotes_peer.c - the two exercise_quotes at sites that behave as the web does
 */
#include "grader/checks/exercises.h"
#include "grader/checks/peer.h"

#include <stdio.h>
#include <string.h>

enum { MOST_SYMBOLS = 20, LINE_BYTES = 128 };

struct visit {
    struct peer peer;
    char drawn[MOST_SYMBOLS][NAME_BYTES];
    const char *names[MOST_SYMBOLS];
    char lines[MOST_SYMBOLS][LINE_BYTES]; /* what the site sends, or "" */
    int count;
    long w; /* 0: not said */
    struct words words;
    struct program program;
    struct run run;
};

static void plan(struct grading *g, struct visit *v, int count, long w) {
    memset(v, 0, sizeof *v);
    v->count = count;
    v->w = w;
    random_names(g, v->drawn, (size_t)count);
    for (int i = 0; i < count; i++) {
        v->names[i] = v->drawn[i];
        snprintf(v->lines[i], sizeof v->lines[i], "%s %ld.%02ld", v->names[i],
            grade_random(g, 10, 999), grade_random(g, 0, 99));
    }
}

static void ask(struct grading *g, struct finding *f, struct visit *v) {
    peer_open(&v->peer);
    peer_watch(&v->peer, &v->program);
    add_word(&v->words, "-s");
    add_word(&v->words, "%s", v->peer.base);
    if (v->w > 0) {
        add_word(&v->words, "-w");
        add_word(&v->words, "%ld", v->w);
    }
    for (int i = 0; i < v->count; i++)
        add_word(&v->words, "%s", v->names[i]);
    v->program.argv = v->words.argv;
    grade_run(g, &v->program, &v->run, f);
    peer_close(&v->peer);
}

/* ---------- Answers ---------- */

static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";

static int length_of(const struct visit *v, int i) {
    return (int)strlen(v->lines[i]) + 1;
}

/* Whole, after a while. */
static void answer(struct visit *v, int i, long after_ms) {
    struct reply *r = peer_reply(&v->peer, v->names[i]);

    peer_piece(r, after_ms, "%sContent-Length: %d\r\n\r\n%s\n", head,
        length_of(v, i), v->lines[i]);
}

/* The body in so many pieces, each a while after the one before. The last is
 * the newline alone. */
static void in_pieces(struct visit *v, int i, int pieces, long after_ms) {
    struct reply *r = peer_reply(&v->peer, v->names[i]);
    int length = length_of(v, i) - 1, at = 0;

    peer_piece(r, after_ms, "%sContent-Length: %d\r\n\r\n", head, length + 1);
    for (int p = 1; p < pieces; p++) {
        int end = length * p / (pieces - 1);
        peer_piece(r, after_ms, "%.*s", end - at, v->lines[i] + at);
        at = end;
    }
    peer_piece(r, after_ms, "\n");
}

static void in_chunks(struct visit *v, int i, long after_ms) {
    struct reply *r = peer_reply(&v->peer, v->names[i]);
    int length = length_of(v, i) - 1;

    peer_piece(r, after_ms, "%sTransfer-Encoding: chunked\r\n\r\n", head);
    peer_piece(r, after_ms, "3\r\n%.3s\r\n", v->lines[i]);
    peer_piece(r, after_ms, "%x\r\n%s\n\r\n", length - 2, v->lines[i] + 3);
    peer_piece(r, 0, "0\r\n\r\n");
}

static void without_length(struct visit *v, int i, long after_ms) {
    struct reply *r = peer_reply(&v->peer, v->names[i]);

    peer_piece(r, after_ms, "%sConnection: close\r\n\r\n", head);
    peer_piece(r, after_ms, "%.4s", v->lines[i]);
    peer_piece(r, after_ms, "%s\n", v->lines[i] + 4);
    r->close = true;
}

static void slow_head(struct visit *v, int i, long after_ms) {
    struct reply *r = peer_reply(&v->peer, v->names[i]);

    peer_piece(r, after_ms, "HTTP/1.1 20");
    peer_piece(r, after_ms, "0 OK\r\nX-One: 1\r\nX-T");
    peer_piece(
        r, after_ms, "wo: 2\r\nContent-Length: %d\r\n\r", length_of(v, i));
    peer_piece(r, after_ms, "\n%s\n", v->lines[i]);
}

/* Not slow, and not done in time: a byte each 0.8 s. */
static void without_end(struct visit *v, int i) {
    struct reply *r = peer_reply(&v->peer, v->names[i]);

    peer_piece(r, 0, "%sContent-Length: 2000\r\n\r\n", head);
    for (int byte = 0; byte < 45; byte++)
        peer_piece(r, 800, "%d", byte % 10);
    r->mute = true;
    v->lines[i][0] = '\0';
}

/* Nothing, ever. */
static void never(struct visit *v, int i) {
    peer_reply(&v->peer, v->names[i])->mute = true;
    v->lines[i][0] = '\0';
}

/* ---------- What each symbol got ---------- */

static double seconds_of(const struct visit *v, int i) {
    struct piece p = piece_of(&v->run, v->names[i]);

    return p.end ? (double)(p.end->at_ns - p.begin->at_ns) / 1e9 : -1;
}

static void judge_symbols(const struct visit *v, struct verdict *out) {
    for (int i = 0; i < v->count && out->text[0] == '\0'; i++) {
        struct piece p = piece_of(&v->run, v->names[i]);
        char wanted[LINE_BYTES + 80], after[40] = "";
        snprintf(wanted, sizeof wanted, "%s: %s", v->names[i],
            v->lines[i][0] ? v->lines[i] : "no quote");
        if (p.end != NULL)
            snprintf(after, sizeof after, " after %.1f s", seconds_of(v, i));
        if (p.end == NULL || strcmp(p.end->text, wanted) != 0)
            verdict_fail(out, "of %s it printed \"%.250s\"%s; expected: \"%s\"",
                v->names[i],
                p.end     ? p.end->text
                : p.begin ? p.begin->text
                          : "nothing",
                after, wanted);
    }
}

static void judge_ended(const struct visit *v, struct verdict *out) {
    char how[800];

    if (v->peer.looked)
        verdict_fault(out, FAULT_POLL,
            "it woke %ld times to look, and nothing had come; expected: it "
            "waits for the site",
            v->peer.looks);
    if (v->peer.gave_up)
        verdict_fail(out,
            "it still waited after ten minutes of virtual time; expected: it "
            "gives a symbol up after 30 s");
    if (v->run.end != EXITED || v->run.left_behind > 0)
        verdict_fault(out, FAULT_NONE, "it %s; expected: it ends by itself",
            run_describe(&v->run, how, sizeof how));
}

/* ---------- Pieces ---------- */

/* No array of a size that was thought to be enough, for the symbol or for the
 * line that is sent. */
static void lengthen(struct visit *v, int i) {
    char price[LINE_BYTES];

    snprintf(price, sizeof price, "%s", strchr(v->lines[i], ' '));
    v->names[i] =
        "ASYMBOLTHATISLONGERTHANTHOSEOFANYEXCHANGEANDTHATISASKEDFORSO";
    snprintf(v->lines[i], sizeof v->lines[i], "%.60s%.60s", v->names[i], price);
}

static void judge_pieces(struct grading *g, struct finding *f, long w) {
    struct visit v;

    plan(g, &v, 7, w);
    lengthen(&v, 6);
    answer(&v, 0, 0);
    in_pieces(&v, 1, 2, 300);
    in_pieces(&v, 2, 5, 300);
    in_chunks(&v, 3, 300);
    without_length(&v, 4, 300);
    slow_head(&v, 5, 300);
    in_pieces(&v, 6, 3, 0);
    grade_where(f,
        "the site sends %s whole, %s in two pieces, %s in five, %s in chunks, "
        "%s without a length, %s with its head in pieces",
        v.names[0], v.names[1], v.names[2], v.names[3], v.names[4], v.names[5]);
    ask(g, f, &v);
    judge_ended(&v, &f->verdict);
    judge_symbols(&v, &f->verdict);
    run_free(&v.run);
}

void check_pieces_in_turn(struct grading *g, struct finding *f) {
    judge_pieces(g, f, 0);
}

void check_pieces_at_once(struct grading *g, struct finding *f) {
    judge_pieces(g, f, 4);
}

/* ---------- Thirty seconds ---------- */

/* What is slow and comes is a quote; what has not come after 30 s is not, and
 * the 30 s begin when the symbol is asked for. */
static void judge_slow(struct grading *g, struct finding *f, long w) {
    struct visit v;

    plan(g, &v, 7, w);
    answer(&v, 0, 20000);
    in_pieces(&v, 1, 5, 4500);
    answer(&v, 2, 29500);
    never(&v, 3);
    in_pieces(&v, 4, 12, 5100); /* 66 s; none at the moment of the time-out */
    slow_head(&v, 5, 7000);
    without_end(&v, 6);
    v.lines[4][0] = '\0';
    grade_where(f,
        "the site answers %s after 20 s, %s in pieces till 27 s, %s after "
        "29.5 s, %s never, %s in pieces till 66 s, %s with a slow head till "
        "28 s, and %s a byte each 0.8 s without end",
        v.names[0], v.names[1], v.names[2], v.names[3], v.names[4], v.names[5],
        v.names[6]);
    ask(g, f, &v);
    judge_ended(&v, &f->verdict);
    judge_symbols(&v, &f->verdict);
    for (int i = 3; i <= 6 && f->verdict.text[0] == '\0'; i++)
        if (i != 5 && (seconds_of(&v, i) < 29.9 || seconds_of(&v, i) > 33))
            verdict_fail(&f->verdict,
                "it gave %s up after %.1f s; expected: after 30 s", v.names[i],
                seconds_of(&v, i));
    run_free(&v.run);
}

void check_timeout_in_turn(struct grading *g, struct finding *f) {
    judge_slow(g, f, 0);
}

void check_timeout_at_once(struct grading *g, struct finding *f) {
    judge_slow(g, f, 2);
    if (f->verdict.text[0] == '\0')
        judge_slow(g, f, 7);
}

/* ---------- Waiting ---------- */

/* Answers that take 20 s: curl wakes for reasons of its own, a few times a
 * second at most. */
static void judge_waits(struct grading *g, struct finding *f, long w) {
    struct visit v;

    plan(g, &v, 2, w);
    answer(&v, 0, 20000);
    answer(&v, 1, 20000);
    v.peer.most_looks = 600;
    ask(g, f, &v);
    if (v.peer.looked)
        verdict_fault(&f->verdict, FAULT_POLL,
            "it woke %ld times while it waited for %d answers of 20 s; "
            "expected: it sleeps until something comes",
            v.peer.looks, v.count);
    if (v.run.end == BUSY_WAIT)
        judge_run_end(&v.run, 0, &f->verdict);
    run_free(&v.run);
}

void check_waits_in_turn(struct grading *g, struct finding *f) {
    judge_waits(g, f, 0);
}

void check_waits_at_once(struct grading *g, struct finding *f) {
    judge_waits(g, f, 2);
}
