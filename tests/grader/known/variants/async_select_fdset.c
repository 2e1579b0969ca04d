/*
 * async_select_fdset - right: a slot for each transfer in flight, refilled
 * from the list; select() on curl's sets; stdout flushed by hand
 * Exercise: 04-async/exercise_quotes
 * Kind: curl_multi_fdset and select; fflush; long options; slow start
 */
#include <curl/curl.h>
#include <err.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>

struct slot {
    CURL *easy;
    const char *symbol;
    FILE *stream;
    char *text;
    size_t size;
    bool busy;
};

static const char *base = "http://127.0.0.1:8000";
static long most = 5;

static void say(const char *symbol, const char *what) {
    fprintf(stdout, "%s: %s\n", symbol, what);
    fflush(stdout);
}

static void fill_slot(CURLM *multi, struct slot *slot, const char *symbol) {
    size_t size = strlen(base) + strlen(symbol) + sizeof "/quote/";
    char *url = malloc(size);
    if (url == NULL)
        err(EXIT_FAILURE, "malloc");
    snprintf(url, size, "%s/quote/%s", base, symbol);
    slot->symbol = symbol;
    slot->busy = true;
    slot->text = NULL;
    if ((slot->stream = open_memstream(&slot->text, &slot->size)) == NULL)
        err(EXIT_FAILURE, "open_memstream");
    if (slot->easy == NULL)
        slot->easy = curl_easy_init();
    curl_easy_reset(slot->easy);
    curl_easy_setopt(slot->easy, CURLOPT_URL, url);
    curl_easy_setopt(slot->easy, CURLOPT_WRITEDATA, slot->stream);
    curl_easy_setopt(slot->easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(slot->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(slot->easy, CURLOPT_TIMEOUT, 30L);
    free(url);
    say(symbol, "asking ...");
    curl_multi_add_handle(multi, slot->easy);
}

static bool empty_slot(CURLM *multi, struct slot *slot, CURLcode code) {
    curl_multi_remove_handle(multi, slot->easy);
    fclose(slot->stream);
    slot->text[strcspn(slot->text, "\r\n")] = '\0';
    if (code == CURLE_OK) {
        say(slot->symbol, slot->text);
    } else {
        fprintf(stderr, "exercise_quotes: %s: %s\n", slot->symbol,
            curl_easy_strerror(code));
        say(slot->symbol, "no quote");
    }
    free(slot->text);
    slot->busy = false;
    return code == CURLE_OK;
}

static void wait_for_any(CURLM *multi) {
    fd_set in, out, bad;
    int highest = -1;
    long ms = -1;
    struct timeval until;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&bad);
    curl_multi_fdset(multi, &in, &out, &bad, &highest);
    curl_multi_timeout(multi, &ms);
    if (highest == -1 && (ms < 0 || ms > 100))
        ms = 100; /* as curl's manual says */
    if (ms < 0 || ms > 10000)
        ms = 10000;
    until = (struct timeval){ms / 1000, ms % 1000 * 1000};
    select(highest + 1, &in, &out, &bad, &until);
}

static long run_all(char **symbols, long count) {
    CURLM *multi = curl_multi_init();
    struct slot *slots = calloc((size_t)most, sizeof *slots);
    long came = 0, ended = 0, taken = 0;
    int unused;
    if (multi == NULL || slots == NULL)
        errx(EXIT_FAILURE, "out of memory");
    while (ended < count) {
        for (long i = 0; i < most && taken < count; i++)
            if (!slots[i].busy)
                fill_slot(multi, &slots[i], symbols[taken++]);
        curl_multi_perform(multi, &unused);
        CURLMsg *message = curl_multi_info_read(multi, &unused);
        if (message == NULL) {
            wait_for_any(multi);
            continue;
        }
        for (long i = 0; i < most; i++)
            if (slots[i].busy && slots[i].easy == message->easy_handle) {
                came += empty_slot(multi, &slots[i], message->data.result);
                ended++;
                break;
            }
    }
    for (long i = 0; i < most; i++)
        curl_easy_cleanup(slots[i].easy);
    curl_multi_cleanup(multi);
    free(slots);
    return came;
}

static long whole(const char *text) {
    char *rest;
    long number = strtol(text, &rest, 10);
    if (rest == text || *rest || number < 1 || number > 1000) {
        fprintf(stderr, "exercise_quotes: -w %s: must be 1 to 1000\n", text);
        exit(2);
    }
    return number;
}

int main(int argc, char **argv) {
    static const struct option names[] = {{"help", no_argument, NULL, 'h'},
        {"site", required_argument, NULL, 's'},
        {"in-flight", required_argument, NULL, 'w'}, {NULL, 0, NULL, 0}};
    static char usual[][5] = {"ABT", "ABBV", "ABMD", "ATVI", "ADBE"};
    struct timespec from, to, slow = {0, 20000000};
    for (int c; (c = getopt_long(argc, argv, "s:w:h", names, NULL)) != -1;)
        if (c == 'h')
            return puts("usage: exercise_quotes [-s base_url] [-w in_flight] "
                        "[SYMBOL...]") < 0;
        else if (c == 's')
            base = optarg;
        else if (c == 'w')
            most = whole(optarg);
        else
            return 2;
    nanosleep(&slow, NULL);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    clock_gettime(CLOCK_MONOTONIC, &from);
    char *all[] = {usual[0], usual[1], usual[2], usual[3], usual[4]};
    long count = optind < argc ? argc - optind : 5;
    long came = run_all(optind < argc ? argv + optind : all, count);
    clock_gettime(CLOCK_MONOTONIC, &to);
    fprintf(stderr, "%ld quotes in %.2f s\n", came,
        (double)(to.tv_sec - from.tv_sec) +
            (double)(to.tv_nsec - from.tv_nsec) / 1e9);
    curl_global_cleanup();
    return came == count && !ferror(stdout) ? 0 : 1;
}
