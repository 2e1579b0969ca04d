/*
 * page.c - the demo as one page: its table, its timelines, its speedups
 *
 * It is HTML that is XML as well, in one file without a script: it opens from
 * a disk or a stick, offline, and prints on two sheets.
 */
#include "pictures/page.h"
#include "pictures/drawing.h"
#include "pictures/svg.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { BAR = 22, PACKED_ROWS = 12, ROW = 22, WIDTH = 960, MOST_TIMELINES = 12 };

static const double BARS = 230; /* the width of the longest, in pixels */

static const char style[] =
    "body{font:20px/1.35 sans-serif;margin:16px auto;max-width:1280px;"
    "padding:0 16px;color:#000;background:#fff}"
    "h1{font-size:34px;margin:0 0 8px}h2{font-size:28px;margin:28px 0 4px}"
    "p{margin:6px 0}table{border-collapse:collapse;width:100%}"
    "td,th{padding:1px 6px;text-align:right;white-space:nowrap}"
    "th{vertical-align:bottom;white-space:normal}"
    "td.left,th.left{text-align:left}thead th{border-bottom:2px solid #000}"
    "tbody{border-bottom:1px solid #000}td svg{display:block}"
    "td.note{white-space:normal}figure{margin:0}"
    "@media screen and (min-width:1900px){body{zoom:1.45}}"
    /* Two sheets in two columns, the table on the first. */
    "@media print{@page{size:A4;margin:10mm}"
    "body{font-size:12px;margin:0;padding:0;max-width:none}"
    "h1{font-size:20px}h2{font-size:15px;margin:4px 0 0}p{margin:2px 0}"
    "section{break-inside:avoid;margin-bottom:3mm}"
    "figure svg{display:block}td svg{height:13px}"
    "div{display:grid;grid-template-columns:1fr 1fr;column-gap:6mm;"
    "align-items:start}div+div{break-before:page}"
    "div+div section:nth-child(2){grid-column:2;grid-row:1/3}"
    "div p:last-child{grid-column:1/3}}";

enum { FIRST_SHEET = 2 /* stories */ };

double row_percent(const struct row *row) {
    return row->time_s > 0 ? 100 * row->ideal_s / row->time_s : 0;
}

static void begin(xmlTextWriterPtr xml, const char *name, const char *class) {
    svg_begin(xml, name);
    if (class != NULL)
        svg_set(xml, "class", "%s", class);
}

__attribute__((format(printf, 4, 5))) static void element(xmlTextWriterPtr xml,
    const char *name, const char *class, const char *format, ...) {
    va_list args;

    begin(xml, name, class);
    va_start(args, format);
    xmlTextWriterWriteVFormatString(xml, format, args);
    va_end(args);
    svg_end(xml);
}

/* ---------- The table ---------- */

/* A bar for the speedup, and a line where the ideal is. */
static void write_bar(
    xmlTextWriterPtr xml, const struct row *row, double most) {
    double ideal = row->speedup * row->time_s / row->ideal_s;

    begin(xml, "td", NULL);
    svg_begin(xml, "svg");
    svg_set(xml, "xmlns", "http://www.w3.org/2000/svg");
    svg_set(xml, "width", "%.0f", BARS + 4);
    svg_set(xml, "height", "%d", BAR);
    svg_set(xml, "viewBox", "0 0 %.0f %d", BARS + 4, BAR);
    svg_box(xml, "c speedup", 0, 4, row->speedup / most * BARS, BAR - 8);
    svg_box(xml, "box", 0, 4, ideal / most * BARS, BAR - 8);
    svg_box(xml, "ideal", ideal / most * BARS - 1.5, 0, 3, BAR);
    svg_end(xml);
    svg_end(xml);
}

static void write_row(xmlTextWriterPtr xml, const struct page_story *story,
    const struct row *row, double most) {
    char taken[16] = "";

    begin(xml, "tr", NULL);
    element(xml, "td", "left", "%s", story->name);
    element(xml, "td", "left", "%s", row->tool);
    if (!row->good) {
        begin(xml, "td", "left note");
        svg_set(xml, "colspan", "8");
        xmlTextWriterWriteString(xml, (const xmlChar *)row->note);
        svg_end(xml);
        svg_end(xml);
        return;
    }
    element(xml, "td", NULL, "%ld", row->workers);
    element(xml, "td", NULL, "%.2f s", row->time_s);
    element(xml, "td", NULL, "%.2f s", row->ideal_s);
    element(xml, "td", NULL, "%.2f", row->speedup);
    element(xml, "td", NULL, "%.0f %%", row_percent(row));
    element(xml, "td", NULL, "%.2f", row->cpus);
    if (row->note[0] != '\0')
        snprintf(taken, sizeof taken, "%.1f", row->others);
    element(xml, "td", NULL, "%s", taken);
    write_bar(xml, row, most);
    svg_end(xml);
}

static double most_speedup(const struct page_story *stories, size_t count) {
    double most = 1;

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < stories[i].count; j++) {
            const struct row *row = &stories[i].rows[j];
            double ideal = row->good && row->ideal_s > 0
                               ? row->speedup * row->time_s / row->ideal_s
                               : 0;
            most = row->good && row->speedup > most ? row->speedup : most;
            most = ideal > most ? ideal : most;
        }
    return most;
}

static void write_table(
    xmlTextWriterPtr xml, const struct page_story *stories, size_t count) {
    static const char *const heads[] = {"story", "tool", "workers", "time",
        "ideal", "speedup", "of the possible", "CPUs busy", "taken by others",
        "speedup | ideal"};
    double most = most_speedup(stories, count);

    begin(xml, "table", NULL);
    begin(xml, "thead", NULL);
    begin(xml, "tr", NULL);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        element(xml, "th", i < 2 || i == 9 ? "left" : NULL, "%s", heads[i]);
    svg_end(xml);
    svg_end(xml);
    for (size_t i = 0; i < count; i++) {
        begin(xml, "tbody", NULL);
        for (size_t j = 0; j < stories[i].count; j++)
            write_row(xml, &stories[i], &stories[i].rows[j], most);
        svg_end(xml);
    }
    svg_end(xml);
}

/* ---------- The timelines ---------- */

static void write_timelines(
    xmlTextWriterPtr xml, const struct page_story *story) {
    static const struct drawing_options options = {
        .width = WIDTH, .row = ROW, .packed_rows = PACKED_ROWS};
    struct picture pictures[MOST_TIMELINES];
    size_t count = 0;

    for (size_t i = 0; i < story->count && count < MOST_TIMELINES; i++)
        if (story->rows[i].picture.count > 0)
            pictures[count++] = story->rows[i].picture;
    begin(xml, "section", NULL);
    element(xml, "h2", NULL, "%s", story->name);
    element(xml, "p", NULL, "%s", story->work);
    begin(xml, "figure", NULL);
    if (count > 0)
        drawing_make(xml, pictures, count, &options);
    svg_end(xml);
    svg_end(xml);
}

static void write_body(xmlTextWriterPtr xml, const struct page_story *stories,
    size_t count, long cpus) {
    begin(xml, "body", NULL);
    element(xml, "h1", NULL, "The stories, one after another and concurrently");
    element(xml, "p", NULL,
        "Each program ran just now, on this machine with %ld CPU%s. Workers "
        "are threads, processes, or transfers in flight, and in cooking the "
        "chefs. "
        "The ideal is the shortest time that so many workers could need; the "
        "speedup compares with the first row of the story. Where other jobs "
        "took CPUs that the program wanted, it says how many: such a time is "
        "not all the program's own.",
        cpus, cpus == 1 ? "" : "s");
    write_table(xml, stories, count);
    begin(xml, "div", NULL);
    for (size_t i = 0; i < count; i++) {
        if (i == FIRST_SHEET) {
            svg_end(xml);
            begin(xml, "div", NULL);
        }
        write_timelines(xml, &stories[i]);
    }
    element(xml, "p", NULL,
        "A bar is a piece of work, from the line that begins it to the line "
        "that ends it. Its height is divided as the time of its thread was: "
        "computing below, waiting above. Where one thread serves many at once, "
        "what it did stands in a row of its own. Where there are too many bars "
        "for a row each, bars that do not overlap share one, or a graph shows "
        "how many are under way.");
    svg_end(xml);
    svg_end(xml);
}

bool page_write(const char *path, const struct page_story *stories,
    size_t count, long cpus) {
    xmlTextWriterPtr xml = xmlNewTextWriterFilename(path, 0);
    bool good;

    if (xml == NULL)
        return false;
    errno = 0;
    xmlTextWriterWriteRaw(xml, (const xmlChar *)"<!DOCTYPE html>\n");
    begin(xml, "html", NULL);
    svg_set(xml, "lang", "en");
    begin(xml, "head", NULL);
    svg_begin(xml, "meta");
    svg_set(xml, "charset", "utf-8");
    svg_end(xml);
    element(xml, "title", NULL, "Concurrency: the demo");
    element(xml, "style", NULL, "%s", style);
    svg_end(xml);
    write_body(xml, stories, count, cpus);
    good = xmlTextWriterEndDocument(xml) >= 0 && errno == 0;
    xmlFreeTextWriter(xml);
    return good;
}
