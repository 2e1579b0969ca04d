/*
 * async_duplicates - right: each symbol gets a duplicate of one prepared
 * handle; a descriptor for Ctrl-C is waited for in the same loop
 * Exercise: 04-async/exercise_quotes
 * Kind: curl_easy_duphandle, curl_multi_wait with a signalfd; memory that
 * grows; more words on stderr
 */
#include <curl/curl.h>
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

static const char *site = "http://127.0.0.1:8000";
static const char *const five[] = {"ABT", "ABBV", "ABMD", "ATVI", "ADBE"};
static const char *const *symbols = five;
static long symbol_count = 5;

/* ---------- The tool: one thread, many transfers in flight ---------- */

static long in_flight = 5;

struct answer {
    char *text;
    size_t size;
};

static size_t grow(char *data, size_t size, size_t count, void *arg) {
    struct answer *answer = arg;
    char *text = realloc(answer->text, answer->size + size * count + 1);
    if (text == NULL)
        return 0;
    memcpy(text + answer->size, data, size * count);
    answer->size += size * count;
    text[answer->size] = '\0';
    answer->text = text;
    return size * count;
}

static CURL *make_template(void) {
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        errx(EXIT_FAILURE, "curl_easy_init");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, grow);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 30000L);
    return easy;
}

static void ask(
    CURLM *multi, CURL *template, struct answer *answers, long which) {
    CURL *easy = curl_easy_duphandle(template);
    char url[1000];
    snprintf(url, sizeof url, "%s/quote/%s", site, symbols[which]);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answers[which]);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, (char *)&answers[which]);
    printf("%s: asking ...\n", symbols[which]);
    if (easy == NULL || curl_multi_add_handle(multi, easy) != CURLM_OK)
        errx(EXIT_FAILURE, "%s: out of memory", symbols[which]);
}

/* Returns how many of those that have ended came. */
static long take(CURLM *multi, struct answer *answers, long *running) {
    long came = 0;
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(multi, &left)) != NULL;) {
        CURL *easy = m->easy_handle;
        CURLcode code = m->data.result;
        char *which;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &which);
        struct answer *answer = (struct answer *)(void *)which;
        const char *symbol = symbols[answer - answers];
        if (code != CURLE_OK || answer->text == NULL) {
            fprintf(stderr, "exercise_quotes: %s: %s\n", symbol,
                code ? curl_easy_strerror(code) : "it sent nothing");
            printf("%s: no quote\n", symbol);
        } else {
            char *rest = answer->text;
            printf("%s: %s\n", symbol, strsep(&rest, "\r\n"));
            came++;
        }
        curl_multi_remove_handle(multi, easy);
        curl_easy_cleanup(easy);
        free(answer->text);
        --*running;
    }
    return came;
}

static long ask_all(void) {
    struct answer *answers = calloc((size_t)symbol_count, sizeof *answers);
    CURL *template = make_template();
    CURLM *multi = curl_multi_init();
    long next = 0, running = 0, came = 0;
    int unused;
    sigset_t stops;
    sigemptyset(&stops);
    sigaddset(&stops, SIGINT);
    sigprocmask(SIG_BLOCK, &stops, NULL);
    struct curl_waitfd stop = {
        .fd = signalfd(-1, &stops, SFD_CLOEXEC), .events = CURL_WAIT_POLLIN};
    if (answers == NULL || multi == NULL || stop.fd == -1)
        err(EXIT_FAILURE, "ask_all");
    while (next < symbol_count || running > 0) {
        for (; running < in_flight && next < symbol_count; running++)
            ask(multi, template, answers, next++);
        curl_multi_perform(multi, &unused);
        long before = running;
        came += take(multi, answers, &running);
        if (running == before)
            curl_multi_wait(multi, &stop, 1, 10000, NULL);
        if (stop.revents != 0)
            errx(EXIT_FAILURE, "interrupted");
    }
    curl_multi_cleanup(multi);
    curl_easy_cleanup(template);
    close(stop.fd);
    free(answers);
    fprintf(stderr, "%ld of %ld symbols\n", came, symbol_count);
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
