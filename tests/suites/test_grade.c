/*
 * test_grade.c - the suite of the grader: what is handed in, and its own faults
 */
#define _GNU_SOURCE
#include "suites/grading.h"

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---------- What is handed in ---------- */

static void test_no_submission(void) {
    struct place p;

    open_place(&p, "none");
    rmdir(p.submission);
    grade_and_close(&p, 3, "No such file or directory; expected");
    open_place(&p, "a file");
    rmdir(p.submission);
    close(open(p.submission, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    grade_and_close(&p, 3, "Not a directory; expected");
    open_place(&p, "empty");
    double score = grade_and_close(&p, 1, "was not handed in");
    expect(score == 0, "an empty submission got %g points", score);
}

static void test_full(void) {
    struct place p;
    size_t tests;

    if (best_level() == NULL)
        return;
    open_place(&p, "full");
    hand_in(&p, "nothing", 9);
    const char *argv[] = {built("tests/grade_probe"), "-e",
        "02-threads/messages", "-o", p.reports, p.submission, NULL};
    struct program full = {
        .argv = argv, .deadline_ms = 600000, .stdout_path = "/dev/full"};
    struct run run;
    program_run(&full, &run);
    expect(run.end == EXITED && run.code == 3 &&
               strstr(run.err_text, "not everything was written") != NULL,
        "grade_probe >/dev/full: exit %d, \"%.200s\"", run.code, run.err_text);
    run_free(&run);
    read_reports(&p, &tests);
    close_place(&p);
}

static void test_strange_files(void) {
    char outside[256];
    struct place p;

    open_place(&p, "link");
    make_folder(&p);
    snprintf(outside, sizeof outside, "%s/02-threads/messages.c", "../..");
    expect(symlink("/etc/passwd", p.source) == 0, "symlink");
    grade_and_close(&p, 1, "it is a link");
    open_place(&p, "link to a folder");
    snprintf(outside, sizeof outside, "%s/02-threads", p.submission);
    expect(symlink("/etc", outside) == 0, "symlink");
    grade_and_close(&p, 1, "it is a link, or lies behind one");
    open_place(&p, "pipe");
    make_folder(&p);
    expect(mkfifo(p.source, 0644) == 0, "mkfifo");
    grade_and_close(&p, 1, "it is not a regular file");
    open_place(&p, "folder");
    make_folder(&p);
    expect(mkdir(p.source, 0755) == 0, "mkdir");
    grade_and_close(&p, 1, "it is not a regular file");
    open_place(&p, "1 GB");
    write_source(&p, "int main(void) { return 0; }\n");
    expect(truncate(p.source, 1 << 30) == 0, "truncate");
    grade_and_close(&p, 1, "it is larger than 1 MiB");
}

/* What was handed in elsewhere, or in another form, is found and named. */
static void test_near_misses(void) {
    static const char *const places[][2] = {
        {"messages.c", "found messages.c"},
        {"kit/02-threads/messages.c", "found kit/02-threads/messages.c"},
        {"02-Threads/Messages.C", "found 02-Threads/Messages.C"},
        {"02-threads/messages (1).c.txt", "found 02-threads/messages (1).c"},
    };
    char path[400];
    struct place p;

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        open_place(&p, "near");
        snprintf(path, sizeof path, "%s/%s", p.submission, places[i][0]);
        char *slash = path + strlen(p.submission) + 1;
        while ((slash = strchr(slash, '/')) != NULL) {
            *slash = '\0';
            expect(mkdir(path, 0755) == 0, "mkdir %s", path);
            *slash++ = '/';
        }
        close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
        grade_and_close(&p, 1, places[i][1]);
    }
    open_place(&p, "nothing near");
    snprintf(path, sizeof path, "%s/message.c", p.submission);
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    grade_and_close(&p, 1, "02-threads/messages.c was not handed in\n");
    open_place(&p, "an archive");
    snprintf(path, sizeof path, "%s/all of it", p.submission);
    int zip = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    expect(write(zip, "PK\3\4", 4) == 4, "%s was not written", path);
    close(zip);
    grade_and_close(&p, 1, "was not handed in, only all of it\n");
    open_place(&p, "another encoding");
    write_source(&p, "\xff\xfei");
    grade_and_close(&p, 1, "it is UTF-16, or no text");
}

/* The cause that is told belongs to what was seen. */
static void test_causes(void) {
    static const char *const faults[][2] = {
        {"int main(void) { int *volatile p = 0; return *p; }\n",
            "An access through a pointer that points nowhere"},
        {"#include <stdlib.h>\nint main(void) { char *volatile p = malloc(8);\n"
         "free(p); free(p); }\n",
            "memory that was freed twice"},
        {"#include <stdlib.h>\nint main(void) { char *volatile p = malloc(8);\n"
         "free(p); free(p); }\n",
            "stderr:       free(): double free detected"},
        {"#include <unistd.h>\nint main(void) { int f[2]; char c;\n"
         "return pipe(f) || read(f[0], &c, 1) != 0; }\n",
            "closed its writing end"},
        {"#include <sys/wait.h>\n#include <unistd.h>\n"
         "int main(void) { if (fork() == 0) pause(); wait(NULL); }\n",
            "It waits for a child that waits itself"},
        {"#include <pthread.h>\n"
         "static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;\n"
         "int main(void) { pthread_mutex_lock(&m); pthread_mutex_lock(&m); }\n",
            "A lock that was not given back"},
        {"int main(void) { for (;;) ; }\n",
            "A loop whose end is never reached"},
        {"#include <unistd.h>\n"
         "int main(void) { if (fork() == 0) pause(); sleep(1); }\n",
            "each fork needs a wait()"},
        {"int main(void) { return 3; }\n", "exit status 0 is for success"},
        {"int lode(void);\nint main(void) { return lode(); }\n",
            "nothing that is called lode()"},
        {"int main(void) { return 0 }\n", "the compiler noticed"},
    };
    struct place p;

    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        open_place(&p, "fault");
        write_source(&p, faults[i][0]);
        grade_and_close(&p, 1, faults[i][1]);
    }
}

static void test_strange_names(void) {
    char path[300];
    struct place p;

    open_place(&p, "a b\n'c\"; $(reboot)");
    hand_in(&p, "nothing", 9);
    snprintf(path, sizeof path, "%s/02-threads/more \n* names", p.submission);
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    grade_and_close(&p, 0, "16 of 16 points");
}

static void test_does_not_build(void) {
    static const char *const sources[][2] = {
        {"int main(void) { return x; }\n", "messages.c:1:25: error: "},
        {"#include \"/dev/zero\"\n", "the compiler"},
        {"volatile char more[1UL << 33] = {1};\nint main(void) "
         "{ return more[0]; }\n",
            "the compiler"},
        {"#include \"../../../../../../etc/shadow\"\n", "the compiler says"},
        {"#define A(x) x x x x x x x x x x\n#define B(x) A(A(A(A(x))))\n"
         "B(B(;int))\n",
            "the compiler"},
        {"", "nothing that is called main()"},
    };
    struct place p;

    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        open_place(&p, "broken");
        write_source(&p, sources[i][0]);
        grade_and_close(&p, 1, sources[i][1]);
    }
}

/* ---------- The grader itself ---------- */

static void test_refuses(void) {
    static const char words[] = "there is no sandbox here that keeps a "
                                "submission from the grader; TRUST=1";
    struct place p;
    char text[8192];

    open_place(&p, "sound");
    hand_in(&p, "nothing", 9);
    grade(&p, "limits", 3, words, text, sizeof text);
    close_place(&p);
}

static void test_broken_check(void) {
    const char *argv[] = {built("tests/grade_probe"), "-l", "-e",
        "02-threads/cooking", ".", NULL};
    struct program program = {.argv = argv};
    struct run run;

    if (best_level() == NULL)
        return;
    program_run(&program, &run);
    expect(run.count == 2 &&
               strncmp(run.lines[0].text, "broken\terror\t", 13) == 0 &&
               strncmp(run.lines[1].text, "never\tdepends\t", 14) == 0,
        "a check that crashes: \"%s\"; expected: an error, and that what needs "
        "it is not looked at",
        run.count > 0 ? run.lines[0].text : run.err_text);
    run_free(&run);
}

/* Those that are named, and no others: lesson messages is not asked. */
static void test_some_exercises(void) {
    const char *argv[] = {built("tests/grade_probe"), "-l", "-e",
        "02-threads/increment", "-e", "02-threads/cooking", ".", NULL};
    struct program program = {.argv = argv};
    struct run run;

    if (best_level() == NULL)
        return;
    program_run(&program, &run);
    expect(run.count == 4 && strncmp(run.lines[0].text, "broken\t", 7) == 0 &&
               strncmp(run.lines[2].text, "first\t", 6) == 0,
        "two exercises of three: %zu lines; expected: the 4 checks of these",
        run.count);
    run_free(&run);
}

/* The same seed, the same table. */
static void test_repeats(void) {
    const char *level = best_level();
    char text[2][8192];
    struct place p;

    if (level == NULL)
        return;
    for (int i = 0; i < 2; i++) {
        open_place(&p, "sound");
        hand_in(&p, "strange_bytes", 9);
        grade(&p, level, 1, "seed 7,", text[i], sizeof text[i]);
        close_place(&p);
    }
    expect(strcmp(text[0], text[1]) == 0,
        "the same seed gave two tables: %.500s and %.500s", text[0], text[1]);
}

/* The number that a check of the probe says it drew. */
static long drawn(const char *draws, const char *seed, const char *check) {
    const char *argv[] = {built("tests/grade_probe"), "-l", "-t", "-s", seed,
        "-e", "02-threads/increment", ".", NULL};
    const char *env[] = {draws, NULL};
    struct program program = {.argv = argv, .env = env};
    size_t length = strlen(check);
    long number = -1;
    struct run run;

    program_run(&program, &run);
    for (size_t i = 0; i < run.count; i++)
        if (strncmp(run.lines[i].text, check, length) == 0)
            sscanf(run.lines[i].text + length, " failed it drew %ld", &number);
    expect(number != -1, "%s drew nothing: %s %s", check,
        run.count > 0 ? run.lines[0].text : "", run.err_text);
    run_free(&run);
    return number;
}

/* Each check draws from the seed and its name, so what one draws more changes
 * no other's. */
static void test_draws(void) {
    long first = drawn("PROBE_DRAWS=0", "7", "first");
    long second = drawn("PROBE_DRAWS=0", "7", "second");

    expect(first != second, "two checks drew the same number, %ld", first);
    expect(drawn("PROBE_DRAWS=50", "7", "first") != first,
        "the first check's numbers are all %ld", first);
    expect(drawn("PROBE_DRAWS=50", "7", "second") == second,
        "what the first check draws changes the second's numbers");
    expect(drawn("PROBE_DRAWS=0", "8", "second") != second,
        "another seed gave the same number, %ld", second);
}

/* Grades a sound submission with this hidden.conf. */
static void grade_hidden(const char *hidden, const char *expected) {
    char conf[128], text[8192] = "";
    struct place p;
    struct run run;

    open_place(&p, "sound");
    hand_in(&p, "nothing", 9);
    snprintf(conf, sizeof conf, "%s/hidden.conf", p.root);
    FILE *file = fopen(conf, "we");
    if (file == NULL || fputs(hidden, file) == EOF || fclose(file) == EOF)
        err(EXIT_FAILURE, "%s", conf);
    const char *argv[] = {built("tests/grade_probe"), "-g", conf, "-e",
        "02-threads/messages", p.submission, NULL};
    struct program program = {.argv = argv};
    program_run(&program, &run);
    for (size_t l = 0; l < run.count; l++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s\n",
            run.lines[l].text);
    expect(strstr(text, expected) || strstr(run.err_text, expected),
        "hidden.conf \"%s\": %.600s %.300s; expected: %s", hidden, text,
        run.err_text, expected);
    expect(strstr(text, "hello") == NULL && strstr(text, "yes") == NULL,
        "what is hidden is in the table: %.600s", text);
    run_free(&run);
    close_place(&p);
}

/* Other weights, a check of its own; what is wrong is told with its line. */
static void test_hidden(void) {
    static const char *const confs[][2] = {
        {"[02-threads/messages peace]\npoints = 20\nagain = 2\n"
         "[02-threads/messages mine]\npoints = 3\narguments = peace hello\n"
         "line = hello\nseconds = 0\n",
            "73 of 73 points"},
        {"[02-threads/messages mine]\narguments = peace no\npoints = 4\n"
         "line = yes\n",
            "16 of 20 points"},
        {"[02-threads/messages mine]\narguments = work\npoints = 4\n"
         "overlap = 2\n",
            "20 of 20 points"},
        {"[02-threads/messages mine]\narguments = work\npoints = 4\n"
         "overlap = 1\n",
            "16 of 20 points"},
        {"[02-threads/messages mine]\narguments = peace\npoints = 4\n"
         "seconds = 1\n",
            "16 of 20 points"},
        {"[02-threads/messages mine]\narguments = peace\npoints = 4\n"
         "status = 1\n",
            "16 of 20 points"},
        {"[02-threads/nothing mine]\n", ":1: 02-threads/nothing: no such"},
        {"# one\n[02-threads/messages mine]\ncolour = red\n", ":3: colour: no"},
        {"points = 3\n", ":1: expected"},
    };

    if (best_level() == NULL)
        return;
    for (size_t i = 0; i < sizeof confs / sizeof confs[0]; i++)
        grade_hidden(confs[i][0], confs[i][1]);
}

/* A shell script that prints what is wrong. */
static void expect_silence(const char *script, const char *argument) {
    const char *argv[] = {"/bin/sh", "-c", script, "sh", argument, NULL};
    struct program program = {.argv = argv, .deadline_ms = 120000};
    struct run run;
    char how[1024];

    program_run(&program, &run);
    expect(run.end == EXITED && run.code == 0 && run.count == 0,
        "it %s and printed: %.500s %.500s; expected: nothing",
        run_describe(&run, how, sizeof how),
        run.count > 0 ? run.lines[0].text : "", run.err_text);
    run_free(&run);
}

static void test_handout(void) {
    struct place p;

    if (access("tests/grader/known", R_OK) == -1) {
        skip("this kit was handed out: it has no solutions");
        return;
    }
    open_place(&p, "kit");
    /* The longest line of a solution that its skeleton has not is nowhere. */
    expect_silence(
        "cd \"$1\" && out=$PWD && cd - >/dev/null && "
        "tests/grader/handout.sh students \"$out/kit.tar.gz\" >/dev/null && "
        "tar -C \"$out\" -xzf \"$out/kit.tar.gz\" && "
        "cd tests/grader/known/solutions && "
        "[ ! -e \"$out/kit/tests/grader/known\" ] || echo known is in it; "
        "for file in */*.c ; do "
        "line=$(grep -vxF -f ../../../../$file $file | "
        "awk 'length > n { n = length; line = $0 } END { print line }'); "
        "[ -n \"$line\" ] && ! grep -rqF -e \"$line\" \"$out/kit\" || "
        "echo \"a line of the solution $file is in it: $line\"; done; "
        "ls \"$out\"/kit/06-locks/exercise_pantry.c "
        "\"$out\"/kit/tests/grader/checks/pantry.c >/dev/null",
        p.submission);
    close_place(&p);
}

static void test_gradescope(void) {
    struct place p;

    open_place(&p, "autograder");
    expect_silence(
        "echo '# weights' >\"$1/hidden.conf\" && "
        "tests/grader/handout.sh gradescope \"$1/a.zip\" \"$1/hidden.conf\" "
        "'02-threads/exercise_tables' >/dev/null && "
        "mkdir \"$1/source\" && cd \"$1/source\" && "
        "unzip -q ../a.zip && "
        "for file in setup.sh run_autograder; do "
        "[ -x $file ] || echo \"$file is not at the root\"; done; "
        "cmp hidden.conf ../hidden.conf; "
        "grep -x 02-threads/exercise_tables exercises >/dev/null || "
        "echo 'the one exercise is not named'; "
        "ls kit | grep -qx Makefile || echo \"the kit is not in it\"; "
        "ls kit/tests/grader | grep -x known; true",
        p.submission);
    close_place(&p);
}

CU_TestInfo grade_tests[] = {
    {"no directory, an empty one", test_no_submission},
    {"a table that cannot be written", test_full},
    {"links, pipes, folders and 1 GB for a source", test_strange_files},
    {"in another place, under another name", test_near_misses},
    {"names with spaces, newlines and quotes", test_strange_names},
    {"what does not compile is told", test_does_not_build},
    {"the cause belongs to what was seen", test_causes},
    {"no sandbox, no grading", test_refuses},
    {"a check that breaks is the grader's fault", test_broken_check},
    {"only the exercises that are named count", test_some_exercises},
    {"the same seed gives the same table", test_repeats},
    {"each check draws its own numbers", test_draws},
    {"the handout gives nothing away", test_handout},
    {"the autograder's archive has what Gradescope wants", test_gradescope},
    {"what the instructor hides changes points, not the sandbox", test_hidden},
    CU_TEST_INFO_NULL,
};
