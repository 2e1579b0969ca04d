/*
 * stdout_shim.c - preloaded: notes who writes each line of stdout, and when
 *
 * DESIGN. A preloaded write() would not see what stdio writes, as that call
 * stays inside the C library. So stdout itself is replaced, by a stream of our
 * own (fopencookie) that notes each line in the shared records and then writes
 * it. The program's setvbuf, its locks and its fork work on that stream as on
 * any other; only fileno(stdout) is -1. Without the variable in the environment
 * nothing is replaced. glibc and musl have fopencookie; schedstat is Linux's.
 */
#define _GNU_SOURCE
#include "pictures/records.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct records *records;
/* A line that has begun; the stream's own lock guards it. */
static char line[RECORD_TEXT];
static size_t length;

/* Past any other preloaded library. */
static int64_t read_clock(clockid_t id) {
    struct timespec now = {0};

    syscall(SYS_clock_gettime, id, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* The second number: how long this thread waited for a CPU. 0 if unknown. */
static int64_t read_ready(void) {
    int fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    char text[80] = "", *at;
    ssize_t got = fd == -1 ? 0 : read(fd, text, sizeof text - 1);

    if (fd != -1)
        close(fd);
    text[got > 0 ? got : 0] = '\0';
    at = strchr(text, ' ');
    return at == NULL ? 0 : strtoll(at, NULL, 10);
}

static void note_line(void) {
    uint32_t index = atomic_fetch_add(&records->count, 1);
    struct record *record = &records->all[index];

    if (index >= RECORDS_MOST)
        return;
    memcpy(record->text, line, length);
    record->pid = getpid();
    record->ready_ns = read_ready();
    record->process_ns = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    record->ran_ns = read_clock(CLOCK_THREAD_CPUTIME_ID);
    record->at_ns = read_clock(CLOCK_MONOTONIC);
    atomic_store(&record->tid, (int32_t)syscall(SYS_gettid));
}

static void note(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n') {
            note_line();
            length = 0;
        } else if (length < sizeof line - 1) {
            line[length++] = text[i] ? text[i] : '?';
        }
    }
}

static ssize_t write_noted(void *cookie, const char *text, size_t size) {
    size_t done = 0;
    int saved = errno;

    (void)cookie;
    note(text, size);
    errno = saved;
    while (done < size) {
        ssize_t wrote = write(STDOUT_FILENO, text + done, size - done);
        if (wrote == -1)
            return 0; /* an error, as fopencookie wants it told */
        done += (size_t)wrote;
    }
    return (ssize_t)size;
}

__attribute__((constructor)) static void replace_stdout(void) {
    static const cookie_io_functions_t functions = {.write = write_noted};
    const char *path = getenv(RECORDS_VARIABLE);
    int64_t nobody = 0;
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    struct records *found;
    FILE *stream;

    if (fd == -1)
        return;
    found =
        mmap(NULL, sizeof *found, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (found == MAP_FAILED || found->magic != RECORDS_MAGIC)
        return;
    stream = fopencookie(NULL, "w", functions);
    if (stream == NULL)
        return;
    records = found;
    stdout = stream;
    if (atomic_compare_exchange_strong(
            &records->start_ns, &nobody, read_clock(CLOCK_MONOTONIC))) {
        records->start_cpu_ns = read_clock(CLOCK_PROCESS_CPUTIME_ID);
        records->start_pid = getpid();
    }
}
