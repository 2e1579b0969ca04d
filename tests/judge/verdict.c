/*
 * verdict.c - keeps the first fault that a judge has found
 */
#include "judge/verdict.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 3, 0))) static void keep(struct verdict *verdict,
    enum fault fault, const char *format, va_list args) {
    if (verdict->text[0] != '\0')
        return;
    vsnprintf(verdict->text, sizeof verdict->text, format, args);
    verdict->fault = fault;
}

void verdict_fail(struct verdict *verdict, const char *format, ...) {
    va_list args;

    va_start(args, format);
    keep(verdict, FAULT_OWN, format, args);
    va_end(args);
}

void verdict_fault(
    struct verdict *verdict, enum fault fault, const char *format, ...) {
    va_list args;

    va_start(args, format);
    keep(verdict, fault, format, args);
    va_end(args);
}
