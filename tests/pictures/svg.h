/*
 * svg.h - pictures as SVG: for a browser, a projector and a printer
 */
#ifndef SVG_H
#define SVG_H

#include "pictures/lanes.h"

#include <libxml/xmlwriter.h>
#include <stdbool.h>

struct svg_options {
    int width; /* in px; 0: 1280 */
    bool pack; /* lanes that do not overlap share a row, without names */
};

/* Writes one <svg> element with the pictures one under another on the same
 * scale. A bar's height is divided as the shares of its time are. */
void svg_pictures(xmlTextWriterPtr, const struct picture *, size_t count,
    const struct svg_options *);

/* The same as a file of its own. Returns false, with errno set, if it cannot be
 * written. */
bool svg_write(const char *path, const struct picture *, size_t count);

/* ---------- For other pictures ---------- */

/* An attribute, by printf's rules. */
__attribute__((format(printf, 3, 4))) void svg_set(
    xmlTextWriterPtr, const char *name, const char *format, ...);

/* A rectangle of a class. */
void svg_box(xmlTextWriterPtr, const char *class, double x, double y,
    double width, double height);

/* A text; the anchor is start, middle or end. */
void svg_text(xmlTextWriterPtr, const char *class, double x, double y,
    const char *anchor, const char *text);

#endif
