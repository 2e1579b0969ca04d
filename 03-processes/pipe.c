/*
 * pipe - numbers to a child and back, through two pipes
 * A pipe goes one way, so that an answer needs another. It is a stream of
 * bytes: a record may come in parts. Notice close(): as long as anybody has a
 * writing end open, no reader ever sees the end. Linux only (prctl).
 * Build: cc -O2 -o pipe pipe.c
 * Usage: ./pipe [-n blocks]
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story: the same for every channel ---------- */

enum { NUMBERS = 512, BLOCK = NUMBERS * sizeof(long), MOST = 1000000000 };
static long blocks = 2048; /* go to the child, which sends them back */

static const long *fill(long *block, long n) {
    for (long i = 0; i < NUMBERS; i++)
        block[i] = n * NUMBERS + i;
    return block;
}

/* ---------- The tool: a pipe there, a pipe back ---------- */

static int there[2], back[2], in, out; /* of each pipe: to read, to write */

static void open_channel(void) {
    if (pipe(there) == -1 || pipe(back) == -1)
        err(EXIT_FAILURE, "pipe");
    signal(SIGPIPE, SIG_IGN); /* write() tells when no reader is left */
}

/* Each process keeps one end of each pipe, and closes the other. */
static void choose_ends(bool child) {
    in = child ? there[0] : back[0];
    out = child ? back[1] : there[1];
    close(child ? there[1] : there[0]);
    close(child ? back[0] : back[1]);
}

static void put(const void *block) {
    if (write(out, block, BLOCK) != BLOCK) /* to PIPE_BUF: all or nothing */
        err(EXIT_FAILURE, "write");
}

static void put_end(void) {
    close(out);
}

static bool get(void *block) {
    char *at = block;
    ssize_t got = 1;
    for (size_t left = BLOCK; left > 0 && got > 0; left -= (size_t)got)
        if ((got = read(in, at + BLOCK - left, left)) == -1)
            err(EXIT_FAILURE, "read");
    return got > 0;
}

/* ---------- The run: the same for every channel ---------- */

/* Returns the microseconds a block, with so many on their way at a time. */
static double ask(long window) {
    long block[NUMBERS], right[NUMBERS];
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (long sent = 0, got = 1 - window; got < blocks; sent++, got++) {
        if (sent < blocks)
            put(fill(block, sent));
        fill(right, got);
        if (got >= 0 && (!get(block) || memcmp(block, right, BLOCK) != 0))
            errx(EXIT_FAILURE, "block %ld: wrong, or the child is gone", got);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    double us = (double)(to.tv_sec - from.tv_sec) * 1e6 +
                (double)(to.tv_nsec - from.tv_nsec) / 1e3;
    return us / (double)blocks;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    setvbuf(stderr, NULL, _IOLBF, BUFSIZ); /* whole lines, whoever writes */
    /* If one is closed, the next pipe or socket would get its number. */
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    for (int option; (option = getopt(argc, argv, "n:h")) != -1;) {
        char *end;
        if (option != 'n')
            return option == 'h' ? puts("usage: [-n blocks]") < 0 : 2;
        blocks = strtol(optarg, &end, 10);
        if (*end != '\0' || blocks < 1 || blocks > MOST)
            errx(2, "-n %s: not a number from 1 to %d", optarg, MOST);
    }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    open_channel();
    pid_t parent = getpid(), pid = fork();
    if (pid == -1)
        err(EXIT_FAILURE, "fork");
    choose_ends(pid == 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the parent ... */
        if (getppid() != parent)          /* ... which may be gone by now */
            _exit(EXIT_FAILURE);
        for (long block[NUMBERS]; get(block);) /* until the end */
            put(block);
        _exit(EXIT_SUCCESS);
    }
    double one = ask(1), eight = ask(8);
    put_end();
    for (int status; wait(&status) > 0;)
        if (status != 0)
            errx(EXIT_FAILURE, "a child failed or was killed");
    fprintf(stderr, "one at a time: %.1f us each, eight: %.1f\n", one, eight);
    if (printf("%ld blocks came back, all right\n", 2 * blocks) < 0)
        err(EXIT_FAILURE, "standard output");
    return EXIT_SUCCESS;
}
