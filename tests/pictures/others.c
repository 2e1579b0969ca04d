/*
 * others.c - whether other jobs had CPUs that a recorded program wanted
 */
#include "pictures/others.h"

#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* What is less is the noise of any machine: CPUs that others had, and the
 * share of its time in which the program was ready and had none. */
#define NOTABLE 0.2
#define KEPT_OUT 0.05

/* What all CPUs together have been used for, but for being idle, in s. */
static double machine_s(void) {
    unsigned long long part[8] = {0}, busy = 0;
    FILE *file = fopen("/proc/stat", "re");

    if (file == NULL)
        return 0;
    if (fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &part[0],
            &part[1], &part[2], &part[3], &part[4], &part[5], &part[6],
            &part[7]) == 8)
        busy = part[0] + part[1] + part[2] + part[5] + part[6] + part[7];
    fclose(file);
    return (double)busy / (double)sysconf(_SC_CLK_TCK);
}

static double seconds_of(const struct timeval *time) {
    return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

static double own_s(void) {
    double sum = 0;
    struct rusage use;

    getrusage(RUSAGE_SELF, &use);
    sum += seconds_of(&use.ru_utime) + seconds_of(&use.ru_stime);
    getrusage(RUSAGE_CHILDREN, &use);
    return sum + seconds_of(&use.ru_utime) + seconds_of(&use.ru_stime);
}

double others_cpu_s(void) {
    return machine_s() - own_s();
}

/* How long the program's threads were ready without a CPU, up to their last
 * lines, in s. */
static double ready_s(const struct recording *recording) {
    pid_t seen[1000];
    size_t count = 0;
    double sum = 0;

    for (size_t i = recording->run.count; i-- > 0;) {
        const struct clocks *clocks = &recording->clocks[i];
        size_t j = 0;

        while (j < count && seen[j] != clocks->tid)
            j++;
        if (j < count || count == sizeof seen / sizeof *seen)
            continue;
        seen[count++] = clocks->tid;
        sum += (double)clocks->ready_ns / 1e9;
    }
    return sum;
}

bool others_mattered(const struct recording *recording, double taken) {
    double wall_s = (double)recording->run.wall_ns / 1e9;

    return taken > NOTABLE && ready_s(recording) > KEPT_OUT * wall_s;
}
