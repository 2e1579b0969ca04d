/*
 * text.h - pictures as text: for a terminal and for a README
 */
#ifndef TEXT_H
#define TEXT_H

#include "pictures/lanes.h"

#include <stdbool.h>
#include <stdio.h>

struct text_options {
    size_t columns; /* at most so wide */
    bool colour;
};

/* Draws the pictures one under another on the same scale, then says what the
 * marks mean. Returns false, and a sentence in error, if they cannot be drawn
 * so narrow. */
bool text_draw(FILE *stream, const struct picture *, size_t count,
    const struct text_options *, char *error, size_t size);

#endif
