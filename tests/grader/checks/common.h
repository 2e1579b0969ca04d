/*
 * common.h - what the checks of many exercises share
 *
 * A check is a judge: it runs the submitted program with inputs from
 * grade_random() and leaves the first fault it finds in the verdict, as "what
 * was seen; expected: what". Most functions here do nothing once a fault is
 * there.
 */
#ifndef CHECK_COMMON_H
#define CHECK_COMMON_H

#include "grader/build.h"
#include "grader/trial.h"
#include "judge/events.h"
#include "sites/sites.h"

enum { NAME_BYTES = 9 };

#define MS INT64_C(1000000)
#define SECOND (1000 * MS)

/* The words of a command line; .argv[0] stands for the program under test. The
 * memory is that of the check, which is a process of its own. */
struct words {
    const char **argv; /* ends with NULL; NULL itself before the first word */
    size_t count;
};

__attribute__((format(printf, 2, 3))) void add_word(
    struct words *, const char *format, ...);

/* Lines that a program is expected to print. */
struct expected {
    char **lines;
    size_t count;
};

__attribute__((format(printf, 2, 3))) void expect_line(
    struct expected *, const char *format, ...);
void free_expected(struct expected *);

/* Fills names with so many different ones of 3 to 8 capital letters. */
void random_names(struct grading *, char (*names)[NAME_BYTES], size_t count);

/* Faults unless the program ended by itself with this status, left nothing
 * behind, and slept only where the clock sees it. */
void judge_run_end(const struct run *, int status, struct verdict *);

/* judge_run_end(), and the lines of stdout: all of these and no others, each
 * lane in order. */
void judge_lines(
    const struct run *, int status, const struct expected *, struct verdict *);

/* Faults unless each of these lines was printed, just as often as it is in the
 * list, whatever else there is, and in whatever order: how the output looks is
 * judged once, elsewhere. */
void judge_present(const struct line *, size_t count, const struct expected *,
    struct verdict *);

/* Faults unless stderr has a line that begins and ends so. Other lines may be
 * there. */
void judge_err_line(
    const struct run *, const char *begin, const char *end, struct verdict *);

/* How long it worked by virtual time: from its first line to its end. What it
 * did before is its own affair. */
int64_t work_ns(const struct run *);

/* Faults unless stderr has a line of this form, in which "#.2" stands for that
 * time (or that since its start) in this unit with two digits. */
void judge_summary(
    const struct run *, const char *form, double unit_ns, struct verdict *);

/* The lane's first line that begins work and the line after it in that lane;
 * .end is NULL when there is none. */
struct piece piece_of(const struct run *, const char *lane);

/* The same; faults unless it is whole: begun, and ended by the next line. */
struct piece whole_piece(
    const struct run *, const char *lane, struct verdict *);

/* Is the lane `name`? */
bool in_lane(const struct line *, const char *name);

/* Compiles with all warnings as errors: the check "build" of every exercise. */
void check_build(struct grading *, struct finding *);

/* A command line that is to be refused: NAME=x, or an option and a value. */
struct refusal {
    const char *option; /* "-w", or NULL: a word */
    const char *value;  /* NULL: the option's argument is missing */
};

/* Faults unless -h works and every one of these (the last has neither) is
 * refused, and numbers that are out of any range for these options. */
void judge_refusals(struct grading *, struct finding *, const char *options,
    const struct refusal *);

#endif
