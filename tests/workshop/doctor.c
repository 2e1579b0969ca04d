/*
 * doctor.c - the facts of a machine that a shell cannot ask for
 *
 * Usage: doctor PORT. Prints a line a fact, "ok TEXT" or "no TEXT"; a line
 * after "no" says, behind two blanks, what will not work and what to do.
 * Compiled and run by doctor.sh. Linux only: /proc, sched_getaffinity.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_THREADS = 64, FEW_FILES = 256, FEW_TASKS = 200 };

static const double WITNESS_S = 0.3;

static double seconds(clockid_t clock) {
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *compute(void *end) {
    while (seconds(CLOCK_MONOTONIC) < *(double *)end)
        continue;
    return NULL;
}

/* How many CPUs do as many computing threads get as there are allowed ones? */
static double granted(int allowed) {
    pthread_t threads[MOST_THREADS];
    int started = 0, wanted = allowed < MOST_THREADS ? allowed : MOST_THREADS;
    double begin = seconds(CLOCK_MONOTONIC);
    double used = seconds(CLOCK_PROCESS_CPUTIME_ID);
    double end = begin + WITNESS_S;

    while (started < wanted &&
           pthread_create(&threads[started], NULL, compute, &end) == 0)
        started++;
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    return (seconds(CLOCK_PROCESS_CPUTIME_ID) - used) /
           (seconds(CLOCK_MONOTONIC) - begin);
}

static void cpus(void) {
    cpu_set_t set;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    int allowed = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                              : (int)online;
    double got = granted(allowed);
    bool fair = got > 0.75 * allowed && allowed > 1;

    printf("%s CPUs: %ld online, %d allowed, %.1f granted just now\n",
        fair ? "ok" : "no", online, allowed, got);
    if (allowed < 2)
        puts("  With one CPU increment gets no faster by any tool, which is "
             "right: say so.");
    else if (!fair)
        puts("  Something else computes, or a quota is set: speedups of "
             "increment will be smaller. Stop the other work, or say so.");
}

static void limit(rlim_t most, const char *name, rlim_t few, const char *what) {
    bool enough = most == RLIM_INFINITY || most >= few;

    printf("%s %s: ", enough ? "ok" : "no", name);
    if (most == RLIM_INFINITY)
        puts("no limit");
    else
        printf("%llu\n", (unsigned long long)most);
    if (!enough)
        printf("  %s\n", what);
}

static void memory(void) {
    double mib = (double)sysconf(_SC_PHYS_PAGES) *
                 (double)sysconf(_SC_PAGESIZE) / 1048576;

    printf("%s memory: %.0f MiB\n", mib >= 500 ? "ok" : "no", mib);
    if (mib < 500)
        puts("  Grading needs 512 MiB; the lessons need less than 100.");
}

static void shared_memory(void) {
    char name[64];

    snprintf(name, sizeof name, "/doctor-%ld", (long)getpid());
    int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd == -1) {
        printf("no shared memory: %s\n", strerror(errno));
        puts("  ThreadSanitizer and named semaphores may not work. In a "
             "container: mount a tmpfs at /dev/shm.");
        return;
    }
    shm_unlink(name);
    puts("ok shared memory in /dev/shm");
}

static void message_queues(void) {
    char name[64];

    snprintf(name, sizeof name, "/doctor-%ld", (long)getpid());
    mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, NULL);
    if (queue == (mqd_t)-1) {
        printf("no message queues: %s\n", strerror(errno));
        puts("  03-processes/message_queue will not run; the rest of 03 does.");
        return;
    }
    mq_close(queue);
    mq_unlink(name);
    puts("ok POSIX message queues");
}

static void port(const char *text) {
    char *end;
    long number = strtol(text, &end, 10);
    if (*end != '\0' || number < 1 || number > 65535) {
        printf("no port %s: not a number from 1 to 65535\n", text);
        puts("  Name another one: make doctor PORT=8001");
        return;
    }
    struct sockaddr_in at = {.sin_family = AF_INET,
        .sin_port = htons((in_port_t)number),
        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd != -1 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0) {
        printf("ok port %ld is free\n", number);
    } else {
        printf("no port %ld: %s\n", number, strerror(errno));
        puts("  If these are the practice sites already, all is well. Else "
             "start them elsewhere (make sites PORT=8001) and name their URLs "
             "to ./download.");
    }
    if (fd != -1)
        close(fd);
}

int main(int argc, char *argv[]) {
    struct rlimit files, tasks;

    getrlimit(RLIMIT_NOFILE, &files);
    getrlimit(RLIMIT_NPROC, &tasks);
    cpus();
    memory();
    limit(files.rlim_cur, "open files", FEW_FILES,
        "04-async/download with many in flight will stop and say so. "
        "Raise it: ulimit -n 1024");
    limit(tasks.rlim_cur, "processes and threads", FEW_TASKS,
        "Programs with many threads will stop and say so. Raise it: "
        "ulimit -u 1000");
    shared_memory();
    message_queues();
    port(argc > 1 ? argv[1] : "8000");
    return 0;
}
