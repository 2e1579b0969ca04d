/*
 * cooking - ten plates by two chefs, who take the next order ticket
 * The tickets are in a pipe. Notice that 5 x 50 = 250 minutes are no less than
 * with plates dealt out: a ticket helps who is done early, not who waits by his
 * pot. Linux only (prctl): there each read() takes one record, whole; POSIX
 * does not promise that where several processes read.
 * Build: cc -O2 -o cooking cooking.c
 * Usage: ./cooking [-p plates] [-w chefs] [-m ms_per_minute]
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
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

/* ---------- The tool: a queue of jobs, worker processes ---------- */

static long chefs = 2, most_chefs = 1000; /* a kitchen each */
static atomic_long *total;                /* plates served; all share it */

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

/* Takes the next ticket, until the queue ends or nobody can be told. */
static void work(const int *ends, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the parent ... */
    if (getppid() != parent)          /* ... which may be gone by now */
        _exit(EXIT_FAILURE);
    close(ends[1]); /* while anyone can write, the queue has no end */
    long plate;
    while (!ferror(stdout) && read(ends[0], &plate, sizeof plate) > 0) {
        do_step(plate, WASH);
        do_step(plate, CUT);
        do_step(plate, BOIL);
        do_step(plate, SERVE);
        ++*total;
    }
    _exit(ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* Returns how many plates were served. */
static long cook_all(void) {
    long plate = 0;
    int ends[2], why = 0;
    pid_t parent = getpid();
    total = mmap(NULL, sizeof *total, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (total == MAP_FAILED || pipe(ends) == -1)
        err(EXIT_FAILURE, "mmap or pipe");
    for (long i = 0; i < chefs; i++)
        switch (fork()) {
        case -1: err(EXIT_FAILURE, "fork");
        case 0: work(ends, parent);
        }
    signal(SIGPIPE, SIG_IGN); /* if no chef is left, write() fails instead */
    close(ends[0]);
    while (plate < plates && write(ends[1], &plate, sizeof plate) != -1)
        plate++; /* write() waits while the queue is full */
    close(ends[1]);
    for (int status; wait(&status) != -1;)
        why = status != 0 && !WIFSIGNALED(why) ? status : why;
    if (WIFSIGNALED(why))
        errx(EXIT_FAILURE, "chef killed by signal %d, plates missing: %ld",
            WTERMSIG(why), plates - *total);
    if (why != 0)
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return *total;
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
