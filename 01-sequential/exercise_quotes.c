/*
 * exercise_quotes - five share prices, one after another
 * Ask SITE/quote/SYMBOL for each symbol with libcurl, the next when the last
 * has come, and say how much of the time was waiting. One that fails, or takes
 * over 30 s, stops nobody. Write ask_all() first, then tell_waiting().
 * All that is asked, and its points: exercise_quotes.md beside this file.
 * Test: make check EXERCISE=01-sequential/exercise_quotes (by hand: make sites)
 * Build: cc -O2 -o exercise_quotes exercise_quotes.c -lcurl
 * Usage: ./exercise_quotes [-s base_url] [SYMBOL...]
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

/* ---------- The tool: none, one quote after another ---------- */

/* Yours: returns how many quotes have come. */
static long ask_all(void) {
    (void)site, (void)symbols;
    errx(EXIT_FAILURE, "ask_all() is not written yet: no quote is asked for");
}

/* Yours: says how many came, in how long, and how much of it was waiting. */
static void tell_waiting(long came, double elapsed) {
    errx(EXIT_FAILURE,
        "%ld quotes in %.2f s; tell_waiting() is not written "
        "yet",
        came, elapsed);
}

/* ---------- The run ---------- */

static const char usage[] =
    "usage: exercise_quotes [-s base_url] [SYMBOL...]\n";

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int option; (option = getopt(argc, argv, "s:h")) != -1;)
        switch (option) {
        case 's': site = optarg; break;
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
    tell_waiting(came, seconds() - start);
    curl_global_cleanup();
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return came == symbol_count ? EXIT_SUCCESS : EXIT_FAILURE;
}
