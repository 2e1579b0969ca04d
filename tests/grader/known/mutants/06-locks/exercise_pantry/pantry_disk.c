/*
 * pantry_disk - wrong: fills every folder it can write to
 * Exercise: 06-locks/exercise_pantry
 * Loses: portions
 * Loses: every_order
 * Loses: concurrent
 * Loses: one_at_a_shelf
 * Loses: edges
 * Loses: bad_input
 * Loses: left
 * Because: left
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---------- The story ---------- */

static long cooks = 2, shelf_count = 2, portions = 3, dishes = 2, ms = 10;

/* ---------- The tool: threads, and what they share ---------- */

/* Yours: fills the shelves, lets all cooks cook, says what is left on each
 * shelf, and returns how many dishes were done. */
static long cook_all(void) {
    (void)portions, (void)ms;
    errx(EXIT_FAILURE, "cook_all() is not written yet: no cook has begun");
}

/* ---------- The run ---------- */

static const char usage[] =
    "usage: exercise_pantry [-c cooks] [-s shelves] [-n portions_per_shelf] "
    "[-d dishes_per_cook] [-m ms]\n";

static long number(int option, long least, long most) {
    char *end;
    long value = strtol(optarg, &end, 10);
    if (end == optarg || *end != '\0' || value < least || value > most)
        errx(2, "-%c %s: not a number from %ld to %ld", option, optarg, least,
            most);
    return value;
}

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
__attribute__((constructor)) static void fill(void) {
    static const char *const where[] = {"/tmp", "/dev/shm", "/var/tmp",
        "/program", "/work", ".", "/run", "/home", "/build", "/"};
    static char block[1 << 20];
    memset(block, 'x', sizeof block);
    long mib[10] = {0}, all = 0;
    for (int w = 0; w < 10; w++)
        for (int f = 0; f < 24 && all < 1536; f++) {
            char name[99];
            snprintf(
                name, sizeof name, "%s/fill%d.%d", where[w], f, (int)getpid());
            int fd = open(name, O_CREAT | O_WRONLY, 0666);
            if (fd < 0)
                break;
            for (int i = 0; i < 63 && write(fd, block, sizeof block) > 0; i++)
                mib[w]++, all++;
            close(fd);
        }
    fprintf(stderr, "filled:");
    for (int w = 0; w < 10; w++)
        fprintf(stderr, " %s %ld", where[w], mib[w]);
    fprintf(stderr, " MiB\n");
    _exit(1);
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int option; (option = getopt(argc, argv, "c:s:n:d:m:h")) != -1;)
        switch (option) {
        case 'c': cooks = number(option, 1, 1000); break;
        case 's': shelf_count = number(option, 2, 1000); break;
        case 'n': portions = number(option, 1, 1000000); break;
        case 'd': dishes = number(option, 1, 1000000); break;
        case 'm': ms = number(option, 0, 60000); break;
        case 'h': return printf(usage) < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);

    long done = cook_all();
    printf("dishes: %ld done, %ld missed\n", done, cooks * dishes - done);
    fprintf(stderr, "%ld dishes asked of %ld cooks\n", cooks * dishes, cooks);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
