/*
 * test_workshop.c - what the teacher relies on: plan, slides, quizzes, doctor
 */
#include "suites/suite.h"

#include <stdio.h>
#include <string.h>

/* Runs a script of the shell with the build directory as $1; what it prints is
 * what is wrong. (What a command leaves behind is the matter of its own suite:
 * an ended part of a sandbox may be left to us to be waited for.) */
static void expect_silence(const char *script) {
    const char *argv[] = {"/bin/sh", "-c", script, "sh", built("."), NULL};
    struct program program = {.argv = argv, .deadline_ms = 600000};
    struct run run;

    program_run(&program, &run);
    for (size_t i = 0; i < run.count; i++)
        expect(false, "%s", run.lines[i].text);
    expect(run.end == EXITED && run.code == 0, "%s: it %s; %s", script,
        run_describe(&run, (char[300]){""}, 300), run.err_text);
    run_free(&run);
}

static void test_minutes(void) {
    expect_silence("tests/workshop/plan.sh minutes");
}

static void test_commands(void) {
    expect_silence("tests/workshop/plan.sh commands \"$1\"");
}

static void test_quotes(void) {
    expect_silence("for file in tests/workshop/slides.md 0*/slides.md; do "
                   "BUILD=$1 tests/workshop/slides.sh -x $file >/dev/null || "
                   "echo $file has a quote of what is not there; done");
    expect_silence("cd \"$1\" && printf '!code %s no_such_function\\n' "
                   "02-threads/messages.c >quote.md && cd - >/dev/null && "
                   "! tests/workshop/slides.sh -x \"$1/quote.md\" "
                   ">/dev/null 2>&1 && rm \"$1/quote.md\"");
    expect_silence("for lesson in 0*-*; do n=$(grep -c '^# \\|^!quiz' "
                   "$lesson/slides.md); [ $n -ge 6 ] && [ $n -le 10 ] || "
                   "echo \"$lesson has $n slides; expected: 6 to 10\"; done");
}

/* Each question has one right answer, and a reason beside each. */
static void test_quizzes(void) {
    expect_silence(
        "awk '/^## / { if (n++ && right != 1) print last; right = 0; "
        "last = $0 \": \" \"not one right answer\" } "
        "/^[1-4]\\. / { if ($0 !~ / -- \\*(Right|Wrong): .*\\*$/) "
        "print \"no reason: \" $0; right += / -- \\*Right: / } "
        "END { if (right != 1) print last; if (n != 6) print n \" quizzes\" }' "
        "tests/workshop/quizzes.md");
}

/* What the students' repository calls grades something: that repository. */
static void test_hosted(void) {
    expect_silence(
        "for file in tests/workshop/ci/*; do "
        "call=$(grep -o 'make -s grade[^>]*' $file) || echo $file: no grading; "
        "MAKEFLAGS= $call -n | sed ':a; /\\\\$/ { N; s/\\\\\\n//; ba }' | "
        "grep -q 'tests/grade .*\"\\.\"$' || "
        "echo \"$file: $call: grades nothing\"; done");
}

static void test_doctor(void) {
    const char *argv[] = {"tests/workshop/doctor.sh", "0", NULL};
    struct program program = {.argv = argv, .deadline_ms = 600000};
    struct run run;

    program_run(&program, &run);
    const char *last = run.count > 0 ? run.lines[run.count - 1].text : "";
    expect(run.end == EXITED && strncmp(last, "ready for: ", 11) == 0,
        "doctor: its last line is \"%s\"", last);
    bool all = strcmp(last, "ready for: 01 02 03 04 05 06") == 0;
    expect(all == (run.code == 0), "doctor: exit status %d after \"%s\"",
        run.code, last);
    for (size_t i = 0; i + 1 < run.count; i++) {
        const char *line = run.lines[i].text;
        const char *next = run.lines[i + 1].text;
        expect(strncmp(line, "no ", 3) != 0 || strncmp(next, "     ", 5) == 0,
            "doctor: \"%s\": nothing says what to do", line);
    }
    run_free(&run);
    expect_silence(
        "if CC=/no/such/compiler tests/workshop/doctor.sh >\"$1/out\"; "
        "then echo ready without a compiler; fi; "
        "grep -q 'nothing yet' \"$1/out\" || cat \"$1/out\"; "
        "rm \"$1/out\"");
}

CU_TestInfo workshop_tests[] = {
    {"the plan's minutes add up", test_minutes},
    {"the plan's commands run", test_commands},
    {"the slides quote what is there", test_quotes},
    {"the quizzes have one right answer each", test_quizzes},
    {"the files for hosted runners grade their repository", test_hosted},
    {"doctor says what is missing and what to do", test_doctor},
    CU_TEST_INFO_NULL,
};
