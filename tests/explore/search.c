/*
 * search.c - the parent: which schedule is run next
 *
 * Design. A schedule is the usual one but for some choices that are not: a
 * chain of nodes, each a step and what is chosen there. Each run shows where it
 * could have gone another way, and each such way is a node that waits for its
 * turn. So no schedule is run twice. They are run in this order:
 *   those with 0, 1, 2 choices that are not the usual ones ("delay bounding",
 *   Emmi, Qadeer and Rakamaric 2011, finds what depends on the order of many
 *   threads),
 *   then those with 0, 1, ... preemptions up to the bound ("iterative context
 *   bounding", Musuvathi and Qadeer 2007, so the first failure needs the
 *   fewest).
 * Of equals the last found is run first, so that few have to wait. What need
 * not be run at all is found out by the child: places.c.
 */
#include "explore/parent.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { MOST_DELAYS = 2, PREEMPTED = 8, BUCKETS = MOST_DELAYS + PREEMPTED + 3 };
enum { MOST_NODES = 1 << 24, MANY_WAIT = 1 << 20 };

/* One that is free, waits, or was run and has others behind it. */
struct node {
    int32_t before, next; /* the choice before it; in a list; -1: none */
    int32_t step, uses;   /* uses: how many nodes need it */
    uint32_t check;       /* the state at the step */
    uint8_t choice, cost, delays;
};

static struct node *nodes;
static int32_t bucket[BUCKETS], unused, fresh;
static long waiting[BUCKETS], waiting_in_all;
static bool preemptions_only, full;
static int begin; /* so many steps at the beginning are given in each run */
volatile sig_atomic_t stopped;
const char *stopped_why;
bool bounded_away;

/* ---------- The nodes that wait ---------- */

static void nodes_clear(void) {
    if (nodes == NULL)
        nodes = mmap(NULL, MOST_NODES * sizeof *nodes, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (nodes == MAP_FAILED)
        err(2, "explore: memory");
    madvise(nodes, (size_t)fresh * sizeof *nodes, MADV_DONTNEED);
    memset(waiting, 0, sizeof waiting);
    waiting_in_all = fresh = 0;
    unused = -1;
    for (int i = 0; i < BUCKETS; i++)
        bucket[i] = -1;
    full = bounded_away = false;
}

static int bucket_of(const struct node *n) {
    if (n->delays <= MOST_DELAYS && !preemptions_only)
        return n->delays;
    int cost = n->cost < PREEMPTED ? n->cost : PREEMPTED;
    return MOST_DELAYS + 1 + cost;
}

static void node_add(struct node n) {
    int32_t i = unused;
    if (i != -1)
        unused = nodes[i].next;
    else if (fresh < MOST_NODES)
        i = fresh++;
    else {
        full = true;
        return;
    }
    int b = bucket_of(&n);
    n.next = bucket[b];
    if (n.before != -1)
        nodes[n.before].uses++;
    nodes[i] = n;
    bucket[b] = i;
    waiting[b]++;
    waiting_in_all++;
}

/* Gives up one use of a node, and so perhaps of those before it. */
static void node_release(int32_t i) {
    while (i != -1 && --nodes[i].uses == 0) {
        int32_t before = nodes[i].before;
        nodes[i].next = unused;
        unused = i;
        i = before;
    }
}

/* Takes the next one; where very many wait, one that leaves few behind it. -1:
   none. */
static int32_t node_take(void) {
    int b = 0;
    while (b < BUCKETS && bucket[b] == -1)
        b++;
    if (waiting_in_all > MANY_WAIT)
        for (b = BUCKETS - 1; bucket[b] == -1; b--)
            continue;
    if (b == BUCKETS)
        return -1;
    int32_t i = bucket[b];
    bucket[b] = nodes[i].next;
    nodes[i].uses = 1; /* while it runs */
    waiting[b]--;
    waiting_in_all--;
    return i;
}

bool search_tried_below(int cost) {
    if (full || (settings.bound == ALL && sh->reduce))
        return cost == 0;
    for (int b = 0; b < BUCKETS; b++)
        for (int32_t i = bucket[b]; i != -1; i = nodes[i].next)
            if (nodes[i].cost < cost)
                return false;
    return true;
}

/* ---------- From run to run ---------- */

static void prescribe(int32_t last) {
    int count = 0;
    for (int32_t i = last; i != -1; i = nodes[i].before)
        count++;
    sh->ngiven = count += begin;
    for (int32_t i = last; i != -1; i = nodes[i].before)
        sh->given[--count] =
            (struct given){nodes[i].step, nodes[i].choice, nodes[i].check};
}

static void add_choices(
    struct node n, const struct step *s, uint64_t which, int first) {
    for (; which != 0; which &= which - 1) {
        int choice = __builtin_ctzll(which) + first;
        if (choice == s->usual)
            continue;
        int cost = s->cost + cost_of(s, choice);
        n.choice = (uint8_t)choice;
        n.cost = (uint8_t)(cost < ALL ? cost : ALL);
        if (settings.bound != ALL && cost > settings.bound)
            bounded_away = true;
        else
            node_add(n);
    }
}

/* Where the last run could have gone another way, behind what was given. From
   each step on, all is tried then: no other run need come there. */
static void add_ways(int32_t last) {
    int from = last == -1 ? begin : nodes[last].step + 1;
    int delays = last == -1 ? 0 : nodes[last].delays;
    for (int k = from; k < sh->nsteps; k++) {
        const struct step *s = &sh->steps[k];
        struct node n = {.before = last, .step = k, .check = s->state};
        n.delays = (uint8_t)(delays < MOST_DELAYS ? delays + 1 : delays);
        if (delays >= MOST_DELAYS)
            n.delays = MOST_DELAYS + 1;
        sh->seen[s->key % MOST_STATES] = s->key;
        add_choices(n, s, s->enabled, 0);
        add_choices(n, s, s->spurious, SPURIOUS);
    }
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* In the terminal, while it searches. */
static void show_progress(long pending) {
    static double began, next;
    double t = seconds();
    if (began == 0)
        began = next = t;
    if (t < next + 0.25 || t < began + 1 || !isatty(STDERR_FILENO))
        return;
    next = t;
    fprintf(stderr, "\r%ld schedules, %ld wrong; %ld more wait, so far\033[K",
        tally.schedules, tally.wrong, pending);
}

static const char *limit_reached(void) {
    if (stopped == SIGINT)
        return "stopped by Ctrl-C";
    if (stopped)
        return "stopped by a signal";
    if (settings.cpu_s > 0 && cpu_seconds() > settings.cpu_s)
        return "stopped by TIMEOUT";
    if (settings.schedules > 0 && tally.schedules >= settings.schedules)
        return "stopped by MAX_SCHEDULES";
    return NULL;
}

/* From the first schedule on. News: it has to begin again. */
static const char *search_once(bool (*enough)(void), bool *news) {
    int32_t node = -1;
    sh->search++;
    nodes_clear();
    outcome_forget();
    do {
        prescribe(node);
        sh->uses_learned = sh->nlearned;
        int status = run();
        *news = sh->news;
        const char *unfit = run_unfit(status);
        if (unfit != NULL && !*news)
            return unfit;
        if (unfit == NULL && sh->fault != SEEN)
            outcome_count(status);
        if (!*news)
            add_ways(node);
        node_release(node);
        stopped_why = limit_reached();
        show_progress(waiting_in_all);
    } while (!*news && stopped_why == NULL && (enough == NULL || !enough()) &&
             (node = node_take()) != -1);
    if (full && stopped_why == NULL)
        stopped_why = "stopped: too many schedules to remember";
    return NULL;
}

const char *search(bool by_preemptions, int first, bool (*enough)(void)) {
    bool news = false;
    const char *unfit;
    preemptions_only = by_preemptions;
    begin = first;
    sh->bound = settings.bound;
    sh->pause_at = -1;
    sh->shown = false;
    do
        unfit = search_once(enough, &news);
    while (news && unfit == NULL && stopped_why == NULL);
    return unfit;
}
