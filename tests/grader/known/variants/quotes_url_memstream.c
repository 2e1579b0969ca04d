/*
 * quotes_url_memstream - right: a new handle for each symbol, the URL built by
 * curl's own parts, the body kept by open_memstream, each line flushed
 * Exercise: 01-sequential/exercise_quotes
 * Kind: a handle per symbol; fflush; more words on stderr
 */
#include <curl/curl.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

static const char *base = "http://127.0.0.1:8000";
static const char *usual[] = {"ABT", "ABBV", "ABMD", "ATVI", "ADBE", NULL};

static void must(int ok, const char *what) {
    if (!ok)
        errx(EXIT_FAILURE, "%s failed", what);
}

static char *address_of(const char *symbol) {
    CURLU *url = curl_url();
    char *path = NULL, *whole = NULL,
         *escaped = curl_easy_escape(NULL, symbol, 0);
    size_t size;
    must(url != NULL && escaped != NULL, "curl_url");
    if (curl_url_set(url, CURLUPART_URL, base, 0) != CURLUE_OK)
        errx(2, "-s %s: not a URL", base);
    size = strlen(escaped) + sizeof "/quote/";
    must((path = malloc(size)) != NULL, "malloc");
    snprintf(path, size, "/quote/%s", escaped);
    must(curl_url_set(url, CURLUPART_PATH, path, 0) == CURLUE_OK,
        "curl_url_set");
    must(curl_url_get(url, CURLUPART_URL, &whole, 0) == CURLUE_OK,
        "curl_url_get");
    curl_url_cleanup(url);
    curl_free(escaped);
    free(path);
    return whole;
}

static int ask(const char *symbol) {
    char *body = NULL, *address = address_of(symbol);
    size_t size = 0;
    FILE *memory = open_memstream(&body, &size);
    CURL *handle = curl_easy_init();
    CURLcode result;

    must(memory != NULL && handle != NULL, "open_memstream");
    curl_easy_setopt(handle, CURLOPT_URL, address);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, memory); /* by fwrite */
    curl_easy_setopt(handle, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, 30000L);
    fprintf(stderr, "now %s from %s\n", symbol, address);
    printf("%s: asking ...\n", symbol);
    fflush(stdout);
    result = curl_easy_perform(handle);
    must(fclose(memory) == 0, "fclose");
    if (size > 0 && body[size - 1] == '\n')
        body[size - 1] = '\0';
    printf("%s: %s\n", symbol, result == CURLE_OK ? body : "no quote");
    fflush(stdout);
    if (result != CURLE_OK)
        warnx("%s: %s", symbol, curl_easy_strerror(result));
    curl_easy_cleanup(handle);
    curl_free(address);
    free(body);
    return result == CURLE_OK;
}

static double cpu_time(void) {
    struct rusage used;
    struct timeval both;
    getrusage(RUSAGE_SELF, &used);
    timeradd(&used.ru_utime, &used.ru_stime, &both);
    return (double)both.tv_sec + (double)both.tv_usec * 1e-6;
}

static double wall_time(void) {
    struct timeval now;
    gettimeofday(&now, NULL);
    return (double)now.tv_sec + (double)now.tv_usec * 1e-6;
}

int main(int argc, char *argv[]) {
    const char **symbols = usual;
    int letter, came = 0, asked = 0;

    while ((letter = getopt(argc, argv, "hs:")) != -1) {
        if (letter == 'h') {
            puts("usage: exercise_quotes [-s base_url] [SYMBOL...]");
            return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        }
        if (letter != 's')
            exit(2);
        base = optarg;
    }
    if (argv[optind] != NULL)
        symbols = (const char **)&argv[optind];
    must(curl_global_init(CURL_GLOBAL_ALL) == CURLE_OK, "curl_global_init");
    double wall = wall_time(), cpu = cpu_time();
    for (; symbols[asked] != NULL; asked++)
        came += ask(symbols[asked]);
    cpu = cpu_time() - cpu;
    wall = wall_time() - wall;
    double waiting = 100 * (1 - cpu / wall);
    fprintf(stderr, "%d quotes in %.2f s, %.0f %% of it waiting: %s\n", came,
        wall, waiting, waiting < 50 ? "CPU-bound" : "I/O-bound");
    fprintf(stderr, "that was all\n");
    curl_global_cleanup();
    return ferror(stdout) || came < asked;
}
