/*
 * not_shared - a variable after fork: each process has its own
 * The child begins as a copy of its parent. Notice that what it writes to its
 * variable the parent never sees, though both use the same name and address.
 * Only memory that was mapped as shared is one place for both.
 * Build: cc -O2 -o not_shared not_shared.c
 * Usage: ./not_shared
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static long variable = 1;

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    setvbuf(stderr, NULL, _IOLBF, BUFSIZ); /* whole lines, whoever writes */
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    int option = getopt(argc, argv, "h"), status;
    if (option != -1)
        return option == 'h' ? puts("usage: not_shared") < 0 : 2;
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);

    long *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        err(EXIT_FAILURE, "mmap");
    *shared = 1;
    pid_t pid = fork();
    if (pid == -1)
        err(EXIT_FAILURE, "fork");
    if (pid == 0)
        variable = *shared = 2;
    else if (wait(&status) == -1 || status != 0)
        errx(EXIT_FAILURE, "the child failed or was killed");
    printf("%s: variable %ld, in shared memory %ld\n",
        pid == 0 ? "child" : "parent", variable, *shared);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    if (pid == 0)
        _exit(EXIT_SUCCESS);
    return EXIT_SUCCESS;
}
