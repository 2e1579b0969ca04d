/*
 * download - fetch web pages, one after another
 * Nearly all the time of a page is the wait for its server to answer, and no
 * page is asked for before the last one has come. Notice that 90 pages take
 * 90 such waits, and that the CPU is idle meanwhile.
 * Build: cc -O2 -o download download.c -lcurl
 * Usage: ./download [-n times] [-w workers] [-s http://host:port | URL ...]
 */
#define _GNU_SOURCE /* asprintf */
#include <curl/curl.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story: the same in every lesson ---------- */

static const char *site = "http://127.0.0.1:8000";
static const char *const practice[] = {"/small", "/medium", "/large"};
static const char *const *paths = practice;
static long path_count = 3, times = 30, pages;

/* curl counts the bytes; nobody keeps them. */
static size_t discard(char *data, size_t size, size_t count, void *arg) {
    (void)data, (void)arg;
    return size * count;
}

static CURL *open_handle(void) {
    CURL *curl = curl_easy_init(); /* if NULL, begin_page() will tell */
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
    return curl;
}

static void begin_page(CURL *curl, long page) {
    char *url;
    if (asprintf(&url, "%s%s", site, paths[page % path_count]) == -1 ||
        curl_easy_setopt(curl, CURLOPT_URL, url) != CURLE_OK)
        errx(EXIT_FAILURE, "page %ld: out of memory", page + 1);
    printf("page %ld: fetching %s ...\n", page + 1, url);
    free(url);
}

/* Returns 1 if the page has come, else 0. */
static long end_page(CURL *curl, long page, CURLcode code) {
    curl_off_t bytes = 0;
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK)
        printf("page %ld: fetched, %ld bytes\n", page + 1, (long)bytes);
    else if (code == CURLE_HTTP_RETURNED_ERROR)
        printf("page %ld: failed, HTTP %ld\n", page + 1, status);
    else
        printf("page %ld: failed, %s\n", page + 1, curl_easy_strerror(code));
    return code == CURLE_OK;
}

/* ---------- The tool: none, one page after another ---------- */

static long workers = 1, most_workers = 1; /* one by nature */

/* Returns how many pages have come. */
static long download_all(void) {
    CURL *curl = open_handle();
    long fetched = 0;
    for (long page = 0; page < pages; page++) {
        begin_page(curl, page);
        fetched += end_page(curl, page, curl_easy_perform(curl));
    }
    curl_easy_cleanup(curl);
    return fetched;
}

/* ---------- The run: the same in every lesson ---------- */

static const char usage[] = "usage: download [-n times] [-w workers, 1 to %ld] "
                            "[-s http://host:port | URL ...]\n";

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
    setvbuf(stderr, NULL, _IOLBF, BUFSIZ); /* whole lines, whoever writes */
    /* If one is closed, the next pipe or socket would get its number. */
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    for (int option; (option = getopt(argc, argv, "n:w:s:h")) != -1;)
        switch (option) {
        case 'n': times = number('n', 1000000); break;
        case 'w': workers = number('w', most_workers); break;
        case 's': site = optarg; break;
        case 'h': return printf(usage, most_workers) < 0;
        default: return 2;
        }
    if (optind < argc) {
        site = "";
        paths = (const char *const *)argv + optind;
        path_count = argc - optind;
    }
    pages = times * path_count;
    workers = workers < pages ? workers : pages;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        errx(EXIT_FAILURE, "curl_global_init failed");

    double start = seconds();
    long count = download_all();
    fprintf(stderr, "%ld of %ld pages in %.2f s, %ld at a time\n", count, pages,
        seconds() - start, workers);
    if (count == 0 && paths == practice)
        warnx("do the practice sites run? Start them with: make sites");
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return count == pages ? EXIT_SUCCESS : EXIT_FAILURE;
}
