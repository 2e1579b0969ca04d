/*
 * hooks_system.c - the child: time, output, crashes, and what cannot be done
 */
#define _GNU_SOURCE
#include "explore/child.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <unistd.h>

/* ---------- Time: only waiting makes it pass ---------- */

enum { GIGA = 1000000000 };
static const int64_t epoch = (int64_t)1700000000 * GIGA; /* of now == 0 */

int64_t nanoseconds(const struct timespec *t) {
    return t->tv_sec * GIGA + t->tv_nsec;
}

void time_out(int64_t then) {
    then = then >= epoch / 2 ? then - epoch : then;
    self->deadline = then > 1 ? then : 1;
}

static int sleep_until(int64_t then, const char *name, void *pc) {
    static const char bed; /* where no token comes */
    time_out(then);
    turn((struct op){QUICK, name, (uintptr_t)&bed, 1, .pc = pc, .need = 1});
    return 0;
}

WRAP(int, nanosleep, (const struct timespec *t),
    sleep_until(now + nanoseconds(t), "sleep", PC))
WRAP(int, thrd_sleep, (const struct timespec *t),
    sleep_until(now + nanoseconds(t), "sleep", PC))
WRAP(
    int, sleep, (unsigned s), sleep_until(now + (int64_t)s * GIGA, "sleep", PC))
WRAP(int, usleep, (unsigned us),
    sleep_until(now + (int64_t)us * 1000, "sleep", PC))
int __wrap_clock_nanosleep(
    clockid_t clock, int until, const struct timespec *t) {
    (void)clock;
    return sleep_until(nanoseconds(t) + (until ? 0 : now), "sleep", PC);
}
/* Virtual ns; see goes_round(). */
static int64_t time_asked(void) {
    asked = true;
    return now;
}
int __wrap_clock_gettime(clockid_t clock, struct timespec *t) {
    int64_t then = time_asked() + (clock == CLOCK_REALTIME ? epoch : 0);
    *t = (struct timespec){then / GIGA, then % GIGA};
    return 0;
}
int __wrap_timespec_get(struct timespec *t, int base) {
    int64_t then = time_asked() + epoch;
    *t = (struct timespec){then / GIGA, then % GIGA};
    return base;
}
int __wrap_gettimeofday(struct timeval *t, void *zone) {
    (void)zone;
    int64_t then = time_asked() + epoch;
    *t = (struct timeval){then / GIGA, then % GIGA / 1000};
    return 0;
}
WRAP(clock_t, clock, (void), time_asked() / 1000)
time_t __wrap_time(time_t *t) {
    time_t seconds = (time_asked() + epoch) / GIGA;
    if (t != NULL)
        *t = seconds;
    return seconds;
}
/* What these give may be other than what they gave before. */
FIRST(asked = true, ssize_t, read, (int fd, void *to, size_t size),
    (fd, to, size))
FIRST(asked = true, int, getchar, (void), ())
FIRST(asked = true, int, fgetc, (FILE * f), (f))
FIRST(asked = true, char *, fgets, (char *to, int size, FILE *f), (to, size, f))
FIRST(asked = true, int, rand, (void), ())
FIRST(asked = true, int, rand_r, (unsigned *seed), (seed))
FIRST(asked = true, long, random, (void), ())
WRAP(int, sched_yield, (void), (self->yielded = true, 0))
void __wrap_thrd_yield(void) {
    self->yielded = true;
}
/* ---------- Output: its order is an outcome ---------- */

/* Where the order does not matter, prints are like reads: of interest to the
   program's end only, which cuts them off. */
static void print(const FILE *stream, void *pc) {
    enum kind kind = sh->quiet ? READ : CHANGE;
    if (self == NULL || stream != stdout)
        return;
    turn((struct op){kind, "print", (uintptr_t)stdout, 1, .pc = pc});
    if (ended && sh->lost_by == -1)
        sh->lost_by = self->id;
}

/* The reader's compiler has checked these formats. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#define PRINT(name, stream, params)             \
    int __wrap_##name params {                  \
        va_list list;                           \
        va_start(list, format);                 \
        read_format(format, list, PC);          \
        print(stream, PC);                      \
        int n = vfprintf(stream, format, list); \
        va_end(list);                           \
        return n;                               \
    }
PRINT(printf, stdout, (const char *format, ...))
PRINT(fprintf, f, (FILE * f, const char *format, ...))
FIRST((read_format(s, l, PC), print(f, PC)), int, vfprintf,
    (FILE * f, const char *s, va_list l), (f, s, l))
FIRST((read_format(s, l, PC), print(stdout, PC)), int, vprintf,
    (const char *s, va_list l), (s, l))
FIRST((read_text(s, PC), print(stdout, PC)), int, puts, (const char *s), (s))
FIRST(print(stdout, PC), int, putchar, (int c), (c))
FIRST((read_text(s, PC), print(f, PC)), int, fputs, (const char *s, FILE *f),
    (s, f))
FIRST(print(f, PC), int, fputc, (int c, FILE *f), (c, f))
FIRST(print(f, PC), int, putc, (int c, FILE *f), (c, f))
FIRST((read_bytes(p, s *n, PC), print(f, PC)), size_t, fwrite,
    (const void *p, size_t s, size_t n, FILE *f), (p, s, n, f))
FIRST((read_bytes(p, n, PC), print(fd == 1 ? stdout : NULL, PC)), ssize_t,
    write, (int fd, const void *p, size_t n), (fd, p, n))

/* What was printed up to a crash is still in a buffer, which nobody locks any
   more. */
static void crashed(int number) {
    if (ended)
        _exit(sh->status);
    fflush_unlocked(stdout);
    signal(number, SIG_DFL);
    raise(number);
}

/* It comes each second from the last but one on: did anybody take a turn in the
   last one? */
static void takes_long(int number) {
    static uint64_t before = UINT64_MAX; /* none yet */
    const struct thread *t = &threads[sh->running];
    (void)number;
    if (before == UINT64_MAX)
        before = turns;
    else if (turns == 0)
        end_run(UNFIT, "main computes on and on, and never comes to what the "
                       "threads share: give it less work");
    else if (before == turns)
        end_run(UNFIT,
            "%s computes on and on after " LINE
            ", and never comes back: give it less work",
            thread_name(t->id), LINE_OF(sh->pc));
    else
        end_run(UNFIT, "a run has had %d s of CPU time%s%s: give it less work",
            PATIENCE_S, t->tired ? ", and " : "", t->tired ? looking(t) : "");
}

void catch_crashes(void) {
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction action = {.sa_handler = crashed, .sa_flags = SA_NODEFER};
    struct sigaction slow = {.sa_handler = takes_long, .sa_flags = SA_RESTART};
    sigaction(SIGXCPU, &slow, NULL);
    for (int i = 0; i < LENGTH(signals) && !sh->debugger; i++)
        sigaction(signals[i], &action, NULL);
}

/* ---------- What cannot be explored ---------- */

#define CANNOT(name, what)             \
    void __wrap_##name(void) {         \
        sh->pc = PC;                   \
        end_run(UNFIT, "it %s", what); \
    }
#define PROCESS(name) \
    CANNOT(name, "starts a process (" #name "): only threads can be explored")
PROCESS(fork)
PROCESS(vfork)
PROCESS(system)
PROCESS(popen)
PROCESS(posix_spawn)
PROCESS(posix_spawnp)
#define OUTSIDE(name) \
    CANNOT(name, "calls " #name ": what comes from outside cannot be replayed")
CANNOT(socket, "opens a socket: what comes from outside cannot be replayed")
OUTSIDE(socketpair)
OUTSIDE(getaddrinfo)
OUTSIDE(mq_open)
#define UNKNOWN(name) \
    CANNOT(name, "calls " #name ", which explore does not know")
UNKNOWN(semop)
UNKNOWN(semtimedop)
UNKNOWN(msgrcv)
UNKNOWN(pthread_cancel)
UNKNOWN(pthread_kill)
UNKNOWN(sigwait)
UNKNOWN(sigwaitinfo)
UNKNOWN(sigsuspend)
UNKNOWN(pause)
long __wrap_syscall(
    long number, long a, long b, long c, long d, long e, long f) {
    sh->pc = PC;
    if (number == SYS_futex)
        end_run(UNFIT, "it calls futex, which explore does not know");
    return syscall(number, a, b, c, d, e, f);
}
