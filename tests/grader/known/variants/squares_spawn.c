/*
 * squares_spawn - right: each job is the same program, spawned anew with the
 * number as its argument; its answer is what it prints into a pipe
 * Exercise: 03-processes/exercise_squares
 * Kind: posix_spawn of itself; text through pipes; waits for any child
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

enum { MODULUS = 1000000007, MOST = 1000000000, MOST_PROCESSES = 1000 };
static long four[] = {20000000, 30000000, 10000000, 25000000};
static long *numbers = four;
static long job_count = 4;

extern char **environ;

/* ---------- The tool: processes, each result as it completes ---------- */

static long processes; /* if not given, one per CPU */

struct child {
    pid_t pid;
    long n;
    int answer;
};

/* What the spawned program does instead of all else. */
static int answer(long n, long parent) {
    unsigned long long sum = 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        return EXIT_FAILURE;
    for (unsigned long long i = 1; i <= (unsigned long long)n; ++i) {
        sum += i * i % MODULUS;
        if (sum >= MODULUS)
            sum -= MODULUS;
    }
    return printf("%llu\n", sum) < 0 || fflush(stdout) != 0;
}

static void start(struct child *child, long n) {
    char number[24], parent[24], name[] = "exercise_squares",
                                 hidden[] = "--sum";
    char *argv[] = {name, hidden, number, parent, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) == -1)
        err(EXIT_FAILURE, "pipe2");
    snprintf(number, sizeof number, "%ld", n);
    snprintf(parent, sizeof parent, "%ld", (long)getpid());
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    child->n = n;
    child->answer = ends[0];
    printf("%ld: summing ...\n", n);
    errno = posix_spawn(
        &child->pid, "/proc/self/exe", &actions, NULL, argv, environ);
    if (errno != 0) {
        warn("posix_spawn");
        while (wait(NULL) != -1)
            continue;
        exit(EXIT_FAILURE);
    }
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
}

/* Returns the sum, or -1. */
static long end(struct child *child, int status) {
    char text[40] = "";
    long sum = -1;
    ssize_t length = read(child->answer, text, sizeof text - 1);
    close(child->answer);
    child->pid = 0;
    if (status == 0 && length > 1)
        sum = strtol(text, NULL, 10);
    else if (WIFSIGNALED(status))
        warnx("%ld: %s", child->n, strsignal(WTERMSIG(status)));
    else
        warnx("%ld: no answer, exit status %d", child->n, WEXITSTATUS(status));
    if (sum < 0)
        printf("%ld: no sum\n", child->n);
    else
        printf("%ld: %ld\n", child->n, sum);
    return sum;
}

static long sum_all(long *total) {
    struct child *children = calloc((size_t)processes, sizeof *children);
    long next = 0, running = 0, came = 0;
    if (children == NULL)
        err(EXIT_FAILURE, "calloc");
    while (next < job_count || running > 0) {
        for (long i = 0; i < processes && next < job_count; i++)
            if (children[i].pid == 0) {
                start(&children[i], numbers[next++]);
                running++;
            }
        siginfo_t info;
        int status;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == -1)
            err(EXIT_FAILURE, "waitid");
        waitpid(info.si_pid, &status, 0);
        for (long i = 0; i < processes; i++)
            if (children[i].pid == info.si_pid) {
                long sum = end(&children[i], status);
                running--;
                came += sum >= 0;
                *total += sum >= 0 ? sum : 0;
            }
    }
    *total %= MODULUS;
    free(children);
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
    if (argc == 4 && strcmp(argv[1], "--sum") == 0)
        return answer(atol(argv[2]), atol(argv[3]));
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
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
