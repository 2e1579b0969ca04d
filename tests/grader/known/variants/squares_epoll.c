/*
 * squares_epoll - right: a pipe for each child, epoll tells which has come
 * Exercise: 03-processes/exercise_squares
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

enum { MODULUS = 1000000007, MOST = 1000000000, MOST_PROCESSES = 1000 };
static long four[] = {20000000, 30000000, 10000000, 25000000};
static long *numbers = four;
static long job_count = 4;

/* ---------- The tool ---------- */
static long processes;
struct kid {
    pid_t pid;
    int fd;
    long n;
};
static long sum(long n) {
    long s = 0;
    for (long i = 1; i <= n; i++)
        s = (s + i % MODULUS * i) % MODULUS;
    return s;
}
static long sum_all(long *total) {
    long running = 0, next = 0, came = 0;
    int failed = 0, ep = epoll_create1(EPOLL_CLOEXEC);
    struct kid *kids = calloc(job_count, sizeof *kids);
    if (ep == -1 || !kids)
        err(1, "epoll or memory");
    *total = 0;
    while ((next < job_count && !failed) || running > 0) {
        if (next < job_count && running < processes && !failed) {
            struct kid *k = &kids[next];
            int p[2];
            if (pipe(p) == -1) {
                warn("pipe");
                failed = 1;
                continue;
            }
            k->n = numbers[next];
            k->pid = fork();
            if (k->pid == -1) {
                warn("fork");
                close(p[0]);
                close(p[1]);
                failed = 1;
                continue;
            }
            if (k->pid == 0) {
                close(p[0]);
                printf("%ld: summing ...\n", k->n);
                long s = sum(k->n);
                _exit(write(p[1], &s, sizeof s) != sizeof s);
            }
            close(p[1]);
            k->fd = p[0];
            struct epoll_event e = {.events = EPOLLIN, .data.ptr = k};
            if (epoll_ctl(ep, EPOLL_CTL_ADD, k->fd, &e))
                err(1, "epoll_ctl");
            running++;
            next++;
            continue;
        }
        struct epoll_event e;
        int r = epoll_wait(ep, &e, 1, -1);
        if (r == -1 && errno == EINTR)
            continue;
        if (r == -1)
            err(1, "epoll_wait");
        struct kid *k = e.data.ptr;
        long s;
        int st;
        ssize_t got = read(k->fd, &s, sizeof s);
        epoll_ctl(ep, EPOLL_CTL_DEL, k->fd, NULL);
        close(k->fd);
        waitpid(k->pid, &st, 0);
        running--;
        if (got == sizeof s && WIFEXITED(st) && WEXITSTATUS(st) == 0) {
            printf("%ld: %ld\n", k->n, s);
            *total = (*total + s) % MODULUS;
            came++;
        } else {
            printf("%ld: no sum\n", k->n);
            warnx("%ld: the child died (%s)", k->n,
                WIFSIGNALED(st) ? strsignal(WTERMSIG(st)) : "exit");
        }
    }
    free(kids);
    close(ep);
    if (failed)
        exit(1);
    return came;
}

/* ---------- The run ---------- */

static const char usage[] = "usage: exercise_squares [-w processes] [N...]\n";

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long number(const char *option, const char *text, long most) {
    char *rest;
    long value = strtol(text, &rest, 10);
    if (rest == text || *rest != '\0' || value < 1 || value > most)
        errx(2, "%s%s: not a number from 1 to %ld", option, text, most);
    return value;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int option; (option = getopt(argc, argv, "w:h")) != -1;)
        switch (option) {
        case 'w': processes = number("-w ", optarg, MOST_PROCESSES); break;
        case 'h': return printf(usage) < 0;
        default: return 2;
        }
    if (optind < argc) {
        job_count = argc - optind;
        if ((numbers = calloc((size_t)job_count, sizeof *numbers)) == NULL)
            err(EXIT_FAILURE, "calloc");
        for (long i = 0; i < job_count; i++)
            numbers[i] = number("", argv[optind + i], MOST);
    }
    if (processes == 0)
        processes = sysconf(_SC_NPROCESSORS_ONLN);

    double start = seconds();
    long total = 0, came = sum_all(&total);
    if (came == job_count)
        printf("total: %ld\n", total);
    fprintf(stderr, "%ld sums in %.2f s\n", came, seconds() - start);
    if (numbers != four)
        free(numbers);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return came == job_count ? EXIT_SUCCESS : EXIT_FAILURE;
}
