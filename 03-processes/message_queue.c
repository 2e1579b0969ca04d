/*
 * message_queue - numbers to a child and back, as messages
 * A message queue keeps records apart: each comes whole. It holds ten; who
 * sends one more waits. Notice what a pipe has not, a name, which would stay
 * when all are gone, and what it lacks: an end to close. Linux only (prctl).
 * Build: cc -O2 -o message_queue message_queue.c -lrt
 * Usage: ./message_queue [-n blocks]
 */
#include <err.h>
#include <fcntl.h>
#include <mqueue.h>
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

/* ---------- The tool: a message queue there, one back ---------- */

static mqd_t queues[2], in, out;

static void child_gone(int signal) { /* of which the queue tells nothing */
    _exit(write(STDERR_FILENO, "the child is gone\n", 18) > 0 ? 1 : signal);
}

static void open_channel(void) {
    struct mq_attr limits = {.mq_maxmsg = 10, .mq_msgsize = BLOCK};
    char name[40];
    sigset_t all, none;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &none); /* no Ctrl-C while it has a name */
    snprintf(name, sizeof name, "/message_queue-%ld", (long)getpid());
    for (int i = 0; i < 2; i++) {
        queues[i] = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &limits);
        if (queues[i] == (mqd_t)-1 || mq_unlink(name) == -1)
            err(EXIT_FAILURE, "mq_open");
    }
    struct sigaction gone = {.sa_handler = child_gone};
    gone.sa_flags = SA_NOCLDSTOP; /* not when it is only stopped */
    sigaction(SIGCHLD, &gone, NULL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void choose_ends(bool child) {
    in = queues[!child], out = queues[child];
}

static void put(const void *block) {
    if (mq_send(out, block, BLOCK, 0) == -1)
        err(EXIT_FAILURE, "mq_send");
}

static void put_end(void) {
    signal(SIGCHLD, SIG_DFL); /* now the child may end */
    mq_send(out, "", 0, 0);
}

static bool get(void *block) {
    ssize_t got = mq_receive(in, block, BLOCK, NULL);
    if (got == -1)
        err(EXIT_FAILURE, "mq_receive");
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
