/*
 * exercises.h - every check of the exercises: see exercises.c
 */
#ifndef CHECK_EXERCISES_H
#define CHECK_EXERCISES_H

#include "grader/checks/common.h"

/* check_lessons.c */
extern const struct exercise lessons[];

#define CHECK(name) void name(struct grading *, struct finding *);

/* quotes*.c */
CHECK(check_quotes_in_turn)
CHECK(check_told_in_turn)
CHECK(check_one_in_flight)
CHECK(check_waiting)
CHECK(check_pieces_in_turn)
CHECK(check_failures_in_turn)
CHECK(check_timeout_in_turn)
CHECK(check_input_in_turn)
CHECK(check_memory_in_turn)
CHECK(check_waits_in_turn)
CHECK(check_quotes_at_once)
CHECK(check_in_flight)
CHECK(check_flight_limit)
CHECK(check_alone_at_once)
CHECK(check_pieces_at_once)
CHECK(check_failures_at_once)
CHECK(check_timeout_at_once)
CHECK(check_input_at_once)
CHECK(check_memory_at_once)
CHECK(check_waits_at_once)

/* tables.c */
CHECK(check_tables_results)
CHECK(check_tables_times)
CHECK(check_tables_pool)
CHECK(check_tables_workers)
CHECK(check_tables_every_order)
CHECK(check_tables_refused)
CHECK(check_tables_edges)
CHECK(check_tables_input)
CHECK(check_tables_memory)
CHECK(check_tables_left)
CHECK(check_tables_waits)

/* squares*.c */
CHECK(check_squares_sums)
CHECK(check_squares_adds)
CHECK(check_squares_parallel)
CHECK(check_squares_as_completed)
CHECK(check_squares_every_order)
CHECK(check_squares_killed)
CHECK(check_squares_refused)
CHECK(check_squares_edges)
CHECK(check_squares_input)
CHECK(check_squares_memory)
CHECK(check_squares_left)
CHECK(check_squares_waits)

/* wedding.c */
CHECK(check_wedding_tasks)
CHECK(check_wedding_times)
CHECK(check_wedding_order)
CHECK(check_wedding_busy)
CHECK(check_wedding_friends)
CHECK(check_wedding_every_order)
CHECK(check_wedding_refused)
CHECK(check_wedding_killed)
CHECK(check_wedding_edges)
CHECK(check_wedding_input)
CHECK(check_wedding_memory)
CHECK(check_wedding_left)
CHECK(check_wedding_waits)

/* pantry.c */
CHECK(check_pantry_portions)
CHECK(check_pantry_every_order)
CHECK(check_pantry_concurrent)
CHECK(check_pantry_one_at_a_shelf)
CHECK(check_pantry_refused)
CHECK(check_pantry_edges)
CHECK(check_pantry_input)
CHECK(check_pantry_memory)
CHECK(check_pantry_left)
CHECK(check_pantry_waits)

/* started.c: faults when it is still the kit's own skeleton */
CHECK(judge_begun)

#endif
