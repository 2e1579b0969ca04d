/*
 * websites.c - practice sites for a program that downloads
 */
#include "pictures/websites.h"
#include "judge/evidence.h"
#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATENCY_MS 50
#define LATENCY_NS (LATENCY_MS * INT64_C(1000000))

enum {
    URLS = 3,
    WAVES = 64, /* of requests that came at the same moment */
    LOOKS = 3   /* at a gate before the clock moves */
};

struct websites {
    struct sites *sites;
    char urls[URLS][60];
    /* What is held, by the moments at which it is to go: a ring. */
    struct {
        int64_t due_ns;
        long count;
    } waves[WAVES];
    size_t first, used;
    long known; /* in all the waves */
    int looks;
};

bool websites_wanted(const char *const *argv) {
    const char *slash = strrchr(argv[0], '/');

    if (strcmp(slash != NULL ? slash + 1 : argv[0], "download") != 0)
        return false;
    for (argv++; *argv != NULL; argv++)
        if (strstr(*argv, "://") != NULL)
            return false;
    return true;
}

/* What is held by now and was not known came at this moment. A request can
 * still be on its way when all are asleep, so the gate is looked at more than
 * once before the clock may move. */
static bool open_gate(const struct quiet *quiet, void *arg) {
    struct websites *w = arg;
    struct sites_counts now;

    sites_count(w->sites, &now);
    if (now.held > w->known && w->used < WAVES) {
        size_t last = (w->first + w->used++) % WAVES;
        w->waves[last].due_ns = quiet->now_ns + LATENCY_NS;
        w->waves[last].count = now.held - w->known;
        w->known = now.held;
        w->looks = 0;
        return true;
    }
    if (w->used == 0)
        return false;
    if (w->waves[w->first].due_ns > quiet->now_ns) {
        if (w->looks++ == LOOKS) {
            w->looks = 0;
            return false;
        }
        poll(NULL, 0, 1);
        return true;
    }
    w->known -= sites_release(w->sites, w->waves[w->first].count);
    w->first = (w->first + 1) % WAVES;
    w->used--;
    w->looks = 0;
    return true;
}

static int64_t next_due(void *arg) {
    const struct websites *w = arg;

    return w->used > 0 ? w->waves[w->first].due_ns : -1;
}

static enum outside what_they_do(void *arg) {
    return sites_will(((struct websites *)arg)->sites);
}

struct websites *websites_open(struct program *program, const char **argv_end) {
    static const char *const pages[URLS] = {"small", "medium", "large"};
    struct sites_options options = {.latency_ms = LATENCY_MS,
        .gate = program->virtual_time,
        .connections = 10100};
    struct websites *w = calloc(1, sizeof *w);
    char error[300];

    if (w == NULL)
        err(EXIT_FAILURE, "calloc");
    w->sites = sites_start(&options, error, sizeof error);
    if (w->sites == NULL)
        errx(EXIT_FAILURE, "%s", error);
    for (int i = 0; i < URLS; i++) {
        snprintf(w->urls[i], sizeof w->urls[i], "http://127.0.0.1:%u/%s",
            sites_port(w->sites), pages[i]);
        argv_end[i] = w->urls[i];
    }
    argv_end[URLS] = NULL;
    program->outside = what_they_do;
    program->arg = w;
    if (program->virtual_time) {
        program->at_quiet = open_gate;
        program->due = next_due;
    }
    return w;
}

void websites_close(struct websites *w) {
    if (w == NULL)
        return;
    sites_stop(w->sites, NULL);
    free(w);
}
