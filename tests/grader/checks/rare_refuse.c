/*
 * rare_refuse.c - linked with a submission: what else may be refused, and who
 * prints in a signal handler (see rare_wrap.c)
 */
#define _GNU_SOURCE
#include "grader/checks/rare_wrap.h"

#include <errno.h>
#include <mqueue.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>

/* ---------- What can be refused besides ---------- */

#define MEMORY(name, call, ...)            \
    WRAP(void *, name, __VA_ARGS__) {      \
        if (rare_refuse("memory", ENOMEM)) \
            return NULL;                   \
        return __real_##name call;         \
    }
MEMORY(malloc, (size), size_t size)
MEMORY(calloc, (count, size), size_t count, size_t size)
MEMORY(realloc, (old, size), void *old, size_t size)

#define DESCRIPTOR(name, call, ...)            \
    WRAP(int, name, __VA_ARGS__) {             \
        if (rare_refuse("descriptor", EMFILE)) \
            return -1;                         \
        return __real_##name call;             \
    }
DESCRIPTOR(pipe, (ends), int *ends)
DESCRIPTOR(pipe2, (ends, flags), int *ends, int flags)
DESCRIPTOR(socketpair, (domain, type, protocol, ends), int domain, int type,
    int protocol, int *ends)
DESCRIPTOR(eventfd, (count, flags), unsigned count, int flags)
DESCRIPTOR(epoll_create1, (flags), int flags)
DESCRIPTOR(timerfd_create, (clock, flags), int clock, int flags)
DESCRIPTOR(signalfd, (fd, mask, flags), int fd, const sigset_t *mask, int flags)
DESCRIPTOR(memfd_create, (name, flags), const char *name, unsigned flags)

WRAP(FILE *, tmpfile, void) {
    return rare_refuse("descriptor", EMFILE) ? NULL : __real_tmpfile();
}

/* Its last two arguments are there only if it makes the queue. */
__attribute__((weak)) extern mqd_t __real_mq_open(const char *, int, ...);
mqd_t __wrap_mq_open(const char *, int, mode_t, struct mq_attr *);
mqd_t __wrap_mq_open(
    const char *name, int flags, mode_t mode, struct mq_attr *attributes) {
    return rare_refuse("descriptor", EMFILE)
               ? (mqd_t)-1
               : __real_mq_open(name, flags, mode, attributes);
}

#define OBJECT(name, call, ...)            \
    WRAP(int, name, __VA_ARGS__) {         \
        if (rare_refuse("object", ENOSPC)) \
            return -1;                     \
        return __real_##name call;         \
    }
OBJECT(msgget, (key, flags), key_t key, int flags)
OBJECT(semget, (key, count, flags), key_t key, int count, int flags)
OBJECT(shmget, (key, size, flags), key_t key, size_t size, int flags)

WRAP(void *, curl_easy_init, void) {
    return rare_refuse("handle", ENOMEM) ? NULL : __real_curl_easy_init();
}

WRAP(void *, curl_multi_init, void) {
    return rare_refuse("handle", ENOMEM) ? NULL : __real_curl_multi_init();
}

/* ---------- Signal handlers, and what they print ---------- */

static _Thread_local volatile int handling; /* a signal, or 0 */
static struct sigaction actions[65];        /* as the program set them */

static void trampoline(int number, siginfo_t *info, void *context) {
    const struct sigaction *action = &actions[number];
    int outer = handling;

    handling = number;
    if (action->sa_flags & SA_SIGINFO)
        action->sa_sigaction(number, info, context);
    else
        action->sa_handler(number);
    handling = outer;
}

WRAP(int, sigaction, int number, const struct sigaction *action,
    struct sigaction *old) {
    struct sigaction mine, before;

    if (!rare_telling || number < 1 || number > 64 || action == NULL)
        return __real_sigaction(number, action, old);
    before = actions[number];
    actions[number] = mine = *action;
    if (mine.sa_handler != SIG_DFL && mine.sa_handler != SIG_IGN) {
        mine.sa_sigaction = trampoline;
        mine.sa_flags |= SA_SIGINFO;
    }
    if (old != NULL)
        *old = before;
    return __real_sigaction(number, &mine, NULL);
}

WRAP(sighandler_t, signal, int number, sighandler_t handler) {
    struct sigaction action = {.sa_flags = SA_RESTART}, old;

    if (!rare_telling)
        return __real_signal(number, handler);
    action.sa_handler = handler;
    return __wrap_sigaction(number, &action, &old) == -1 ? SIG_ERR
                                                         : old.sa_handler;
}

static void tell(const char *name) {
    if (handling != 0)
        dprintf(STDERR_FILENO, "kit: %s() in the handler of signal %d\n", name,
            handling);
    rare_shake();
}

WRAP(int, vprintf, const char *form, va_list args) {
    tell("printf");
    return __real_vprintf(form, args);
}

WRAP(int, vfprintf, FILE *file, const char *form, va_list args) {
    tell("fprintf");
    return __real_vfprintf(file, form, args);
}

WRAP(int, printf, const char *form, ...) {
    va_list args;

    va_start(args, form);
    int result = __wrap_vprintf(form, args);
    va_end(args);
    return result;
}

WRAP(int, fprintf, FILE *file, const char *form, ...) {
    va_list args;

    va_start(args, form);
    int result = __wrap_vfprintf(file, form, args);
    va_end(args);
    return result;
}

WRAP(int, puts, const char *text) {
    tell("puts");
    return __real_puts(text);
}

WRAP(int, fputs, const char *text, FILE *file) {
    tell("fputs");
    return __real_fputs(text, file);
}

WRAP(int, putchar, int c) {
    tell("putchar");
    return __real_putchar(c);
}

WRAP(size_t, fwrite, const void *data, size_t size, size_t count, FILE *file) {
    tell("fwrite");
    return __real_fwrite(data, size, count, file);
}

WRAP(void, perror, const char *text) {
    tell("perror");
    __real_perror(text);
}
