/*
 * quotes_stops_at_failure - wrong: ends at the first symbol that fails: the
 * others never get asked
 * Exercise: 01-sequential/exercise_quotes
 * Loses: failures
 * Loses: timeout
 * Because: is missing
 */
#define _GNU_SOURCE /* asprintf */
#include <curl/curl.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

static const char *site = "http://127.0.0.1:8000";
static const char *const five[] = {"ABT", "ABBV", "ABMD", "ATVI", "ADBE"};
static const char *const *symbols = five;
static long symbol_count = 5;

struct quote {
    char text[100]; /* what the site has sent so far */
    size_t length;
};

/* Taking less than was offered makes curl give up: no price is that long. */
static size_t keep(char *data, size_t size, size_t count, void *arg) {
    struct quote *quote = arg;
    if (size * count >= sizeof quote->text - quote->length)
        return 0;
    memcpy(quote->text + quote->length, data, size * count);
    quote->length += size * count;
    return size * count;
}

static CURL *open_handle(void) {
    CURL *curl = curl_easy_init(); /* if NULL, begin_quote() will tell */
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
    return curl;
}

static void begin_quote(CURL *curl, const char *symbol, struct quote *quote) {
    char *url;
    *quote = (struct quote){.length = 0};
    if (asprintf(&url, "%s/quote/%s", site, symbol) == -1 ||
        curl_easy_setopt(curl, CURLOPT_URL, url) != CURLE_OK)
        errx(EXIT_FAILURE, "%s: out of memory", symbol);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, quote);
    printf("%s: asking ...\n", symbol);
    free(url);
}

/* Returns 1 if the quote has come, else 0. */
static long end_quote(const char *symbol, struct quote *quote, CURLcode code) {
    quote->text[strcspn(quote->text, "\r\n")] = '\0';
    printf("%s: %s\n", symbol, code == CURLE_OK ? quote->text : "no quote");
    if (code != CURLE_OK)
        errx(EXIT_FAILURE, "%s: %s", symbol, curl_easy_strerror(code));
    return code == CURLE_OK;
}

/* ---------- The tool: none, one quote after another ---------- */

/* Returns how many quotes have come. */
static long ask_all(void) {
    CURL *curl = open_handle();
    struct quote quote;
    long came = 0;
    for (long i = 0; i < symbol_count; i++) {
        begin_quote(curl, symbols[i], &quote);
        came += end_quote(symbols[i], &quote, curl_easy_perform(curl));
    }
    curl_easy_cleanup(curl);
    return came;
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
