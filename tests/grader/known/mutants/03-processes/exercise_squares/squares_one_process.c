/*
 * squares_one_process - wrong: does all in one process
 * Exercise: 03-processes/exercise_squares
 * Loses: adds
 * Loses: parallel
 * Loses: as_completed
 * Loses: killed
 * Because: with -w 1 it had no child
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

enum { MODULUS = 1000000007, MOST = 1000000000, MOST_PROCESSES = 1000 };
static long four[] = {20000000, 30000000, 10000000, 25000000};
static long *numbers = four;
static long job_count = 4;

static long sum_squares(long n) {
    long sum = 0;
    for (long i = 1; i <= n; i++)
        sum = (sum + i * i) % MODULUS;
    return sum;
}

/* ---------- The tool: processes, each result as it completes ---------- */

static long processes; /* if not given, one per CPU */

static long sum_all(long *total) {
    for (long i = 0; i < job_count; i++) {
        printf("%ld: summing ...\n", numbers[i]);
        long sum = sum_squares(numbers[i]);
        printf("%ld: %ld\n", numbers[i], sum);
        *total = (*total + sum) % MODULUS;
    }
    return job_count;
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

    double start_time = seconds();
    long total = 0, came = sum_all(&total);
    if (came == job_count)
        printf("total: %ld\n", total);
    fprintf(stderr, "%ld sums in %.2f s\n", came, seconds() - start_time);
    if (numbers != four)
        free(numbers);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return came == job_count ? EXIT_SUCCESS : EXIT_FAILURE;
}
