/*
 * verdict.c - what a judge says: see verdict.h
 */
#include "judge/verdict.h"

#include <stdarg.h>
#include <stdio.h>

void verdict_fail(struct verdict *verdict, const char *format, ...) {
    va_list args;

    if (verdict->text[0] != '\0')
        return;
    va_start(args, format);
    vsnprintf(verdict->text, sizeof(verdict->text), format, args);
    va_end(args);
}
