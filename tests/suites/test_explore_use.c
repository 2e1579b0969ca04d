/*
 * test_explore_use.c - explore as it is used: files, reports, and interrupted
 *
 * Each test is a shell script in an empty folder of its own, $D; x NAME=value
 * ... explores.
 */
#include "suites/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char begin[] =
    "set -u; D=$EXPLORE_DIR/use; rm -rf \"$D\"; mkdir -p \"$D\"\n"
    "E=tests/explore/examples\n"
    "x() { env \"$@\" sh tests/explore/explore.sh; }\n";

/* Both the words are said, on standard output or error. */
static void script(
    const char *text, int code, const char *words, const char *more) {
    char all[4000], directory[600];
    const char *argv[] = {"/bin/sh", "-c", all, NULL};
    const char *env[] = {directory, NULL};
    const char *wanted[] = {words, more};
    struct program sh = {.argv = argv, .env = env, .deadline_ms = 600000};
    struct run run;

    snprintf(all, sizeof all, "%s%s", begin, text);
    snprintf(
        directory, sizeof directory, "EXPLORE_DIR=%s", built("explore_use"));
    program_run(&sh, &run);
    expect(run.left_behind == 0, "%s: left %s behind", text, run.left_names);
    expect(run.end == EXITED && run.code == code,
        "%s: exit %d; expected: %d. It said: %s%s", text, run.code, code,
        run.count > 0 ? run.lines[run.count - 1].text : "", run.err_text);
    for (int i = 0; i < 2; i++) {
        bool said = strstr(run.err_text, wanted[i]) != NULL;
        for (size_t k = 0; k < run.count && !said; k++)
            said = strstr(run.lines[k].text, wanted[i]) != NULL;
        expect(said, "%s: did not say: %s", text, wanted[i]);
    }
    run_free(&run);
}

static void test_files(void) {
    script("cp $E/two/*.[ch] \"$D\"; x SOURCES=\"$D/add.c $D/main.c\"", 1,
        "8 int seen = total;", "wrong in 4 of 6 schedules");
    script("mkdir -p \"$D/my programs/parts\"; cd_to=\"$D/my programs\"\n"
           "sed 's/Build: cc/Build: cc -Iparts/' $E/header.c >\"$cd_to/h.c\"\n"
           "cp $E/guarded.h \"$cd_to/parts\"; x PROGRAM=\"$cd_to/h\"",
        1, "10 pthread_mutex_lock(&guard);", "data race");
    script("cp $E/increment.c \"$D/X.C\"; x PROGRAM=\"$D/X.C\"", 1,
        "wrong in 4 of 6 schedules", "REPLAY=A1B1");
    script("cp $E/increment.c \"$D/x.cpp\"; x PROGRAM=\"$D/x.cpp\"", 2,
        "x.cpp: is C++; explore knows C", "");
    script("x PROGRAM=\"$D\"", 2, "no .c file in it", "");
}

/* A header as some editors write it; and where the name without .c is that of
 * a file, the program, compiled. */
static void test_crlf(void) {
    script("sed 's/$/\\r/' $E/any_order.c >\"$D/crlf.c\"\n"
           "x PROGRAM=\"$D/crlf.c\" && : >\"$D/crlf\" && x PROGRAM=\"$D/crlf\"",
        0, "right in all ", "");
}

/* ARGS as a shell takes it, and nothing in it is run. */
static void test_words(void) {
    static const char program[] =
        "cat >\"$D/f.c\" <<'EOF'\n"
        "#include <pthread.h>\n"
        "#include <stdio.h>\n"
        "static void *nothing(void *arg) { return arg; }\n"
        "int main(int argc, char *argv[]) {\n"
        "    pthread_t a;\n"
        "    pthread_create(&a, NULL, nothing, NULL);\n"
        "    pthread_join(a, NULL);\n"
        "    for (int i = 1; i < argc; i++) printf(\"[%s]\", argv[i]);\n"
        "    return 0;\n"
        "}\n"
        "EOF\n";
    char text[1000];

    snprintf(text, sizeof text,
        "%sx PROGRAM=\"$D/f\" ARGS='-x \"a b\" \"\" c\\ d $(ls) *'", program);
    script(text, 0, "exit 0: [-x][a b][][c d][$(ls)][*]", "");
    snprintf(text, sizeof text, "%sx PROGRAM=\"$D/f\" ARGS=' '", program);
    script(text, 0, "right  exit 0: ", "");
    snprintf(text, sizeof text, "%sx PROGRAM=\"$D/f\" ARGS='\"a'", program);
    script(text, 2, "explore: ARGS=\"a: ", "unmatched double quote");
}

static void test_report(void) {
    static const char *const lines[] = {"outcome\t2\tright\texit 0: 2",
        "outcome\t4\twrong\texit 1: 1",
        "step\t2\tcounter\tB\tread 0\t14 counter++;", "replay\tA1B1\texit 1: 1",
        "line\twrong in 4 of 6 schedules"};

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        script("x PROGRAM=$E/increment REPORT=\"$D/r\" >\"$D/out\"\n"
               "cat \"$D/r\"",
            0, lines[i], "");
}

/* In each row the source begins below its heading, and there are 40 at most. */
static void test_table(void) {
    static const char check[] =
        "awk '/^ step / { column = index($0, \" source\") }\n"
        "column && /^ +[0-9]+  [^ ]/ { rows++\n"
        "    if (substr($0, column, 2) !~ /^ [0-9]/) print \"aside: \" $0 }\n"
        "/are left out/ { print \"left out\" }\n"
        "END { print \"rows \" (rows > 3 && rows <= 40) }' \"$D/out\"";
    char text[1000];

    snprintf(text, sizeof text,
        "x PROGRAM=$E/accounts >\"$D/out\"\n%s >\"$D/seen\"\n"
        "cat \"$D/seen\"; ! grep aside \"$D/seen\"",
        check);
    script(text, 0, "rows 1", "");
    snprintf(text, sizeof text,
        "x PROGRAM=$E/lost_early MAX_SCHEDULES=60 >\"$D/out\"\n%s "
        ">\"$D/seen\"; cat \"$D/seen\"; ! grep aside \"$D/seen\"",
        check);
    script(text, 0, "rows 1", "left out");
}

/* A program that does something where it goes wrong: fault is C. */
static const char failing[] =
    "cat >\"$D/f.c\" <<'EOF'\n"
    "#include <pthread.h>\n"
    "#include <signal.h>\n"
    "#include <stdio.h>\n"
    "#include <unistd.h>\n"
    "static int sum, more;\n"
    "static void *add(void *arg) {\n"
    "    sum++;\n"
    "    for (int i = 0; i < 4; i++) more++;\n"
    "    return arg;\n"
    "}\n"
    "int main(int argc, char *argv[]) {\n"
    "    pthread_t a, b;\n"
    "    pthread_create(&a, NULL, add, NULL);\n"
    "    pthread_create(&b, NULL, add, NULL);\n"
    "    pthread_join(a, NULL); pthread_join(b, NULL);\n"
    "    if (sum != 2) %s;\n"
    "    printf(\"%%d\\n\", sum);\n"
    "    return argc == 0 || argv[0] == NULL || sum != 2;\n"
    "}\n"
    "EOF\n"
    "x PROGRAM=\"$D/f.c\" ARGS=\"$D/mark\" %s";

/* What was found stays found, whatever ends the search. */
static void test_ended(void) {
    char text[2000];

    snprintf(text, sizeof text, failing, "kill(getppid(), SIGINT)",
        "BOUND=all REDUCE=0");
    script(text, 1, "stopped by Ctrl-C: not all schedules were tried",
        "wrong  exit 1: 1");
    script(text, 1, "exit 1: 1", "; the shortest found needs 1 preemption");
    snprintf(
        text, sizeof text, failing, "(void)0", "BOUND=all REDUCE=0 TIMEOUT=2");
    script(text, 1, "stopped by TIMEOUT: not all schedules were tried",
        "wrong  exit 1: 1");
}

/* The second time it does not fail: that is said, and is no way out. */
static void test_differs(void) {
    char text[2000];

    snprintf(text, sizeof text, failing,
        "{ if (access(argv[1], F_OK) == 0) sum = 2;"
        " else fclose(fopen(argv[1], \"w\")); }",
        "");
    script(text, 1, "The replay did something else: exit 0: 2",
        "depends on more than the order of its threads");
    script(text, 1, "wrong in 1 of ", "REPLAY=");
}

CU_TestInfo explore_use_tests[] = {
    {"several files, relative folders, blanks, C++", test_files},
    {"a header with CRLF; a compiled program beside it", test_crlf},
    {"arguments with blanks", test_words},
    {"a report for programs", test_report},
    {"the table stays within its columns and 40 rows", test_table},
    {"Ctrl-C and TIMEOUT lose no failure", test_ended},
    {"a replay that differs", test_differs},
    CU_TEST_INFO_NULL,
};
