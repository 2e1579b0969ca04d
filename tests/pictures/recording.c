/*
 * recording.c - runs a program and says who printed each line, and when
 *
 * DESIGN. What was printed is what came through the pipe; a record only adds
 * to it. So lines and records are put together by their texts, equal ones in
 * their order, and a line that was written past stdio is still there, with the
 * time at which it was read.
 */
#define _GNU_SOURCE
#include "pictures/recording.h"
#include "pictures/records.h"
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int64_t monotonic(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static struct records *make_records(int *fd) {
    struct records *records;

    *fd = memfd_create("kit-records", MFD_CLOEXEC);
    if (*fd == -1 || ftruncate(*fd, sizeof *records) == -1)
        err(EXIT_FAILURE, "memfd_create");
    records =
        mmap(NULL, sizeof *records, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    if (records == MAP_FAILED)
        err(EXIT_FAILURE, "mmap");
    records->magic = RECORDS_MAGIC;
    return records;
}

/* Writes "LD_PRELOAD=" and the library's path: one through a descriptor that
 * stays open, as a blank or a colon in the path would end it. */
static void find_shim(char *variable, size_t size) {
    static int fd = -1;
    char own[PATH_MAX] = "", path[PATH_MAX + 20];

    if (readlink("/proc/self/exe", own, sizeof own - 1) == -1)
        err(EXIT_FAILURE, "/proc/self/exe");
    snprintf(path, sizeof path, "%.*s/stdout_shim.so",
        (int)(strrchr(own, '/') - own), own);
    if (fd == -1)
        fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        err(EXIT_FAILURE, "%s", path);
    snprintf(variable, size, "LD_PRELOAD=/proc/%d/fd/%d", getpid(), fd);
}

/* ---------- Lines and their records ---------- */

struct entry {
    const char *text;
    size_t index;
};

/* By as much of the text as a record has, then by place. */
static int by_text(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    int order = strncmp(x->text, y->text, RECORD_TEXT - 1);

    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static struct entry *new_entries(size_t count) {
    struct entry *entries = calloc(count + 1, sizeof *entries);

    if (entries == NULL)
        err(EXIT_FAILURE, "calloc");
    return entries;
}

static void take(struct recording *recording, size_t line,
    const struct record *record, const struct records *all) {
    int64_t start = atomic_load(&all->start_ns);

    recording->run.lines[line].at_ns =
        record->at_ns > start ? record->at_ns - start : 0;
    recording->clocks[line] = (struct clocks){record->pid, record->tid,
        record->ran_ns, record->ready_ns, record->process_ns};
    if (record->pid == all->start_pid)
        recording->clocks[line].process_ns -= all->start_cpu_ns;
    recording->known++;
}

/* Gives each line the record that begins as it does. */
static void join(struct recording *recording, const struct records *records) {
    struct run *run = &recording->run;
    size_t count = 0, made = atomic_load(&records->count);

    if (made > RECORDS_MOST)
        made = RECORDS_MOST;
    struct entry *lines = new_entries(run->count), *noted = new_entries(made);
    for (size_t i = 0; i < run->count; i++)
        lines[i] = (struct entry){run->lines[i].text, i};
    for (size_t i = 0; i < made; i++)
        if (atomic_load(&records->all[i].tid) != 0)
            noted[count++] = (struct entry){records->all[i].text, i};
    qsort(lines, run->count, sizeof *lines, by_text);
    qsort(noted, count, sizeof *noted, by_text);
    for (size_t i = 0, j = 0; i < run->count && j < count;) {
        int order = strncmp(lines[i].text, noted[j].text, RECORD_TEXT - 1);
        if (order == 0)
            take(recording, lines[i].index, &records->all[noted[j].index],
                records);
        i += order <= 0;
        j += order >= 0;
    }
    free(lines);
    free(noted);
}

/* From the harness's start to the program's: all times are shifted by it. */
static void shift(struct recording *recording, int64_t by) {
    struct run *run = &recording->run;

    for (size_t i = 0; i < run->count; i++)
        run->lines[i].at_ns =
            run->lines[i].at_ns > by ? run->lines[i].at_ns - by : 0;
    recording->end_ns = run->wall_ns > by ? run->wall_ns - by : 0;
}

static void make_clocks(struct recording *recording) {
    recording->clocks =
        calloc(recording->run.count + 1, sizeof *recording->clocks);
    if (recording->clocks == NULL)
        err(EXIT_FAILURE, "calloc");
}

static void record_real(
    const struct program *program, struct recording *recording) {
    struct program copy = *program;
    char preload[80], path[80];
    const char *const env[] = {preload, path, NULL};
    int fd;
    struct records *records = make_records(&fd);

    find_shim(preload, sizeof preload);
    snprintf(
        path, sizeof path, RECORDS_VARIABLE "=/proc/%d/fd/%d", getpid(), fd);
    copy.env = env;
    int64_t before = monotonic();
    program_run(&copy, &recording->run);
    int64_t start = atomic_load(&records->start_ns);
    make_clocks(recording);
    shift(recording, start > before ? start - before : 0);
    join(recording, records);
    munmap(records, sizeof *records);
    close(fd);
}

void record_run(const struct program *program, struct recording *recording) {
    *recording = (struct recording){.virtual_time = program->virtual_time};
    if (!program->virtual_time) {
        record_real(program, recording);
        return;
    }
    program_run(program, &recording->run);
    make_clocks(recording);
    recording->end_ns = recording->run.virtual_ns;
}

void recording_free(struct recording *recording) {
    run_free(&recording->run);
    free(recording->clocks);
}
