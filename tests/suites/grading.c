/*
 * grading.c - the grader as the program under test, for its suites
 */
#define _GNU_SOURCE
#include "suites/grading.h"
#include "run/remove.h"

#include <err.h>
#include <jansson.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void open_place(struct place *p, const char *name) {
    snprintf(p->root, sizeof p->root, "%s/grade.XXXXXX", scratch());
    if (mkdtemp(p->root) == NULL || chmod(p->root, 0755) == -1)
        err(EXIT_FAILURE, "%s", p->root);
    snprintf(p->submission, sizeof p->submission, "%s/%s", p->root, name);
    snprintf(p->reports, sizeof p->reports, "%s/out", p->root);
    snprintf(p->tmp, sizeof p->tmp, "%s/tmp", p->root);
    snprintf(
        p->source, sizeof p->source, "%s/02-threads/messages.c", p->submission);
    if (mkdir(p->submission, 0755) == -1 || mkdir(p->tmp, 0755) == -1)
        err(EXIT_FAILURE, "%s", p->submission);
}

void close_place(struct place *p) {
    remove_tree(p->root);
}

void make_folder(const struct place *p) {
    char path[200];

    snprintf(path, sizeof path, "%s/02-threads", p->submission);
    if (mkdir(path, 0755) == -1)
        err(EXIT_FAILURE, "%s", path);
}

/* attack.c, with the attack on top. */
void hand_in(const struct place *p, const char *attack, int port) {
    FILE *from = fopen("tests/grader/probe/attack.c", "re"), *to;
    char text[4096], kit[2048];
    size_t got;

    make_folder(p);
    to = fopen(p->source, "we");
    if (from == NULL || to == NULL || getcwd(kit, sizeof kit) == NULL)
        err(EXIT_FAILURE, "%s", p->source);
    fprintf(to, "#define ATTACK %s\n#define KIT \"%s\"\n#define PORT %d\n",
        attack, kit, port);
    while ((got = fread(text, 1, sizeof text, from)) > 0)
        fwrite(text, 1, got, to);
    fclose(from);
    if (fclose(to) == EOF)
        err(EXIT_FAILURE, "%s", p->source);
}

void write_source(const struct place *p, const char *text) {
    FILE *file;

    make_folder(p);
    file = fopen(p->source, "we");
    if (file == NULL || fputs(text, file) == EOF || fclose(file) == EOF)
        err(EXIT_FAILURE, "%s", p->source);
}

/* ---------- The reports ---------- */

static json_t *read_json(const struct place *p) {
    char path[160];
    json_error_t error;
    json_t *root;

    snprintf(path, sizeof path, "%s/results.json", p->reports);
    root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    expect(root != NULL, "results.json: line %d: %s; expected: JSON",
        error.line, error.text);
    return root;
}

static size_t read_xml(const struct place *p) {
    char path[160];
    xmlDocPtr document;
    size_t suites = 0;

    snprintf(path, sizeof path, "%s/results.xml", p->reports);
    document = xmlReadFile(
        path, NULL, XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NONET);
    if (!expect(document != NULL, "results.xml is not well-formed"))
        return 0;
    xmlNodePtr root = xmlDocGetRootElement(document);
    expect(xmlStrEqual(root->name, BAD_CAST "testsuites"),
        "the root of results.xml is <%s>; expected: <testsuites>", root->name);
    for (xmlNodePtr node = root->children; node != NULL; node = node->next)
        suites += node->type == XML_ELEMENT_NODE;
    xmlFreeDoc(document);
    return suites;
}

/* Both are there and whole: returns the score, and how many tests there are
 * with a status of its own or a name seen before. */
double read_reports(const struct place *p, size_t *tests) {
    json_t *root = read_json(p), *list = json_object_get(root, "tests");
    double score = json_number_value(json_object_get(root, "score"));

    *tests = json_array_size(list);
    for (size_t i = 0; i < *tests; i++) {
        const json_t *test = json_array_get(list, i);
        const char *status = json_string_value(json_object_get(test, "status"));
        expect(json_is_string(json_object_get(test, "name")) &&
                   json_is_number(json_object_get(test, "score")) &&
                   json_is_number(json_object_get(test, "max_score")) &&
                   status != NULL &&
                   (strcmp(status, "passed") == 0 ||
                       strcmp(status, "failed") == 0),
            "test %zu of results.json lacks what Gradescope wants", i);
    }
    expect(read_xml(p) > 0, "results.xml holds no suite");
    json_decref(root);
    return score;
}

/* ---------- A run of the grader ---------- */

/* Runs it; all it printed is in text. Expected: this exit status, these words,
 * nothing left behind. Returns the score. */
double grade(const struct place *p, const char *level, int status,
    const char *words, char *text, size_t size) {
    char tmp[128], how[1024];
    const char *argv[] = {built("tests/grade_probe"), "-s", "7", "-b", level,
        "-o", p->reports, "-e", "02-threads/messages", p->submission, NULL};
    const char *env[] = {tmp, "KIT_SECRET=1", NULL};
    struct program program = {.argv = argv, .env = env, .deadline_ms = 300000};
    size_t used = 0, tests;
    struct run run;

    snprintf(tmp, sizeof tmp, "TMPDIR=%s", p->tmp);
    program_run(&program, &run);
    text[0] = '\0';
    for (size_t i = 0; i < run.count && used < size; i++)
        used += (size_t)snprintf(
            text + used, size - used, "%s\n", run.lines[i].text);
    expect(run.end == EXITED && run.code == status && run.left_behind == 0,
        "%s: the grader %s; expected: exit status %d and nothing left; it "
        "printed: %.600s %.300s",
        words, run_describe(&run, how, sizeof how), status, text, run.err_text);
    expect(strstr(text, words) != NULL,
        "the grader printed: %.900s; expected in it: %s", text, words);
    expect(rmdir(p->tmp) == 0, "%s: its work directory was left", words);
    run_free(&run);
    return read_reports(p, &tests);
}

/* ---------- The levels of the sandbox ---------- */

const char *const levels[] = {"bwrap", "user", NULL};

/* What the grader says of its sandbox when it begins there. */
static bool takes_level(const char *level, const char *name) {
    struct place p;

    open_place(&p, "sound");
    hand_in(&p, "nothing", 9);
    const char *argv[] = {built("tests/grade_probe"), "-b", level, "-e",
        "02-threads/messages", p.submission, NULL};
    struct program program = {.argv = argv, .deadline_ms = 300000};
    struct run run;
    program_run(&program, &run);
    bool taken = run.count > 0 && strstr(run.lines[0].text, name) != NULL;
    run_free(&run);
    close_place(&p);
    return taken;
}

bool has_level(const char *level) {
    static const char *const names[] = {
        "sandbox: bubblewrap", "sandbox: another user"};
    static int known[2] = {-1, -1};
    int i = level == levels[1];

    if (known[i] == -1)
        known[i] = takes_level(level, names[i]);
    return known[i] == 1;
}

const char *best_level(void) {
    for (int i = 0; levels[i] != NULL; i++)
        if (has_level(levels[i]))
            return levels[i];
    skip("there is no sandbox here that keeps a submission from the grader");
    return NULL;
}

double grade_and_close(struct place *p, int status, const char *words) {
    const char *level = best_level();
    char text[8192];
    double score =
        level ? grade(p, level, status, words, text, sizeof text) : 0;

    close_place(p);
    return score;
}
