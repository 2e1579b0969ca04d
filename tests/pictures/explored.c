/*
 * explored.c - what explore found, as a picture: make explore SVG=1
 *
 * Usage: explored REPORT OUT.svg. REPORT is what explore.sh writes for
 * programs. A column is a thread, time goes down. An arrow is a value that one
 * thread wrote and another read; a write that another wrote over without having
 * seen it is red. A deadlock is a circle: who waits for whom, and for what.
 * Exit status: 0, or 1 if there is nothing to draw or it cannot be written.
 */
#define _GNU_SOURCE
#include "pictures/lanes.h"
#include "pictures/svg.h"

#include <err.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_STEPS = 400,
    MOST_SHOWN = 60, /* the last ones */
    MOST_THREADS = 17,
    MOST_WAITS = 17,
    MOST_BESIDE = 3 /* threads, if there is to be room for the lines of code */
};

/* In pixels. */
static const double WIDTH = 1280, TOP = 110, ROW = 44, BOX = 32, RADIUS = 210;
static const double SOURCE = 420; /* the width of the lines of code */
static const double LETTER = 9;

struct step {
    char *place, *words, *source;
    size_t thread;
    bool lost;   /* what it wrote was written over unseen, */
    size_t by;   /* by this step */
    size_t from; /* the step whose value it read, of another thread */
    bool reads;
};

struct wait {
    char *thread, *place, *holder;
};

static struct step steps[MOST_STEPS];
static struct wait waits[MOST_WAITS];
static char *threads[MOST_THREADS], *outcome;
static size_t step_count, wait_count, thread_count;

/* ---------- Reading ---------- */

static char *copy_of(const char *text) {
    return text == NULL ? printable("", 0) : printable(text, strlen(text));
}

static size_t thread_number(const char *name) {
    for (size_t i = 0; i < thread_count; i++)
        if (strcmp(threads[i], name) == 0)
            return i;
    if (thread_count == MOST_THREADS)
        errx(EXIT_FAILURE, "more than %d threads", MOST_THREADS);
    threads[thread_count] = copy_of(name);
    return thread_count++;
}

/* "step", number, place, thread, words, source. */
static void read_step(char *fields[6]) {
    struct step *step = &steps[step_count];

    if (step_count == MOST_STEPS || fields[5] == NULL)
        return;
    *step = (struct step){.place = copy_of(fields[2]),
        .words = copy_of(fields[4]),
        .source = copy_of(fields[5]),
        .thread = thread_number(fields[3])};
    step_count++;
}

/* "  A waits in CALL of PLACE at WHERE, which B holds since WHERE". */
static void read_wait(const char *line) {
    char thread[20], place[100], holder[20];

    if (wait_count < MOST_WAITS &&
        sscanf(line, " %19s waits in %*s of %99s at %*s which %19s holds",
            thread, place, holder) == 3)
        waits[wait_count++] =
            (struct wait){copy_of(thread), copy_of(place), copy_of(holder)};
}

static void read_report(const char *path) {
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;

    if (file == NULL)
        err(EXIT_FAILURE, "%s", path);
    while (getline(&line, &size, file) != -1) {
        char *fields[6] = {NULL}, *rest = line;
        line[strcspn(line, "\n")] = '\0';
        for (size_t i = 0; i < 6 && rest != NULL; i++)
            fields[i] = i < 5 ? strsep(&rest, "\t") : rest;
        if (strcmp(fields[0], "step") == 0)
            read_step(fields);
        else if (strcmp(fields[0], "line") == 0 && fields[1] != NULL)
            read_wait(fields[1]);
        else if (strcmp(fields[0], "replay") == 0 && outcome == NULL)
            outcome = copy_of(fields[2]);
    }
    free(line);
    fclose(file);
}

/* ---------- What it means ---------- */

static bool is(const struct step *step, const char *kind) {
    return strncmp(step->words, kind, strlen(kind)) == 0;
}

static bool same_place(const struct step *a, const struct step *b) {
    return strcmp(a->place, b->place) == 0;
}

/* For a read: the last write of its place, if that is another thread's. */
static void find_source(size_t reader) {
    for (size_t i = reader; i-- > 0;) {
        if (!same_place(&steps[i], &steps[reader]) || is(&steps[i], "read"))
            continue;
        steps[reader].reads = steps[i].thread != steps[reader].thread;
        steps[reader].from = i;
        return;
    }
}

/* For a write after a read of the same thread: others' writes in between. */
static void find_lost(size_t writer) {
    for (size_t i = writer; i-- > 0;) {
        if (!same_place(&steps[i], &steps[writer]))
            continue;
        if (steps[i].thread == steps[writer].thread)
            break;
        if (!is(&steps[i], "write"))
            continue;
        size_t seen = i;
        while (seen > 0 && !(same_place(&steps[seen - 1], &steps[writer]) &&
                               steps[seen - 1].thread == steps[writer].thread))
            seen--;
        if (seen > 0 && is(&steps[seen - 1], "read")) {
            steps[i].lost = true;
            steps[i].by = writer;
        }
    }
}

static void understand(void) {
    for (size_t i = 0; i < step_count; i++) {
        if (is(&steps[i], "read"))
            find_source(i);
        if (is(&steps[i], "write"))
            find_lost(i);
    }
}

/* ---------- Drawing ---------- */

static size_t first_shown(void) {
    return step_count > MOST_SHOWN ? step_count - MOST_SHOWN : 0;
}

static double column_width(void) {
    double room = thread_count > MOST_BESIDE ? WIDTH - 90 : WIDTH - SOURCE;
    double width = room / (double)(thread_count > 0 ? thread_count : 1);

    return width < 300 ? width : 300;
}

/* Of a step: there is room for arrows between few threads. */
static double box_width(void) {
    return column_width() - (thread_count > MOST_BESIDE ? 24 : 100);
}

static double column_x(size_t column) {
    return 70 + column_width() * ((double)column + 0.5);
}

/* The columns are in the order of the threads' names. */
static double center_x(size_t thread) {
    size_t column = 0;

    for (size_t i = 0; i < thread_count; i++)
        column += strcmp(threads[i], threads[thread]) < 0;
    return column_x(column);
}

static double center_y(size_t step) {
    return TOP + (double)(step - first_shown()) * ROW + BOX / 2.0;
}

/* A line with a head at its end. */
static void arrow(xmlTextWriterPtr xml, const char *class, double x1, double y1,
    double x2, double y2) {
    double angle = atan2(y2 - y1, x2 - x1), length = 14;

    svg_begin(xml, "path");
    svg_set(xml, "class", "%s", class);
    svg_set(xml, "d", "M%.1f %.1fL%.1f %.1fM%.1f %.1fL%.1f %.1fL%.1f %.1f", x1,
        y1, x2, y2, x2 - length * cos(angle - 0.4),
        y2 - length * sin(angle - 0.4), x2, y2, x2 - length * cos(angle + 0.4),
        y2 - length * sin(angle + 0.4));
    svg_end(xml);
}

static void draw_arrows(xmlTextWriterPtr xml) {
    double half = box_width() / 2;

    for (size_t i = first_shown(); i < step_count; i++) {
        const struct step *step = &steps[i];
        size_t from = step->reads ? step->from : i;
        size_t to = step->lost ? step->by : i;

        for (int kind = 0; kind < 2; kind++) {
            size_t a = kind == 0 ? from : i, b = kind == 0 ? i : to;
            if (a == b || a < first_shown())
                continue;
            double side =
                center_x(steps[b].thread) > center_x(steps[a].thread) ? 1 : -1;
            arrow(xml, kind == 0 ? "value" : "over",
                center_x(steps[a].thread) + side * half, center_y(a),
                center_x(steps[b].thread) - side * half, center_y(b));
        }
    }
}

static void draw_step(xmlTextWriterPtr xml, size_t number) {
    const struct step *step = &steps[number];
    double x = center_x(step->thread), y = center_y(number);
    double width = box_width();
    char text[240];

    snprintf(text, sizeof text, "%zu", number + 1);
    svg_text(xml, "tick", 50, y + 6, "end", text);
    svg_box(xml, step->lost ? "lost" : "step", x - width / 2, y - BOX / 2.0,
        width, BOX);
    snprintf(text, sizeof text, "%.60s: %.60s%s", step->place, step->words,
        step->lost ? " (lost)" : "");
    if (strlen(text) > (size_t)(width / LETTER))
        text[(size_t)(width / LETTER)] = '\0';
    svg_text(xml, step->lost ? "red" : "word", x, y + 6, "middle", text);
    if (thread_count <= MOST_BESIDE)
        svg_text(xml, "source",
            column_x(thread_count) - column_width() / 2 + 20, y + 5, "start",
            step->source);
}

/* Who waits stands on a circle, with an arrow to who holds. */
static void draw_circle(xmlTextWriterPtr xml, double top) {
    double middle_x = WIDTH / 2.0, middle_y = top + RADIUS + 60;
    char text[140];

    for (size_t i = 0; i < wait_count; i++) {
        double at = 6.2832 * (double)i / (double)wait_count - 1.5708, to = at;
        double x = middle_x + RADIUS * cos(at), y = middle_y + RADIUS * sin(at);

        for (size_t j = 0; j < wait_count; j++)
            if (strcmp(waits[j].thread, waits[i].holder) == 0)
                to = 6.2832 * (double)j / (double)wait_count - 1.5708;
        double end_x = middle_x + RADIUS * cos(to);
        double end_y = middle_y + RADIUS * sin(to);
        double length = hypot(end_x - x, end_y - y);
        double part = length > 0 ? 34 / length : 0;
        arrow(xml, "over", x + (end_x - x) * part, y + (end_y - y) * part,
            end_x - (end_x - x) * part, end_y - (end_y - y) * part);
        snprintf(text, sizeof text, "waits for %.60s, which %s holds",
            waits[i].place, waits[i].holder);
        svg_box(xml, "step", x - 28, y - 22, 56, 44);
        svg_text(xml, "title", x, y + 8, "middle", waits[i].thread);
        svg_text(xml, "word", x + (x < middle_x - 1 ? -40 : 40), y + 6,
            x < middle_x - 1 ? "end" : "start", text);
    }
}

static const char style[] =
    ".step{fill:#fff;stroke:#000;stroke-width:1.5}"
    ".lost{fill:#fff;stroke:#b91c1c;stroke-width:4;stroke-dasharray:10 5}"
    "text.red{fill:#b91c1c;font-weight:bold;font-size:18px}"
    "text.word{font-size:18px}text.source{font-size:15px;font-family:monospace}"
    ".value{fill:none;stroke:#14532d;stroke-width:3}"
    ".over{fill:none;stroke:#b91c1c;stroke-width:3;stroke-dasharray:10 5}";

static void draw(xmlTextWriterPtr xml) {
    double steps_end = TOP + (double)(step_count - first_shown()) * ROW;
    double height = steps_end + (wait_count > 0 ? 2 * RADIUS + 140 : 0) + 70;
    char text[200];

    svg_open(xml, WIDTH, height);
    svg_begin(xml, "style");
    xmlTextWriterWriteString(xml, (const xmlChar *)style);
    svg_end(xml);
    snprintf(text, sizeof text, "%.110s", outcome == NULL ? "" : outcome);
    svg_text(xml, "title", 16, 34, "start", text);
    if (first_shown() > 0) {
        snprintf(text, sizeof text, "the last %d of %zu steps", MOST_SHOWN,
            step_count);
        svg_text(xml, "tick", 16, 62, "start", text);
    }
    for (size_t i = 0; i < thread_count; i++)
        svg_text(xml, "title", center_x(i), TOP - 14, "middle", threads[i]);
    draw_arrows(xml);
    for (size_t i = first_shown(); i < step_count; i++)
        draw_step(xml, i);
    if (wait_count > 0)
        draw_circle(xml, steps_end);
    svg_text(xml, "tick", 16, height - 16, "start",
        "An arrow: a value that another thread reads. Red and dashed: a write "
        "that another wrote over unseen, or who waits for whom.");
    svg_end(xml);
}

int main(int argc, char *argv[]) {
    if (argc != 3)
        errx(2, "usage: explored REPORT OUT.svg");
    read_report(argv[1]);
    if (step_count == 0)
        errx(EXIT_FAILURE, "nothing went wrong: there is nothing to draw");
    understand();
    xmlTextWriterPtr xml = xmlNewTextWriterFilename(argv[2], 0);
    if (xml == NULL)
        err(EXIT_FAILURE, "%s", argv[2]);
    xmlTextWriterStartDocument(xml, NULL, "UTF-8", NULL);
    draw(xml);
    bool good = xmlTextWriterEndDocument(xml) >= 0;
    xmlFreeTextWriter(xml);
    if (!good)
        err(EXIT_FAILURE, "%s", argv[2]);
    printf("Picture: %s\n", argv[2]);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
