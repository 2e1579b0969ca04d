/*
 * drawing.c - pictures of lanes as SVG: for a browser, a projector, a printer
 */
#define _GNU_SOURCE /* asprintf */
#include "pictures/drawing.h"
#include "pictures/scale.h"
#include "pictures/svg.h"
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_TICK = 80, MOST_LANES = 40, PARTS = 400 /* of a graph */ };

/* In pixels. */
static const double WIDTH = 1280, MARGIN = 16;
static const double ROW = 28, GAP = 6; /* a bar is so much lower than its row */
static const double TITLE = 40, AXIS = 34, LEGEND = 40;
static const double LETTER = 11; /* the width of a name's letter */
static const double LEAST_NAME = 60, MOST_NAME = 240;

static const char *const classes[SHARES] = {
    [COMPUTING] = "c", [READY] = "r", [WAITING] = "w"};

static void line(
    xmlTextWriterPtr xml, double x1, double y1, double x2, double y2) {
    svg_begin(xml, "line");
    svg_set(xml, "class", "grid");
    svg_set(xml, "x1", "%.2f", x1);
    svg_set(xml, "y1", "%.2f", y1);
    svg_set(xml, "x2", "%.2f", x2);
    svg_set(xml, "y2", "%.2f", y2);
    svg_end(xml);
}

/* ---------- A drawing ---------- */

struct drawing {
    xmlTextWriterPtr xml;
    const struct picture *pictures;
    size_t count;
    double left, plot; /* where the time begins, and its width */
    int64_t end_ns;
    double most_cpus; /* busy at any time, in any of them */
    size_t packed_rows;
    double row, bar; /* the height of a lane's row, and of its bar in it */
    double y;
};

static double at(const struct drawing *d, int64_t ns) {
    return d->left + (double)ns / (double)d->end_ns * d->plot;
}

/* What a browser shows when the pointer rests on the bar. */
static void write_tip(struct drawing *d, const struct lane *lane,
    const struct piece_of_work *piece) {
    char *text, *clean, from[40], length[40];

    scale_time(piece->from_ns, from, sizeof from);
    scale_time(piece->to_ns - piece->from_ns, length, sizeof length);
    if (asprintf(&text, "%s: %s %s, from %s, for %s", lane->name, piece->begin,
            piece->end != NULL ? piece->end : "(never ended)", from,
            length) == -1)
        err(EXIT_FAILURE, "asprintf");
    clean = printable(text, strlen(text));
    svg_begin(d->xml, "title");
    xmlTextWriterWriteString(d->xml, (const xmlChar *)clean);
    svg_end(d->xml);
    free(clean);
    free(text);
}

static void draw_piece(struct drawing *d, const struct lane *lane,
    const struct piece_of_work *piece) {
    double x = at(d, piece->from_ns), width = at(d, piece->to_ns) - x;
    double whole = (double)(piece->to_ns - piece->from_ns), y = d->y;

    svg_begin(d->xml, "g");
    if (!lane->thread) {
        svg_set(d->xml, "class", "piece");
        write_tip(d, lane, piece);
    }
    for (int i = SHARES - 1; piece->known && i >= 0; i--) {
        double height =
            whole > 0 ? (double)piece->share_ns[i] / whole * d->bar : 0;
        if (height > 0)
            svg_box(d->xml, classes[i], x, y, width, height);
        y += height;
    }
    if (!piece->known)
        svg_box(d->xml, "u", x, y, width, d->bar);
    svg_box(d->xml, "box", x, d->y, width, d->bar);
    svg_end(d->xml);
}

static void draw_lane(struct drawing *d, const struct lane *lane) {
    for (size_t i = 0; i < lane->count; i++)
        draw_piece(d, lane, &lane->pieces[i]);
}

static void draw_name(struct drawing *d, const char *name) {
    svg_text(d->xml, "name", d->left - 10, d->y + d->bar - 4, "end", name);
}

/* ---------- Rows ---------- */

static int64_t lane_end(const struct lane *lane) {
    return lane->pieces[lane->count - 1].to_ns;
}

/* Puts each lane into the first row that is free by then; returns the number
 * of rows. The lanes are in the order of their beginnings. */
static size_t pack(
    const struct picture *picture, size_t lanes, size_t *row_of) {
    int64_t *free_at = calloc(lanes + 1, sizeof *free_at);
    size_t rows = 0;

    if (free_at == NULL)
        err(EXIT_FAILURE, "calloc");
    for (size_t i = 0; i < lanes; i++) {
        const struct lane *lane = &picture->lanes[i];
        size_t row = 0;

        while (row < rows && free_at[row] > lane->pieces[0].from_ns)
            row++;
        if (row == rows)
            rows++;
        free_at[row] = lane_end(lane);
        row_of[i] = row;
    }
    free(free_at);
    return rows;
}

static size_t own_lanes(const struct picture *picture) {
    size_t lanes = picture->count;

    while (lanes > 0 && picture->lanes[lanes - 1].thread)
        lanes--;
    return lanes;
}

/* Steps, from 0 to the most, which stands to the right of its row. */
static void draw_graph(struct drawing *d, const char *class, const char *name,
    const double *values, double most) {
    double width = d->plot / (double)PARTS, bottom = d->y + d->bar;
    char label[40];

    draw_name(d, name);
    svg_begin(d->xml, "path");
    svg_set(d->xml, "class", "%s", class);
    xmlTextWriterStartAttribute(d->xml, (const xmlChar *)"d");
    xmlTextWriterWriteFormatString(d->xml, "M%.2f %.2f", d->left, bottom);
    for (int i = 0; i < PARTS; i++)
        xmlTextWriterWriteFormatString(d->xml, "V%.2fH%.2f",
            bottom - (most > 0 ? values[i] / most : 0) * d->bar,
            d->left + width * (i + 1));
    xmlTextWriterWriteFormatString(d->xml, "V%.2fZ", bottom);
    xmlTextWriterEndAttribute(d->xml);
    svg_end(d->xml);
    svg_box(d->xml, "box", d->left, d->y, d->plot, d->bar);
    snprintf(label, sizeof label, "%.0f", most);
    svg_text(d->xml, "tick", d->left + d->plot + 6, d->y + 14, "start", label);
    d->y += d->row;
}

static double highest(const double *values) {
    double most = 1;

    for (int i = 0; i < PARTS; i++)
        while (values[i] > most + 0.05)
            most++;
    return most;
}

/* How many of the lanes from `first` to before `last` are under way. */
static void draw_rest(struct drawing *d, const struct picture *picture,
    const char *what, size_t first, size_t last) {
    double values[PARTS];
    char name[40];

    picture_under_way(picture, first, last, d->end_ns, PARTS, values);
    snprintf(name, sizeof name, "%zu %s", last - first, what);
    draw_graph(d, "rest", name, values, highest(values));
}

static void draw_cpus(struct drawing *d, const struct picture *picture) {
    double values[PARTS];

    picture_cpus(picture, d->end_ns, PARTS, values);
    draw_graph(d, "graph", "CPUs busy", values, d->most_cpus);
}

/* How a picture's lanes get their rows. */
struct plan {
    enum { NAMED, PACKED, SUMMED } how;
    size_t lanes;   /* but for threads that several lanes share */
    size_t rows;    /* in all */
    size_t *row_of; /* of each lane, if they are packed */
};

static struct plan make_plan(
    const struct drawing *d, const struct picture *picture) {
    struct plan plan = {.how = NAMED, .lanes = own_lanes(picture)};

    plan.rows = plan.lanes <= MOST_LANES ? plan.lanes : MOST_LANES + 1;
    plan.row_of = calloc(plan.lanes + 1, sizeof *plan.row_of);
    if (plan.row_of == NULL)
        err(EXIT_FAILURE, "calloc");
    if (d->packed_rows > 0 && plan.lanes > d->packed_rows) {
        plan.rows = pack(picture, plan.lanes, plan.row_of);
        plan.how = plan.rows <= d->packed_rows ? PACKED : SUMMED;
        if (plan.how == SUMMED)
            plan.rows = 1;
    }
    plan.rows += picture->count - plan.lanes + (picture->used_count > 0);
    return plan;
}

static void draw_packed(
    struct drawing *d, const struct picture *picture, const struct plan *plan) {
    double top = d->y, last = 0;

    for (size_t i = 0; i < plan->lanes; i++) {
        double down = (double)plan->row_of[i] * d->row;
        d->y = top + down;
        draw_lane(d, &picture->lanes[i]);
        last = down > last ? down : last;
    }
    d->y = top + last + d->row;
}

static void draw_picture(struct drawing *d, const struct picture *picture) {
    struct plan plan = make_plan(d, picture);
    size_t named = plan.lanes < MOST_LANES ? plan.lanes : MOST_LANES;
    char *title, time[40];

    if (asprintf(&title, "%s: %s", picture->title,
            scale_time(picture->end_ns, time, sizeof time)) == -1)
        err(EXIT_FAILURE, "asprintf");
    svg_text(d->xml, "title", MARGIN, d->y + TITLE - 12, "start", title);
    free(title);
    d->y += TITLE;
    if (plan.how == PACKED)
        draw_packed(d, picture, &plan);
    if (plan.how == SUMMED)
        draw_rest(d, picture, "under way", 0, plan.lanes);
    for (size_t i = 0; i < picture->count; i++) {
        if (i < plan.lanes && (plan.how != NAMED || i >= named))
            continue;
        draw_name(d, picture->lanes[i].name);
        draw_lane(d, &picture->lanes[i]);
        d->y += d->row;
    }
    if (plan.how == NAMED && named < plan.lanes)
        draw_rest(d, picture, "more", named, plan.lanes);
    if (picture->used_count > 0)
        draw_cpus(d, picture);
    free(plan.row_of);
}

/* ---------- All ---------- */

static double height_of(const struct drawing *d) {
    double height = AXIS + LEGEND + 2 * MARGIN;

    for (size_t i = 0; i < d->count; i++) {
        struct plan plan = make_plan(d, &d->pictures[i]);

        height += TITLE + (double)plan.rows * d->row;
        free(plan.row_of);
    }
    return height;
}

/* Ticks through all pictures, and their labels below. */
static void draw_axis(struct drawing *d, double bottom) {
    struct scale scale = scale_for(d->end_ns, (size_t)d->plot, LEAST_TICK);
    char label[40];

    for (int64_t ns = 0; ns <= d->end_ns; ns += scale.tick_ns) {
        line(d->xml, at(d, ns), MARGIN, at(d, ns), bottom + 8);
        scale_label(
            ns, d->end_ns, ns + scale.tick_ns > d->end_ns, label, sizeof label);
        svg_text(d->xml, "tick", at(d, ns), bottom + 26, "middle", label);
    }
}

static void draw_legend(struct drawing *d) {
    static const struct {
        const char *class, *meaning;
        int width;
    } kinds[] = {{"c", "computing", 180}, {"w", "waiting (asleep)", 250},
        {"r", "ready, but without a CPU", 340}, {"u", "under way", 150}};
    double x = MARGIN;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        svg_box(d->xml, kinds[i].class, x, d->y, 34, d->bar);
        svg_box(d->xml, "box", x, d->y, 34, d->bar);
        svg_text(d->xml, "name", x + 42, d->y + d->bar - 5, "start",
            kinds[i].meaning);
        x += kinds[i].width;
    }
}

static void find_extent(struct drawing *d, double width) {
    size_t longest = 0;
    double values[PARTS], most;

    d->end_ns = 1;
    d->most_cpus = 1;
    for (size_t i = 0; i < d->count; i++) {
        const struct picture *picture = &d->pictures[i];

        if (picture->end_ns > d->end_ns)
            d->end_ns = picture->end_ns;
        picture_cpus(picture, picture->end_ns + 1, PARTS, values);
        most = highest(values);
        if (most > d->most_cpus)
            d->most_cpus = most;
        for (size_t j = 0; j < picture->count && j < MOST_LANES; j++)
            if (strlen(picture->lanes[j].name) > longest)
                longest = strlen(picture->lanes[j].name);
        if (longest < strlen("CPUs busy"))
            longest = strlen("CPUs busy");
    }
    if (d->packed_rows > 0 && longest < strlen("100 under way"))
        longest = strlen("100 under way");
    d->left = (double)longest * LETTER + 10;
    if (d->left < LEAST_NAME)
        d->left = LEAST_NAME;
    if (d->left > MOST_NAME)
        d->left = MOST_NAME;
    d->left += MARGIN;
    d->plot = width - d->left - 60;
}

void drawing_make(xmlTextWriterPtr xml, const struct picture *pictures,
    size_t count, const struct drawing_options *options) {
    struct drawing d = {.xml = xml,
        .pictures = pictures,
        .count = count,
        .packed_rows = options->packed_rows,
        .y = MARGIN};
    double width = options->width > 0 ? options->width : WIDTH, height;

    d.row = options->row > 0 ? options->row : ROW;
    d.bar = d.row - GAP;
    find_extent(&d, width);
    height = height_of(&d);
    svg_open(xml, width, height);
    draw_axis(&d, height - AXIS - LEGEND - MARGIN);
    for (size_t i = 0; i < count; i++)
        draw_picture(&d, &pictures[i]);
    d.y = height - LEGEND - MARGIN / 2;
    draw_legend(&d);
    svg_end(xml);
}

bool drawing_write(
    const char *path, const struct picture *pictures, size_t count) {
    struct drawing_options options = {0};
    xmlTextWriterPtr xml = xmlNewTextWriterFilename(path, 0);
    bool good;

    if (xml == NULL)
        return false;
    errno = 0;
    xmlTextWriterStartDocument(xml, NULL, "UTF-8", NULL);
    drawing_make(xml, pictures, count, &options);
    good = xmlTextWriterEndDocument(xml) >= 0 && errno == 0;
    xmlFreeTextWriter(xml);
    return good;
}
