/*
 * main.c - the practice web sites as a program
 *
 * Until Ctrl-C it shows in one line, on a terminal, how many requests are in
 * flight; with -v, or when there is no terminal, each request as it comes.
 * Whoever opens /live in a browser sees them as bars. See sites.h.
 *
 * Usage: sites [-p port] [-l latency_ms] [-q quote_latency_ms]
 *              [-c connections] [-v]
 */
#include "sites/sites.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { MARKS = 40, REDRAW_NS = 100000000 };

static const char usage[] =
    "usage: sites [-p port] [-l latency_ms] [-q quote_latency_ms]\n"
    "             [-c connections] [-v]\n"
    "port: 0 to 65535, 0 takes any free one (8000)\n"
    "latency_ms: before a page is answered, 0 to 3600000 (100)\n"
    "quote_latency_ms: before a /quote/ is answered, 0 to 3600000 (1000)\n"
    "connections: how many to hold at once, 1 to 1000000 (10000)\n"
    "-v: a line for each request, also on a terminal\n";

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

    while ((option = getopt(argc, argv, "p:l:q:c:vh")) != -1) {
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
        case 'v': options->log = stdout; break;
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

/* One line over the one before: a mark for each request in flight, or for so
 * many of them that they fit. */
static void draw_line(struct sites *sites) {
    static const char marks[] = "........................................";
    struct sites_counts now;
    long each = 1, shown;

    sites_count(sites, &now);
    while (now.most_in_flight > each * MARKS)
        each *= 10;
    shown = (now.in_flight + each - 1) / each;
    printf("\r%6ld in flight |%-*.*s| %ld most, %ld requests%s\033[K",
        now.in_flight, MARKS, (int)shown, marks, now.most_in_flight,
        now.requests, each > 1 ? ", a dot is many" : "");
    fflush(stdout);
}

/*
 * Waits for SIGINT or SIGTERM. The log is written by the server thread, so a
 * full disk or closed pipe shows here, within a second.
 */
static void wait_for_end(
    struct sites *sites, const sigset_t *signals, bool line) {
    const struct timespec pause = {
        .tv_sec = !line, .tv_nsec = line ? REDRAW_NS : 0};

    while (sigtimedwait(signals, NULL, &pause) == -1 && !ferror(stdout))
        if (line)
            draw_line(sites);
    if (line)
        putchar('\n');
}

int main(int argc, char **argv) {
    struct sites_options options = {.port = 8000,
        .latency_ms = 100,
        .quote_latency_ms = 1000,
        .connections = 10000,
        .live = true};
    char error[256];
    struct sites_counts last;
    struct sites *sites;
    sigset_t signals;
    bool line;

    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    read_options(argc, argv, &options);
    line = options.log == NULL && isatty(STDOUT_FILENO);
    if (!line)
        options.log = stdout;
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
    printf("watch: http://127.0.0.1:%u/live\n", sites_port(sites));
    wait_for_end(sites, &signals, line);
    sites_stop(sites, &last);
    printf("%ld requests served, %ld most in flight, %ld connections\n",
        last.served, last.most_in_flight, last.connections);
    if (fflush(stdout) != 0 || ferror(stdout))
        errx(EXIT_FAILURE, "cannot write to standard output");
    return 0;
}
