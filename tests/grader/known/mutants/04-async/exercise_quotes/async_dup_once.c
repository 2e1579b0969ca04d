/*
 * async_dup_once - wrong: asks once for a symbol that is named twice
 * Exercise: 04-async/exercise_quotes
 * Loses: quotes
 * Because: was printed once
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

/* ---------- The tool ---------- */

static long in_flight = 5;
#include <errno.h>
#include <string.h>

struct quote {
    const char *symbol;
    char *text;
    size_t size;
};

static size_t keep(char *bytes, size_t one, size_t count, void *argument) {
    struct quote *q = argument;
    size_t more = one * count;
    char *bigger = realloc(q->text, q->size + more + 1);
    if (bigger == NULL)
        return 0;
    q->text = bigger;
    memcpy(q->text + q->size, bytes, more);
    q->size += more;
    q->text[q->size] = '\0';
    return more;
}

static void ask(CURLM *multi, const char *symbol) {
    struct quote *q = calloc(1, sizeof *q);
    CURL *easy = curl_easy_init();
    size_t room = strlen(site) + strlen(symbol) + sizeof "/quote/";
    char *url = malloc(room);
    if (q == NULL || easy == NULL || url == NULL)
        errx(EXIT_FAILURE, "out of memory");
    snprintf(url, room, "%s/quote/%s", site, symbol);
    q->symbol = symbol;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, q);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, q);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, 30L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    free(url);
    printf("%s: asking ...\n", symbol);
    CURLMcode added = curl_multi_add_handle(multi, easy);
    if (added != CURLM_OK)
        errx(EXIT_FAILURE, "curl_multi_add_handle: %s",
            curl_multi_strerror(added));
}

/* One transfer has ended: says so; was it a quote? */
static int tell(CURLM *multi, CURL *easy, CURLcode result) {
    struct quote *q;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &q);
    if (result == CURLE_OK) {
        while (q->size > 0 && strchr("\r\n", q->text[q->size - 1]))
            q->text[--q->size] = '\0';
        printf("%s: %s\n", q->symbol, q->text ? q->text : "");
    } else {
        printf("%s: no quote\n", q->symbol);
        warnx("%s: %s", q->symbol, curl_easy_strerror(result));
    }
    curl_multi_remove_handle(multi, easy);
    curl_easy_cleanup(easy);
    free(q->text);
    free(q);
    return result == CURLE_OK;
}

static void must(CURLMcode code) {
    if (code != CURLM_OK)
        errx(EXIT_FAILURE, "curl: %s", curl_multi_strerror(code));
}

static long ask_all(void) {
    CURLM *multi = curl_multi_init();
    if (multi == NULL)
        errx(EXIT_FAILURE, "curl_multi_init failed");
    long next = 0, under_way = 0, came = 0;

    for (;;) {
        while (under_way < in_flight && next < symbol_count) {
            long seen = 0;
            while (seen < next && strcmp(symbols[seen], symbols[next]) != 0)
                seen++;
            if (seen == next) {
                ask(multi, symbols[next]);
                under_way++;
            } else
                came++;
            next++;
        }
        if (under_way == 0)
            break;
        int running;
        must(curl_multi_perform(multi, &running));
        if (running == under_way)
            must(curl_multi_poll(multi, NULL, 0, 60000, NULL));
        CURLMsg *message;
        for (int rest; (message = curl_multi_info_read(multi, &rest)) != NULL;)
            if (message->msg == CURLMSG_DONE) {
                came += tell(multi, message->easy_handle, message->data.result);
                under_way--;
            }
    }

    curl_multi_cleanup(multi);
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
