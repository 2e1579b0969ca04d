/*
 * counted_clock.h - how long each round takes by the clock of counted_clock.c
 */
#ifndef COUNTED_CLOCK_H
#define COUNTED_CLOCK_H

enum { COUNTED_WAYS = 8, COUNTED_ROUNDS = 15, COUNTED_MEDIAN = 50 };

/* In us. The median is neither the mean, the least, the most, the first, the
 * last nor the one in the middle. */
static const long counted_us[COUNTED_ROUNDS] = {
    900, 1, 2, 800, 3, 4, 700, 600, 5, 50, 6, 500, 7, 400, 300};

#endif
