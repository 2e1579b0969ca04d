/*
 * squares_signal_race - wrong: a SIGCHLD that comes between the look at the
 * flag and pause() is lost
 * Exercise: 03-processes/exercise_squares
 * Loses: every_order
 * Because: in pause
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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
static volatile sig_atomic_t rang;
static void ring(int sig) {
    (void)sig;
    rang = 1;
}
struct child {
    pid_t pid;
    int end;
    long n;
};
static void child_main(long n, int out) {
    long s = 0;
    for (long i = 1; i <= n; i++)
        s = (s + (i * i) % MODULUS) % MODULUS;
    char text[32];
    int l = snprintf(text, sizeof text, "%ld", s);
    _exit(write(out, text, l) == l ? 0 : 1);
}
static long sum_all(long *total) {
    struct child *c = calloc(processes, sizeof *c);
    if (c == NULL)
        err(1, "calloc");
    struct sigaction sa = {.sa_handler = ring};
    sigset_t chld, old;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    (void)old;
    sigaction(SIGCHLD, &sa, NULL);
    long next = 0, run = 0, came = 0;
    bool broken = false;
    while (run > 0 || (next < job_count && !broken)) {
        if (!broken && next < job_count && run < processes) {
            int sv[2];
            if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == -1) {
                warn("socketpair");
                broken = true;
                continue;
            }
            long slot = 0;
            while (c[slot].pid != 0)
                slot++;
            pid_t p = fork();
            if (p == -1) {
                warn("fork");
                close(sv[0]);
                close(sv[1]);
                broken = true;
                continue;
            }
            if (p == 0) {
                close(sv[0]);
                child_main(numbers[next], sv[1]);
            }
            printf("%ld: summing ...\n", numbers[next]);
            close(sv[1]);
            c[slot] = (struct child){p, sv[0], numbers[next]};
            next++, run++;
            continue;
        }
        while (!rang)
            pause();
        rang = 0;
        int st;
        pid_t p;
        while ((p = waitpid(-1, &st, WNOHANG)) > 0) {
            long slot = 0;
            while (c[slot].pid != p)
                slot++;
            char text[32] = "";
            ssize_t l = read(c[slot].end, text, sizeof text - 1);
            close(c[slot].end);
            if (WIFEXITED(st) && WEXITSTATUS(st) == 0 && l > 0) {
                long s = atol(text);
                printf("%ld: %ld\n", c[slot].n, s);
                *total = (*total + s) % MODULUS;
                came++;
            } else {
                printf("%ld: no sum\n", c[slot].n);
                warnx("%ld: no sum from child %d", c[slot].n, (int)p);
            }
            c[slot].pid = 0;
            run--;
        }
    }
    free(c);
    if (broken)
        exit(EXIT_FAILURE);
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
