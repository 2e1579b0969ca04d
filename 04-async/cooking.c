/*
 * cooking - ten plates by one chef, who never stands by a pot
 * What is under way is a list of jobs, each with the time at which it ends.
 * The chef feeds the cookers first, and rests only when there is nothing but
 * to wait. Notice the 212 minutes of a thread a pot, without a thread.
 * Build: cc -O2 -o cooking cooking.c
 * Usage: ./cooking [-p plates] [-w chefs] [-m ms_per_minute]
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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

/* ---------- The tool: one thread, the next job that ends ---------- */

static long chefs = 1, most_chefs = 1; /* one by nature */

struct job {
    int64_t end_ns;
    long plate;
    enum step step;
};
static struct job *jobs; /* under way: one of the chef's, the others are pots */
static long job_count;
static int64_t now_ns; /* when the last job was to end: no delay adds up */

static void start(long plate, enum step step) {
    begin_step(plate, step);
    int64_t ms = steps[step].minutes * ms_per_minute;
    jobs[job_count++] = (struct job){now_ns + ms * 1000000, plate, step};
}

static struct job wait_for_next(void) {
    long next = 0;
    for (long i = 1; i < job_count; i++)
        if (jobs[i].end_ns < jobs[next].end_ns)
            next = i;
    struct job job = jobs[next];
    jobs[next] = jobs[--job_count];
    now_ns = job.end_ns;
    struct timespec time = {now_ns / 1000000000, now_ns % 1000000000};
    if ((errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL)))
        err(EXIT_FAILURE, "clock_nanosleep");
    end_step(job.plate, job.step);
    return job;
}

/* Returns how many plates were served. */
static long cook_all(void) {
    long prepared = 0, boiled = 0, taken = 0, served = 0, idle = chefs;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    now_ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
    jobs = calloc((size_t)plates, sizeof *jobs);
    if (jobs == NULL)
        err(EXIT_FAILURE, "calloc");
    while (served < plates) {
        for (; idle > 0 && prepared < plates; idle--)
            start(prepared++, WASH);
        for (; idle > 0 && taken < boiled; idle--)
            start(taken++, SERVE); /* the first put on is the first done */
        struct job job = wait_for_next();
        switch (job.step) {
        case WASH: start(job.plate, CUT); break;
        case CUT: start(job.plate, BOIL), idle++; break;
        case BOIL: boiled++; break;
        case SERVE: served++, idle++; break;
        }
    }
    free(jobs);
    return served;
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
