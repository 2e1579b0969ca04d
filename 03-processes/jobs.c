/*
 * jobs - two different jobs, started by fork and by posix_spawn, and joined
 * A forked child goes on in the middle of the program, as a copy of its parent.
 * A spawned one begins a program anew, and knows what its arguments say. Notice
 * the variable, and what close-on-exec closes. Linux only (/proc, dup3).
 * Build: cc -O2 -o jobs jobs.c
 * Usage: ./jobs [-n number] [-j job, 1 or 2]
 */
#define _GNU_SOURCE /* dup3 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PLAIN = 10, CLOEXEC = 11 }; /* two descriptors */

static const char *variable = "as compiled";
static long base = 40;

/* ---------- Two jobs ---------- */

static const char *state(int descriptor) {
    return fcntl(descriptor, F_GETFD) == -1 ? "closed" : "open";
}

static void add(const char *how) {
    printf("add: %ld + 2 = %ld, %s, variable %s, descriptor %s, "
           "close-on-exec %s\n",
        base, base + 2, how, variable, state(PLAIN), state(CLOEXEC));
}

static void subtract(const char *how) {
    printf("subtract: %ld - 2 = %ld, %s, variable %s, descriptor %s, "
           "close-on-exec %s\n",
        base, base - 2, how, variable, state(PLAIN), state(CLOEXEC));
}

/* ---------- Two ways to start one ---------- */

static void by_fork(void (*job)(const char *how)) {
    pid_t pid = fork();
    if (pid == -1)
        err(EXIT_FAILURE, "fork");
    if (pid > 0)
        return;
    job("forked");
    _exit(ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* A program is started, not a function: which job it is, words must say. */
static void by_spawn(const char *job) {
    extern char **environ;
    char number[24];
    snprintf(number, sizeof number, "%ld", base);
    const char *argv[] = {"jobs", "-n", number, "-j", job, NULL};
    pid_t pid;
    errno = posix_spawn(
        &pid, "/proc/self/exe", NULL, NULL, (char *const *)argv, environ);
    if (errno != 0)
        err(EXIT_FAILURE, "posix_spawn");
}

/* ---------- The run ---------- */

/* Waits for both, whoever ends first, before it makes anything of a failure. */
static void join_both(const char *how) {
    int failed = 0, killed = 0, last = 0;
    for (int status; wait(&status) > 0; failed += status != 0)
        if (WIFSIGNALED(status))
            killed++, last = WTERMSIG(status);
    if (killed > 0)
        errx(EXIT_FAILURE, "%s: %d of 2 jobs killed, by signal %d (%s)", how,
            killed, last, strsignal(last));
    if (failed > 0)
        errx(EXIT_FAILURE, "%s: %d of 2 jobs failed", how, failed);
}

static long number(int option, long most) {
    char *end;
    long value = strtol(optarg, &end, 10);
    if (*end != '\0' || value < 1 || value > most)
        errx(2, "-%c %s: not a number from 1 to %ld", option, optarg, most);
    return value;
}

/* A forked job finds all of it, a spawned one only what outlives exec. */
static void change_all(void) {
    int null = open("/dev/null", O_RDONLY);
    if (null == -1 || dup2(null, PLAIN) == -1 ||
        dup3(null, CLOEXEC, O_CLOEXEC) == -1)
        err(EXIT_FAILURE, "open or dup2");
    variable = "changed";
}

int main(int argc, char *argv[]) {
    long alone = 0;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    setvbuf(stderr, NULL, _IOLBF, BUFSIZ); /* whole lines, whoever writes */
    /* If one is closed, the next pipe or socket would get its number. */
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    for (int option; (option = getopt(argc, argv, "n:j:h")) != -1;)
        switch (option) {
        case 'n': base = number('n', 1000000000); break;
        case 'j': alone = number('j', 2); break;
        case 'h': return puts("usage: [-n number] [-j job, 1 or 2]") < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    if (alone != 0) {
        (alone == 1 ? add : subtract)("begun anew");
    } else {
        change_all();
        by_fork(add);
        by_fork(subtract);
        join_both("fork");
        by_spawn("1");
        by_spawn("2");
        join_both("posix_spawn");
    }
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
