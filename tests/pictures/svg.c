/*
 * svg.c - the elements that our SVG pictures are made of
 *
 * Kinds of time differ in pattern, not only in colour: solid, dots, stripes.
 */
#include "pictures/svg.h"
#include <stdarg.h>
#include <string.h>

static const char style[] =
    "text{font:20px sans-serif;fill:#000}"
    ".title{font-weight:bold;font-size:22px}.tick{font-size:18px}"
    ".c{fill:#14532d}.w{fill:url(#waiting)}.r{fill:url(#ready)}"
    ".u{fill:url(#under-way)}.box{fill:none;stroke:#000;stroke-width:1}"
    ".grid{stroke:#999;stroke-width:1}.graph{fill:#14532d}.rest{fill:#555}";

void svg_set(xmlTextWriterPtr xml, const char *name, const char *format, ...) {
    va_list args;

    va_start(args, format);
    xmlTextWriterWriteVFormatAttribute(
        xml, (const xmlChar *)name, format, args);
    va_end(args);
}

void svg_begin(xmlTextWriterPtr xml, const char *name) {
    xmlTextWriterStartElement(xml, (const xmlChar *)name);
}

void svg_end(xmlTextWriterPtr xml) {
    xmlTextWriterEndElement(xml);
}

void svg_box(xmlTextWriterPtr xml, const char *class, double x, double y,
    double width, double height) {
    svg_begin(xml, "rect");
    svg_set(xml, "class", "%s", class);
    svg_set(xml, "x", "%.2f", x);
    svg_set(xml, "y", "%.2f", y);
    svg_set(xml, "width", "%.2f", width > 0 ? width : 0);
    svg_set(xml, "height", "%.2f", height > 0 ? height : 0);
    svg_end(xml);
}

void svg_text(xmlTextWriterPtr xml, const char *class, double x, double y,
    const char *anchor, const char *text) {
    svg_begin(xml, "text");
    svg_set(xml, "class", "%s", class);
    svg_set(xml, "x", "%.2f", x);
    svg_set(xml, "y", "%.2f", y);
    if (strcmp(anchor, "start") != 0)
        svg_set(xml, "text-anchor", "%s", anchor);
    xmlTextWriterWriteString(xml, (const xmlChar *)text);
    svg_end(xml);
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

void svg_open(xmlTextWriterPtr xml, double width, double height) {
    svg_begin(xml, "svg");
    svg_set(xml, "xmlns", "http://www.w3.org/2000/svg");
    svg_set(xml, "viewBox", "0 0 %g %g", width, height);
    svg_set(xml, "role", "img");
    svg_begin(xml, "style");
    xmlTextWriterWriteString(xml, (const xmlChar *)style);
    svg_end(xml);
    write_patterns(xml);
}
