/*
 * svg.h - the elements that our SVG pictures are made of
 *
 * The classes: c computing, r ready, w waiting, u under way, box a frame, grid
 * a thin line, graph and rest for steps; title, name and tick for texts.
 */
#ifndef SVG_H
#define SVG_H

#include <libxml/xmlwriter.h>

/* Begins an <svg> element of this size in px, with its style and patterns;
 * begins any element; ends the last that was begun. */
void svg_open(xmlTextWriterPtr, double width, double height);
void svg_begin(xmlTextWriterPtr, const char *name);
void svg_end(xmlTextWriterPtr);

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
