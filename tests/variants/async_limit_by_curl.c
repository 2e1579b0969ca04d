/*
 * async_limit_by_curl - right: all symbols are given to curl at once, and curl
 * itself opens at most -w connections; a line says "asking" when the request
 * goes out, which is when a connection is there for it
 * Exercise: 04-async/exercise_quotes
 * Kind: CURLMOPT_MAX_TOTAL_CONNECTIONS and CURLOPT_PREREQFUNCTION
 */
#include <curl/curl.h>
#include <err.h>
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

static long in_flight = 5;

struct quote {
    const char *symbol;
    int asked;
    char text[80];
    size_t length;
};

static size_t add_text(char *data, size_t size, size_t count, void *arg) {
    struct quote *q = arg;
    if (size * count >= sizeof q->text - q->length)
        return 0;
    memcpy(q->text + q->length, data, size * count);
    q->length += size * count;
    return size * count;
}

static void say_asking(struct quote *q) {
    if (!q->asked)
        printf("%s: asking ...\n", q->symbol);
    q->asked = 1;
}

static int before_request(void *arg, char *a, char *b, int c, int d) {
    (void)a, (void)b, (void)c, (void)d;
    say_asking(arg);
    return CURL_PREREQFUNC_OK;
}

static CURL *prepare(struct quote *q, const char *symbol) {
    CURL *easy = curl_easy_init();
    char url[1000];
    if (easy == NULL)
        errx(EXIT_FAILURE, "curl_easy_init");
    q->symbol = symbol;
    snprintf(url, sizeof url, "%s/quote/%s", site, symbol);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, add_text);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, q);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, q);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, q);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    return easy;
}

static long finish(CURLM *multi, CURL *easy, CURLcode code) {
    struct quote *q;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char *)&q);
    say_asking(q); /* no connection: it failed before it could ask */
    if (q->length > 0 && q->text[q->length - 1] == '\n')
        q->text[q->length - 1] = '\0';
    printf("%s: %s\n", q->symbol, code == CURLE_OK ? q->text : "no quote");
    if (code != CURLE_OK)
        warnx("%s: %s", q->symbol, curl_easy_strerror(code));
    curl_multi_remove_handle(multi, easy);
    curl_easy_cleanup(easy);
    return code == CURLE_OK;
}

static long ask_all(void) {
    struct quote *quotes = calloc((size_t)symbol_count, sizeof *quotes);
    CURLM *multi = curl_multi_init();
    long came = 0;
    int running, left;
    if (quotes == NULL || multi == NULL)
        errx(EXIT_FAILURE, "out of memory");
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, in_flight);
    for (long i = 0; i < symbol_count; i++)
        curl_multi_add_handle(multi, prepare(&quotes[i], symbols[i]));
    do {
        if (curl_multi_perform(multi, &running) != CURLM_OK)
            errx(EXIT_FAILURE, "curl_multi_perform");
        for (CURLMsg *m; (m = curl_multi_info_read(multi, &left)) != NULL;)
            if (m->msg == CURLMSG_DONE)
                came += finish(multi, m->easy_handle, m->data.result);
        if (running > 0)
            curl_multi_wait(multi, NULL, 0, 1000, NULL);
    } while (running > 0);
    curl_multi_cleanup(multi);
    free(quotes);
    return came;
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
