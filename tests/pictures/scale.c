/*
 * scale.c - an axis of time: round ticks, and how they are written
 */
#include "pictures/scale.h"
#include <stdio.h>

struct scale scale_for(int64_t end_ns, size_t room, size_t least) {
    static const int64_t factors[] = {1, 2, 5};
    struct scale scale = {0};

    if (end_ns < 1)
        end_ns = 1;
    for (int64_t power = 1;; power *= 10)
        for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) {
            double tick = (double)(power * factors[i]);
            double step = (double)room * tick / (double)end_ns;

            if (step < (double)least && power < INT64_C(100000000000000000))
                continue;
            scale.tick_ns = power * factors[i];
            scale.step = step < (double)room ? (size_t)step : room;
            scale.width = (size_t)((double)end_ns * (double)scale.step / tick);
            if ((double)scale.width * tick <
                (double)end_ns * (double)scale.step)
                scale.width++;
            return scale;
        }
}

size_t scale_column(const struct scale *scale, int64_t at_ns) {
    double at = (double)at_ns * (double)scale->step / (double)scale->tick_ns;

    return (size_t)(at + 0.5);
}

static const struct unit {
    int64_t ns;
    const char *name;
} units[] = {{1000000000, "s"}, {1000000, "ms"}, {1000, "us"}, {1, "ns"}};

static const struct unit *unit_of(int64_t ns) {
    const struct unit *unit = units;

    while (unit->ns > 1 && ns < unit->ns)
        unit++;
    return unit;
}

const char *scale_label(
    int64_t at_ns, int64_t end_ns, int with_unit, char *buf, size_t size) {
    const struct unit *unit = unit_of(end_ns);

    snprintf(buf, size, "%.6g%s%s", (double)at_ns / (double)unit->ns,
        with_unit ? " " : "", with_unit ? unit->name : "");
    return buf;
}

const char *scale_time(int64_t ns, char *buf, size_t size) {
    const struct unit *unit = unit_of(ns);
    double value = (double)ns / (double)unit->ns;
    int places = unit == units ? 2 : value < 100 ? 1 : 0;

    snprintf(buf, size, "%.*f %s", places, value, unit->name);
    return buf;
}
