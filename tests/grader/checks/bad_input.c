/*
 * bad_input.c - is wrong usage refused as every exercise asks?
 */
#define _GNU_SOURCE /* strcasestr */
#include "grader/checks/common.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Is there a number in the line besides those of the value? */
static bool names_range(const char *line, const char *value) {
    const char *at = value[0] != '\0' ? strstr(line, value) : NULL;

    for (const char *c = line; *c != '\0' && *c != '\n'; c++) {
        if (c == at)
            c += strlen(value);
        if (isdigit((unsigned char)*c))
            return true;
    }
    return false;
}

static void judge_refused(const struct run *run, const struct words *words,
    const struct refusal *bad, struct verdict *v) {
    char name[40], what[200] = "";
    const char *value = bad->value ? bad->value : "", *text = run->err_text;
    bool named = strstr(text, value) != NULL &&
                 (bad->option == NULL || strchr(text, bad->option[1]));

    snprintf(name, sizeof name, "%s%s%s", bad->option ? bad->option : "",
        bad->option && bad->value ? " " : "", value);
    for (size_t i = 1; i < words->count; i++)
        snprintf(what + strlen(what), sizeof what - strlen(what), "%s\"%s\"",
            i > 1 ? " " : "", words->argv[i]);
    if (run->end != EXITED || run->code != 2 || run->left_behind > 0)
        verdict_fail(
            v, "with %s it %s; expected: exit status 2", what, run->why);
    if (run->count > 0)
        verdict_fail(v,
            "with %s it printed \"%.100s\" on stdout; expected: nothing", what,
            run->lines[0].text);
    if (!named)
        verdict_fail(v,
            "with %s stderr is \"%.200s\"; expected: a line that names \"%s\"",
            what, text, name);
    bool number = bad->option != NULL || strchr(value, '=') != NULL ||
                  isdigit((unsigned char)value[0]);
    if (bad->value != NULL && number && !names_range(text, value))
        verdict_fail(v,
            "with %s stderr is \"%.200s\"; expected: a line that names the "
            "range that is allowed",
            what, text);
}

static void refuse(
    struct grading *g, struct finding *f, const struct refusal *bad) {
    struct words words = {.count = 0};
    struct program program = {.virtual_time = true};
    struct run run;

    if (f->verdict.text[0] != '\0')
        return;
    if (bad->option != NULL)
        add_word(&words, "%s", bad->option);
    if (bad->value != NULL)
        add_word(&words, "%s", bad->value);
    program.argv = words.argv;
    grade_run(g, &program, &run, f);
    judge_refused(&run, &words, bad, &f->verdict);
    run_free(&run);
}

static void judge_help(struct grading *g, struct finding *f) {
    struct words words = {.count = 0};
    struct program program = {.virtual_time = true};
    struct run run;

    add_word(&words, "-h");
    program.argv = words.argv;
    grade_run(g, &program, &run, f);
    if (run.end != EXITED || run.code != 0 || run.count == 0 ||
        strcasestr(run.lines[0].text, "usage") == NULL)
        verdict_fail(&f->verdict,
            "with -h it %s and printed \"%.100s\"; expected: exit status 0 and "
            "\"usage: ...\" on stdout",
            run.why, run.count > 0 ? run.lines[0].text : "");
    run_free(&run);
}

void judge_refusals(struct grading *g, struct finding *f, const char *options,
    const struct refusal *more) {
    judge_help(g, f);
    for (; *options != '\0'; options++) {
        char option[] = {'-', *options, '\0'}, large[24], word[24];
        snprintf(
            large, sizeof large, "%ld", grade_random(g, 10, 99) * 10000000000);
        snprintf(word, sizeof word, "%c%ld", (char)grade_random(g, 'a', 'z'),
            grade_random(g, 1, 9));
        const char *values[] = {
            "-1", "3x", "", large, word, "99999999999999999999", NULL};
        for (size_t i = 0; values[i] != NULL; i++)
            refuse(g, f, &(struct refusal){option, values[i]});
        refuse(g, f, &(struct refusal){option, NULL});
    }
    refuse(g, f, &(struct refusal){"-Z", NULL});
    for (; more->option != NULL || more->value != NULL; more++)
        refuse(g, f, more);
}
