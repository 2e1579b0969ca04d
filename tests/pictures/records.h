/*
 * records.h - what the preloaded stdout library and the timeline share
 *
 * The harness makes a file without a name (a memfd), and every process of the
 * program maps it, as it finds its path in the environment. For each line that
 * is written to stdout the library (stdout_shim.c) takes the next record and
 * notes there who wrote it and what the clocks of that thread said.
 */
#ifndef RECORDS_H
#define RECORDS_H

#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#define RECORDS_VARIABLE "KIT_RECORDS" /* names the file */
#define RECORDS_MAGIC 0x6b69747265636f72
#define RECORDS_MOST 262144 /* lines; what comes after them has no record */
#define RECORD_TEXT 200

/* All times in ns. A line is known by how it begins. */
struct record {
    _Atomic int32_t tid; /* 0 until the record is whole */
    int32_t pid;
    int64_t at_ns;      /* CLOCK_MONOTONIC, before the line was written */
    int64_t ran_ns;     /* CPU time of the thread up to then, */
    int64_t ready_ns;   /* and how long it was ready, but had no CPU */
    int64_t process_ns; /* CPU time of all the threads of its process */
    char text[RECORD_TEXT];
};

struct records {
    uint64_t magic;
    _Atomic int64_t start_ns; /* when the first process began; 0: never */
    int32_t start_pid;        /* which that was, */
    int64_t start_cpu_ns;     /* and what it had used to be loaded */
    _Atomic uint32_t count;   /* taken, and more than fit if it was too many */
    struct record all[RECORDS_MOST];
};

#endif
