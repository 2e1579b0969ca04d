/*
 * text.c - pictures as text: for a terminal and for a README
 *
 * A mark stands for a part of the time. What shares a piece of work has is
 * known, where within it they lie is not: the marks are spread evenly.
 */
#include "pictures/text.h"
#include "pictures/scale.h"
#include <err.h>
#include <libxml/xmlstring.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_LANES = 40,
    LONGEST_NAME = 20,
    LEAST_COLUMNS = 10, /* for the time */
    LEAST_TICK = 5
};

static const char marks[SHARES] = {
    [COMPUTING] = '#', [READY] = '-', [WAITING] = '.'};
static const char unknown = '=', many = '+';

static const struct {
    char mark;
    const char *meaning, *colour;
} legend[] = {
    {'#', "computing", "\033[32m"},
    {'.', "waiting (asleep)", "\033[34m"},
    {'-', "ready, but without a CPU", "\033[31m"},
    {'=', "under way", "\033[36m"},
};
enum { MARKS = sizeof legend / sizeof *legend };

struct drawing {
    FILE *stream;
    struct scale scale;
    size_t name; /* columns for the names */
    bool colour;
    bool seen[MARKS];
};

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static char digit(double number) {
    return number >= 9.5 ? many : (char)('0' + (int)(number + 0.5));
}

/* ---------- Rows ---------- */

/* The piece's columns; at least one. */
static void extent(const struct scale *scale, const struct piece_of_work *piece,
    size_t *from, size_t *to) {
    *from = smaller(scale_column(scale, piece->from_ns), scale->width - 1);
    *to = smaller(scale_column(scale, piece->to_ns), scale->width);
    if (*to <= *from)
        *to = *from + 1;
}

static void draw_piece(
    char *row, const struct scale *scale, const struct piece_of_work *piece) {
    double due[SHARES] = {0}, whole = (double)(piece->to_ns - piece->from_ns);
    size_t from, to;

    extent(scale, piece, &from, &to);
    for (size_t column = from; column < to; column++) {
        size_t most = 0;

        if (!piece->known || whole == 0) {
            row[column] = piece->known ? marks[WAITING] : unknown;
            continue;
        }
        for (size_t i = 0; i < SHARES; i++) {
            due[i] += (double)piece->share_ns[i] / whole;
            if (due[i] > due[most])
                most = i;
        }
        due[most] -= 1;
        row[column] = marks[most];
    }
}

/* Prints runs of equal marks, each in its colour. */
static void print_marks(struct drawing *d, const char *row, size_t width) {
    for (size_t i = 0, length; i < width; i += length) {
        size_t k = 0;

        for (length = 1; i + length < width && row[i + length] == row[i];)
            length++;
        while (k < MARKS && legend[k].mark != row[i])
            k++;
        if (k < MARKS)
            d->seen[k] = true;
        if (k < MARKS && d->colour)
            fprintf(d->stream, "%s%.*s\033[0m", legend[k].colour, (int)length,
                &row[i]);
        else
            fprintf(d->stream, "%.*s", (int)length, &row[i]);
    }
}

/* The name in as many columns as there are. */
static void print_name(struct drawing *d, const char *name) {
    const xmlChar *text = (const xmlChar *)name;
    int length = xmlUTF8Strlen(text), most = (int)d->name;
    int shown = length < most ? length : most;

    fprintf(d->stream, "%.*s%*s", xmlUTF8Strsize(text, shown), name,
        most - shown, "");
}

static void print_row(
    struct drawing *d, const char *name, const char *row, size_t width) {
    print_name(d, name);
    fputs(" |", d->stream);
    print_marks(d, row, width);
    fputs("|\n", d->stream);
}

/* ---------- One picture ---------- */

static size_t width_of(const struct drawing *d, const struct picture *picture) {
    size_t width = scale_column(&d->scale, picture->end_ns);

    width = smaller(width, d->scale.width);
    return width > 0 ? width : 1;
}

static void draw_lane(
    struct drawing *d, const struct lane *lane, char *row, size_t width) {
    memset(row, ' ', d->scale.width);
    for (size_t i = 0; i < lane->count; i++)
        draw_piece(row, &d->scale, &lane->pieces[i]);
    print_row(d, lane->name, row, width);
}

/* A row of digits, and blanks where `blank` is and nothing is to be counted. */
static void draw_numbers(struct drawing *d, const char *name,
    const double *numbers, bool blank, char *row, size_t width) {
    for (size_t column = 0; column < width; column++)
        row[column] =
            blank && numbers[column] == 0 ? ' ' : digit(numbers[column]);
    print_row(d, name, row, width);
}

/* How many lanes from `first` to before `last` are under way, if there are
 * any, and below it how many CPUs are busy. */
static void draw_sums(struct drawing *d, const struct picture *picture,
    size_t first, size_t last, char *row, size_t width) {
    int64_t end_ns = (int64_t)width * d->scale.tick_ns / (int64_t)d->scale.step;
    double *numbers = calloc(width, sizeof *numbers);
    char name[40];

    if (numbers == NULL)
        err(EXIT_FAILURE, "calloc");
    if (first < last) {
        snprintf(name, sizeof name, "%zu more", last - first);
        picture_under_way(picture, first, last, end_ns, width, numbers);
        draw_numbers(d, name, numbers, true, row, width);
    }
    if (picture->used_count > 0) {
        picture_cpus(picture, end_ns, width, numbers);
        draw_numbers(d, "CPUs busy", numbers, false, row, width);
    }
    free(numbers);
}

static void draw_axis(struct drawing *d, int64_t end_ns) {
    const struct scale *scale = &d->scale;
    size_t ticks = scale->width / scale->step;
    int skip = (int)d->name + 1, column = skip;
    char label[40];

    fprintf(d->stream, "%*s", skip, "");
    for (size_t i = 0; i <= scale->width; i++)
        putc(i % scale->step == 0 ? '+' : '-', d->stream);
    fprintf(d->stream, "\n%*s", skip, "");
    for (size_t i = 0; i <= ticks; i++) {
        scale_label((int64_t)i * scale->tick_ns, end_ns, i == ticks, label,
            sizeof label);
        column += fprintf(d->stream, "%*s%s",
            skip + (int)(i * scale->step) - column, "", label);
    }
    putc('\n', d->stream);
}

static void draw_picture(
    struct drawing *d, const struct picture *picture, int64_t end_ns) {
    char *row = calloc(d->scale.width + 1, 1), time[40];
    size_t width = width_of(d, picture), own = picture->count;

    if (row == NULL)
        err(EXIT_FAILURE, "calloc");
    while (own > 0 && picture->lanes[own - 1].thread)
        own--;
    fprintf(d->stream, "%s: %s\n", picture->title,
        scale_time(picture->end_ns, time, sizeof time));
    for (size_t i = 0; i < picture->count; i++)
        if (i < MOST_LANES || (i >= own && i < own + MOST_LANES))
            draw_lane(d, &picture->lanes[i], row, width);
    draw_sums(d, picture, smaller(own, MOST_LANES), own, row, width);
    draw_axis(d, end_ns);
    putc('\n', d->stream);
    free(row);
}

/* ---------- All of them ---------- */

static size_t longest_name(const struct picture *pictures, size_t count) {
    size_t longest = 1;

    for (size_t i = 0; i < count; i++) {
        if (pictures[i].used_count > 0 && longest < strlen("CPUs busy"))
            longest = strlen("CPUs busy");
        for (size_t j = 0; j < pictures[i].count; j++) {
            const char *name = pictures[i].lanes[j].name;
            size_t length = (size_t)xmlUTF8Strlen((const xmlChar *)name);
            if (length > longest)
                longest = length;
        }
    }
    return longest;
}

static void print_legend(struct drawing *d, size_t columns) {
    size_t used = 0;

    for (size_t i = 0; i < MARKS; i++) {
        size_t length = strlen(legend[i].meaning) + 2;

        if (!d->seen[i])
            continue;
        if (used > 0 && used + 3 + length > columns) {
            putc('\n', d->stream);
            used = 0;
        }
        used += (size_t)fprintf(d->stream, "%s", used > 0 ? "   " : "");
        print_marks(d, &legend[i].mark, 1);
        fprintf(d->stream, " %s", legend[i].meaning);
        used += length;
    }
    if (used > 0)
        putc('\n', d->stream);
}

bool text_draw(FILE *stream, const struct picture *pictures, size_t count,
    const struct text_options *options, char *error, size_t size) {
    struct drawing d = {.stream = stream, .colour = options->colour};
    int64_t end_ns = 1;

    if (options->columns < LEAST_COLUMNS + 4) {
        snprintf(error, size, "%zu columns are too few for a picture: %d",
            options->columns, LEAST_COLUMNS + 4);
        return false;
    }
    d.name = smaller(longest_name(pictures, count), LONGEST_NAME);
    d.name = smaller(d.name, options->columns - LEAST_COLUMNS - 3);
    for (size_t i = 0; i < count; i++)
        if (pictures[i].end_ns > end_ns)
            end_ns = pictures[i].end_ns;
    /* " |" before a row; a label may reach two columns past its end. */
    d.scale = scale_for(end_ns, options->columns - d.name - 5,
        smaller(LEAST_TICK, options->columns - d.name - 5));
    for (size_t i = 0; i < count; i++)
        draw_picture(&d, &pictures[i], end_ns);
    print_legend(&d, options->columns);
    return true;
}
