/*
 * test_student.c - what students and teachers call beside the grader itself:
 * grade-all, hint, progress, watch
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

/* Runs a script by the shell with these arguments ($1 is the place, $2 what was
 * built); expects that it says nothing. What it prints is what is wrong. */
static void expect_nothing(const struct place *p, const char *script) {
    const char *argv[] = {
        "/bin/bash", "-c", script, "bash", p->root, built(""), NULL};
    const char *env[] = {"GRADER=grade_probe", NULL};
    struct program program = {.argv = argv,
        .env = env,
        .deadline_ms = 600000,
        .output_bytes = 1 << 22};
    struct run run;
    char how[1024];

    program_run(&program, &run);
    /* One whose parent was killed is not waited for, but has ended. */
    bool left =
        run.left_behind > 0 && strstr(run.left_names, "not waited for") == NULL;
    expect(run.end == EXITED && run.code == 0 && run.count == 0 && !left,
        "it %s and printed: %.900s %.500s; expected: nothing",
        run_describe(&run, how, sizeof how),
        run.count > 0 ? run.lines[0].text : "", run.err_text);
    run_free(&run);
}

/* Hands in an attack as this student. */
static void hand_in_as(struct place *p, const char *name, const char *attack) {
    char all[140], folder[300];

    snprintf(all, sizeof all, "%s/all", p->root);
    mkdir(all, 0755);
    snprintf(p->submission, sizeof p->submission, "%s/all/%s", p->root, name);
    snprintf(
        p->source, sizeof p->source, "%s/02-threads/messages.c", p->submission);
    if (mkdir(p->submission, 0755) == -1)
        err(EXIT_FAILURE, "%s", p->submission);
    if (attack != NULL) {
        hand_in(p, attack, 9);
        return;
    }
    for (int i = 0; i < 10000; i++) {
        snprintf(folder, sizeof folder, "%s/%d.c", p->submission, i);
        int fd = open(folder, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
        if (fd == -1)
            err(EXIT_FAILURE, "%s", folder);
        close(fd);
    }
}

/* One hangs, one forks without end, one hands in 10,000 files, names are
 * strange: each gets what it gets alone, in any number at once, and after the
 * grader of all has been killed in the middle. */
static void test_grade_all(void) {
    struct place p;

    if (best_level() == NULL)
        return;
    open_place(&p, "class");
    hand_in_as(&p, "hangs", "hang");
    hand_in_as(&p, "forks", "fork_bomb");
    hand_in_as(&p, "files", NULL);
    hand_in_as(&p, "the \"best\", $(one)", "nothing");
    hand_in_as(&p, "bytes", "strange_bytes");
    expect_nothing(&p,
        "place=$1 built=$2\n"
        "all() { JOBS=$2 SEED=7 tests/grader/grade_all.sh $built $place/all "
        "    $place/$1 -e 02-threads/messages >$place/$1.out 2>&1 || "
        "    echo \"$1: $(tail -n 3 $place/$1.out)\"; }\n"
        /* killed when the first is done, then started again */
        "JOBS=2 SEED=7 tests/grader/grade_all.sh $built $place/all $place/two "
        "    -e 02-threads/messages >$place/two.out 2>&1 & killed=$!\n"
        "until grep -q ' left' $place/two.out 2>/dev/null; do "
        "    kill -0 $killed || break; sleep 0.02; done\n"
        "kill -9 $killed; wait $killed 2>/dev/null\n"
        "all two 2; all one 1\n"
        "grep -q '^seed 7, [1-4] of 5 done' $place/two.out || "
        "    echo \"it began anew: $(head -n 1 $place/two.out)\"\n"
        "cmp $place/one/grades.csv $place/two/grades.csv\n"
        "for dir in $place/all/*/; do student=$(basename \"$dir\"); "
        "    $built/tests/grade_probe -s 7 -e 02-threads/messages -o "
        "        $place/alone \"$dir\" >/dev/null; "
        "    for one in one two; do cmp $place/alone/results.tsv "
        "        \"$place/$one/$student/results.tsv\"; done; done\n"
        "[ $(wc -l <$place/one/grades.csv) -eq 6 ] || cat "
        "    $place/one/grades.csv\n"
        "grep -q '^\"the \"\"best\"\", $(one)\",02-threads/messages,16,16,7$' "
        "    $place/one/grades.csv || cat $place/one/grades.csv\n"
        "for file in $place/one/*/results.html; do "
        "    xmllint --html --noout \"$file\"; done 2>&1\n"
        "all two 2; head -n 1 $place/two.out | grep -v '5 of 5 done'; true");
    close_place(&p);
}

/* What is asked wrongly is refused before anything is written; what is no
 * folder is named, and the reports among the submissions are no student. */
static void test_grade_all_usage(void) {
    struct place p;

    if (best_level() == NULL)
        return;
    open_place(&p, "asked");
    hand_in_as(&p, "anna", "nothing");
    expect_nothing(&p,
        "place=$1 built=$2\n"
        "all() { tests/grader/grade_all.sh $built $place/all $1 "
        "    -e 02-threads/messages >$place/said 2>&1; }\n"
        "refused() { [ $? -eq 2 ] && grep -qxF \"$1\" $place/said && "
        "    [ ! -e $place/out ] || echo \"$1? $(cat $place/said)\"; }\n"
        "for seed in abc -1 99999999999999999999; do "
        "    SEED=$seed all $place/out; "
        "    refused \"SEED=$seed: expected a number\"; done\n"
        "for jobs in 0 -1 x; do JOBS=$jobs all $place/out; "
        "    refused \"JOBS=$jobs: not a number from 1\"; done\n"
        "all $place/all/; [ $? -eq 2 ] || echo 'OUT is SUBMISSIONS'\n"
        "[ \"$(ls $place/all)\" = anna ] || ls $place/all\n"
        "touch $place/all/bob.zip; ln -s anna $place/all/carl\n"
        "for i in 1 2; do all $place/all/out || cat $place/said; "
        "    grep -qx 'left out, no folder: bob.zip carl' $place/said && "
        "    [ $(wc -l <$place/all/out/grades.csv) -eq 2 ] || "
        "        cat $place/said $place/all/out/grades.csv; done");
    close_place(&p);
}

/* Each exercise has three hints, in turn, and its progress is shown. */
static void test_hints(void) {
    struct place p;

    open_place(&p, "hints");
    expect_nothing(&p,
        "for source in 0[1-6]-*/exercise_*.c; do exercise=${source%.c}; "
        "    for n in 1 2 3 1; do "
        "        tests/grader/hint.sh $1 $exercise >$1/hint$n || exit; "
        "        head -n 1 $1/hint$n | grep -vx \"hint $n of 3:\"; "
        "        [ $(wc -l <$1/hint$n) -gt 2 ] || cat $1/hint$n; done; "
        "    cmp -s $1/hint1 $1/hint2 && echo \"$exercise: twice the same\"; "
        "done; "
        "tests/grader/hint.sh $1 nothing 2>/dev/null; "
        "[ $? -eq 2 ] || echo 'a hint for nothing'; "
        "tests/grader/progress.sh $1 | grep -c 'not checked yet' | grep -vx 6; "
        "mkdir -p $1/check/02-threads/exercise_tables; "
        "printf 'x\\tpool\\tfailed\\t0\\t6\\nx\\tbuild\\tpassed\\t2\\t2\\n' "
        "    >$1/check/02-threads/exercise_tables/results.tsv; "
        "tests/grader/progress.sh $1 | grep -q "
        "    '^02-threads/exercise_tables  *2 of 8; left: pool$' || "
        "    tests/grader/progress.sh $1; "
        "touch $1/check/02-threads/exercise_tables/quick; "
        "tests/grader/progress.sh $1 | grep -qF "
        "    '2 of 8 (the quick checks alone); left: pool' || "
        "    tests/grader/progress.sh $1");
    close_place(&p);
}

/* Once at the beginning, and once more for each save. */
static void test_watch(void) {
    struct place p;

    if (access("/usr/bin/entr", X_OK) == -1) {
        skip("entr is not installed");
        return;
    }
    open_place(&p, "watch");
    expect_nothing(&p,
        "cd $1; echo >exercise.c; "
        "await() { until [ \"$(wc -l <seen)\" -ge $1 ]; do "
        "    kill -0 $watch || exit; sleep 0.02; done 2>/dev/null; }; "
        "watch=$$; : >seen; "
        "\"$OLDPWD/tests/grader/watch.sh\" exercise sh -c "
        "    'echo x >>seen' >out 2>&1 & watch=$!; "
        "await 1; until [ \"$(wc -l <seen)\" -ge 2 ]; do "
        "    echo more >>exercise.c; sleep 0.1; done; "
        "kill $watch; wait $watch 2>/dev/null; true");
    close_place(&p);
}

CU_TestInfo student_tests[] = {
    {"a class of whom one hangs, one forks and one has 10,000 files",
        test_grade_all},
    {"a class: what is asked wrongly, and what is no student",
        test_grade_all_usage},
    {"three hints for each exercise, and what is left", test_hints},
    {"watch checks again when the file is saved", test_watch},
    CU_TEST_INFO_NULL,
};
