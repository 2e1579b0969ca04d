/*
 * words.c - the parent: a schedule as a string for REPLAY, and back
 *
 * A2B1: A does two steps, then B one, then whoever is usual.
 */
#include "explore/parent.h"

#include <stdlib.h>
#include <string.h>

/* A choice's name: a small letter is a wait that needs no signal. */
static int choice_write(char *text, size_t size, int choice) {
    const char *name = thread_name(choice % SPURIOUS);
    int n = snprintf(text, size, "%s", name[0] == 'm' ? "M" : name);
    for (char *c = text; choice >= SPURIOUS && *c != '\0'; c++)
        *c = (char)(*c + 'a' - 'A');
    return n;
}

/* The usual choices at its end are left out. */
void schedule_write(char *text, size_t size) {
    const struct step *s = sh->steps;
    int end = sh->nsteps, n;
    while (end > 0 && s[end - 1].choice == s[end - 1].usual)
        end--;
    snprintf(text, size, "M0"); /* the usual throughout */
    for (int k = 0; k < end && size > 32; k += n) {
        for (n = 1; k + n < end && s[k + n].choice == s[k].choice; n++)
            continue;
        int used = choice_write(text, size, s[k].choice);
        used += snprintf(text + used, size - (size_t)used, "%d", n);
        text += used;
        size -= (size_t)used;
    }
}

/* The choice that a name of so many letters stands for, -1: none. */
static int choice_read(const char *name, size_t length) {
    char written[8];
    for (int choice = 0; choice < 2 * SPURIOUS; choice++)
        if (choice_write(written, sizeof written, choice) == (int)length &&
            strncmp(written, name, length) == 0)
            return choice;
    return -1;
}

bool schedule_read(const char *text) {
    sh->ngiven = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, "0123456789");
        int choice = choice_read(text, length);
        char *end;
        long times = strtol(text + length, &end, 10);
        if (choice == -1 || end == text + length || times < 0 ||
            times >= MOST_STEPS - sh->ngiven)
            return false;
        for (; times > 0; times--, sh->ngiven++)
            sh->given[sh->ngiven] = (struct given){sh->ngiven, choice, 0};
        text = end;
    }
    return true;
}
