/*
 * svg.c - pictures as SVG: for a browser, a projector and a printer
 *
 * Kinds of time differ in pattern, not only in colour: solid, dots, stripes.
 */
#define _GNU_SOURCE /* asprintf */
#include "pictures/svg.h"
#include "pictures/scale.h"
#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIDTH = 1280,
    MARGIN = 16,
    ROW = 28, /* of a lane, of which its bar takes */
    BAR = 22,
    TITLE = 40,
    AXIS = 34,
    LEGEND = 40,
    LETTER = 11, /* the width of a name's letter */
    LEAST_NAME = 60,
    MOST_NAME = 240,
    LEAST_TICK = 80,
    MOST_LANES = 40,
    PARTS = 400 /* of a graph */
};

static const char style[] =
    "text{font:20px sans-serif;fill:#000}"
    ".title{font-weight:bold;font-size:22px}.tick{font-size:18px}"
    ".c{fill:#14532d}.w{fill:url(#waiting)}.r{fill:url(#ready)}"
    ".u{fill:url(#under-way)}.box{fill:none;stroke:#000;stroke-width:1}"
    ".grid{stroke:#999;stroke-width:1}.graph{fill:#14532d}.rest{fill:#555}";

static const char *const classes[SHARES] = {
    [COMPUTING] = "c", [READY] = "r", [WAITING] = "w"};

void svg_set(xmlTextWriterPtr xml, const char *name, const char *format, ...) {
    va_list args;

    va_start(args, format);
    xmlTextWriterWriteVFormatAttribute(
        xml, (const xmlChar *)name, format, args);
    va_end(args);
}

static void begin(xmlTextWriterPtr xml, const char *name) {
    xmlTextWriterStartElement(xml, (const xmlChar *)name);
}

static void end(xmlTextWriterPtr xml) {
    xmlTextWriterEndElement(xml);
}

void svg_box(xmlTextWriterPtr xml, const char *class, double x, double y,
    double width, double height) {
    begin(xml, "rect");
    svg_set(xml, "class", "%s", class);
    svg_set(xml, "x", "%.2f", x);
    svg_set(xml, "y", "%.2f", y);
    svg_set(xml, "width", "%.2f", width > 0 ? width : 0);
    svg_set(xml, "height", "%.2f", height > 0 ? height : 0);
    end(xml);
}

void svg_text(xmlTextWriterPtr xml, const char *class, double x, double y,
    const char *anchor, const char *text) {
    begin(xml, "text");
    svg_set(xml, "class", "%s", class);
    svg_set(xml, "x", "%.2f", x);
    svg_set(xml, "y", "%.2f", y);
    if (strcmp(anchor, "start") != 0)
        svg_set(xml, "text-anchor", "%s", anchor);
    xmlTextWriterWriteString(xml, (const xmlChar *)text);
    end(xml);
}

static void line(
    xmlTextWriterPtr xml, double x1, double y1, double x2, double y2) {
    begin(xml, "line");
    svg_set(xml, "class", "grid");
    svg_set(xml, "x1", "%.2f", x1);
    svg_set(xml, "y1", "%.2f", y1);
    svg_set(xml, "x2", "%.2f", x2);
    svg_set(xml, "y2", "%.2f", y2);
    end(xml);
}

/* The patterns: light dots, stripes and lines on white. */
static void write_patterns(xmlTextWriterPtr xml) {
    xmlTextWriterWriteRaw(xml,
        (const xmlChar *)"<defs>"
                         "<pattern id='waiting' width='9' height='11' "
                         "patternUnits='userSpaceOnUse'>"
                         "<rect width='9' height='11' fill='#dbeafe'/>"
                         "<circle cx='4.5' cy='5.5' r='1.6' fill='#1e3a8a'/>"
                         "</pattern>"
                         "<pattern id='ready' width='8' height='8' "
                         "patternUnits='userSpaceOnUse' "
                         "patternTransform='rotate(45)'>"
                         "<rect width='8' height='8' fill='#fff'/>"
                         "<rect width='3' height='8' fill='#b91c1c'/>"
                         "</pattern>"
                         "<pattern id='under-way' width='8' height='7' "
                         "patternUnits='userSpaceOnUse'>"
                         "<rect width='8' height='7' fill='#fff'/>"
                         "<rect width='8' height='2' fill='#555'/>"
                         "</pattern>"
                         "</defs>");
}

/* ---------- A drawing ---------- */

struct drawing {
    xmlTextWriterPtr xml;
    const struct picture *pictures;
    size_t count;
    double left, plot; /* where the time begins, and its width */
    int64_t end_ns;
    double most_cpus; /* busy at any time, in any of them */
    bool pack;
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
    begin(d->xml, "title");
    xmlTextWriterWriteString(d->xml, (const xmlChar *)clean);
    end(d->xml);
    free(clean);
    free(text);
}

static void draw_piece(struct drawing *d, const struct lane *lane,
    const struct piece_of_work *piece) {
    double x = at(d, piece->from_ns), width = at(d, piece->to_ns) - x;
    double whole = (double)(piece->to_ns - piece->from_ns), y = d->y;

    begin(d->xml, "g");
    if (!lane->thread) {
        svg_set(d->xml, "class", "piece");
        write_tip(d, lane, piece);
    }
    for (int i = SHARES - 1; piece->known && i >= 0; i--) {
        double height =
            whole > 0 ? (double)piece->share_ns[i] / whole * BAR : 0;
        if (height > 0)
            svg_box(d->xml, classes[i], x, y, width, height);
        y += height;
    }
    if (!piece->known)
        svg_box(d->xml, "u", x, y, width, BAR);
    svg_box(d->xml, "box", x, d->y, width, BAR);
    end(d->xml);
}

static void draw_lane(struct drawing *d, const struct lane *lane) {
    for (size_t i = 0; i < lane->count; i++)
        draw_piece(d, lane, &lane->pieces[i]);
}

static void draw_name(struct drawing *d, const char *name) {
    svg_text(d->xml, "name", d->left - 10, d->y + BAR - 4, "end", name);
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
    double width = d->plot / PARTS, bottom = d->y + BAR;
    char label[40];

    draw_name(d, name);
    begin(d->xml, "path");
    svg_set(d->xml, "class", "%s", class);
    xmlTextWriterStartAttribute(d->xml, (const xmlChar *)"d");
    xmlTextWriterWriteFormatString(d->xml, "M%.2f %.2f", d->left, bottom);
    for (int i = 0; i < PARTS; i++)
        xmlTextWriterWriteFormatString(d->xml, "V%.2fH%.2f",
            bottom - (most > 0 ? values[i] / most : 0) * BAR,
            d->left + width * (i + 1));
    xmlTextWriterWriteFormatString(d->xml, "V%.2fZ", bottom);
    xmlTextWriterEndAttribute(d->xml);
    end(d->xml);
    svg_box(d->xml, "box", d->left, d->y, d->plot, BAR);
    snprintf(label, sizeof label, "%.0f", most);
    svg_text(d->xml, "tick", d->left + d->plot + 6, d->y + 14, "start", label);
    d->y += ROW;
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
    size_t first, size_t last) {
    double values[PARTS];
    char name[40];

    picture_under_way(picture, first, last, d->end_ns, PARTS, values);
    snprintf(name, sizeof name, "%zu more", last - first);
    draw_graph(d, "rest", name, values, highest(values));
}

static void draw_cpus(struct drawing *d, const struct picture *picture) {
    double values[PARTS];

    picture_cpus(picture, d->end_ns, PARTS, values);
    draw_graph(d, "graph", "CPUs busy", values, d->most_cpus);
}

static void draw_packed(struct drawing *d, const struct picture *picture) {
    size_t lanes = own_lanes(picture);
    size_t *row_of = calloc(lanes + 1, sizeof *row_of);
    double top = d->y;
    char name[40];

    if (row_of == NULL)
        err(EXIT_FAILURE, "calloc");
    size_t rows = pack(picture, lanes, row_of);
    for (size_t i = 0; i < lanes; i++) {
        d->y = top + (double)(row_of[i] * ROW);
        if (row_of[i] < MOST_LANES)
            draw_lane(d, &picture->lanes[i]);
    }
    d->y = top;
    snprintf(name, sizeof name, "%zu at once", rows);
    draw_name(d, name);
    d->y = top + (double)((rows < MOST_LANES ? rows : MOST_LANES) * ROW);
    free(row_of);
}

static void draw_picture(struct drawing *d, const struct picture *picture) {
    size_t lanes = own_lanes(picture);
    char *title, time[40];

    if (asprintf(&title, "%s: %s", picture->title,
            scale_time(picture->end_ns, time, sizeof time)) == -1)
        err(EXIT_FAILURE, "asprintf");
    svg_text(d->xml, "title", MARGIN, d->y + TITLE - 12, "start", title);
    free(title);
    d->y += TITLE;
    if (d->pack)
        draw_packed(d, picture);
    for (size_t i = 0; i < picture->count; i++) {
        if (i < lanes && (d->pack || i >= MOST_LANES))
            continue;
        draw_name(d, picture->lanes[i].name);
        draw_lane(d, &picture->lanes[i]);
        d->y += ROW;
    }
    if (!d->pack && lanes > MOST_LANES)
        draw_rest(d, picture, MOST_LANES, lanes);
    if (picture->used_count > 0)
        draw_cpus(d, picture);
}

/* ---------- All ---------- */

static double height_of(const struct drawing *d) {
    double height = AXIS + LEGEND + 2 * MARGIN;

    for (size_t i = 0; i < d->count; i++) {
        const struct picture *picture = &d->pictures[i];
        size_t own = own_lanes(picture), rows = picture->count - own;

        if (d->pack) {
            size_t *row_of = calloc(own + 1, sizeof *row_of);
            if (row_of == NULL)
                err(EXIT_FAILURE, "calloc");
            own = pack(picture, own, row_of);
            free(row_of);
        }
        rows += own <= MOST_LANES ? own : MOST_LANES + (d->pack ? 0U : 1U);
        rows += picture->used_count > 0;
        height += TITLE + (double)(rows * ROW);
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
    double x = d->left;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        svg_box(d->xml, kinds[i].class, x, d->y, 34, BAR);
        svg_box(d->xml, "box", x, d->y, 34, BAR);
        svg_text(
            d->xml, "name", x + 42, d->y + BAR - 5, "start", kinds[i].meaning);
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
        for (size_t j = 0; j < picture->count && !d->pack; j++)
            if (strlen(picture->lanes[j].name) > longest)
                longest = strlen(picture->lanes[j].name);
        if (longest < strlen("CPUs busy"))
            longest = strlen("CPUs busy");
    }
    d->left = (double)longest * LETTER + 10;
    if (d->left < LEAST_NAME)
        d->left = LEAST_NAME;
    if (d->left > MOST_NAME)
        d->left = MOST_NAME;
    d->left += MARGIN;
    d->plot = width - d->left - 60;
}

void svg_pictures(xmlTextWriterPtr xml, const struct picture *pictures,
    size_t count, const struct svg_options *options) {
    struct drawing d = {.xml = xml,
        .pictures = pictures,
        .count = count,
        .pack = options->pack,
        .y = MARGIN};
    double width = options->width > 0 ? options->width : WIDTH, height;

    find_extent(&d, width);
    height = height_of(&d);
    begin(xml, "svg");
    svg_set(xml, "xmlns", "http://www.w3.org/2000/svg");
    svg_set(xml, "viewBox", "0 0 %g %g", width, height);
    svg_set(xml, "role", "img");
    begin(xml, "style");
    xmlTextWriterWriteString(xml, (const xmlChar *)style);
    end(xml);
    write_patterns(xml);
    draw_axis(&d, height - AXIS - LEGEND - MARGIN);
    for (size_t i = 0; i < count; i++)
        draw_picture(&d, &pictures[i]);
    d.y = height - LEGEND - MARGIN / 2;
    draw_legend(&d);
    end(xml);
}

bool svg_write(const char *path, const struct picture *pictures, size_t count) {
    struct svg_options options = {0};
    xmlTextWriterPtr xml = xmlNewTextWriterFilename(path, 0);
    bool good;

    if (xml == NULL)
        return false;
    errno = 0;
    xmlTextWriterStartDocument(xml, NULL, "UTF-8", NULL);
    svg_pictures(xml, pictures, count, &options);
    good = xmlTextWriterEndDocument(xml) >= 0 && errno == 0;
    xmlFreeTextWriter(xml);
    return good;
}
