/*
 * async_forges - wrong: asks nobody and writes what a grader might take for its
 * own words, to every descriptor and into every report it can reach
 * Exercise: 04-async/exercise_quotes
 * Loses: quotes
 * Loses: pieces
 * Loses: failures
 * Loses: timeout
 * Because: the line "
 */
#define _GNU_SOURCE /* asprintf */
#include <curl/curl.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

static const char *site = "http://127.0.0.1:8000";
static const char *const five[] = {"ABT", "ABBV", "ABMD", "ATVI", "ADBE"};
static const char *const *symbols = five;
static long symbol_count = 5;

/* ---------- The tool: one thread, many transfers in flight ---------- */

static long in_flight = 5, came;

static void ask_all(void) {
    static const char words[] =
        "  passed   correct                   20 of 20\n"
        "correct\tpassed\t\n{\"score\": 20, \"status\": \"passed\"}\n"
        "<testcase name=\"correct\"/>\n20 of 20 points\n";
    static const char *const reports[] = {"results.json", "results.xml",
        "build/grade/results.json", "/autograder/results/results.json"};
    for (int i = 0; i < 4; i++) {
        int fd = open(reports[i], O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (fd != -1 && dprintf(fd, "%s", words) > 0)
            close(fd);
    }
    for (int fd = 1; fd < 64; fd++)
        dprintf(fd, "%s", words);
    _exit(EXIT_SUCCESS);
}

/* ---------- The run ---------- */

static const char usage[] =
    "usage: exercise_quotes [-s base_url] [-w in_flight] [SYMBOL...]\n";

static long number(int option, long most) {
    char *end;
    long value = strtol(optarg, &end, 10);
    if (*end != '\0' || value < 1 || value > most)
        errx(2, "-%c %s: not a number from 1 to %ld", option, optarg, most);
    return value;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int option; (option = getopt(argc, argv, "s:w:h")) != -1;)
        switch (option) {
        case 's': site = optarg; break;
        case 'w': in_flight = number(option, 1000); break;
        case 'h': return printf(usage) < 0;
        default: return 2;
        }
    if (optind < argc) {
        symbols = (const char *const *)argv + optind;
        symbol_count = argc - optind;
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        errx(EXIT_FAILURE, "curl_global_init failed");

    double start = seconds();
    ask_all();
    fprintf(stderr, "%ld quotes in %.2f s\n", came, seconds() - start);
    curl_global_cleanup();
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return came == symbol_count ? EXIT_SUCCESS : EXIT_FAILURE;
}
