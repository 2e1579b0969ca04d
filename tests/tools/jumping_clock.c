/*
 * jumping_clock.c - preloaded: the wall clock jumps by three days at each look
 *
 * As when somebody sets it, or a laptop wakes up; the monotonic clock goes on.
 * libfaketime does the same, but answers EINVAL to a clock_nanosleep() until a
 * moment of the monotonic clock. Built and used by world.sh. Linux only.
 */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { JUMP_S = 3 * 24 * 60 * 60 };

int clock_gettime(clockid_t clock, struct timespec *now) {
    static atomic_int looks;
    int result = (int)syscall(SYS_clock_gettime, clock, now);

    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        now->tv_sec += atomic_fetch_add(&looks, 1) % 2 == 0 ? JUMP_S : -JUMP_S;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    *now = (struct timeval){exact.tv_sec, exact.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *when) {
    struct timespec exact;

    clock_gettime(CLOCK_REALTIME, &exact);
    if (when != NULL)
        *when = exact.tv_sec;
    return exact.tv_sec;
}
