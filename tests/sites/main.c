/*
 * main.c - the practice web sites as a program
 *
 * Shows each request as it comes, with the number in flight, until Ctrl-C.
 * See sites.h.
 *
 * Usage: sites [-p port] [-l latency_ms] [-q quote_latency_ms]
 *              [-c connections]
 */
#include "sites/sites.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: sites [-p port] [-l latency_ms] [-q quote_latency_ms]\n"
    "             [-c connections]\n"
    "port: 0 to 65535, 0 takes any free one (8000)\n"
    "latency_ms: before a page is answered, 0 to 3600000 (100)\n"
    "quote_latency_ms: before a /quote/ is answered, 0 to 3600000 (1000)\n"
    "connections: how many to hold at once, 1 to 1000000 (10000)\n";

static long number(int option, const char *text, long least, long most) {
    char *end;
    long value;

    errno = 0;
    value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || value < least ||
        value > most)
        errx(2, "-%c %s: not a whole number from %ld to %ld", option, text,
            least, most);
    return value;
}

static void read_options(int argc, char **argv, struct sites_options *options) {
    int option;

    while ((option = getopt(argc, argv, "p:l:q:c:h")) != -1) {
        switch (option) {
        case 'p':
            options->port = (unsigned short)number('p', optarg, 0, 65535);
            break;
        case 'l':
            options->latency_ms = number('l', optarg, 0, SITES_LONGEST_MS);
            break;
        case 'q':
            options->quote_latency_ms =
                number('q', optarg, 0, SITES_LONGEST_MS);
            break;
        case 'c':
            options->connections = (unsigned)number('c', optarg, 1, 1000000);
            break;
        case 'h':
            fputs(usage, stdout);
            exit(fflush(stdout) == 0 ? 0 : EXIT_FAILURE);
        default: exit(2);
        }
    }
    if (optind < argc)
        errx(2, "%s: no argument is expected", argv[optind]);
}

/* Fewer connections are better than no practice sites at all. */
static void fit_limit(struct sites_options *options) {
    char error[256];
    const unsigned room =
        sites_room(options->connections, error, sizeof(error));

    if (room == options->connections)
        return;
    if (room == 0)
        errx(EXIT_FAILURE, "%s", error);
    warnx("%s", error);
    warnx("going on with %u connections", room);
    options->connections = room;
}

/*
 * Waits for SIGINT or SIGTERM. The log is written by the server thread, so a
 * full disk or closed pipe shows here, within a second.
 */
static void wait_for_end(const sigset_t *signals) {
    const struct timespec second = {.tv_sec = 1};

    while (sigtimedwait(signals, NULL, &second) == -1)
        if (ferror(stdout))
            return;
}

int main(int argc, char **argv) {
    struct sites_options options = {.port = 8000,
        .latency_ms = 100,
        .quote_latency_ms = 1000,
        .connections = 10000,
        .log = stdout};
    char error[256];
    struct sites_counts last;
    struct sites *sites;
    sigset_t signals;

    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    read_options(argc, argv, &options);
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    fit_limit(&options);
    sites = sites_start(&options, error, sizeof(error));
    if (sites == NULL)
        errx(EXIT_FAILURE, "%s", error);
    printf("practice sites on http://127.0.0.1:%u/ (Ctrl-C ends)\n",
        sites_port(sites));
    sites_print_pages(stdout);
    wait_for_end(&signals);
    sites_stop(sites, &last);
    printf("%ld requests served, %ld most in flight, %ld connections\n",
        last.served, last.most_in_flight, last.connections);
    if (fflush(stdout) != 0 || ferror(stdout))
        errx(EXIT_FAILURE, "cannot write to standard output");
    return 0;
}
