/*
 * squares_mod_at_end - wrong: takes the remainder at the end, when the sum has
 * long not fitted
 * Exercise: 03-processes/exercise_squares
 * Loses: adds
 * Perhaps: as_completed
 * Loses: every_order
 * Loses: killed
 * Loses: edges
 * Because: was not printed
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

enum { MODULUS = 1000000007, MOST = 1000000000, MOST_PROCESSES = 1000 };
static long four[] = {20000000, 30000000, 10000000, 25000000};
static long *numbers = four;
static long job_count = 4;

/* ---------- The tool: processes, each result as it completes ---------- */

static long processes; /* if not given, one per CPU */

static long square_sum(long n) {
    unsigned long sum = 0;
    for (unsigned long i = 1; i <= (unsigned long)n; i++)
        sum = sum + i * i;
    return (long)(sum % MODULUS);
}
struct kid {
    pid_t pid;
    int fd;
    long n;
};
static long sum_all(long *total) {
    struct kid kids[MOST_PROCESSES];
    long next = 0, live = 0, came = 0;
    while (next < job_count || live > 0) {
        if (next < job_count && live < processes) {
            int ends[2];
            long n = numbers[next++];
            if (pipe(ends) == -1)
                err(EXIT_FAILURE, "pipe");
            printf("%ld: summing ...\n", n);
            pid_t pid = fork();
            if (pid == -1) {
                warn("fork");
                printf("%ld: no sum\n", n);
                close(ends[0]);
                close(ends[1]);
                continue;
            }
            if (pid == 0) {
                close(ends[0]);
                long sum = square_sum(n);
                _exit(write(ends[1], &sum, sizeof sum) != sizeof sum);
            }
            close(ends[1]);
            kids[live++] = (struct kid){pid, ends[0], n};
            continue;
        }
        int status;
        pid_t pid = wait(&status);
        if (pid == -1)
            err(EXIT_FAILURE, "wait");
        for (long i = 0; i < live; i++)
            if (kids[i].pid == pid) {
                long sum = 0;
                ssize_t got = read(kids[i].fd, &sum, sizeof sum);
                if (status == 0 && got == sizeof sum) {
                    printf("%ld: %ld\n", kids[i].n, sum);
                    *total = (*total + sum) % MODULUS;
                    came++;
                } else {
                    printf("%ld: no sum\n", kids[i].n);
                    fprintf(
                        stderr, "exercise_squares: %ld: killed\n", kids[i].n);
                }
                close(kids[i].fd);
                kids[i] = kids[--live];
                break;
            }
    }
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
