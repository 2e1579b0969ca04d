/*
 * test_sites.c - the practice web sites do what they promise
 *
 * The client is libcurl in this process; the crowd of ten thousand is a child,
 * as the limit of open files counts for each process.
 */
#include "sites/sites.h"
#include "suites/by_hand.h"
#include "suites/suite.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CROWD = 10000 };

static struct sites *start(struct sites_options options) {
    char error[300];
    struct sites *sites = sites_start(&options, error, sizeof error);

    if (sites == NULL)
        errx(EXIT_FAILURE, "%s", error);
    return sites;
}

static size_t discard(char *data, size_t size, size_t count, void *arg) {
    (void)data, (void)arg;
    return size * count;
}

static CURL *client(void) {
    CURL *curl = curl_easy_init();

    if (curl == NULL)
        errx(EXIT_FAILURE, "curl_easy_init");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    return curl;
}

static CURLcode fetch(CURL *curl, const struct sites *sites, const char *path,
    long *status, long *bytes) {
    char url[120];
    curl_off_t size = 0;

    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", sites_port(sites), path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
    curl_easy_getinfo(curl, CURLINFO_SIZE_DOWNLOAD_T, &size);
    *bytes = (long)size;
    return code;
}

static void test_pages(void) {
    static const struct {
        const char *path;
        CURLcode code;
        long status, bytes; /* bytes -1: whatever */
    } pages[] = {{"/small", CURLE_OK, 200, 11369},
        {"/medium", CURLE_OK, 200, 107786}, {"/large", CURLE_OK, 200, 608312},
        {"/quote/ABT", CURLE_OK, 200, -1}, {"/quote/abt1", CURLE_OK, 404, -1},
        {"/missing", CURLE_OK, 404, -1}, {"/broken", CURLE_OK, 500, -1},
        {"/redirect", CURLE_OK, 200, 11369},
        {"/loop", CURLE_TOO_MANY_REDIRECTS, 302, -1},
        {"/cut", CURLE_PARTIAL_FILE, 200, -1},
        {"/reset", CURLE_RECV_ERROR, 200, -1}, {"/", CURLE_OK, 200, -1}};
    struct sites *sites = start((struct sites_options){0});
    CURL *curl = client();

    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        long status, bytes;
        CURLcode code = fetch(curl, sites, pages[i].path, &status, &bytes);
        expect(code == pages[i].code && status == pages[i].status &&
                   (pages[i].bytes == -1 || bytes == pages[i].bytes),
            "%s: %s, status %ld, %ld bytes; expected: %s, %ld, %ld",
            pages[i].path, curl_easy_strerror(code), status, bytes,
            curl_easy_strerror(pages[i].code), pages[i].status, pages[i].bytes);
    }
    curl_easy_cleanup(curl);
    sites_stop(sites, NULL);
}

static void test_keep_alive(void) {
    struct sites *sites = start((struct sites_options){0});
    struct sites_counts last;
    CURL *curl = client();
    long status, bytes;

    for (int i = 0; i < 10; i++)
        fetch(curl, sites, "/small", &status, &bytes);
    curl_easy_cleanup(curl);
    sites_stop(sites, &last);
    expect(
        last.connections == 1 && last.served == 10 && last.most_in_flight == 1,
        "10 pages by one client: %ld connections, %ld served, at most %ld in "
        "flight; expected: 1, 10, 1",
        last.connections, last.served, last.most_in_flight);
}

/* A latency can only be too long, never too short, whatever the load. */
static void test_latency(void) {
    struct sites *sites =
        start((struct sites_options){.latency_ms = 30, .quote_latency_ms = 60});
    static const struct {
        const char *path;
        double least_s;
    } pages[] = {{"/small", 0.030}, {"/quote/ABT", 0.060}, {"/slow", 0.300}};
    CURL *curl = client();
    long status, bytes;

    for (size_t i = 0; i < 3; i++) {
        double took = 0;
        fetch(curl, sites, pages[i].path, &status, &bytes);
        curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME, &took);
        expect(status == 200 && took >= pages[i].least_s,
            "%s: status %ld after %.3f s; expected: 200 after at least %.3f s",
            pages[i].path, status, took, pages[i].least_s);
    }
    curl_easy_cleanup(curl);
    sites_stop(sites, NULL);
}

/* A trickle arrives in drops: more than one, and less than the whole. */
static size_t count_drops(char *data, size_t size, size_t count, void *drops) {
    (void)data;
    return ++*(int *)drops == 3 ? 0 : size * count;
}

static void test_slow_answers(void) {
    struct sites *sites = start((struct sites_options){0});
    CURL *curl = client();
    long status, bytes;
    int drops = 0;

    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, count_drops);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &drops);
    CURLcode code = fetch(curl, sites, "/trickle", &status, &bytes);
    expect(code == CURLE_WRITE_ERROR && drops == 3 && status == 200,
        "/trickle: %s after %d drops; expected to be left at the third",
        curl_easy_strerror(code), drops);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 50L);
    code = fetch(curl, sites, "/never", &status, &bytes);
    expect(code == CURLE_OPERATION_TIMEDOUT && status == 0,
        "/never: %s, status %ld; expected a time-out with no answer",
        curl_easy_strerror(code), status);
    curl_easy_cleanup(curl);
    sites_stop(sites, NULL);
}

/* Opens connections and asks on each, then waits until each is answered. */
static int crowd(int port, int size) {
    struct sockaddr_in to = {.sin_family = AF_INET,
        .sin_port = htons((in_port_t)port),
        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    static const char ask[] = "GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int *sockets = calloc((size_t)size, sizeof *sockets);
    char answer[16];

    for (int i = 0; i < size; i++) {
        sockets[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (sockets[i] == -1 ||
            connect(sockets[i], (struct sockaddr *)&to, sizeof to) == -1 ||
            write(sockets[i], ask, sizeof ask - 1) != sizeof ask - 1) {
            warn("connection %d", i + 1);
            return 1;
        }
    }
    for (int i = 0; i < size; i++)
        if (recv(sockets[i], answer, 15, MSG_WAITALL) != 15 ||
            memcmp(answer, "HTTP/1.1 200 OK", 15) != 0) {
            warn("answer %d", i + 1);
            return 1;
        }
    return 0;
}

static void test_crowd(void) {
    char error[300];

    if (sites_room(CROWD, error, sizeof error) < CROWD) {
        skip("%s", error);
        return;
    }
    struct sites *sites =
        start((struct sites_options){.gate = true, .connections = CROWD});
    struct sites_counts now = {0};
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(crowd(sites_port(sites), CROWD));
    while (child > 0 && now.held < CROWD &&
           waitpid(child, &status, WNOHANG) == 0) {
        poll(NULL, 0, 5);
        sites_count(sites, &now);
    }
    long released = sites_release(sites, CROWD);
    expect(now.held == CROWD && now.most_in_flight == CROWD &&
               released == CROWD && now.connections == CROWD,
        "a crowd of %d: %ld held, %ld connections, %ld released", CROWD,
        now.held, now.connections, released);
    if (child > 0 && now.held == CROWD)
        waitpid(child, &status, 0);
    expect(status == 0, "not all of the crowd of %d were answered", CROWD);
    sites_stop(sites, NULL);
}

/* ---------- The live picture ---------- */

/* A connection of our own that has asked for a path, as a page of this host. */
static int ask(unsigned short port, const char *path, const char *host) {
    struct sockaddr_in address = {.sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), small = 4096;

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (fd == -1 ||
        connect(fd, (struct sockaddr *)&address, sizeof address) == -1 ||
        dprintf(fd, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host) < 0)
        err(EXIT_FAILURE, "connect");
    return fd;
}

/* What has come over a connection so far. */
struct heard {
    char text[20000];
    size_t length;
};

/* Reads until the words are among what has come; false if the server closed
 * before, or is silent for a minute. */
static bool comes(int fd, struct heard *heard, const char *words) {
    const struct timeval minute = {.tv_sec = 60};
    ssize_t got = 1;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof minute);
    while (strstr(heard->text, words) == NULL && got > 0) {
        got = read(fd, heard->text + heard->length,
            sizeof heard->text - 1 - heard->length);
        heard->length += got > 0 ? (size_t)got : 0;
        heard->text[heard->length] = '\0';
    }
    return got > 0;
}

static void test_live(void) {
    struct sites *sites = start((struct sites_options){.live = true});
    struct sites_counts counts;
    struct heard heard = {0};
    CURL *curl = client();
    long status, bytes;

    int events = ask(sites_port(sites), "/live/events", "127.0.0.1");
    expect(
        comes(events, &heard, "data: "), "no message of the live picture came");
    fetch(curl, sites, "/small", &status, &bytes);
    expect(comes(events, &heard, " /small\n"),
        "the beginning of a request is not told");
    expect(
        comes(events, &heard, "data: -1 "), "the end of a request is not told");
    sites_count(sites, &counts);
    expect(counts.requests == 1 && counts.most_in_flight == 1,
        "%ld requests, %ld at once; expected: 1 and 1, without the picture's",
        counts.requests, counts.most_in_flight);
    close(events);
    int page = ask(sites_port(sites), "/live", "localhost");
    expect(comes(page, &(struct heard){0}, "new EventSource('/live/events')"),
        "/live: no page");
    close(page);
    page = ask(sites_port(sites), "/live", "example.org");
    expect(comes(page, &(struct heard){0}, "404"),
        "/live for a page from elsewhere: not refused");
    close(page);
    curl_easy_cleanup(curl);
    sites_stop(sites, NULL);
}

/* A browser that does not read is dropped, which the server counts. Until then
 * there is always more to send to it. */
static void test_stalled(void) {
    struct sites *sites = start((struct sites_options){.live = true});
    struct sites_counts counts = {.watchers = 1};
    CURL *curl = client();
    long status, bytes, fetched = 0;

    int events = ask(sites_port(sites), "/live/events", "127.0.0.1");
    expect(comes(events, &(struct heard){0}, "data: "), "no message came");
    for (; counts.watchers == 1 && fetched < 100000; fetched++) {
        fetch(curl, sites, "/missing", &status, &bytes);
        poll(NULL, 0, 1); /* or there were so many that only sums are sent */
        sites_count(sites, &counts);
    }
    expect(counts.watchers == 0,
        "%ld requests later a browser that does not read is still served",
        fetched);
    close(events);
    curl_easy_cleanup(curl);
    sites_stop(sites, NULL);
}

/* ---------- As a program ---------- */

/* Starts it on a free port, which is in *port, 0 if it says none. False: there
 * is no terminal for it, and the test is skipped. */
static bool start_program(
    struct hand *hand, bool terminal, bool log, unsigned short *port) {
    static const char watch[] = "watch: http://127.0.0.1:";
    const char *argv[] = {
        built("tests/sites"), "-p", "0", log ? "-v" : NULL, NULL};

    if (!terminal) {
        hand_start(hand, argv);
    } else if (!hand_start_on_terminal(hand, argv, 80)) {
        skip("there is no terminal to be had");
        return false;
    }
    bool told = hand_read(hand, watch) && hand_read(hand, "/live");
    expect(told, "it says \"%s\"; expected: %s", hand->text, watch);
    *port = !told ? 0
                  : (unsigned short)strtoul(
                        strstr(hand->text, watch) + strlen(watch), NULL, 10);
    return true;
}

static void stop_program(struct hand *hand) {
    struct verdict verdict = {0};

    kill(hand->pid, SIGINT);
    hand_read(hand, NULL);
    int status = hand_wait(hand);
    hand_end(hand, &verdict);
    expect_right(&verdict);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
               strstr(hand->text, "0 requests served, 1 most in flight, 1 c"),
        "wait status %d, and it says \"%s\"", status, hand->text);
}

/* A request comes, is in flight until its client leaves, and is over. */
static void test_line(void) {
    static const char *const steps[] = {
        "\r     0 in flight |                                        | 0 most,",
        "\r     1 in flight |.                                       | 1 most,",
        "\r     0 in flight |                                        | 1 most"};
    struct hand hand;
    unsigned short port;
    int fd = -1;

    if (!start_program(&hand, true, false, &port))
        return;
    for (int i = 0; port != 0 && i < 3; i++) {
        if (i == 1)
            fd = ask(port, "/never", "127.0.0.1");
        if (i == 2)
            close(fd);
        expect(hand_read(&hand, steps[i]), "it says \"%s\"; expected: \"%s\"",
            hand.text, steps[i]);
    }
    const char *live = strstr(hand.text, "/live\r\n");
    expect(live != NULL && strchr(live + 7, '\n') == NULL,
        "more than one line is redrawn: \"%s\"", hand.text);
    stop_program(&hand);
}

/* With -v, and without a terminal: a line for each request, and nothing that is
 * redrawn. */
static void test_log(void) {
    for (int terminal = 0; terminal < 2; terminal++) {
        struct hand hand;
        unsigned short port;

        if (!start_program(&hand, terminal, terminal, &port))
            return;
        int fd = port != 0 ? ask(port, "/never", "127.0.0.1") : -1;

        expect(hand_read(&hand, "    1 in flight  GET /never"),
            "no line for a request: \"%s\"", hand.text);
        close(fd);
        stop_program(&hand);
        expect(strstr(hand.text, "\033[K") == NULL,
            "something is redrawn: \"%s\"", hand.text);
    }
}

/* Who finds the port in use is told what to do. */
static void test_port_in_use(void) {
    struct sites *sites = start((struct sites_options){0});
    char error[256] = "";
    const struct sites_options same = {
        .port = (unsigned short)sites_port(sites), .connections = 10};
    struct sites *second = sites_start(&same, error, sizeof error);

    expect(second == NULL && strstr(error, "another port will do: PORT="),
        "two servers on one port: \"%s\"", error);
    if (second != NULL)
        sites_stop(second, NULL);
    sites_stop(sites, NULL);
}

CU_TestInfo sites_tests[] = {
    {"each page has its size, each fault its error", test_pages},
    {"a connection is kept alive", test_keep_alive},
    {"an answer never comes before its latency", test_latency},
    {"an answer trickles, another never comes", test_slow_answers},
    {"10,000 connections are held at once and answered", test_crowd},
    {"the live picture shows requests, and is not counted", test_live},
    {"a browser that stalls is dropped", test_stalled},
    {"on a terminal one line is redrawn", test_line},
    {"a log with -v, or without a terminal", test_log},
    {"a port in use is told with what to do", test_port_in_use},
    CU_TEST_INFO_NULL,
};
