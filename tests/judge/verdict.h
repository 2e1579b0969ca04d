/*
 * verdict.h - what a judge says: the first fault that it found
 */
#ifndef VERDICT_H
#define VERDICT_H

/* Empty text: nothing wrong. */
struct verdict {
    char text[1024];
};

/* Keeps the sentence, unless one is there already: the first fault counts. */
__attribute__((format(printf, 2, 3))) void verdict_fail(
    struct verdict *, const char *format, ...);

#endif
