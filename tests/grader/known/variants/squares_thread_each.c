/*
 * squares_thread_each - right: a thread waits for each child, a semaphore
 * counts them
 * Exercise: 03-processes/exercise_squares
 * Kind: a thread waits for each child
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
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

static sem_t slots;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long came_all, total_all;
struct job {
    pthread_t thread;
    pid_t pid;
    int fd;
    long n;
};
static void *watch(void *arg) {
    struct job *j = arg;
    long sum;
    ssize_t got = read(j->fd, &sum, sizeof sum);
    int status = 0;
    close(j->fd);
    waitpid(j->pid, &status, 0);
    pthread_mutex_lock(&lock);
    if (got == sizeof sum && status == 0) {
        printf("%ld: %ld\n", j->n, sum);
        came_all++;
        total_all = (total_all + sum) % MODULUS;
    } else {
        printf("%ld: no sum\n", j->n);
        fprintf(stderr, "exercise_squares: %ld: no sum\n", j->n);
    }
    pthread_mutex_unlock(&lock);
    sem_post(&slots);
    return NULL;
}
static long sum_all(long *total) {
    struct job *jobs = calloc((size_t)job_count, sizeof *jobs);
    if (jobs == NULL)
        err(EXIT_FAILURE, "calloc");
    sem_init(&slots, 0, (unsigned)processes);
    for (long i = 0; i < job_count; i++) {
        int p[2];
        while (sem_wait(&slots) == -1)
            ;
        if (pipe2(p, O_CLOEXEC) == -1)
            err(EXIT_FAILURE, "pipe");
        jobs[i].n = numbers[i];
        pthread_mutex_lock(&lock); /* nobody is inside printf() when we fork */
        printf("%ld: summing ...\n", numbers[i]);
        jobs[i].pid = fork();
        if (jobs[i].pid == 0) {
            long sum = square_sum(numbers[i]);
            _exit(write(p[1], &sum, sizeof sum) != sizeof sum);
        }
        pthread_mutex_unlock(&lock);
        close(p[1]);
        jobs[i].fd = p[0];
        if (jobs[i].pid == -1)
            err(EXIT_FAILURE, "fork");
        if ((errno = pthread_create(&jobs[i].thread, NULL, watch, &jobs[i])) !=
            0)
            err(EXIT_FAILURE, "pthread_create");
    }
    for (long i = 0; i < job_count; i++)
        pthread_join(jobs[i].thread, NULL);
    sem_destroy(&slots);
    free(jobs);
    *total = total_all;
    return came_all;
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
