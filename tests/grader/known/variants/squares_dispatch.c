/*
 * squares_dispatch - right: -w processes live as long as there are jobs; the
 * parent waits in poll() for any of them and gives who is idle the next. One
 * that is killed is replaced
 * Exercise: 03-processes/exercise_squares
 * Kind: long-lived workers; a socket pair each; poll; stdout flushed by hand
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

enum { MODULUS = 1000000007, MOST = 1000000000, MOST_PROCESSES = 1000 };
static long four[] = {20000000, 30000000, 10000000, 25000000};
static long *numbers = four;
static long job_count = 4;

/* ---------- The tool: processes, each result as it completes ---------- */

enum { IDLE = -1 };

static long processes; /* if not given, one per CPU */

struct worker {
    pid_t pid; /* 0: there is none */
    int talk;
    long job; /* or IDLE */
};

static void work(int talk) {
    for (long n; read(talk, &n, sizeof n) == sizeof n;) {
        unsigned long sum = 0, square = 0;
        for (unsigned long i = 1; i <= (unsigned long)n; i++) {
            square += 2 * i - 1;
            sum = (sum + square) % MODULUS;
        }
        if (write(talk, &sum, sizeof sum) != sizeof sum)
            _exit(EXIT_FAILURE);
    }
    _exit(EXIT_SUCCESS);
}

/* False if it cannot. The child has no end of another worker's pair. */
static int hire(struct worker *workers, long mine) {
    int pair[2];
    pid_t parent = getpid();
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
        err(EXIT_FAILURE, "socketpair");
    fflush(stdout);
    workers[mine].pid = fork();
    if (workers[mine].pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(EXIT_FAILURE);
        for (long i = 0; i < processes; i++)
            if (i != mine && workers[i].pid != 0)
                close(workers[i].talk);
        close(pair[0]);
        work(pair[1]);
    }
    close(pair[1]);
    if (workers[mine].pid == -1) {
        warn("fork");
        workers[mine].pid = 0;
        close(pair[0]);
        return 0;
    }
    workers[mine].talk = pair[0];
    workers[mine].job = IDLE;
    return 1;
}

static void dismiss(struct worker *worker) {
    int status = 0;
    close(worker->talk);
    waitpid(worker->pid, &status, 0);
    worker->pid = 0;
    if (worker->job == IDLE)
        return;
    fprintf(stderr, "exercise_squares: %ld: its process %s %d\n",
        numbers[worker->job],
        WIFSIGNALED(status) ? "got signal" : "exited with",
        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    printf("%ld: no sum\n", numbers[worker->job]);
    fflush(stdout);
}

/* Something came from it, or it is gone. Returns 1 for a sum. */
static long hear(struct worker *worker, long *total) {
    long sum;
    if (read(worker->talk, &sum, sizeof sum) != sizeof sum) {
        dismiss(worker);
        return 0;
    }
    printf("%ld: %ld\n", numbers[worker->job], sum);
    fflush(stdout);
    *total = (*total + sum) % MODULUS;
    worker->job = IDLE;
    return 1;
}

static long give_out(struct worker *workers, struct pollfd *polls, long next) {
    for (long i = 0; i < processes; i++) {
        struct worker *w = &workers[i];
        if (next < job_count && w->pid == 0 && !hire(workers, i)) {
            printf("%ld: summing ...\n", numbers[next]);
            printf("%ld: no sum\n", numbers[next++]);
            fflush(stdout);
        }
        if (next < job_count && w->pid != 0 && w->job == IDLE) {
            w->job = next++;
            printf("%ld: summing ...\n", numbers[w->job]);
            fflush(stdout);
            if (send(w->talk, &numbers[w->job], sizeof(long), MSG_NOSIGNAL) ==
                -1)
                warn("send"); /* it is gone: poll() will tell */
        }
        polls[i].fd = w->pid != 0 && w->job != IDLE ? w->talk : -1;
        polls[i].events = POLLIN;
        polls[i].revents = 0;
    }
    return next;
}

static long sum_all(long *total) {
    struct worker *workers = calloc((size_t)processes, sizeof *workers);
    struct pollfd *polls = calloc((size_t)processes, sizeof *polls);
    long came = 0, next = 0, busy;
    if (workers == NULL || polls == NULL)
        err(EXIT_FAILURE, "calloc");
    *total = 0;
    do {
        next = give_out(workers, polls, next);
        if (poll(polls, (nfds_t)processes, 0) == -1 && errno != EINTR)
            err(EXIT_FAILURE, "poll");
        busy = 0;
        for (long i = 0; i < processes; i++)
            busy += polls[i].fd != -1;
        if (busy > 0 && poll(polls, (nfds_t)processes, -1) == -1)
            continue;
        for (long i = 0; i < processes; i++)
            if (polls[i].revents != 0)
                came += hear(&workers[i], total);
    } while (busy > 0 || next < job_count);
    for (long i = 0; i < processes; i++)
        if (workers[i].pid != 0)
            dismiss(&workers[i]);
    free(polls);
    free(workers);
    return came;
}

/* ---------- The run ---------- */

static const char usage[] = "usage: exercise_squares [-w processes] [N...]\n";

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long number(const char *option, const char *text, long most) {
    char *rest;
    long value = strtol(text, &rest, 10);
    if (rest == text || *rest != '\0' || value < 1 || value > most)
        errx(2, "%s%s: not a number from 1 to %ld", option, text, most);
    return value;
}

int main(int argc, char *argv[]) {
    for (int option; (option = getopt(argc, argv, "w:h")) != -1;)
        switch (option) {
        case 'w': processes = number("-w ", optarg, MOST_PROCESSES); break;
        case 'h': return printf(usage) < 0;
        default: return 2;
        }
    if (optind < argc) {
        job_count = argc - optind;
        if ((numbers = calloc((size_t)job_count, sizeof *numbers)) == NULL)
            err(EXIT_FAILURE, "calloc");
        for (long i = 0; i < job_count; i++)
            numbers[i] = number("", argv[optind + i], MOST);
    }
    if (processes == 0)
        processes = sysconf(_SC_NPROCESSORS_ONLN);

    double start = seconds();
    long total = 0, came = sum_all(&total);
    if (came == job_count)
        printf("total: %ld\n", total);
    fprintf(stderr, "%ld sums in %.2f s\n", came, seconds() - start);
    if (numbers != four)
        free(numbers);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return came == job_count ? EXIT_SUCCESS : EXIT_FAILURE;
}
