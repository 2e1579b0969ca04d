/*
 * async_timerfd - right: an epoll of the program's own, and the time-out that
 * curl asks for is a descriptor in it, as in curl's own example of epoll
 * Exercise: 04-async/exercise_quotes
 * Kind: timerfd, which the virtual clock does not see
 */
#include <curl/curl.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

static const char *site = "http://127.0.0.1:8000";
static const char *const five[] = {"ABT", "ABBV", "ABMD", "ATVI", "ADBE"};
static const char *const *symbols = five;
static long symbol_count = 5;

/* ---------- The tool: one thread, many transfers in flight ---------- */

static long in_flight = 5;
static CURLM *multi;
static int epoll_fd, timer_fd;
static long next_symbol, running, arrived;

struct transfer {
    const char *symbol;
    char url[600], body[128];
    size_t length;
};

static int on_timer(CURLM *m, long ms, void *arg) {
    (void)m, (void)arg;
    struct itimerspec when = {.it_value = {ms / 1000, ms % 1000 * 1000000}};
    if (ms == 0)
        when.it_value.tv_nsec = 1;
    if (ms < 0)
        when = (struct itimerspec){.it_value = {0, 0}};
    timerfd_settime(timer_fd, 0, &when, NULL);
    return 0;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *a, void *b) {
    struct epoll_event event = {.data.fd = fd};
    (void)easy, (void)a;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
        curl_multi_assign(multi, fd, NULL);
        return 0;
    }
    event.events = (what & CURL_POLL_IN ? (unsigned)EPOLLIN : 0U) |
                   (what & CURL_POLL_OUT ? (unsigned)EPOLLOUT : 0U);
    if (epoll_ctl(epoll_fd, b ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) ==
        -1)
        err(EXIT_FAILURE, "epoll_ctl");
    curl_multi_assign(multi, fd, &epoll_fd); /* known from now on */
    return 0;
}

static size_t on_data(char *data, size_t one, size_t size, void *arg) {
    struct transfer *t = arg;
    if (one * size > sizeof t->body - 1 - t->length)
        return 0;
    memcpy(t->body + t->length, data, one * size);
    t->length += one * size;
    return one * size;
}

static void fill(void) {
    for (; running < in_flight && next_symbol < symbol_count; running++) {
        struct transfer *t = calloc(1, sizeof *t);
        CURL *easy = curl_easy_init();
        if (t == NULL || easy == NULL)
            errx(EXIT_FAILURE, "out of memory");
        t->symbol = symbols[next_symbol++];
        snprintf(t->url, sizeof t->url, "%s/quote/%s", site, t->symbol);
        curl_easy_setopt(easy, CURLOPT_URL, t->url);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
        curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
        curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_TIMEOUT, 30L);
        printf("%s: asking ...\n", t->symbol);
        curl_multi_add_handle(multi, easy);
    }
}

static void collect(void) {
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(multi, &left)) != NULL;) {
        struct transfer *t;
        CURL *easy = m->easy_handle;
        CURLcode code = m->data.result;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char *)&t);
        t->body[strcspn(t->body, "\n")] = '\0';
        printf("%s: %s\n", t->symbol, code == CURLE_OK ? t->body : "no quote");
        if (code == CURLE_OK)
            arrived++;
        else
            warnx("%s: %s", t->symbol, curl_easy_strerror(code));
        curl_multi_remove_handle(multi, easy);
        curl_easy_cleanup(easy);
        free(t);
        running--;
    }
}

static void wait_and_act(void) {
    struct epoll_event events[64];
    int still, count = epoll_wait(epoll_fd, events, 64, -1);
    if (count == -1 && errno != EINTR)
        err(EXIT_FAILURE, "epoll_wait");
    for (int i = 0; i < count; i++) {
        unsigned seen = events[i].events;
        if (events[i].data.fd == timer_fd) {
            unsigned long long times;
            if (read(timer_fd, &times, sizeof times) == sizeof times)
                curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &still);
            continue;
        }
        curl_multi_socket_action(multi, events[i].data.fd,
            (seen & EPOLLIN ? CURL_CSELECT_IN : 0) |
                (seen & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                (seen & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0),
            &still);
    }
}

static long ask_all(void) {
    if ((epoll_fd = epoll_create1(EPOLL_CLOEXEC)) == -1)
        err(EXIT_FAILURE, "epoll_create1");
    timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd,
        &(struct epoll_event){.events = EPOLLIN, .data.fd = timer_fd});
    if ((multi = curl_multi_init()) == NULL)
        errx(EXIT_FAILURE, "curl_multi_init");
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    for (fill(); running > 0; collect(), fill())
        wait_and_act();
    curl_multi_cleanup(multi);
    close(timer_fd);
    close(epoll_fd);
    return arrived;
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
