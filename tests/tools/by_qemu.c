/*
 * by_qemu.c - preloaded into the harness: what is built for arm64 runs by qemu
 *
 * The harness is this machine's own; the program under test, and the shim of
 * virtual time that it loads, are arm64's. A task there is a task here, with
 * the same number and descriptors, so the harness sees when it sleeps, as with
 * any program. Only the numbers of signals from 32 on differ: qemu-user lets
 * this machine's C library keep its own two. Built and used by elsewhere.sh;
 * the variable ROOT names the folder with arm64's libraries. Linux only.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PRELOAD "LD_PRELOAD="
enum { FIRST = 32, MOST_WORDS = 20, MOST_VARIABLES = 500 };

static int is_arm64(const char *path) {
    Elf64_Ehdr header = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = read(fd, &header, sizeof header);

    close(fd);
    return got == (ssize_t)sizeof header &&
           memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
           header.e_machine == EM_AARCH64;
}

/* What is to be preloaded there is for the program, and this file for qemu. */
int execve(const char *path, char *const argv[], char *const environment[]) {
    char *words[MOST_WORDS + 4] = {"qemu-aarch64", "-L", getenv("ROOT")};
    char *variables[MOST_VARIABLES + 3] = {NULL}, here[4096];
    char there[4096] = "QEMU_UNSET_ENV=LD_PRELOAD";
    size_t count = 0;

    if (!is_arm64(path))
        return execveat(AT_FDCWD, path, argv, environment, 0);
    for (size_t i = 0; argv[i] != NULL && i < MOST_WORDS; i++)
        words[3 + i] = argv[i];
    snprintf(here, sizeof here, PRELOAD "%s", getenv("LD_PRELOAD"));
    for (char *const *e = environment; *e && count < MOST_VARIABLES; e++)
        if (strncmp(*e, PRELOAD, strlen(PRELOAD)) != 0)
            variables[count++] = *e;
        else if (strcmp(*e, here) != 0)
            snprintf(there, sizeof there, "QEMU_SET_ENV=%s", *e);
    variables[count++] = here;
    variables[count] = there;
    return execvpe(words[0], words, variables);
}

/* A thread of qemu's own, which has nothing to do with the program, rests a
 * little before it tidies up. Without the rest it waits for work at once, and
 * the harness does not take it for a task that sleeps by the real clock. */
void g_usleep(unsigned long us);
void g_usleep(unsigned long us) {
    (void)us;
}

long syscall(long number, ...) {
    long (*real)(long, ...) =
        (long (*)(long, ...))(uintptr_t)dlsym(RTLD_NEXT, "syscall");
    int signal_at = number == SYS_rt_sigqueueinfo     ? 1
                    : number == SYS_tgkill            ? 2
                    : number == SYS_rt_tgsigqueueinfo ? 2
                                                      : -1;
    long a[6];
    va_list list;

    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (signal_at != -1 && (int)a[signal_at] >= FIRST)
        a[signal_at] += SIGRTMIN - FIRST;
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
