/*
 * tables_reads_solution - wrong: hands in nothing of its own: looks for the
 * kit's solution, compiles and runs it
 * Exercise: 02-threads/exercise_tables
 * Loses: results
 * Loses: times
 * Loses: pool
 * Loses: every_order
 * Loses: edges
 * Loses: bad_input
 * Because: no solution found
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where a grader may keep it; the rest is up to the compiler. */
int main(int argc, char *argv[]) {
    static const char *const places[] = {".", "..", "../..", "/autograder",
        "/proc/1/cwd", "/proc/self/cwd", "/proc/1/root"};
    char path[200];
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, sizeof path,
            "%s/tests/solutions/02-threads/exercise_tables.c", places[i]);
        if (access(path, R_OK) == -1)
            continue;
        pid_t pid = fork();
        if (pid == 0)
            execlp("cc", "cc", "-o", "copied", path, "-pthread", (char *)NULL);
        if (pid == 0 || waitpid(pid, NULL, 0) == -1)
            _exit(EXIT_FAILURE);
        execv("./copied", argv);
    }
    errx(EXIT_FAILURE, "no solution found for %d arguments", argc);
}
