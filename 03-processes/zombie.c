/*
 * zombie - a process that has ended, and that nobody has waited for
 * Its memory is gone. Its number and how it ended are kept until its parent
 * asks for them by wait(). Notice that a parent that goes on and never asks
 * fills the process table. Linux only (/proc).
 * Build: cc -O2 -o zombie zombie.c
 * Usage: ./zombie
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    setvbuf(stderr, NULL, _IOLBF, BUFSIZ); /* whole lines, whoever writes */
    /* If one is closed, the next file opened would get its number. */
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    int option = getopt(argc, argv, "h"), status;
    if (option != -1)
        return option == 'h' ? puts("usage: zombie") < 0 : 2;
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);

    pid_t pid = fork();
    if (pid == -1)
        err(EXIT_FAILURE, "fork");
    if (pid == 0)
        _exit(7);
    /* WNOWAIT: return when it has ended, and leave it as it is. */
    if (waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT) == -1)
        err(EXIT_FAILURE, "waitid");
    char path[40], line[80] = "";
    snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        err(EXIT_FAILURE, "%s", path);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "State:\t", 7) == 0)
            break;
    fclose(file);
    if (waitpid(pid, &status, 0) == -1)
        err(EXIT_FAILURE, "waitpid");
    printf("ended, not waited for: %s", line + 7);
    printf("waited for: %s, exit status %d\n",
        access(path, F_OK) == -1 ? "gone" : "still there", WEXITSTATUS(status));
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
