/*
 * quotes_multi_in_turn - right: curl's multi interface, with one transfer at a
 * time; the body in memory that grows; a helper thread waits for Ctrl-C
 * Exercise: 01-sequential/exercise_quotes
 * Kind: multi interface; a helper thread that only waits for signals
 */
#include <curl/curl.h>
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
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

static sigset_t stops;

static void *watch(void *unused) {
    int number;
    sigwait(&stops, &number);
    fprintf(stderr, "exercise_quotes: stopped by signal %d\n", number);
    _exit(EXIT_FAILURE);
    return unused;
}

struct body {
    char *text;
    size_t length;
};

static size_t grow(char *data, size_t size, size_t count, void *arg) {
    struct body *body = arg;
    char *more = realloc(body->text, body->length + size * count + 1);
    if (more == NULL)
        return 0;
    memcpy(more + body->length, data, size * count);
    body->length += size * count;
    more[body->length] = '\0';
    body->text = more;
    return size * count;
}

/* Drives the one transfer to its end. */
static CURLcode wait_for(CURLM *multi, CURL *easy) {
    CURLcode code = CURLE_FAILED_INIT;
    int running = 1, left;
    curl_multi_add_handle(multi, easy);
    while (running > 0 && curl_multi_perform(multi, &running) == CURLM_OK &&
           running > 0)
        curl_multi_poll(multi, NULL, 0, 1000, NULL);
    for (CURLMsg *m; (m = curl_multi_info_read(multi, &left)) != NULL;)
        if (m->msg == CURLMSG_DONE)
            code = m->data.result;
    curl_multi_remove_handle(multi, easy);
    return code;
}

static long ask_one(CURLM *multi, CURL *easy, const char *symbol) {
    char url[2000], reason[CURL_ERROR_SIZE] = "";
    struct body body = {strdup(""), 0};
    CURLcode code;

    snprintf(url, sizeof url, "%s/quote/%s", site, symbol);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, reason);
    printf("%s: asking ...\n", symbol);
    code = wait_for(multi, easy);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
    if (code == CURLE_OK)
        printf("%s: %.*s\n", symbol, (int)strcspn(body.text, "\n"), body.text);
    else {
        warnx("%s: %s", symbol, *reason ? reason : curl_easy_strerror(code));
        printf("%s: no quote\n", symbol);
    }
    free(body.text);
    return code == CURLE_OK;
}

static long ask_all(void) {
    CURLM *multi = curl_multi_init();
    CURL *easy = curl_easy_init();
    pthread_t watcher;
    long came = 0;

    sigemptyset(&stops);
    sigaddset(&stops, SIGINT);
    sigaddset(&stops, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stops, NULL);
    if ((errno = pthread_create(&watcher, NULL, watch, NULL)) != 0)
        err(EXIT_FAILURE, "pthread_create");
    pthread_detach(watcher);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, grow);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, 30L);
    for (long i = 0; i < symbol_count; i++)
        came += ask_one(multi, easy, symbols[i]);
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
    return came;
}

static double cpu_ms(void) {
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e3 +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e3;
}

/* All the CPU time since the program began. */
static void tell_waiting(long came, double elapsed) {
    long percent = (long)(100.5 - 100 * cpu_ms() / 1000 / elapsed);
    fprintf(stderr, "%ld quotes in %.2f s, %ld %% of it waiting: %s-bound\n",
        came, elapsed, percent < 0 ? 0 : percent,
        percent >= 50 ? "I/O" : "CPU");
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
