/*
 * test_grade.c - the suite of the grader: bad input, attacks, reports
 *
 * The grader is the program under test: grade_probe, whose exercises are those
 * of probe.c. The submission is attack.c with the attack written on top.
 */
#define _GNU_SOURCE
#include "run/proc.h"
#include "run/remove.h"
#include "suites/suite.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <jansson.h>
#include <libxml/parser.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A directory of this test: the submission, the reports, the work directory. */
struct place {
    char root[64], submission[128], reports[96], tmp[96], source[256];
};

static void open_place(struct place *p, const char *name) {
    snprintf(p->root, sizeof p->root, "/tmp/kit-grade.XXXXXX");
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

static void close_place(struct place *p) {
    remove_tree(p->root);
}

static void make_folder(const struct place *p) {
    char path[200];

    snprintf(path, sizeof path, "%s/02-threads", p->submission);
    if (mkdir(path, 0755) == -1)
        err(EXIT_FAILURE, "%s", path);
}

/* attack.c, with the attack on top. */
static void hand_in(const struct place *p, const char *attack, int port) {
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

static void write_source(const struct place *p, const char *text) {
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
static double read_reports(const struct place *p, size_t *tests) {
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
static double grade(const struct place *p, const char *level, int status,
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

/* Grades what is in the place, then closes it. */
static double grade_and_close(
    struct place *p, const char *level, int status, const char *words) {
    char text[8192];
    double score = grade(p, level, status, words, text, sizeof text);

    close_place(p);
    return score;
}

static const char *const levels[] = {"bwrap", "user", NULL};

/* Is this level to be had here? Asked once: the grader says what it took. */
static bool has_level(const char *level) {
    static int known[2] = {-1, -1};
    int i = level == levels[1];
    struct place p;
    char text[8192];

    if (known[i] == -1) {
        open_place(&p, "sound");
        hand_in(&p, "nothing", 9);
        grade(&p, level, 0, "16 of 16 points", text, sizeof text);
        known[i] = strstr(text, i == 0 ? "sandbox: bubblewrap"
                                       : "sandbox: another user") != NULL;
        close_place(&p);
    }
    return known[i] == 1;
}

/* ---------- What is handed in ---------- */

static void test_no_submission(void) {
    struct place p;

    open_place(&p, "none");
    rmdir(p.submission);
    grade_and_close(&p, "bwrap", 3, "No such file or directory; expected");
    open_place(&p, "a file");
    rmdir(p.submission);
    close(open(p.submission, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    grade_and_close(&p, "bwrap", 3, "Not a directory; expected");
    open_place(&p, "empty");
    double score = grade_and_close(&p, "bwrap", 1, "was not handed in");
    expect(score == 0, "an empty submission got %g points", score);
}

static void test_strange_files(void) {
    char outside[256];
    struct place p;

    open_place(&p, "link");
    make_folder(&p);
    snprintf(outside, sizeof outside, "%s/02-threads/messages.c", "../..");
    expect(symlink("/etc/passwd", p.source) == 0, "symlink");
    grade_and_close(&p, "bwrap", 1, "it is a link");
    open_place(&p, "link to a folder");
    snprintf(outside, sizeof outside, "%s/02-threads", p.submission);
    expect(symlink("/etc", outside) == 0, "symlink");
    grade_and_close(&p, "bwrap", 1, "it is a link, or lies behind one");
    open_place(&p, "pipe");
    make_folder(&p);
    expect(mkfifo(p.source, 0644) == 0, "mkfifo");
    grade_and_close(&p, "bwrap", 1, "it is not a regular file");
    open_place(&p, "folder");
    make_folder(&p);
    expect(mkdir(p.source, 0755) == 0, "mkdir");
    grade_and_close(&p, "bwrap", 1, "it is not a regular file");
    open_place(&p, "1 GB");
    write_source(&p, "int main(void) { return 0; }\n");
    expect(truncate(p.source, 1 << 30) == 0, "truncate");
    grade_and_close(&p, "bwrap", 1, "it is larger than 1 MiB");
}

static void test_strange_names(void) {
    char path[300];
    struct place p;

    open_place(&p, "a b\n'c\"; $(reboot)");
    hand_in(&p, "nothing", 9);
    snprintf(path, sizeof path, "%s/02-threads/more \n* names", p.submission);
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    grade_and_close(&p, "bwrap", 0, "16 of 16 points");
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
        grade_and_close(&p, "bwrap", 1, sources[i][1]);
    }
}

/* ---------- What it does when it runs ---------- */

static void attack(const char *name, const char *words, double expected) {
    for (int i = 0; levels[i] != NULL; i++) {
        struct place p;
        char text[8192];
        if (!has_level(levels[i])) {
            skip("the sandbox level \"%s\" is not to be had here", levels[i]);
            continue;
        }
        open_place(&p, "attack");
        hand_in(&p, name, 9);
        double score =
            grade(&p, levels[i], expected < 16, words, text, sizeof text);
        expect(score == expected,
            "attack %s, sandbox %s: %g points; expected: %g; the grader "
            "printed: %.900s",
            name, levels[i], score, expected, text);
        expect(strchr(text, '\033') == NULL,
            "attack %s reached the terminal with its escapes", name);
        close_place(&p);
    }
}

static void test_kills(void) {
    attack("kill_all", "16 of 16 points", 16);
    attack("trace_parent", "16 of 16 points", 16);
}

static void test_forges(void) {
    attack("forge", "16 of 16 points", 16);
    attack("strange_bytes", "it exited with status 7", 6);
}

static void test_hangs(void) {
    attack("hang", "it deadlocked at 0.000 s", 6);
    attack("spin", "it did not end within 3 s", 6);
}

static void test_floods(void) {
    attack("flood", "it printed more than 1048576 bytes on stdout", 6);
    attack("gigabyte", "it printed more than 1048576 bytes on stdout", 6);
    attack("flood_stderr", "it printed more than 1048576 bytes on stderr", 6);
    attack("greedy", "it used more than 64 MiB of memory", 6);
}

static void test_forks(void) {
    static const char many[] = "it had more than 100 processes at once";

    attack("fork_bomb", many, 6);
    attack("fork_busy", many, 6);
    attack("fork_spin", many, 6);
    attack("fork_apart", many, 6);
    attack("fork_pause", "it deadlocked at 0.000 s: 2 tasks", 6);
    attack("fork_churn", "it started more than 1000 processes", 6);
    attack("orphans", "left 3 processes behind", 6);
    attack("named_memory", "left behind: shared memory /kit-left", 6);
}

static void test_files(void) {
    struct place p;

    if (!has_level("bwrap")) {
        skip("bubblewrap does not work here");
        return;
    }
    open_place(&p, "attack");
    hand_in(&p, "greedy_files", 9);
    grade_and_close(&p, "bwrap", 0, "16 of 16 points");
}

/* It may see nothing of the tests, the environment, or any other server. */
static void test_sight(void) {
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char text[8192];
    struct place p;

    if (server == -1 || bind(server, (struct sockaddr *)&at, size) == -1 ||
        listen(server, 1) == -1 ||
        getsockname(server, (struct sockaddr *)&at, &size) == -1)
        err(EXIT_FAILURE, "a server");
    for (int i = 0; levels[i] != NULL; i++) {
        if (!has_level(levels[i]))
            continue;
        open_place(&p, "attack");
        hand_in(&p, "look_around", ntohs(at.sin_port));
        grade(&p, levels[i], 0, "16 of 16 points", text, sizeof text);
        close_place(&p);
    }
    close(server);
}

/* ---------- The grader itself ---------- */

static void test_refuses(void) {
    static const char words[] = "there is no sandbox here that keeps a "
                                "submission from the grader; TRUST=1";
    struct place p;

    open_place(&p, "sound");
    hand_in(&p, "nothing", 9);
    grade_and_close(&p, "limits", 3, words);
}

static void test_broken_check(void) {
    const char *argv[] = {built("tests/grade_probe"), "-l", "-e",
        "02-threads/cooking", ".", NULL};
    struct program program = {.argv = argv};
    struct run run;

    program_run(&program, &run);
    expect(run.count == 2 &&
               strncmp(run.lines[0].text, "broken\terror\t", 13) == 0 &&
               strncmp(run.lines[1].text, "never\tdepends\t", 14) == 0,
        "a check that crashes: \"%s\"; expected: an error, and that what needs "
        "it is not looked at",
        run.count > 0 ? run.lines[0].text : run.err_text);
    run_free(&run);
}

/* The same seed, the same table. */
static void test_repeats(void) {
    char text[2][8192];
    struct place p;

    for (int i = 0; i < 2; i++) {
        open_place(&p, "sound");
        hand_in(&p, "strange_bytes", 9);
        grade(&p, "bwrap", 1, "seed 7,", text[i], sizeof text[i]);
        close_place(&p);
    }
    expect(strcmp(text[0], text[1]) == 0,
        "the same seed gave two tables: %.500s and %.500s", text[0], text[1]);
}

/* Starts the grader, whose work directory will be in p->tmp. */
static pid_t start_grader(const struct place *p) {
    char tmp[128];
    pid_t child = fork();

    if (child == -1)
        err(EXIT_FAILURE, "fork");
    if (child != 0)
        return child;
    snprintf(tmp, sizeof tmp, "TMPDIR=%s", p->tmp);
    putenv(tmp);
    signal(SIGINT, SIG_DFL); /* whoever runs the tests may ignore them */
    signal(SIGHUP, SIG_DFL);
    if (freopen("/dev/null", "w", stdout) != NULL)
        execl(built("tests/grade_probe"), "grade_probe", "-o", p->reports,
            p->submission, NULL);
    _exit(127);
}

/* How many there are, . and .. among them. */
static size_t entries_of(const char *path) {
    DIR *entries = opendir(path);
    size_t count = 0;

    while (entries != NULL && readdir(entries) != NULL)
        count++;
    if (entries != NULL)
        closedir(entries);
    return count;
}

/* Until the grader has a child: what that runs is spin() of attack.c. */
static pid_t await_check(pid_t grader) {
    struct pids children = {0};
    pid_t first = 0;

    while (children.count == 0 && waitpid(grader, NULL, WNOHANG) == 0)
        proc_children(grader, grader, &children);
    if (children.count > 0)
        first = children.ids[0];
    free(children.ids);
    return first;
}

/* Its orphans are ours, one after another: nothing of it is to be left. */
static void await_end(pid_t check) {
    while (check > 0 && kill(check, 0) == 0)
        waitpid(check, NULL, WNOHANG);
    while (waitpid(-1, NULL, 0) > 0)
        ;
}

/* Told to stop, also by a terminal that goes, it clears up. Killed, it leaves
 * its directory, and the next grader removes that. */
static void test_stopped(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGKILL};
    struct place p;

    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        char text[8192];
        int status;
        open_place(&p, "stopped");
        hand_in(&p, "spin", 9);
        pid_t grader = start_grader(&p);
        pid_t check = await_check(grader);
        kill(grader, signals[i]);
        waitpid(grader, &status, 0);
        await_end(check);
        expect(signals[i] == SIGKILL
                   ? entries_of(p.tmp) == 3
                   : entries_of(p.tmp) == 2 && WIFEXITED(status) &&
                         WEXITSTATUS(status) == 128 + signals[i],
            "signal %d: wait status %d and %zu entries in TMPDIR; expected: "
            "128 + the signal's number, and none but . and .. left",
            signals[i], status, entries_of(p.tmp));
        grade(&p, "bwrap", 1, "it did not end within 3 s", text, sizeof text);
        close_place(&p);
    }
}

/* Killed at any moment, the reports are whole and nothing runs on. */
static void test_killed(void) {
    struct place p;

    for (int ms = 0; ms <= 1500; ms += 150) {
        size_t tests = 0;
        open_place(&p, "killed");
        hand_in(&p, "hang", 9);
        pid_t child = start_grader(&p);
        usleep((useconds_t)(ms * 1000)); /* any moment will do */
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        char path[160];
        snprintf(path, sizeof path, "%s/results.xml", p.reports);
        if (access(path, F_OK) == 0) {
            read_reports(&p, &tests);
            expect(tests == 5, "%zu tests in a report; expected: all 5", tests);
        }
        close_place(&p);
    }
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
        {"[02-threads/nothing mine]\n", ":1: 02-threads/nothing: no such"},
        {"# one\n[02-threads/messages mine]\ncolour = red\n", ":3: colour: no"},
        {"points = 3\n", ":1: expected"},
    };

    for (size_t i = 0; i < sizeof confs / sizeof confs[0]; i++) {
        char conf[128], text[8192] = "";
        struct place p;
        struct run run;
        open_place(&p, "sound");
        hand_in(&p, "nothing", 9);
        snprintf(conf, sizeof conf, "%s/hidden.conf", p.root);
        FILE *file = fopen(conf, "we");
        if (file == NULL || fputs(confs[i][0], file) == EOF ||
            fclose(file) == EOF)
            err(EXIT_FAILURE, "%s", conf);
        const char *argv[] = {built("tests/grade_probe"), "-g", conf, "-e",
            "02-threads/messages", p.submission, NULL};
        struct program program = {.argv = argv};
        program_run(&program, &run);
        for (size_t l = 0; l < run.count; l++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s\n",
                run.lines[l].text);
        expect(strstr(text, confs[i][1]) || strstr(run.err_text, confs[i][1]),
            "hidden.conf \"%s\": %.600s %.300s; expected: %s", confs[i][0],
            text, run.err_text, confs[i][1]);
        expect(strstr(text, "hello") == NULL && strstr(text, "yes") == NULL,
            "what is hidden is in the table: %.600s", text);
        run_free(&run);
        close_place(&p);
    }
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
        "tests/grader/handout.sh kit \"$out/kit.tar.gz\" >/dev/null && "
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
        ">/dev/null && mkdir \"$1/source\" && cd \"$1/source\" && "
        "unzip -q ../a.zip && "
        "for file in setup.sh run_autograder; do "
        "[ -x $file ] || echo \"$file is not at the root\"; done; "
        "cmp hidden.conf ../hidden.conf; "
        "ls kit | grep -qx Makefile || echo \"the kit is not in it\"; "
        "ls kit/tests/grader | grep -x known; true",
        p.submission);
    close_place(&p);
}

CU_TestInfo grade_tests[] = {
    {"no directory, an empty one", test_no_submission},
    {"links, pipes, folders and 1 GB for a source", test_strange_files},
    {"names with spaces, newlines and quotes", test_strange_names},
    {"what does not compile is told", test_does_not_build},
    {"a submission that kills and traces its parent", test_kills},
    {"a submission that forges results", test_forges},
    {"a submission that hangs", test_hangs},
    {"a submission that floods and takes all memory", test_floods},
    {"a submission that forks without end, or leaves things", test_forks},
    {"a submission that fills the disk", test_files},
    {"a submission that looks around", test_sight},
    {"no sandbox, no grading", test_refuses},
    {"a check that breaks is the grader's fault", test_broken_check},
    {"the same seed gives the same table", test_repeats},
    {"killed at any moment, the reports are whole", test_killed},
    {"stopped, it clears up; killed, the next one does", test_stopped},
    {"the handout gives nothing away", test_handout},
    {"the autograder's archive has what Gradescope wants", test_gradescope},
    {"what the instructor hides changes points, not the sandbox", test_hidden},
    CU_TEST_INFO_NULL,
};
