/*
 * squares_signalfd - right: reads SIGCHLD from a descriptor, results lie in a
 * file without a name
 * Exercise: 03-processes/exercise_squares
 * Kind: reads SIGCHLD from a descriptor
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

enum { MODULUS = 1000000007, MOST = 1000000000, MOST_PROCESSES = 1000 };
static long four[] = {20000000, 30000000, 10000000, 25000000};
static long *numbers = four;
static long job_count = 4;

/* ---------- The tool: processes, each result as it completes ---------- */

static long processes; /* if not given, one per CPU */

static long square_sum(long n) {
    unsigned long sum = 0;
    for (unsigned long i = 1; i <= (unsigned long)n; i++)
        sum = (sum + i * i) % MODULUS;
    return (long)sum;
}

static long sum_all(long *total) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int sfd = signalfd(-1, &set, SFD_CLOEXEC);
    FILE *box = tmpfile(); /* slot i holds the sum of job i */
    pid_t *pids = calloc((size_t)job_count, sizeof *pids);
    long next = 0, live = 0, came = 0;
    if (sfd == -1 || box == NULL || pids == NULL)
        err(EXIT_FAILURE, "set up");
    while (next < job_count || live > 0) {
        for (; live < processes && next < job_count; next++) {
            printf("%ld: summing ...\n", numbers[next]);
            fflush(stdout);
            pids[next] = fork();
            if (pids[next] == 0) {
                long sum = square_sum(numbers[next]);
                _exit(pwrite(fileno(box), &sum, sizeof sum,
                          next * (long)sizeof sum) == sizeof sum
                          ? 0
                          : 1);
            }
            if (pids[next] == -1) {
                warn("fork");
                printf("%ld: no sum\n", numbers[next]);
            } else
                live++;
        }
        if (live == 0)
            break;
        struct signalfd_siginfo si;
        if (read(sfd, &si, sizeof si) != sizeof si)
            err(EXIT_FAILURE, "signalfd");
        int status;
        pid_t pid;
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
            for (long i = 0; i < next; i++)
                if (pids[i] == pid) {
                    long sum;
                    pids[i] = 0;
                    live--;
                    if (status == 0 &&
                        pread(fileno(box), &sum, sizeof sum,
                            i * (long)sizeof sum) == sizeof sum) {
                        printf("%ld: %ld\n", numbers[i], sum);
                        *total = (*total + sum) % MODULUS;
                        came++;
                    } else {
                        printf("%ld: no sum\n", numbers[i]);
                        fprintf(stderr,
                            "exercise_squares: %ld: child ended with status 0x%x\n",
                            numbers[i], status);
                    }
                }
    }
    fclose(box);
    close(sfd);
    free(pids);
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
