/*
 * quotes.h - one run of an exercise_quotes against the practice sites
 */
#ifndef QUOTES_H
#define QUOTES_H

#include "grader/checks/common.h"
#include "judge/gate.h"

enum { MOST_SYMBOLS = 60 };

struct asking {
    struct gate gate;
    struct words words;
    struct program program;
    struct run run;
    struct sites_counts last;
    char names[MOST_SYMBOLS][NAME_BYTES];
    long count;
};

/* So many symbols, of which `most` are to be in flight at once. */
void open_asking(struct grading *, struct asking *, long count, long most);

/* Opens the gate, and makes the program ready to run at it; -w is left out when
 * w is 0. gate_close() ends that. */
void start_asking(struct asking *, long w);

/* Runs it at the gate; -w is left out when w is 0. */
void ask_sites(struct grading *, struct finding *, struct asking *, long w);

#endif
