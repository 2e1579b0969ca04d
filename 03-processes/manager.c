/*
 * manager - numbers to a child and back, through a process that owns them
 * To put is a message, to take a request and its answer. Linux only (prctl).
 * Build: cc -O2 -pthread -o manager manager.c
 * Usage: ./manager [-n blocks]
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
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

/* ---------- The tool: a process that keeps the blocks ---------- */

static int lines[4][2], in, out; /* of a line: a client's end, the manager's */

/* A box of the manager. Its lines have no name: no stranger can find them. */
static void *keep_box(void *arg) {
    int *end = arg; /* of two lines; [1] and [3] are the manager's */
    char box[BLOCK], request;
    while (recv(end[1], box, BLOCK, 0) > 0 && recv(end[3], &request, 1, 0) > 0)
        send(end[3], box, BLOCK, MSG_NOSIGNAL);
    _exit(EXIT_SUCCESS); /* a client has ended, or is gone */
}

static void open_channel(void) {
    pthread_t thread;
    for (int i = 0; i < 4; i++)
        if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, lines[i]) == -1)
            err(EXIT_FAILURE, "socketpair");
    pid_t pid = fork();
    if (pid == -1)
        err(EXIT_FAILURE, "fork");
    for (int i = 0; i < 4; i++)
        close(lines[i][pid != 0]); /* the others' ends */
    if (pid == 0 && (errno = pthread_create(&thread, NULL, keep_box, lines)))
        err(EXIT_FAILURE, "pthread_create");
    if (pid == 0)
        keep_box(lines + 2);
}

static void choose_ends(bool child) {
    out = lines[child ? 2 : 0][0], in = lines[child ? 1 : 3][0];
    close(lines[child ? 0 : 2][0]), close(lines[child ? 3 : 1][0]);
}

static void put(const void *block) {
    if (send(out, block, BLOCK, MSG_NOSIGNAL) == -1)
        err(EXIT_FAILURE, "the manager is gone");
}

static void put_end(void) {
    close(out);
}

static bool get(void *block) {
    return send(in, "", 1, MSG_NOSIGNAL) == 1 &&
           recv(in, block, BLOCK, 0) == BLOCK;
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
