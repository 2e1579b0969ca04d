/*
 * timeline.c - runs programs and draws what was under way when
 *
 * Usage: timeline [-t TIME] [-l seconds] [-c columns] [-o FOLDER] BUILD_DIR
 *                 PROGRAM ... [-- ARGUMENT ...]
 * PROGRAM is a path in BUILD_DIR such as 02-threads/messages. TIME is real or
 * virtual, -l stops each after so many seconds (60), -c draws as wide as
 * that (the terminal; 80 if there is none). The same pictures go to FOLDER
 * (BUILD_DIR/timeline), as SVG and in the Trace Event Format. A program called
 * download gets practice sites. Exit status: 0 if all was drawn and every
 * program ended with status 0, 1 if not, 2 for wrong usage, 128 + n when
 * signal n stopped it.
 */
#include "pictures/drawing.h"
#include "pictures/lanes.h"
#include "pictures/text.h"
#include "pictures/trace.h"
#include "pictures/websites.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MOST_PROGRAMS = 12,
    MOST_ARGUMENTS = 64,
    MOST_BYTES = 64 << 20, /* of a program's output */
    MOST_ERRORS = 5        /* lines of what it says itself */
};

static const char usage[] =
    "usage: timeline [-t TIME] [-l seconds] [-c columns] [-o FOLDER] BUILD_DIR "
    "PROGRAM ... [-- ARGUMENT ...]";

struct task {
    const char *build, *folder; /* NULL: BUILD_DIR/timeline */
    const char *programs[MOST_PROGRAMS];
    const char *arguments[MOST_ARGUMENTS + 1];
    size_t count, argument_count;
    bool virtual_time;
    long limit_s;
    struct text_options text;
};

static long number(int option, const char *text, long least, long most) {
    char *end;
    long value;

    errno = 0;
    value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || value < least ||
        value > most)
        errx(2, "-%c %s: not a whole number from %ld to %ld", option, text,
            least, most);
    return value;
}

static bool is_virtual(const char *time) {
    bool virtual = strcmp(time, "virtual") == 0;

    if (!virtual && strcmp(time, "real") != 0)
        errx(2, "TIME=%s: neither real nor virtual", time);
    return virtual;
}

static void find_terminal(struct text_options *text) {
    const char *no_colour = getenv("NO_COLOR");
    struct winsize size;

    text->columns = 80;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        text->columns = size.ws_col;
        text->colour = no_colour == NULL || no_colour[0] == '\0';
    }
}

static void read_options(int argc, char *argv[], struct task *task) {
    int option;

    find_terminal(&task->text);
    task->limit_s = 60;
    while ((option = getopt(argc, argv, "+t:l:c:o:")) != -1)
        switch (option) {
        case 't': task->virtual_time = is_virtual(optarg); break;
        case 'l': task->limit_s = number('l', optarg, 1, 3600); break;
        case 'c':
            task->text.columns = (size_t)number('c', optarg, 1, 1000);
            break;
        case 'o': task->folder = optarg; break;
        default: errx(2, "%s", usage);
        }
    if (optind == argc)
        errx(2, "%s", usage);
    task->build = argv[optind++];
    for (; optind < argc && strcmp(argv[optind], "--") != 0; optind++) {
        if (task->count == MOST_PROGRAMS)
            errx(2, "more than %d programs", MOST_PROGRAMS);
        task->programs[task->count++] = argv[optind];
    }
    for (optind++; optind < argc; optind++) {
        if (task->argument_count == MOST_ARGUMENTS)
            errx(2, "more than %d arguments", MOST_ARGUMENTS);
        task->arguments[task->argument_count++] = argv[optind];
    }
    if (task->count == 0)
        errx(2, "%s", usage);
}

/* ---------- Running ---------- */

/* What went wrong, and what the program said about it. */
static void tell_failure(const char *name, struct run *run) {
    char how[800], *clean;
    int lines = 0;

    run_describe(run, how, sizeof how);
    clean = printable(how, strlen(how));
    warnx("%s %s", name, clean);
    free(clean);
    char *line = strtok(run->err_text, "\n");
    while (line != NULL && lines++ < MOST_ERRORS) {
        clean = printable(line, strlen(line));
        fprintf(stderr, "    %s\n", clean);
        free(clean);
        line = strtok(NULL, "\n");
    }
}

/* Runs one program. Returns whether it ended well. */
static bool run_one(
    const struct task *task, const char *name, struct recording *recording) {
    const char *argv[MOST_ARGUMENTS + 5];
    char path[1000];
    struct program program = {.argv = argv,
        .virtual_time = task->virtual_time,
        .deadline_ms = task->limit_s * 1000,
        .output_bytes = MOST_BYTES};
    struct websites *websites = NULL;
    size_t used = 0;

    snprintf(path, sizeof path, "%s/%s", task->build, name);
    argv[used++] = path;
    for (size_t i = 0; i < task->argument_count; i++)
        argv[used++] = task->arguments[i];
    argv[used] = NULL;
    if (websites_wanted(argv))
        websites = websites_open(&program, argv + used);
    record_run(&program, recording);
    websites_close(websites);
    bool good = recording->run.end == EXITED && recording->run.code == 0 &&
                recording->run.left_behind == 0;
    if (!good)
        tell_failure(name, &recording->run);
    return good;
}

/* ---------- Drawing ---------- */

/* The names of all programs, with nothing in them that a path could not take:
 * "01-sequential-messages+02-threads-messages". */
static void name_file(const struct task *task, char *name, size_t size) {
    size_t used = 0;

    for (size_t i = 0; i < task->count; i++) {
        if (i > 0 && used < size - 1)
            name[used++] = '+';
        for (const char *c = task->programs[i]; *c && used < size - 1; c++)
            name[used++] = *c == '/' || (unsigned char)*c <= ' ' ? '-' : *c;
    }
    name[used] = '\0';
}

/* Written beside its place and moved there: never half a file. */
static void write_file(const char *path,
    bool (*write)(const char *, const struct picture *, size_t),
    const struct picture *pictures, size_t count) {
    char part[1300];

    snprintf(part, sizeof part, "%s.%ld.part", path, (long)getpid());
    if (!write(part, pictures, count) || rename(part, path) == -1) {
        int saved = errno;
        unlink(part);
        errno = saved;
        err(EXIT_FAILURE, "%s", path);
    }
}

static void write_files(
    const struct task *task, const struct picture *pictures, size_t count) {
    char folder[1000], name[130], path[1200];

    if (task->folder != NULL)
        snprintf(folder, sizeof folder, "%s", task->folder);
    else
        snprintf(folder, sizeof folder, "%s/timeline", task->build);
    if (mkdir(folder, 0777) == -1 && errno != EEXIST)
        err(EXIT_FAILURE, "%s", folder);
    name_file(task, name, sizeof name);
    snprintf(path, sizeof path, "%s/%s.svg", folder, name);
    write_file(path, drawing_write, pictures, count);
    printf("\nSVG:      %s\n", path);
    snprintf(path, sizeof path, "%s/%s.json", folder, name);
    write_file(path, trace_write, pictures, count);
    printf("Perfetto: %s\n", path);
}

/* Drops the pictures of programs that show no lanes, and says so of those that
 * ran to their end; returns how many stay. */
static size_t drop_empty(struct picture *pictures, size_t count) {
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (pictures[i].count > 0) {
            pictures[kept++] = pictures[i];
            continue;
        }
        if (pictures[i].recording->run.end == EXITED)
            warnx("%s: nothing to draw: none of its lines begins a piece of "
                  "work, as \"Alice: sending message 1 of 4 ...\" does",
                pictures[i].title);
        picture_free(&pictures[i]);
    }
    return kept;
}

int main(int argc, char *argv[]) {
    struct recording recordings[MOST_PROGRAMS];
    struct picture pictures[MOST_PROGRAMS];
    struct task task = {0};
    char error[200];
    bool good = true;

    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    read_options(argc, argv, &task);
    for (size_t i = 0; i < task.count; i++) {
        good = run_one(&task, task.programs[i], &recordings[i]) && good;
        if (program_interrupted() != 0)
            return 128 + program_interrupted();
        picture_make(task.programs[i], &recordings[i], &pictures[i]);
    }
    size_t kept = drop_empty(pictures, task.count);
    if (kept > 0) {
        if (!text_draw(stdout, pictures, kept, &task.text, error, sizeof error))
            errx(EXIT_FAILURE, "%s", error);
        write_files(&task, pictures, kept);
    }
    good = good && kept == task.count;
    for (size_t i = 0; i < kept; i++)
        picture_free(&pictures[i]);
    for (size_t i = 0; i < task.count; i++)
        recording_free(&recordings[i]);
    if (fflush(stdout) != 0 || ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
