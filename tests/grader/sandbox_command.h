/*
 * sandbox_command.h - the command line that starts a program in the sandbox
 */
#ifndef SANDBOX_COMMAND_H
#define SANDBOX_COMMAND_H

#include "grader/sandbox.h"

/* What the sandbox is on this machine. */
struct walls {
    enum sandbox_level level;
    char work[128], kit[160], scratch[160];
    uid_t uid; /* the program's; 0: as the harness */
    bool own_network, landlock;
    char sentence[400];
};

/* The kit, and a path of sandbox->dir or ->out, as the program sees them. */
const char *command_kit(const struct walls *);
const char *command_path(const struct walls *, const struct sandbox *,
    const char *path, char *buf, size_t size);

/* The words, and a NULL; each and the array are to be freed. The descriptors
 * stay open in the program; clock_fd may be -1. */
char **command_words(const struct walls *, const struct program *,
    const char *const *clock_env, int report_fd, int clock_fd);

#endif
