/*
 * async_helper_thread - wrong: a second thread drives the transfers, and both
 * use the same handles
 * Exercise: 04-async/exercise_quotes
 * Loses: alone
 * Because: it had 2 threads in 1 processes
 */
#define _GNU_SOURCE /* asprintf */
#include <curl/curl.h>
#include <err.h>
#include <pthread.h>
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

struct quote {
    CURL *curl;
    const char *symbol;
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

static void begin_quote(struct quote *quote, const char *symbol) {
    char *url;
    quote->symbol = symbol;
    quote->length = 0;
    if (asprintf(&url, "%s/quote/%s", site, symbol) == -1 ||
        curl_easy_setopt(quote->curl, CURLOPT_URL, url) != CURLE_OK)
        errx(EXIT_FAILURE, "%s: out of memory", symbol);
    curl_easy_setopt(quote->curl, CURLOPT_WRITEDATA, quote);
    curl_easy_setopt(quote->curl, CURLOPT_PRIVATE, quote);
    printf("%s: asking ...\n", symbol);
    free(url);
}

/* Returns 1 if the quote has come, else 0. */
static long end_quote(struct quote *quote, CURLcode code) {
    quote->text[quote->length] = '\0';
    quote->text[strcspn(quote->text, "\r\n")] = '\0';
    printf(
        "%s: %s\n", quote->symbol, code == CURLE_OK ? quote->text : "no quote");
    if (code != CURLE_OK)
        fprintf(stderr, "exercise_quotes: %s: %s\n", quote->symbol,
            curl_easy_strerror(code));
    return code == CURLE_OK;
}

/* ---------- The tool: one thread, many transfers in flight ---------- */

static long in_flight = 5, started, ended, came;

static void start_next(CURLM *multi, struct quote *quote) {
    begin_quote(quote, symbols[started++]);
    if (curl_multi_add_handle(multi, quote->curl) != CURLM_OK)
        errx(EXIT_FAILURE, "curl_multi_add_handle: out of memory");
}

static long most;
static struct quote *quotes;
static CURLM *multi;

static void *drive(void *arg) {
    for (int count; ended < symbol_count;) {
        if (curl_multi_poll(multi, NULL, 0, 60000, NULL) != CURLM_OK ||
            curl_multi_perform(multi, &count) != CURLM_OK)
            errx(EXIT_FAILURE, "curl_multi: out of memory");
        for (CURLMsg *m; (m = curl_multi_info_read(multi, &count)); ended++) {
            struct quote *quote;
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char *)&quote);
            came += end_quote(quote, m->data.result);
            curl_multi_remove_handle(multi, quote->curl);
            started < symbol_count ? start_next(multi, quote)
                                   : curl_easy_cleanup(quote->curl);
        }
    }
    return arg;
}

static void ask_all(void) {
    pthread_t thread;
    most = in_flight < symbol_count ? in_flight : symbol_count;
    quotes = calloc((size_t)most, sizeof *quotes);
    multi = curl_multi_init();
    if (quotes == NULL || multi == NULL)
        errx(EXIT_FAILURE, "out of memory");
    while (started < most) {
        quotes[started].curl = open_handle();
        start_next(multi, &quotes[started]);
    }
    if (pthread_create(&thread, NULL, drive, NULL) != 0)
        errx(EXIT_FAILURE, "pthread_create");
    pthread_join(thread, NULL);
    curl_multi_cleanup(multi);
    free(quotes);
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
