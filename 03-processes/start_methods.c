/*
 * start_methods - two jobs, started by fork and by posix_spawn, and joined
 * A forked child goes on as a copy of its parent, with all the parent has. A
 * spawned one begins the program anew: its variables are as compiled, and
 * close-on-exec descriptors are closed. Notice what a start costs, and with
 * -m that only the cost of fork grows with the memory of the parent. -z shows
 * a zombie. Linux only (/proc).
 * Build: cc -O2 -pthread -o start_methods start_methods.c
 * Usage: ./start_methods [-n number] [-r runs] [-m MiB] [-z]
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_RUNS = 100000 };

static const char *variable = "old";
static long base = 10, runs = 201, mebibytes;
static int plain, cloexec; /* two descriptors */

/* ---------- Two jobs and two ways to start them ---------- */

/* The job is '+' or '-' for two more or less, or '0' for nothing. */
static void work(const char *how, char job) {
    if (job == '0')
        return;
    printf("%s: %ld %c 2 = %ld, variable %s, descriptor %s, "
           "close-on-exec %s\n",
        how, base, job, job == '+' ? base + 2 : base - 2, variable,
        fcntl(plain, F_GETFD) == -1 ? "closed" : "open",
        fcntl(cloexec, F_GETFD) == -1 ? "closed" : "open");
}

static pid_t start_by_fork(char job) {
    pid_t pid = fork();
    if (pid == -1)
        warn("job %c: fork", job);
    if (pid == 0) {
        work("fork", job);
        _exit(ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS);
    }
    return pid;
}

/* All that this child is told is in four words: "+" "10" "3" "4". */
static pid_t start_by_spawn(char job) {
    extern char **environ;
    char words[4][24] = {{job, '\0'}};
    char *argv[] = {words[0], words[1], words[2], words[3], NULL};
    pid_t pid;
    snprintf(words[1], sizeof words[1], "%ld", base);
    snprintf(words[2], sizeof words[2], "%d", plain);
    snprintf(words[3], sizeof words[3], "%d", cloexec);
    errno = posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ);
    if (errno == 0)
        return pid;
    warn("job %c: posix_spawn", job);
    return -1;
}

/* It comes through main(), and knows itself by its name, the job. */
static int spawned(char *argv[]) {
    base = atol(argv[1]);
    plain = atoi(argv[2]);
    cloexec = atoi(argv[3]);
    work("posix_spawn", argv[0][0]);
    return ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Returns whether the job was started, and done. */
static bool join(pid_t pid, char job) {
    int status;
    if (pid == -1)
        return false;
    if (waitpid(pid, &status, 0) == -1)
        err(EXIT_FAILURE, "waitpid");
    if (WIFSIGNALED(status))
        warnx("job %c: killed by signal %d (%s)", job, WTERMSIG(status),
            strsignal(WTERMSIG(status)));
    else if (status != 0)
        warnx("job %c: failed, or could not print", job);
    return status == 0;
}

/* Both are joined before anything is made of a failure. */
static void start_both(pid_t (*start)(char job)) {
    pid_t add = start('+'), subtract = start('-');
    bool added = join(add, '+'), subtracted = join(subtract, '-');
    if (!added || !subtracted)
        exit(EXIT_FAILURE);
}

static void show_jobs(void) {
    variable = "new";
    plain = open("/dev/null", O_RDONLY);
    cloexec = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (plain == -1 || cloexec == -1)
        err(EXIT_FAILURE, "/dev/null");
    start_both(start_by_fork);
    start_both(start_by_spawn);
}

/* ---------- What a start costs, and what a thread ---------- */

static void *idle(void *unused) {
    return unused;
}

static void one_thread(void) {
    pthread_t thread;
    if ((errno = pthread_create(&thread, NULL, idle, NULL)) != 0)
        err(EXIT_FAILURE, "pthread_create");
    if ((errno = pthread_join(thread, NULL)) != 0)
        err(EXIT_FAILURE, "pthread_join");
}

static void one_fork(void) {
    if (!join(start_by_fork('0'), '0'))
        exit(EXIT_FAILURE);
}

static void one_spawn(void) {
    if (!join(start_by_spawn('0'), '0'))
        exit(EXIT_FAILURE);
}

static double microseconds(void (*start_and_join)(void)) {
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    start_and_join();
    clock_gettime(CLOCK_MONOTONIC, &end);
    return (double)(end.tv_sec - start.tv_sec) * 1e6 +
           (double)(end.tv_nsec - start.tv_nsec) / 1e3;
}

static int compare(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* In turns: a disturbance meets all three, and the median ignores it. */
static void measure(void) {
    size_t bytes = (size_t)mebibytes << 20;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
    if (bytes > 0 &&
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED)
        err(EXIT_FAILURE, "%ld MiB", mebibytes);
    static double times[3][MOST_RUNS];
    static const char *const names[] = {"thread", "fork", "posix_spawn"};
    static void (*const ways[])(void) = {one_thread, one_fork, one_spawn};
    for (long run = 0; run < runs; run++)
        for (int way = 0; way < 3; way++)
            times[way][run] = microseconds(ways[way]);
    for (int way = 0; way < 3; way++) {
        qsort(times[way], (size_t)runs, sizeof **times, compare);
        printf("%-11s %9.1f us\n", names[way], times[way][runs / 2]);
    }
}

/* ---------- A zombie: it has ended and nobody has waited for it ---------- */

static void show_zombie(void) {
    char path[40], line[80];
    siginfo_t end;
    pid_t pid = start_by_fork('0');
    if (pid == -1)
        exit(EXIT_FAILURE);
    /* WNOWAIT: to learn that it has ended, and leave it as it is. */
    if (waitid(P_PID, (id_t)pid, &end, WEXITED | WNOWAIT) == -1)
        err(EXIT_FAILURE, "waitid");
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *status = fopen(path, "r");
    if (status == NULL)
        err(EXIT_FAILURE, "%s", path);
    while (fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "State:\t", 7) == 0)
            printf("not waited for: %s", line + 7);
    fclose(status);
    join(pid, '0');
    printf("waited for: %s\n", access(path, F_OK) == -1 ? "gone" : "there");
}

/* ---------- The run ---------- */

static long number(int option, long most) {
    char *end;
    long value = strtol(optarg, &end, 10);
    if (*end != '\0' || value < 1 || value > most)
        errx(2, "-%c %s: not a number from 1 to %ld", option, optarg, most);
    return value;
}

int main(int argc, char *argv[]) {
    bool zombie = false;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (argc == 4 && argv[0][1] == '\0' && strchr("+-0", argv[0][0]) != NULL)
        return spawned(argv);
    for (int option; (option = getopt(argc, argv, "n:r:m:zh")) != -1;)
        switch (option) {
        case 'n': base = number(option, 1000000000); break;
        case 'r': runs = number(option, MOST_RUNS); break;
        case 'm': mebibytes = number(option, 4096); break;
        case 'z': zombie = true; break;
        case 'h':
            return printf("usage: start_methods [-n number] [-r runs] "
                          "[-m MiB] [-z]\n") < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    if (zombie) {
        show_zombie();
    } else {
        show_jobs();
        measure();
    }
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
