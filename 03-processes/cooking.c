/*
 * cooking - ten plates by two chefs, each in a kitchen of his own
 * The plates are dealt out, each chef cooks his own one after another, and
 * what was served is gathered through a pipe: split, then gather. Notice that
 * 5 x 50 = 250 minutes is half of 500, and that each chef still stands by the
 * pot. Linux only (prctl).
 * Build: cc -O2 -o cooking cooking.c
 * Usage: ./cooking [-p plates] [-w chefs] [-m ms_per_minute]
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story: the same in every lesson ---------- */

static long plates = 10, ms_per_minute = 10;

enum step { WASH, CUT, BOIL, SERVE };

static const struct {
    const char *doing, *done;
    long minutes;
} steps[] = {
    [WASH] = {"washing", "washed", 5},
    [CUT] = {"cutting", "cut", 13},
    [BOIL] = {"boiling", "boiled", 30},
    [SERVE] = {"serving", "served", 2},
};

static void begin_step(long plate, enum step step) {
    printf("plate %ld: %s ...\n", plate + 1, steps[step].doing);
}

static void end_step(long plate, enum step step) {
    printf("plate %ld: %s\n", plate + 1, steps[step].done);
}

/* ---------- The tool: a process for each kitchen ---------- */

static long chefs = 2, most_chefs = 1000; /* a kitchen each */

static void wait_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    if (nanosleep(&time, NULL) == -1)
        err(EXIT_FAILURE, "nanosleep");
}

static void do_step(long plate, enum step step) {
    begin_step(plate, step);
    wait_ms(steps[step].minutes * ms_per_minute);
    end_step(plate, step);
}

/* A chef cooks his first plate and every chefs-th after it. The
 * result is one record below PIPE_BUF: it comes whole or not at all. */
static void cook(long chef, const int *ends, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the parent ... */
    if (getppid() != parent)          /* ... which may be gone by now */
        _exit(EXIT_FAILURE);
    close(ends[0]);
    long served = 0;
    for (long plate = chef; plate < plates; plate += chefs) {
        do_step(plate, WASH);
        do_step(plate, CUT);
        do_step(plate, BOIL);
        do_step(plate, SERVE);
        served++;
    }
    _exit(ferror(stdout) || write(ends[1], &served, sizeof served) == -1);
}

/* Returns how many plates were served. */
static long cook_all(void) {
    long sum = 0, result, failed = 0, last = 0;
    int ends[2], status, why = 0;
    pid_t parent = getpid(), pid, pids[1000]; /* -w allows no more */
    if (pipe(ends) == -1)
        err(EXIT_FAILURE, "pipe");
    for (long i = 0; i < chefs; i++)
        switch (pids[i] = fork()) {
        case -1: err(EXIT_FAILURE, "fork");
        case 0: cook(i, ends, parent);
        }
    close(ends[1]);
    while ((pid = wait(&status)) != -1) /* each as it ends: no zombies */
        if (status == 0 && read(ends[0], &result, sizeof result) > 0)
            sum += result;
        else {
            failed++;
            why = status;
            for (last = 0; last < chefs && pids[last] != pid;)
                last++;
        }
    if (WIFSIGNALED(why))
        warnx("%ld of %ld chefs failed, chef %ld killed by signal %d", failed,
            chefs, last + 1, WTERMSIG(why));
    else if (failed > 0)
        warnx("%ld of %ld chefs failed, chef %ld could not print", failed,
            chefs, last + 1);
    return sum;
}

/* ---------- The run: the same in every lesson ---------- */

static const char usage[] =
    "usage: cooking [-p plates] [-w chefs, 1 to %ld] [-m ms_per_minute]\n";

static long number(int option, long most) {
    char *end;
    long value = strtol(optarg, &end, 10);
    if (*end != '\0' || value < 1 || value > most)
        errx(2, "-%c %s: not a number from 1 to %ld", option, optarg, most);
    return value;
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
    for (int option; (option = getopt(argc, argv, "p:w:m:h")) != -1;)
        switch (option) {
        case 'p': plates = number(option, 1000); break;
        case 'w': chefs = number(option, most_chefs); break;
        case 'm': ms_per_minute = number(option, 60000); break;
        case 'h': return printf(usage, most_chefs) < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    chefs = chefs < plates ? chefs : plates;

    double start = seconds();
    long served = cook_all();
    double minutes = (seconds() - start) * 1000 / (double)ms_per_minute;
    fprintf(stderr, "%ld plates in %.0f minutes, chefs: %ld\n", served, minutes,
        chefs);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return served == plates ? EXIT_SUCCESS : EXIT_FAILURE;
}
