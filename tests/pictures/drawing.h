/*
 * drawing.h - pictures of lanes as SVG: for a browser, a projector, a printer
 */
#ifndef DRAWING_H
#define DRAWING_H

#include "pictures/lanes.h"

#include <libxml/xmlwriter.h>
#include <stdbool.h>

struct drawing_options {
    int width; /* in px; 0: 1280 */
    int row;   /* the height of a lane, in px; 0: 28 */
    /* Lanes that do not overlap share a row, without names; if so many rows
     * are not enough, how many are under way is drawn as a graph. 0: not. */
    size_t packed_rows;
};

/* Writes one <svg> element with the pictures one under another on the same
 * scale. A bar's height is divided as the shares of its time are. */
void drawing_make(xmlTextWriterPtr, const struct picture *, size_t count,
    const struct drawing_options *);

/* The same as a file of its own. Returns false, with errno set, if it cannot be
 * written. */
bool drawing_write(const char *path, const struct picture *, size_t count);

#endif
