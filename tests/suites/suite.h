/*
 * suite.h - what every suite of tests uses
 *
 * A suite is an array of CU_TestInfo named NAME_tests, registered in list.c.
 * A test says what it found with expect(): a failure is a sentence. Where a
 * fact cannot be had on this machine, a test says so with skip().
 */
#ifndef SUITE_H
#define SUITE_H

#include "judge/events.h"
#include "judge/evidence.h"

#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <sys/types.h>

/* What the runner is built with, and so are the programs, as a rule. */
#ifndef __has_feature /* but clang has it */
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#else
#define WITH_TSAN 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define WITH_ASAN 1
#else
#define WITH_ASAN 0
#endif

/* The folders of the tools, 01-sequential to 05-queue; NULL ends them. */
extern const char *const tools[];

/*
 * Records that something was expected. When ok is false the test fails, with
 * the sentence: what ran, what was seen, what was expected. Returns ok.
 */
__attribute__((format(printf, 2, 3))) bool expect(
    bool ok, const char *format, ...);

/* expect() for a file: it must be well-formed XML. */
void expect_xml(const char *path);

/* expect() for a verdict: it must be empty (right). */
bool expect_right(const struct verdict *verdict);

/*
 * expect() for a wrong program: the verdict must not be empty, and must hold
 * the words that the program's own header gives as the reason
 * ("Rejected because: ..." in tests/suites/wrong/NAME.c).
 */
bool expect_rejected(const struct verdict *verdict, const char *name);

/*
 * Judges the program of this story of every tool; each must be right. Judges
 * wrong programs as those of the tool (the last name is NULL): each must be
 * rejected for its reason.
 */
void expect_story(
    const char *story, void (*judge)(const struct lesson *, struct verdict *));
void expect_all_rejected(const char *const *wrong, const char *tool,
    void (*judge)(const struct lesson *, struct verdict *));

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

/* A folder for the files of this run of the suites. All that is in it is
 * removed in the end, however that comes; it is TMPDIR for every program. */
const char *scratch(void);

/* Where the programs are; set once by main(). */
void set_build_dir(const char *path);

/* A user nobody else is, drawn anew in each run of the suites: of what a user
 * may have, others have used up nothing. 0, which is nobody in particular,
 * unless this is root. */
uid_t lone_user(void);

/* A slow suite runs only when it is named: by `make soak`. */
struct suite {
    const char *name;
    CU_TestInfo *tests;
    bool slow;
};

/* All of them; a name that is NULL ends the list. */
extern const struct suite all_suites[];

#endif
