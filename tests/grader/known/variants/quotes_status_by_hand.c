/*
 * quotes_status_by_hand - right: looks at the status by itself, builds the URL
 * by curl_url()
 * Exercise: 01-sequential/exercise_quotes
 * Kind: looks at the status by itself
 */
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

/* ---------- The tool: none, one quote after another ---------- */

static char body[100000];
static size_t used;
static int good;
static size_t header(char *line, size_t size, size_t count, void *arg) {
    (void)arg;
    int status;
    if (sscanf(line, "HTTP/%*s %d", &status) == 1)
        good = status == 200;
    return size * count;
}
static size_t got(char *data, size_t size, size_t count, void *arg) {
    (void)arg;
    size_t n = size * count;
    if (used + n >= sizeof body)
        return 0;
    memcpy(body + used, data, n);
    used += n;
    body[used] = '\0';
    return n;
}
static long ask_all(void) {
    long came = 0;
    CURL *curl = curl_easy_init();
    for (long i = 0; i < symbol_count; i++) {
        CURLU *u = curl_url();
        char path[2000];
        snprintf(path, sizeof path, "/quote/%s", symbols[i]);
        if (curl == NULL || curl_url_set(u, CURLUPART_URL, site, 0) ||
            curl_url_set(u, CURLUPART_PATH, path, 0))
            errx(EXIT_FAILURE, "%s: not a URL", site);
        used = 0, body[0] = '\0', good = 0;
        curl_easy_setopt(curl, CURLOPT_CURLU, u);
        curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, header);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, got);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
        printf("%s: asking ...\n", symbols[i]);
        CURLcode code = curl_easy_perform(curl);
        if (code == CURLE_OK && !good)
            code = CURLE_HTTP_RETURNED_ERROR;
        if (code) {
            printf("%s: no quote\n", symbols[i]);
            fprintf(stderr, "exercise_quotes: %s: %s\n", symbols[i],
                curl_easy_strerror(code));
        } else {
            if (used && body[used - 1] == '\n')
                body[used - 1] = '\0';
            printf("%s: %s\n", symbols[i], body);
            came++;
        }
        curl_url_cleanup(u);
    }
    curl_easy_cleanup(curl);
    return came;
}
static void tell_waiting(long came, double elapsed) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    long us = (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
              u.ru_utime.tv_usec + u.ru_stime.tv_usec;
    int percent = (int)(100.5 - 100 * (us / 1e6) / elapsed);
    fprintf(stderr, "%ld quotes in %.2f s, %d %% of it waiting: ", came,
        elapsed, percent);
    if (percent < 50)
        fputs("CPU-bound\n", stderr);
    else
        fputs("I/O-bound\n", stderr);
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
