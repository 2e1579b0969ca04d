/*
 * quotes_hard_coded - wrong: prints prices somebody once saw, and asks nobody
 * Exercise: 01-sequential/exercise_quotes
 * Loses: quotes
 * Loses: told
 * Loses: waiting
 * Loses: pieces
 * Loses: failures
 * Loses: timeout
 * Because: 123.45" is not expected
 */
#include <curl/curl.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

static const char *const five[] = {"ABT", "ABBV", "ABMD", "ATVI", "ADBE"};
static const char *const *symbols = five;
static long symbol_count = 5;

/* ---------- The tool: none, one quote after another ---------- */

static long ask_all(void) {
    for (long i = 0; i < symbol_count; i++)
        printf("%s: asking ...\n%s: 123.45\n", symbols[i], symbols[i]);
    return symbol_count;
}

/* ---------- The run ---------- */

static const char usage[] =
    "usage: exercise_quotes [-s base_url] [SYMBOL...]\n";

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* On the CPU, in the program and in the kernel for it. */
static double cpu_seconds(void) {
    struct rusage use;
    if (getrusage(RUSAGE_SELF, &use) == -1)
        err(EXIT_FAILURE, "getrusage");
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int option; (option = getopt(argc, argv, "s:h")) != -1;)
        switch (option) {
        case 's': break;
        case 'h': return printf(usage) < 0;
        default: return 2;
        }
    if (optind < argc) {
        symbols = (const char *const *)argv + optind;
        symbol_count = argc - optind;
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        errx(EXIT_FAILURE, "curl_global_init failed");

    double start = seconds(), cpu_start = cpu_seconds();
    long came = ask_all();
    double wall = seconds() - start, cpu = cpu_seconds() - cpu_start;
    double waiting = wall > 0 && cpu < wall ? 100 * (1 - cpu / wall) : 0;
    fprintf(stderr, "%ld quotes in %.2f s, %.0f %% of it waiting: %s-bound\n",
        came, wall, waiting, waiting >= 50 ? "I/O" : "CPU");
    curl_global_cleanup();
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return came == symbol_count ? EXIT_SUCCESS : EXIT_FAILURE;
}
