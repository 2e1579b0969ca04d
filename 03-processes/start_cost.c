/*
 * start_cost - what it costs to start somebody and to wait for the end
 * A thread, a forked child that ends at once, and the program `true`, started
 * by fork + exec and by posix_spawn. Notice with -m that fork copies the page
 * tables of all memory that its parent has touched (the pages themselves are
 * copied on write), although exec throws them away at once. posix_spawn does
 * the same as fork + exec without that copy.
 * Build: cc -O2 -pthread -o start_cost start_cost.c
 * Usage: ./start_cost [-m MiB] [-r rounds]
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREAD, FORK, FORK_EXEC, SPAWN, WAYS, MOST = 100000 };
static const char *const names[WAYS] = {
    "thread", "fork", "fork + exec", "posix_spawn"};
static long mebibytes, rounds = 101;

/* ---------- Four ways ---------- */

static void *end_at_once(void *unused) {
    return unused;
}

static void start_thread(void) {
    pthread_t thread;
    if ((errno = pthread_create(&thread, NULL, end_at_once, NULL)) != 0)
        err(EXIT_FAILURE, "pthread_create");
    if ((errno = pthread_join(thread, NULL)) != 0)
        err(EXIT_FAILURE, "pthread_join");
}

static void start_process(int way) {
    extern char **environ;
    char name[] = "true", *argv[] = {name, NULL};
    pid_t pid;
    int status;
    if (way == SPAWN)
        errno = posix_spawnp(&pid, name, NULL, NULL, argv, environ);
    else
        errno = (pid = fork()) == -1 ? errno : 0;
    if (errno != 0)
        err(EXIT_FAILURE, "%s", names[way]);
    if (pid == 0 && way == FORK_EXEC)
        execvp(name, argv);
    if (pid == 0)
        _exit(way == FORK ? EXIT_SUCCESS : EXIT_FAILURE);
    if (waitpid(pid, &status, 0) == -1 || status != 0)
        errx(EXIT_FAILURE, "%s: the child failed", names[way]);
}

static double microseconds(int way) {
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    if (way == THREAD)
        start_thread();
    else
        start_process(way);
    clock_gettime(CLOCK_MONOTONIC, &to);
    return (double)(to.tv_sec - from.tv_sec) * 1e6 +
           (double)(to.tv_nsec - from.tv_nsec) / 1e3;
}

/* ---------- The run ---------- */

static int compare(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* In turns: a disturbance meets all four, and the median ignores it. */
static void measure(void) {
    static double us[WAYS][MOST];
    for (long round = 0; round < rounds; round++)
        for (int way = 0; way < WAYS; way++)
            us[way][round] = microseconds(way);
    for (int way = 0; way < WAYS; way++) {
        qsort(us[way], (size_t)rounds, sizeof **us, compare);
        printf("%-11s %8.0f us\n", names[way], us[way][rounds / 2]);
    }
}

/* Memory is not there before something has been written to it. */
static void touch_memory(void) {
    static char *volatile memory; /* volatile: nobody reads it */
    size_t bytes = (size_t)mebibytes << 20;
    if ((memory = malloc(bytes + 1)) == NULL)
        err(EXIT_FAILURE, "%ld MiB", mebibytes);
    memset(memory, 1, bytes);
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
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    for (int option; (option = getopt(argc, argv, "m:r:h")) != -1;)
        switch (option) {
        case 'm': mebibytes = number('m', 4096); break;
        case 'r': rounds = number('r', MOST); break;
        case 'h': return puts("usage: [-m MiB] [-r rounds]") < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    touch_memory();
    measure();
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
