/*
 * cooking - ten plates by one chef, one plate after another
 * Wash 5 minutes, cut 13, boil 30, serve 2: a plate takes 50, and the chef
 * stands by the pot while it boils. Notice that 10 x 50 = 500 minutes, and in
 * 300 of them the chef does nothing but wait.
 * Build: cc -O2 -o cooking cooking.c
 * Usage: ./cooking [-p plates] [-w chefs] [-m ms_per_minute]
 */
#include <err.h>
#include <fcntl.h>
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

/* ---------- The tool: none, one plate after another ---------- */

static long chefs = 1, most_chefs = 1; /* one by nature */

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

/* Returns how many plates were served. */
static long cook_all(void) {
    for (long plate = 0; plate < plates; plate++) {
        do_step(plate, WASH);
        do_step(plate, CUT);
        do_step(plate, BOIL);
        do_step(plate, SERVE);
    }
    return plates;
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
