/*
 * exercise_quotes - five share prices at once, on one thread
 * Ask SITE/quote/SYMBOL for each symbol with curl's multi interface: one
 * thread, no child, -w requests in flight as long as symbols wait, and never
 * more. One that fails, or takes over 30 s, stops nobody. ask_all() is first.
 * All that is asked, and its points: exercise_quotes.md beside this file.
 * Test: make check EXERCISE=04-async/exercise_quotes (by hand: make sites)
 * Build: cc -O2 -o exercise_quotes exercise_quotes.c -lcurl
 * Usage: ./exercise_quotes [-s base_url] [-w in_flight] [SYMBOL...]
 */
#include <curl/curl.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

static const char *site = "http://127.0.0.1:8000";
static const char *const five[] = {"ABT", "ABBV", "ABMD", "ATVI", "ADBE"};
static const char *const *symbols = five;
static long symbol_count = 5;

/* ---------- The tool: one thread, many transfers in flight ---------- */

static long in_flight = 5;

/* Yours: returns how many quotes have come. */
static long ask_all(void) {
    (void)site, (void)symbols, (void)in_flight;
    errx(EXIT_FAILURE, "ask_all() is not written yet: no quote is asked for");
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
    long came = ask_all();
    fprintf(stderr, "%ld quotes in %.2f s\n", came, seconds() - start);
    curl_global_cleanup();
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return came == symbol_count ? EXIT_SUCCESS : EXIT_FAILURE;
}
