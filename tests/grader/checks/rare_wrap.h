/*
 * rare_wrap.h - between a submission's object and the libraries
 */
#ifndef RARE_WRAP_H
#define RARE_WRAP_H

#include <stdbool.h>
#include <sys/types.h>

/* The real one; weak, as who does not call it may not link with it. */
#define WRAP(type, name, ...)                                     \
    __attribute__((weak)) extern type __real_##name(__VA_ARGS__); \
    type __wrap_##name(__VA_ARGS__);                              \
    type __wrap_##name(__VA_ARGS__)

/* Is this the call that is to be refused? Then errno is set. */
bool rare_refuse(const char *what, int error);

/* A pause, or none. */
void rare_shake(void);

/* Is who prints in a signal handler to be told? */
extern bool rare_telling;

#endif
