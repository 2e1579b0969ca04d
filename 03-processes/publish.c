/*
 * publish - publish and subscribe: every subscriber gets every message
 * A queue gives each message to one worker, a publisher to all. Each subscriber
 * has a pipe, so nobody waits for one who is slow (Bob) or dead. Notice the
 * price: who is a full pipe behind is cut off. Linux only (prctl).
 * Build: cc -O2 -o publish publish.c
 * Usage: ./publish [-m messages] [-i interval_ms]
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SUBSCRIBERS = 3, SIZE = 512 /* of a message; to PIPE_BUF: whole */ };
static const char *const names[SUBSCRIBERS] = {"Alice", "Bob", "Carol"};
static const long pace[SUBSCRIBERS] = {0, 3, 0}; /* intervals a message */
static pid_t pids[SUBSCRIBERS];
static int pipes[SUBSCRIBERS]; /* their writing ends; -1: cut off */
static long messages = 4, interval_ms = 100, failed;

static void wait_intervals(long count) {
    long ms = count * interval_ms;
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static void subscribe(int me, int pipe) {
    for (char text[SIZE]; read(pipe, text, SIZE) > 0; wait_intervals(pace[me]))
        printf("%s: got %s\n", names[me], text);
    _exit(ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS);
}

static void start(int i) {
    int ends[2];
    pid_t parent = getpid();
    if (pipe(ends) == -1)
        err(EXIT_FAILURE, "pipe");
    pipes[i] = ends[1];
    if ((pids[i] = fork()) == -1)
        err(EXIT_FAILURE, "fork");
    if (pids[i] == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the parent ... */
        if (getppid() != parent)          /* ... which may be gone by now */
            _exit(EXIT_FAILURE);
        for (int all = 0; all <= i; all++)
            close(pipes[all]); /* else its reader never sees the end */
        subscribe(i, ends[0]);
    }
    close(ends[0]);
    fcntl(pipes[i], F_SETFL, O_NONBLOCK); /* full: write() fails at once */
}

/* It never waits: to whom it cannot write, it writes no more. */
static void publish(long n) {
    char message[SIZE] = "";
    snprintf(message, SIZE, "message %ld", n);
    printf("publisher: %s\n", message);
    for (int i = 0; i < SUBSCRIBERS; i++)
        if (pipes[i] != -1 && write(pipes[i], message, SIZE) == -1) {
            if (errno == EAGAIN) /* else it has ended: wait() tells how */
                warnx("%s is too slow: cut off at %s", names[i], message);
            close(pipes[i]);
            pipes[i] = -1;
            failed++;
        }
}

static void join_all(void) {
    for (int i = 0; i < SUBSCRIBERS; i++)
        close(pipes[i]); /* -1, who was cut off: nothing happens */
    int killed = 0, end = 0, status;
    pid_t pid, who = 0;
    for (; (pid = wait(&status)) > 0; failed += status != 0)
        if (WIFSIGNALED(status))
            killed++, who = pid, end = WTERMSIG(status);
    for (int i = 0; i < SUBSCRIBERS; i++)
        if (pids[i] == who)
            warnx("%d of %d subscribers killed, %s by signal %d (%s)", killed,
                SUBSCRIBERS, names[i], end, strsignal(end));
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long number(int option, long most) {
    char *end;
    long value = strtol(optarg, &end, 10);
    if (*end != '\0' || value < 1 || value > most)
        errx(2, "-%c %s: not a number from 1 to %ld", option, optarg, most);
    return value;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    setvbuf(stderr, NULL, _IOLBF, BUFSIZ); /* whole lines, whoever writes */
    /* If one is closed, the next pipe or socket would get its number. */
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    for (int option; (option = getopt(argc, argv, "m:i:h")) != -1;)
        switch (option) {
        case 'm': messages = number('m', 1000000); break;
        case 'i': interval_ms = number('i', 3600000); break;
        case 'h': return puts("usage: [-m messages] [-i interval_ms]") < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    for (int i = 0; i < SUBSCRIBERS; i++)
        start(i);
    signal(SIGPIPE, SIG_IGN); /* write() fails when the reader is gone */
    double from = seconds();
    for (long n = 1; n <= messages; n++, wait_intervals(1))
        publish(n);
    double published = seconds() - from;
    join_all();
    fprintf(stderr, "%ld messages published in %.2f s, read after %.2f s\n",
        messages, published, seconds() - from);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
