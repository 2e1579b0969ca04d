/*
 * others.h - whether other jobs had CPUs that a recorded program wanted
 *
 * A program that computes is slower when the machine does something else
 * besides. That is no fault of the program, and whoever shows its time says so.
 */
#ifndef OTHERS_H
#define OTHERS_H

#include "pictures/recording.h"

#include <stdbool.h>

/* The CPU time that all processes have used, but for this one and its children
 * that it has waited for; in s since the machine started. */
double others_cpu_s(void);

/* Whether the program was kept from CPUs, when so many were taken by others on
 * average while it ran. */
bool others_mattered(const struct recording *, double taken);

#endif
