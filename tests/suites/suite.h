/*
 * suite.h - what every suite of tests uses
 *
 * A suite is an array of CU_TestInfo named NAME_tests, registered in main.c.
 * A test says what it found with expect(): a failure is a sentence. Where a
 * fact cannot be had on this machine, a test says so with skip().
 */
#ifndef SUITE_H
#define SUITE_H

#include "judge/events.h"
#include "run/program.h"
#include "sites/sites.h"

#include <CUnit/CUnit.h>
#include <stdbool.h>

/* The folders of the tools, 01-sequential to 05-queue; NULL ends them. */
extern const char *const tools[];

/*
 * Records that something was expected. When ok is false the test fails, with
 * the sentence: what ran, what was seen, what was expected. Returns ok.
 */
__attribute__((format(printf, 2, 3))) bool expect(
    bool ok, const char *format, ...);

/* expect() for a verdict: it must be empty (right). */
bool expect_right(const struct verdict *verdict);

/*
 * expect() for a wrong program: the verdict must not be empty, and must hold
 * the words that the program's own header gives as the reason
 * ("Rejected because: ..." in tests/suites/wrong/NAME.c).
 */
bool expect_rejected(const struct verdict *verdict, const char *name);

/*
 * Marks the running test as skipped, with the reason. The caller returns.
 */
__attribute__((format(printf, 1, 2))) void skip(const char *format, ...);

/* The reason if the running test was skipped, else an empty string. Clears it.
 */
const char *skipped(void);

/*
 * The path of something built, e.g. built("02-threads/messages"). Lives until
 * built() has been called 16 times more. is_built() says whether it is there.
 */
const char *built(const char *relative);
bool is_built(const char *relative);

/* Where the programs are; set once by main(). */
void set_build_dir(const char *path);

/*
 * The first thing every judge asks: did the run end by itself, with this exit
 * status, with no sanitizer's report, and did it leave nothing behind? If not,
 * the sentence is in the verdict.
 */
void judge_end(const struct run *run, int status, struct verdict *verdict);

/*
 * Starts practice sites and writes their URL, "http://127.0.0.1:PORT", into
 * base. Ends this process by errx() if they cannot start.
 */
struct sites *start_sites(
    const struct sites_options *options, char *base, size_t size);

/*
 * For a gate that holds fewer requests than expected, although all sleep: on a
 * busy machine the kernel may not have delivered one yet. Waits 20 ms and
 * returns true if the gate shall be looked at again, five times at most.
 */
bool look_again(int *looks);

/* For .outside of a program that talks to the sites: what they will do. */
enum outside sites_will(struct sites *sites);

/*
 * The judges of the stories, for whoever else grades a lesson: path is a
 * program of this tool ("02-threads").
 */
void messages_judge(const char *tool, const char *path, struct verdict *);
void download_judge(const char *tool, const char *path, struct verdict *);
void cooking_judge(const char *tool, const char *path, struct verdict *);
void increment_judge(const char *tool, const char *path, struct verdict *);

/* What these judges run programs by: program_run(), or the grader's own. */
extern void (*run_lesson)(const struct program *, struct run *);

extern CU_TestInfo messages_tests[], download_tests[], increment_tests[],
    cooking_tests[], processes_tests[], orphans_tests[], sharing_tests[],
    async_tests[], queue_tests[], redis_tests[], locks_tests[], explore_tests[],
    program_tests[], sites_tests[], twins_tests[], usage_tests[],
    readme_tests[], grade_tests[];

#endif
