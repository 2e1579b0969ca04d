/*
 * main.c - the parent: what was asked for, and who does it
 */
#define _GNU_SOURCE
#include "explore/parent.h"

#include <err.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value != NULL ? value : "";
}

/*
 * A grader, to whom this process is as suspect as the program in it, gives a
 * token. It is where no child, and so no part of the program, can read it, and
 * stands before and after what is reported here.
 */
static const char *hide_token(void) {
    char *given = getenv("EXPLORE_TOKEN");
    if (given == NULL)
        return "";
    char *token = mmap(
        NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (token == MAP_FAILED || madvise(token, 4096, MADV_WIPEONFORK) == -1)
        err(2, "explore: the token");
    snprintf(token, 4096, "%s\n", given);
    memset(given, 0, strlen(given));
    return token;
}

static void *memory(size_t size, int shared_or_private) {
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
        shared_or_private | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        err(2, "explore: memory");
    return at;
}

static void reserve_memory(void) {
    const size_t seen = MOST_STATES * sizeof *sh->seen;
    sh = memory(sizeof *sh, MAP_SHARED);
    sh->seen = memory(seen, MAP_PRIVATE);
    /* Children read all over it: large pages are faster, where there are. */
    madvise(sh->seen, seen, MADV_HUGEPAGE);
}

/* A REPLAY needs what was learned: the same places to choose at. */
static void places_save(void) {
    FILE *file = fopen(setting("PLACES"), "we");
    if (file == NULL)
        return; /* the grader wants no replay */
    fwrite(&sh->uses_learned, sizeof sh->uses_learned, 1, file);
    fwrite(&sh->nlearned, sizeof sh->nlearned, 1, file);
    fwrite(sh->learned, sizeof *sh->learned, (size_t)sh->nlearned, file);
    fclose(file);
}

static void places_load(void) {
    FILE *file = fopen(setting("PLACES"), "re");
    if (file == NULL)
        return;
    if (fread(&sh->uses_learned, sizeof sh->uses_learned, 1, file) != 1 ||
        fread(&sh->nlearned, sizeof sh->nlearned, 1, file) != 1 ||
        sh->nlearned < 0 || sh->nlearned > MOST_LEARNED ||
        fread(sh->learned, sizeof *sh->learned, (size_t)sh->nlearned, file) !=
            (size_t)sh->nlearned)
        sh->nlearned = sh->uses_learned = 0;
    fclose(file);
}

static void interrupted(int number) {
    stopped = number;
}

static void read_settings(void) {
    struct sigaction action = {.sa_handler = interrupted};
    const char *bound = setting("BOUND"), *order = setting("OUTCOMES");
    const char *expect = setting("EXPECT"), *reject = setting("REJECT");
    const char *input = setting("INPUT");
    sigaction(SIGINT, &action, NULL);
    settings.bound = 2;
    if (*bound != '\0')
        settings.bound = strcmp(bound, "all") == 0 ? ALL : atoi(bound);
    settings.right_status = atoi(setting("STATUS"));
    settings.cpu_s = atof(setting("TIMEOUT"));
    settings.schedules = atol(setting("MAX_SCHEDULES"));
    settings.expect = *expect != '\0' ? expect : NULL;
    settings.reject = *reject != '\0' ? reject : NULL;
    settings.input = *input != '\0' ? input : NULL;
    settings.any_order = strcmp(order, "any order") == 0;
    settings.any_outcome = strcmp(order, "any") == 0;
    sh->quiet = settings.any_order || settings.any_outcome;
    sh->reduce = strcmp(setting("REDUCE"), "0") != 0;
    sh->shown = sh->debugger = false;
    sh->pause_at = -1;
    /* On one CPU a thread hands over ten times as fast. */
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
}

static _Noreturn void debug(const char *schedule, int argc, char *argv[]) {
    if (!schedule_read(schedule))
        errx(2, "explore: REPLAY=%s: that is no schedule", schedule);
    places_load();
    sh->shown = sh->debugger = true; /* right here */
    sh->nsteps = sh->nthreads = sh->cost = 0;
    memory_reserve();
    run_begin(argc, argv);
}

static int explore(const char *name, const char *token) {
    static char why[MOST_TEXT]; /* the next run forgets it */
    const char *unfit = search(false, 0, NULL);
    if (unfit != NULL && failure.rank == NOTHING) {
        printf(TO_STDERR "explore: cannot explore %s: %s\n", name, unfit);
        return 2;
    }
    if (unfit != NULL) {
        snprintf(why, sizeof why, "%s", unfit);
        stopped_why = why;
    }
    printf("%s", token);
    report_outcomes();
    if (failure.rank != NOTHING) {
        sh->uses_learned = failure.uses_learned;
        report_replay(failure.schedule, true);
    }
    places_save();
    int status = report_verdict();
    printf("%s", token);
    return status;
}

int main(int argc, char *argv[]) {
    const char *token = hide_token(), *schedule = setting("REPLAY");
    reserve_memory();
    read_settings();
    if (*schedule != '\0' && *setting("GDB") != '\0')
        debug(schedule, argc, argv);
    run_prepare(argc, argv);
    if (*schedule != '\0')
        places_load();
    if (*schedule != '\0')
        return report_replay(schedule, false);
    if (*setting("PLAY") != '\0')
        return play(argv[0]);
    const char *name = strrchr(argv[0], '/');
    return explore(name != NULL ? name + 1 : argv[0], token);
}
