/*
 * squares_tmp_left - wrong: the results stand in a file in /tmp that stays
 * there
 * Exercise: 03-processes/exercise_squares
 * Loses: left
 * Because: the file /tmp/
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
static void *shared(void) {
    int fd = open("/tmp/squares.results", O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd == -1 || ftruncate(fd, job_count * sizeof(long)))
        err(1, "open");
    void *p = mmap(NULL, job_count * sizeof(long), PROT_READ | PROT_WRITE,
        MAP_SHARED, fd, 0);
    close(fd);
    return p;
}
static long sum_all(long *total) {
    long *result = shared();
    if (result == MAP_FAILED)
        err(1, "mmap");
    pid_t *who = calloc(job_count, sizeof *who);
    if (!who)
        err(1, "calloc");
    long started = 0, alive = 0, good = 0, stop = 0;
    *total = 0;
    for (;;) {
        while (!stop && alive < processes && started < job_count) {
            printf("%ld: summing ...\n", numbers[started]);
            pid_t p = fork();
            if (p < 0) {
                fprintf(stderr, "exercise_squares: cannot fork: %s\n",
                    strerror(errno));
                printf("%ld: no sum\n", numbers[started]);
                stop = 1;
                break;
            }
            if (p == 0) {
                unsigned long long s = 0,
                                   n = (unsigned long long)numbers[started];
                for (unsigned long long i = 1; i <= n; i++) {
                    s += i * i % MODULUS;
                    if (s >= MODULUS)
                        s -= MODULUS;
                }
                result[started] = (long)s + 1; /* 0: nothing came */
                _exit(0);
            }
            who[started++] = p;
            alive++;
        }
        if (alive == 0)
            break;
        siginfo_t info;
        if (waitid(P_ALL, 0, &info, WEXITED) == -1) {
            if (errno == EINTR)
                continue;
            err(1, "waitid");
        }
        alive--;
        long j = 0;
        while (who[j] != info.si_pid)
            j++;
        who[j] = 0;
        if (info.si_code == CLD_EXITED && result[j] > 0) {
            long s = result[j] - 1;
            printf("%ld: %ld\n", numbers[j], s);
            *total = (*total + s) % MODULUS;
            good++;
        } else {
            printf("%ld: no sum\n", numbers[j]);
            fprintf(stderr, "exercise_squares: %ld: killed\n", numbers[j]);
        }
    }
    munmap(result, job_count * sizeof(long));
    free(who);
    if (stop)
        exit(1);
    return good;
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
