/*
 * rare.h - a submission in which rare things happen: see rare_wrap.c
 */
#ifndef RARE_H
#define RARE_H

#include "grader/checks/common.h"

/* The text of a file of the kit, or of a copy; to be freed. */
char *content(const char *path);

/* Where a changed copy of the source goes: a directory of its own, laid out as
 * the submission. False when the copy is there already. */
bool place_copy(
    const struct grading *, const char *name, char *path, size_t size);

/* Builds it once more with what makes rare things happen; what happens is said
 * in the environment of a run. NULL when it cannot be built so: then nothing
 * can be said. */
const char *build_rare(struct grading *, struct finding *);

/* Builds it once more with these flags, C11 threads as the POSIX threads that
 * they are in glibc: ThreadSanitizer knows those only, and crashes else. */
const char *build_sanitized(
    struct grading *, const char *flags, struct finding *);

/* Runs it in virtual time in another order of its threads and processes; more
 * is asked for by one variable of rare_wrap.c, or NULL. False when it cannot be
 * built so; else the caller frees the run. */
bool run_shaken(struct grading *, struct finding *, struct program *,
    const char *variable, struct run *);

/* run_shaken() so many times; every other wait at a condition variable ends
 * without a signal, unless the variable is NO_SPURIOUS. Judges each run. */
#define NO_SPURIOUS "KIT_SPURIOUS=0"
void judge_shaken(struct grading *, struct finding *, struct program *,
    int runs, const char *variable,
    void (*judge)(const struct run *, const void *, struct verdict *),
    const void *arg);

/* What a system may refuse; the word for a sentence is in rare.c. A CHILD is a
 * process whose brothers are to be waited for before the program gives up. */
enum refused { THREAD, PROCESS, CHILD, MEMORY, DESCRIPTOR, OBJECT, HANDLE };

/* Runs it with the nth request for this kind refused. False when there was no
 * such request; else the caller frees the run. The note is taken out of its
 * stderr. */
bool run_refused(struct grading *, struct finding *, struct program *,
    enum refused, int nth, struct run *);

/* Refuses each of the first so many requests of this kind, one a run. What has
 * failed is to say so: exit status 1, the system's reason on stderr, nothing
 * left behind; who manages without is judged as if nothing had happened. */
void judge_refused_requests(struct grading *, struct finding *,
    struct program *, enum refused, int most,
    void (*judge)(const struct run *, const void *, struct verdict *),
    const void *arg);

/* All is done, and yet it has failed, as nobody can read about it: stdout is a
 * full disk, or a pipe whose reader has left. It is to say so. */
void judge_full_disk(struct grading *, struct finding *, struct program *);

/* Runs it; faults when a signal handler calls stdio. Does nothing to a
 * program that has no handler. */
void judge_handlers(struct grading *, struct finding *, struct program *);

#endif
