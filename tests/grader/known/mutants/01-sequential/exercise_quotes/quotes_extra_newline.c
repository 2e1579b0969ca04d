/*
 * quotes_extra_newline - wrong: prints the newline of the site and one of its
 * own
 * Exercise: 01-sequential/exercise_quotes
 * Loses: quotes
 * Because: the line "" is not expected
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

struct text {
    char data[20000];
    size_t length;
};
static size_t keep(char *data, size_t size, size_t count, void *arg) {
    struct text *t = arg;
    if (t->length + size * count >= sizeof t->data)
        return 0;
    memcpy(t->data + t->length, data, size * count);
    t->length += size * count;
    t->data[t->length] = '\0';
    return size * count;
}
static long ask_all(void) {
    static struct text t;
    CURL *curl = curl_easy_init();
    long came = 0;
    if (curl == NULL)
        errx(EXIT_FAILURE, "curl_easy_init failed");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &t);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
    for (long i = 0; i < symbol_count; i++) {
        char url[5000];
        snprintf(url, sizeof url, "%s/quote/%s", site, symbols[i]);
        curl_easy_setopt(curl, CURLOPT_URL, url);
        t.length = 0;
        t.data[0] = '\0';
        printf("%s: asking ...\n", symbols[i]);
        CURLcode code = curl_easy_perform(curl);
        if (code == CURLE_OK) {
            printf("%s: %s\n", symbols[i], t.data);
            came++;
        } else {
            printf("%s: no quote\n", symbols[i]);
            fprintf(stderr, "exercise_quotes: %s: %s\n", symbols[i],
                curl_easy_strerror(code));
        }
    }
    curl_easy_cleanup(curl);
    return came;
}

static void tell_waiting(long came, double elapsed) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    double cpu = u.ru_utime.tv_sec + u.ru_utime.tv_usec / 1e6 +
                 u.ru_stime.tv_sec + u.ru_stime.tv_usec / 1e6;
    double share = 100 * (1 - cpu / elapsed);
    fprintf(stderr, "%ld quotes in %.2f s, %.0f %% of it waiting: %s\n", came,
        elapsed, share, share < 50 ? "CPU-bound" : "I/O-bound");
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
