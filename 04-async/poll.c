/*
 * poll - one thread waits for three pipes, and reads whichever speaks first
 * read() on one would sleep while another has an answer; poll() sleeps until
 * any of them has. Notice that 2 s, 1 s and 3 s take 3 s, and that B is first.
 * The three children stand for servers anywhere. Linux only (prctl).
 * Build: cc -O2 -o poll poll.c
 * Usage: ./poll
 */
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SERVERS = 3 };
static const struct {
    const char *name;
    unsigned seconds;
} servers[SERVERS] = {{"A", 2}, {"B", 1}, {"C", 3}};
static struct pollfd waits[SERVERS]; /* a pipe from each */

/* Starts a process that writes its answer after some time. */
static void start(int i) {
    int ends[2];
    pid_t parent = getpid();
    printf("%s: asked ...\n", servers[i].name);
    if (pipe(ends) == -1)
        err(EXIT_FAILURE, "pipe");
    pid_t pid = fork();
    if (pid == -1)
        err(EXIT_FAILURE, "fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the parent ... */
        if (getppid() != parent)          /* ... which may be gone by now */
            _exit(EXIT_FAILURE);
        sleep(servers[i].seconds);
        long answer = servers[i].seconds * 10;
        _exit(write(ends[1], &answer, sizeof answer) != sizeof answer);
    }
    close(ends[1]);
    waits[i] = (struct pollfd){.fd = ends[0], .events = POLLIN};
}

/* It is ready: read() does not wait. Returns 1 if there was an answer. */
static long take_answer(int i) {
    long answer;
    ssize_t size = read(waits[i].fd, &answer, sizeof answer);
    if (size == -1)
        err(EXIT_FAILURE, "read");
    if (size == 0)
        printf("%s: gone without an answer\n", servers[i].name);
    else
        printf("%s: answered %ld\n", servers[i].name, answer);
    close(waits[i].fd);
    waits[i].fd = -1; /* poll() passes it over */
    return size > 0;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    setvbuf(stderr, NULL, _IOLBF, BUFSIZ); /* whole lines, whoever writes */
    /* If one is closed, the next pipe or socket would get its number. */
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    int option = getopt(argc, argv, "h");
    if (option != -1)
        return option == 'h' ? puts("usage: poll") < 0 : 2;
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);

    double from = seconds();
    long answers = 0;
    for (int i = 0; i < SERVERS; i++)
        start(i);
    for (int open = SERVERS; open > 0;) {
        if (poll(waits, SERVERS, -1) == -1)
            err(EXIT_FAILURE, "poll");
        for (int i = 0; i < SERVERS; i++)
            if (waits[i].revents != 0) {
                answers += take_answer(i);
                open--;
            }
    }
    while (wait(NULL) > 0) {}
    fprintf(stderr, "%ld answers in %.2f s\n", answers, seconds() - from);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return answers == SERVERS ? EXIT_SUCCESS : EXIT_FAILURE;
}
