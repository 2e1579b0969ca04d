/*
 * squares_pidfd - right: a process per job; the parent polls their pidfds and
 * finds the sums in shared memory; an odd number of bytes of output, whole
 * lines by dprintf
 * Exercise: 03-processes/exercise_squares
 * Kind: pidfd and shared memory; lines by dprintf; more words on stderr
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define P UINT64_C(1000000007)

static long limit, count;
static long *n;
static int64_t *sums; /* shared; -1 until known */
static pid_t *pids;
static struct pollfd *polls;

static uint64_t squares(uint64_t last) {
    uint64_t sum = 0;
    uint64_t i = 1;
    for (; i + 3 <= last; i += 4) {
        uint64_t four = i * i + (i + 1) * (i + 1);
        four += (i + 2) * (i + 2) + (i + 3) * (i + 3);
        sum = (sum + four) % P;
    }
    for (; i <= last; i++)
        sum = (sum + i * i) % P;
    return sum;
}

static void start(long slot, long job) {
    pid_t parent = getpid();
    dprintf(1, "%ld: summing ...\n", n[job]);
    pids[slot] = fork();
    if (pids[slot] == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent)
            _exit(3);
        sums[job] = (int64_t)squares((uint64_t)n[job]);
        _exit(0);
    }
    if (pids[slot] == -1) {
        warn("fork");
        while (wait(NULL) != -1)
            continue;
        exit(1);
    }
    polls[slot].fd = (int)syscall(SYS_pidfd_open, pids[slot], 0);
    polls[slot].events = POLLIN;
    if (polls[slot].fd == -1)
        err(1, "pidfd_open");
}

static int end(long slot, long job) {
    int status;
    while (waitpid(pids[slot], &status, 0) == -1)
        if (errno != EINTR)
            err(1, "waitpid");
    close(polls[slot].fd);
    polls[slot].fd = -1;
    if (status == 0 && sums[job] >= 0)
        return dprintf(1, "%ld: %ld\n", n[job], (long)sums[job]) > 0;
    if (WIFSIGNALED(status))
        warnx("process %d died of signal %d; its number was %ld",
            (int)pids[slot], WTERMSIG(status), n[job]);
    else
        warnx("%ld: exit status %d", n[job], WEXITSTATUS(status));
    dprintf(1, "%ld: no sum\n", n[job]);
    sums[job] = -1;
    return 0;
}

static long run(void) {
    long *jobs = calloc((size_t)limit, sizeof *jobs);
    long next = 0, came = 0, busy = 0;
    if (jobs == NULL)
        err(1, "calloc");
    for (;;) {
        for (long s = 0; s < limit && next < count; s++)
            if (polls[s].fd == -1) {
                jobs[s] = next;
                start(s, next++);
                busy++;
            }
        if (busy == 0)
            break;
        while (poll(polls, (nfds_t)limit, -1) == -1)
            if (errno != EINTR)
                err(1, "poll");
        for (long s = 0; s < limit; s++)
            if (polls[s].fd != -1 && polls[s].revents) {
                came += end(s, jobs[s]);
                busy--;
            }
    }
    free(jobs);
    return came;
}

static long parse(const char *option, const char *text, long most) {
    char *rest;
    errno = 0;
    long value = strtol(text, &rest, 10);
    if (errno || *rest || rest == text || value < 1 || value > most) {
        fprintf(stderr, "exercise_squares: %s %s: out of 1 ... %ld\n", option,
            text, most);
        exit(2);
    }
    return value;
}

static void read_numbers(char **words, long words_count) {
    static long usual[] = {20000000, 30000000, 10000000, 25000000};
    count = words_count ? words_count : 4;
    n = calloc((size_t)count, sizeof *n);
    sums = mmap(NULL, (size_t)count * sizeof *sums, PROT_READ | PROT_WRITE,
        MAP_ANONYMOUS | MAP_SHARED, -1, 0);
    if (n == NULL || sums == MAP_FAILED)
        err(1, "memory");
    for (long i = 0; i < count; i++) {
        n[i] = words_count ? parse("N", words[i], 1000000000) : usual[i];
        sums[i] = -1;
    }
}

int main(int argc, char **argv) {
    struct timespec a, b;
    uint64_t total = 0;
    int c;
    while ((c = getopt(argc, argv, "w:h")) != -1)
        if (c == 'w')
            limit = parse("-w", optarg, 1000);
        else if (c == 'h')
            return dprintf(1, "usage: exercise_squares [-w processes] "
                              "[N...]\n") < 0;
        else
            return 2;
    read_numbers(argv + optind, argc - optind);
    if (limit == 0)
        limit = sysconf(_SC_NPROCESSORS_ONLN);
    fprintf(stderr, "%ld numbers, %ld processes at most\n", count, limit);
    pids = calloc((size_t)limit, sizeof *pids);
    polls = calloc((size_t)limit, sizeof *polls);
    if (pids == NULL || polls == NULL)
        err(1, "calloc");
    for (long s = 0; s < limit; s++)
        polls[s].fd = -1;
    clock_gettime(CLOCK_MONOTONIC, &a);
    long came = run();
    clock_gettime(CLOCK_MONOTONIC, &b);
    for (long i = 0; i < count; i++)
        total += sums[i] < 0 ? 0 : (uint64_t)sums[i];
    if (came == count &&
        dprintf(1, "total: %lu\n", (unsigned long)(total % P)) < 0)
        err(1, "standard output");
    fprintf(stderr, "%ld sums in %.2f s\n", came,
        (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9);
    free(polls);
    free(pids);
    free(n);
    munmap(sums, (size_t)count * sizeof *sums);
    return came < count;
}
