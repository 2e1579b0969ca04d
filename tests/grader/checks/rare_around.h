/*
 * inject.h - put around a submission's source: makes rare things happen
 *
 * The first half comes before the source and gives other names to a few
 * functions; it includes nothing, so that the source's own _GNU_SOURCE still
 * counts. The second half comes behind it and has these functions. Every other
 * wait at a condition variable ends at once, without a signal, as POSIX allows:
 * who asked with "if" goes on without what it waited for. Who calls stdio in a
 * signal handler is told on stderr.
 */
#ifndef KIT_BEHIND
#define pthread_cond_wait kit_pthread_cond_wait
#define cnd_wait kit_cnd_wait
#define signal kit_signal
#define sigaction kit_sigaction
#define printf kit_printf
#define fprintf kit_fprintf
#define vprintf kit_vprintf
#define vfprintf kit_vfprintf
#define puts kit_puts
#define fputs kit_fputs
#define putchar kit_putchar
#define fwrite kit_fwrite
#define perror kit_perror
#else
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <threads.h>
#include <unistd.h>
#undef pthread_cond_wait
#undef cnd_wait
#undef signal
#undef sigaction
#undef printf
#undef fprintf
#undef vprintf
#undef vfprintf
#undef puts
#undef fputs
#undef putchar
#undef fwrite
#undef perror
extern int pthread_cond_wait(pthread_cond_t *, pthread_mutex_t *);
extern int cnd_wait(cnd_t *, mtx_t *);
extern int sigaction(int, const struct kit_sigaction *, struct kit_sigaction *);
extern int vprintf(const char *, va_list);
extern int vfprintf(FILE *, const char *, va_list);
extern int puts(const char *);
extern int fputs(const char *, FILE *);
extern int putchar(int);
extern size_t fwrite(const void *, size_t, size_t, FILE *);
extern void perror(const char *);

static _Thread_local int kit_waits;
static _Thread_local volatile int kit_handling; /* a signal, or 0 */
static struct kit_sigaction kit_actions[65];    /* as the source set them */

int kit_pthread_cond_wait(
    pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex) {
    if (kit_waits++ % 2 == 1)
        return pthread_cond_wait(cond, mutex);
    pthread_mutex_unlock(mutex);
    sched_yield();
    return pthread_mutex_lock(mutex);
}

int kit_cnd_wait(cnd_t *cond, mtx_t *mutex) {
    if (kit_waits++ % 2 == 1)
        return cnd_wait(cond, mutex);
    mtx_unlock(mutex);
    thrd_yield();
    return mtx_lock(mutex);
}

static void kit_trampoline(int number, siginfo_t *info, void *context) {
    const struct kit_sigaction *action = &kit_actions[number];
    int outer = kit_handling;
    kit_handling = number;
    if (action->sa_flags & SA_SIGINFO)
        action->sa_sigaction(number, info, context);
    else
        action->sa_handler(number);
    kit_handling = outer;
}

int kit_sigaction(int number, const struct kit_sigaction *restrict action,
    struct kit_sigaction *restrict old) {
    struct kit_sigaction mine, before;
    if (number < 1 || number > 64 || action == NULL)
        return sigaction(number, action, old);
    before = kit_actions[number];
    kit_actions[number] = mine = *action;
    if (mine.sa_handler != SIG_DFL && mine.sa_handler != SIG_IGN) {
        mine.sa_sigaction = kit_trampoline;
        mine.sa_flags |= SA_SIGINFO;
    }
    if (old != NULL)
        *old = before;
    return sigaction(number, &mine, NULL);
}

void (*kit_signal(int number, void (*handler)(int)))(int) {
    struct kit_sigaction action = {.sa_flags = SA_RESTART}, old;
    action.sa_handler = handler;
    return kit_sigaction(number, &action, &old) == -1 ? SIG_ERR
                                                      : old.sa_handler;
}

static void kit_tell(const char *name) {
    if (kit_handling != 0)
        dprintf(STDERR_FILENO, "kit: %s() in the handler of signal %d\n", name,
            kit_handling);
}

int kit_vprintf(const char *restrict form, va_list args) {
    kit_tell("printf");
    return vprintf(form, args);
}

int kit_vfprintf(FILE *restrict file, const char *restrict form, va_list args) {
    kit_tell("fprintf");
    return vfprintf(file, form, args);
}

int kit_printf(const char *restrict form, ...) {
    va_list args;
    va_start(args, form);
    int result = kit_vprintf(form, args);
    va_end(args);
    return result;
}

int kit_fprintf(FILE *restrict file, const char *restrict form, ...) {
    va_list args;
    va_start(args, form);
    int result = kit_vfprintf(file, form, args);
    va_end(args);
    return result;
}

int kit_puts(const char *text) {
    kit_tell("puts");
    return puts(text);
}

int kit_fputs(const char *restrict text, FILE *restrict file) {
    kit_tell("fputs");
    return fputs(text, file);
}

int kit_putchar(int c) {
    kit_tell("putchar");
    return putchar(c);
}

size_t kit_fwrite(
    const void *restrict data, size_t size, size_t count, FILE *restrict file) {
    kit_tell("fwrite");
    return fwrite(data, size, count, file);
}

void kit_perror(const char *text) {
    kit_tell("perror");
    perror(text);
}
#endif
