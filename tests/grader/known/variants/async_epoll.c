/*
 * async_epoll - right: curl_multi_socket_action() with epoll and the timer
 * Exercise: 04-async/exercise_quotes
 */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

static const char *site = "http://127.0.0.1:8000";
static const char *const five[] = {"ABT", "ABBV", "ABMD", "ATVI", "ADBE"};
static const char *const *symbols = five;
static long symbol_count = 5;

/* ---------- The tool ---------- */
static long in_flight = 5;
struct req {
    CURL *h;
    char *url;
    const char *sym;
    char *text;
    size_t len;
};
static int ep;
static long due_ms = -1;
static long nextsym, running, ok;
static CURLM *mm;
static size_t body(char *p, size_t s, size_t n, void *u) {
    struct req *r = u;
    char *t = realloc(r->text, r->len + s * n + 1);
    if (!t)
        return 0;
    memcpy(t + r->len, p, s * n);
    r->text = t;
    r->len += s * n;
    t[r->len] = 0;
    return s * n;
}
static int on_sock(CURL *e, curl_socket_t s, int what, void *u, void *su) {
    (void)e, (void)u;
    struct epoll_event ev = {.data.fd = s};
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(ep, EPOLL_CTL_DEL, s, &ev);
        curl_multi_assign(mm, s, NULL);
        return 0;
    }
    if (what & CURL_POLL_IN)
        ev.events |= EPOLLIN;
    if (what & CURL_POLL_OUT)
        ev.events |= EPOLLOUT;
    if (su)
        epoll_ctl(ep, EPOLL_CTL_MOD, s, &ev);
    else {
        epoll_ctl(ep, EPOLL_CTL_ADD, s, &ev);
        curl_multi_assign(mm, s, &ep);
    }
    return 0;
}
static long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
/* curl tells a time from now, once: what is left of it, for epoll_wait(). */
static int ms_left(void) {
    long left = due_ms - now_ms();
    return due_ms == -1 ? -1 : left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}
static int on_timer(CURLM *m, long ms, void *u) {
    (void)m, (void)u;
    due_ms = ms < 0 ? -1 : now_ms() + ms;
    return 0;
}
static void more(struct req *r) {
    if (nextsym == symbol_count) {
        r->sym = NULL;
        return;
    }
    r->sym = symbols[nextsym++];
    r->len = 0;
    if (r->text)
        r->text[0] = 0;
    free(r->url);
    r->url = NULL;
    if (asprintf(&r->url, "%s/quote/%s", site, r->sym) < 0)
        errx(1, "no memory");
    curl_easy_setopt(r->h, CURLOPT_URL, r->url);
    printf("%s: asking ...\n", r->sym);
    curl_multi_add_handle(mm, r->h);
    running++;
}
static void ended(CURLMsg *msg) {
    struct req *r;
    CURLcode rc = msg->data.result;
    CURL *h = msg->easy_handle;
    curl_easy_getinfo(h, CURLINFO_PRIVATE, (char **)&r);
    curl_multi_remove_handle(mm, h);
    running--;
    if (rc == CURLE_OK) {
        if (r->text)
            r->text[strcspn(r->text, "\n")] = 0;
        printf("%s: %s\n", r->sym, r->text ? r->text : "");
        ok++;
    } else {
        printf("%s: no quote\n", r->sym);
        fprintf(stderr, "exercise_quotes: %s: %s\n", r->sym,
            curl_easy_strerror(rc));
    }
    more(r);
}
static long ask_all(void) {
    long n = in_flight < symbol_count ? in_flight : symbol_count;
    struct req *rs = calloc(n, sizeof *rs);
    ep = epoll_create1(0);
    mm = curl_multi_init();
    if (!rs || ep == -1 || !mm)
        err(1, "init");
    curl_multi_setopt(mm, CURLMOPT_SOCKETFUNCTION, on_sock);
    curl_multi_setopt(mm, CURLMOPT_TIMERFUNCTION, on_timer);
    for (long i = 0; i < n; i++) {
        struct req *r = &rs[i];
        if (!(r->h = curl_easy_init()))
            errx(1, "easy");
        curl_easy_setopt(r->h, CURLOPT_WRITEFUNCTION, body);
        curl_easy_setopt(r->h, CURLOPT_WRITEDATA, r);
        curl_easy_setopt(r->h, CURLOPT_PRIVATE, r);
        curl_easy_setopt(r->h, CURLOPT_FAILONERROR, 1L);
        curl_easy_setopt(r->h, CURLOPT_TIMEOUT, 30L);
        more(r);
    }
    while (running > 0) {
        struct epoll_event ev[16];
        int alive;
        int k = epoll_wait(ep, ev, 16, ms_left());
        if (k == -1 && errno != EINTR)
            err(1, "epoll_wait");
        if (k == 0) {
            due_ms = -1;
            curl_multi_socket_action(mm, CURL_SOCKET_TIMEOUT, 0, &alive);
        }
        for (int i = 0; i < k; i++) {
            int f =
                (ev[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                (ev[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                (ev[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
            curl_multi_socket_action(mm, ev[i].data.fd, f, &alive);
        }
        CURLMsg *msg;
        int q;
        while ((msg = curl_multi_info_read(mm, &q)))
            ended(msg);
    }
    for (long i = 0; i < n; i++) {
        curl_easy_cleanup(rs[i].h);
        free(rs[i].url);
        free(rs[i].text);
    }
    curl_multi_cleanup(mm);
    close(ep);
    free(rs);
    return ok;
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
