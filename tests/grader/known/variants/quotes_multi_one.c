/*
 * quotes_multi_one - right: the multi interface with one transfer at a time
 * Exercise: 01-sequential/exercise_quotes
 * Kind: the multi interface with one transfer at a time
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

static size_t collect(char *d, size_t s, size_t n, void *arg) {
    return fwrite(d, s, n, arg);
}
static long ask_all(void) {
    CURLM *multi = curl_multi_init();
    long came = 0;
    for (long i = 0; i < symbol_count; i++) {
        char url[4096], line[4096] = "";
        FILE *f = tmpfile();
        CURL *easy = curl_easy_init();
        if (!multi || !easy || !f)
            errx(EXIT_FAILURE, "set up");
        snprintf(url, sizeof url, "%s/quote/%s", site, symbols[i]);
        curl_easy_setopt(easy, CURLOPT_URL, url);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, collect);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, f);
        curl_easy_setopt(easy, CURLOPT_TIMEOUT, 30L);
        curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
        printf("%s: asking ...\n", symbols[i]);
        curl_multi_add_handle(multi, easy);
        int running = 1;
        while (running) {
            if (curl_multi_perform(multi, &running) != CURLM_OK)
                errx(EXIT_FAILURE, "curl_multi_perform");
            if (running)
                curl_multi_poll(multi, NULL, 0, 1000, NULL);
        }
        int left;
        CURLMsg *msg = curl_multi_info_read(multi, &left);
        CURLcode code = msg ? msg->data.result : CURLE_GOT_NOTHING;
        rewind(f);
        if (code == CURLE_OK) {
            if (fgets(line, sizeof line, f))
                line[strcspn(line, "\n")] = 0;
            printf("%s: %s\n", symbols[i], line);
            came++;
        } else {
            printf("%s: no quote\n", symbols[i]);
            fprintf(stderr, "exercise_quotes: %s: %s\n", symbols[i],
                curl_easy_strerror(code));
        }
        fclose(f);
        curl_multi_remove_handle(multi, easy);
        curl_easy_cleanup(easy);
    }
    curl_multi_cleanup(multi);
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
