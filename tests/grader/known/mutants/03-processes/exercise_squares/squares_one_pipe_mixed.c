/*
 * squares_one_pipe_mixed - wrong: all children write bare sums into one pipe:
 * whose is it?
 * Exercise: 03-processes/exercise_squares
 * Loses: every_order
 * Loses: refused
 * Loses: edges
 * Perhaps: sums
 * Because: in some order of its processes
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
        sum = (sum + i * i) % MODULUS;
    return (long)sum;
}

static long sum_all(long *total) {
    pid_t pids[MOST_PROCESSES];
    long ns[MOST_PROCESSES];
    long next = 0, live = 0, came = 0;
    int ends[2];
    if (pipe(ends) == -1)
        err(EXIT_FAILURE, "pipe");
    while (next < job_count || live > 0) {
        if (next < job_count && live < processes) {
            long n = numbers[next++];
            printf("%ld: summing ...\n", n);
            pid_t pid = fork();
            if (pid == -1)
                err(EXIT_FAILURE, "fork");
            if (pid == 0) {
                long sum = square_sum(n);
                if (write(ends[1], &sum, sizeof sum) != sizeof sum)
                    _exit(1);
                _exit(0);
            }
            ns[live] = n;
            pids[live++] = pid;
            continue;
        }
        int status;
        pid_t pid = wait(&status);
        for (long i = 0; i < live; i++)
            if (pids[i] == pid) {
                long sum;
                if (status == 0 &&
                    read(ends[0], &sum, sizeof sum) == sizeof sum) {
                    printf("%ld: %ld\n", ns[i], sum);
                    *total = (*total + sum) % MODULUS;
                    came++;
                } else {
                    printf("%ld: no sum\n", ns[i]);
                    fprintf(stderr, "exercise_squares: %ld: killed\n", ns[i]);
                }
                live--;
                pids[i] = pids[live];
                ns[i] = ns[live];
                break;
            }
    }
    close(ends[0]);
    close(ends[1]);
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
