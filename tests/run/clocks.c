/*
 * clocks - reads every clock, waits five seconds, reads them again
 * A line for each: its name, and by how much it went on. The suite "program"
 * runs it in virtual time.
 * Build: cc -O2 -o clocks clocks.c
 * Usage: ./clocks
 */
#define _GNU_SOURCE
#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static double of_clock(clockid_t id) {
    struct timespec at;
    if (clock_gettime(id, &at) == -1)
        err(EXIT_FAILURE, "clock_gettime");
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static double of_gettimeofday(clockid_t unused) {
    struct timeval at;
    (void)unused;
    gettimeofday(&at, NULL);
    return (double)at.tv_sec + (double)at.tv_usec / 1e6;
}

static double of_time(clockid_t unused) {
    (void)unused;
    return (double)time(NULL);
}

static double of_timespec_get(clockid_t unused) {
    struct timespec at;
    (void)unused;
    if (timespec_get(&at, TIME_UTC) != TIME_UTC)
        errx(EXIT_FAILURE, "timespec_get");
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static double of_times(clockid_t unused) {
    struct tms use;
    (void)unused;
    return (double)times(&use) / (double)sysconf(_SC_CLK_TCK);
}

static double of_clock_call(clockid_t unused) {
    (void)unused;
    return (double)clock() / CLOCKS_PER_SEC;
}

static double of_getrusage(clockid_t unused) {
    struct rusage use;
    (void)unused;
    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static double of_times_used(clockid_t unused) {
    struct tms use;
    (void)unused;
    times(&use);
    return (double)(use.tms_utime + use.tms_stime) /
           (double)sysconf(_SC_CLK_TCK);
}

static const struct {
    const char *name;
    double (*read)(clockid_t);
    clockid_t id;
} clocks[] = {
    {"CLOCK_REALTIME", of_clock, CLOCK_REALTIME},
    {"CLOCK_REALTIME_COARSE", of_clock, CLOCK_REALTIME_COARSE},
    {"CLOCK_TAI", of_clock, CLOCK_TAI},
    {"CLOCK_MONOTONIC", of_clock, CLOCK_MONOTONIC},
    {"CLOCK_MONOTONIC_COARSE", of_clock, CLOCK_MONOTONIC_COARSE},
    {"CLOCK_MONOTONIC_RAW", of_clock, CLOCK_MONOTONIC_RAW},
    {"CLOCK_BOOTTIME", of_clock, CLOCK_BOOTTIME},
    {"gettimeofday", of_gettimeofday, 0},
    {"time", of_time, 0},
    {"timespec_get", of_timespec_get, 0},
    {"times", of_times, 0},
    {"CPU: CLOCK_PROCESS_CPUTIME_ID", of_clock, CLOCK_PROCESS_CPUTIME_ID},
    {"CPU: CLOCK_THREAD_CPUTIME_ID", of_clock, CLOCK_THREAD_CPUTIME_ID},
    {"CPU: clock", of_clock_call, 0},
    {"CPU: getrusage", of_getrusage, 0},
    {"CPU: times", of_times_used, 0},
};
enum { CLOCKS = sizeof clocks / sizeof clocks[0] };

int main(void) {
    double before[CLOCKS];
    for (int i = 0; i < CLOCKS; i++)
        before[i] = clocks[i].read(clocks[i].id);
    sched_yield(); /* takes no time */
    thrd_yield();
    sleep(5);
    for (int i = 0; i < CLOCKS; i++)
        printf("%s %.3f\n", clocks[i].name,
            clocks[i].read(clocks[i].id) - before[i]);
    return EXIT_SUCCESS;
}
