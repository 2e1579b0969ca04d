/*
 * cooking - ten plates by two chefs, who take the next order ticket
 * Notice that 5 x 50 = 250 minutes are no less than with plates dealt out: a
 * ticket helps who is done early, not who waits by his pot. Linux only (prctl).
 * Build: cc -O2 -o cooking cooking.c -lrt
 * Usage: ./cooking [-p plates] [-w chefs] [-m ms_per_minute]
 */
#include <err.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
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
static mqd_t queue; /* plates by number; a number past the last: the end */
static char *done;  /* by plate, in memory that all processes share */

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

/* Waits while the queue is full. The end comes last: it has priority 0. */
static void produce(void) {
    for (long job = 0;; job++)
        if (mq_send(queue, (char *)&job, sizeof job, job < plates) == -1)
            err(EXIT_FAILURE, "mq_send");
}

/* Takes the next ticket until the end comes, or until nobody can be told. */
static void work(void) {
    long plate;
    while (mq_receive(queue, (char *)&plate, sizeof plate, NULL) != -1 &&
           plate < plates && !ferror(stdout)) {
        do_step(plate, WASH);
        do_step(plate, CUT);
        do_step(plate, BOIL);
        do_step(plate, SERVE);
        done[plate] = !ferror(stdout);
    }
}

static pid_t start(void (*part)(void)) {
    pid_t parent = getpid(), pid = fork();
    if (pid == -1)
        warn("fork");
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the parent ... */
    if (getppid() == parent)          /* ... which may be gone already */
        part();
    if (ferror(stdout))
        warnx("standard output: not everything was written");
    _exit(EXIT_SUCCESS);
}

/* Returns how many plates were served. */
static long cook_all(void) {
    struct mq_attr size = {.mq_maxmsg = 10, .mq_msgsize = sizeof(long)};
    pid_t pids[1001], ended; /* the producer, then the chefs */
    long started = 0, running, count = 0;
    char name[40];
    snprintf(name, sizeof name, "/cooking-%ld", (long)getpid());
    done = mmap(NULL, (size_t)plates, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &size);
    if (queue == -1 || mq_unlink(name) == -1 || done == MAP_FAILED)
        err(EXIT_FAILURE, "message queue %s", name);
    signal(SIGCHLD, SIG_DFL); /* ignored, it hides who has ended */
    while (started <= chefs && started <= plates &&
           (pids[started] = start(started == 0 ? produce : work)) != -1)
        started++;
    for (running = started - 1; running > 0 && (ended = wait(NULL)) != pids[0];)
        for (long i = 1; i < started; i++)
            running -= pids[i] == ended;
    if (running != 0 || waitpid(pids[0], NULL, WNOHANG) != 0)
        errx(EXIT_FAILURE, "the producer is missing");
    signal(SIGPIPE, SIG_IGN);
    work(); /* what is left, if all chefs have died */
    kill(pids[0], SIGKILL);
    waitpid(pids[0], NULL, 0);
    for (long plate = 0; plate < plates; count += done[plate++])
        if (!done[plate])
            warnx("plate %ld: not done", plate + 1);
    return count;
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

    double start = seconds();
    long served = cook_all();
    double minutes = (seconds() - start) * 1000 / (double)ms_per_minute;
    fprintf(stderr, "%ld plates in %.0f minutes, chefs: %ld\n", served, minutes,
        chefs);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return served == plates ? EXIT_SUCCESS : EXIT_FAILURE;
}
