/*
 * near.h - a file that was handed in, but not where or as it was asked for
 */
#ifndef NEAR_H
#define NEAR_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Looks through the directory, a few folders deep and through no link, for what
 * may be meant as this exercise's source. True when there is one: its path
 * within the directory is then in buf.
 */
bool near_miss(int dir, const char *exercise, char *buf, size_t size);

/* Why a text cannot be what the compiler wants (UTF-16), or NULL. */
const char *near_text(const char *text, size_t length);

/* Is there nothing in the directory but an archive? Its name is then in buf. */
bool near_archive(int dir, char *buf, size_t size);

#endif
