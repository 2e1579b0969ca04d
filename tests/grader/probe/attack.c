/*
 * attack.c - a submission that attacks the grader: test_grade.c chooses how
 *
 * A line "could ..." says what it could do that it must not. With the argument
 * "peace" it behaves: prints its second argument. With "work" two lanes work at
 * once.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What test_grade.c writes above, and what stands in for it. */
#ifndef ATTACK
#define ATTACK nothing
#define KIT "/nowhere"
#define PORT 9
#endif
#define KEPT __attribute__((unused)) static

extern char **environ;

KEPT void nothing(void) {
}

KEPT void kill_all(void) {
    kill(getppid(), SIGSTOP);
    kill(getppid(), SIGKILL);
    kill(-1, SIGKILL);
}

KEPT void trace_parent(void) {
    if (ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) == 0)
        puts("could trace its parent");
}

KEPT void fork_bomb(void) {
    for (;;) {
        fork();
        setsid();
    }
}

KEPT void fork_busy(void) {
    while (fork() != -2)
        ;
}

KEPT void fork_pause(void) {
    for (;;) {
        fork();
        pause();
    }
}

KEPT void fork_spin(void) {
    for (;;) {
        fork();
        for (volatile int i = 0; i < 1000000; i = i + 1)
            ;
    }
}

/* Each is an orphan, in a session of its own, when it goes on. */
KEPT void fork_apart(void) {
    for (;;)
        if (fork() == 0) {
            setsid();
            if (fork() != 0)
                _exit(0);
        }
}

/* Never many at once, and nobody can tell what they used. */
KEPT void fork_churn(void) {
    signal(SIGCHLD, SIG_IGN);
    for (;;)
        if (fork() == 0) {
            for (volatile int i = 0; i < 1000000; i = i + 1)
                ;
            _exit(0);
        }
}

KEPT void orphans(void) {
    for (int i = 0; i < 3; i++)
        if (fork() == 0) {
            setsid();
            if (fork() == 0)
                pause();
            _exit(0);
        }
    while (wait(NULL) > 0)
        ;
}

KEPT void named_memory(void) {
    shm_open("/kit-left", O_CREAT | O_RDWR, 0600);
}

KEPT void greedy(void) {
    for (;;) {
        char *more = malloc(1 << 20);
        if (more != NULL)
            memset(more, 1, 1 << 20);
    }
}

/* What is left would be told as well, and is another matter. */
static void remove_files(int last) {
    char name[64];

    for (int i = 0; i <= last; i++) {
        snprintf(name, sizeof name, "attack-%d", i);
        unlink(name);
    }
}

KEPT void greedy_files(void) {
    char name[64];

    signal(SIGXFSZ, SIG_IGN);
    for (int i = 0; i < 1000; i++) {
        static char block[1 << 20];
        snprintf(name, sizeof name, "attack-%d", i);
        int fd = open(name, O_CREAT | O_WRONLY, 0600);
        int written = 0;
        while (fd != -1 && written < 256 &&
               write(fd, block, sizeof block) == (ssize_t)sizeof block)
            written++;
        if (written >= 256)
            puts("could write a file of 256 MiB");
        if (fd == -1 || written == 0) {
            remove_files(i);
            return;
        }
        close(fd);
    }
    puts("could fill the disk");
}

KEPT void flood(void) {
    for (;;)
        puts("attack: a line of output that never ends ...");
}

/* And then it ends well. */
KEPT void gigabyte(void) {
    static char block[1 << 20];

    memset(block, '\n', sizeof block);
    for (int i = 0; i < 1024; i++)
        fwrite(block, 1, sizeof block, stdout);
}

KEPT void flood_stderr(void) {
    for (;;)
        fputs("attack: a line of output that never ends\n", stderr);
}

KEPT void hang(void) {
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    for (;;)
        pause();
}

KEPT void spin(void) {
    for (;;)
        ;
}

KEPT void strange_bytes(void) {
    fputs("<\x01\x02\xff\xfe]]>&\x1b[31m: \xed\xa0\x80 ...\n", stdout);
    fputs("<\x01\x02\xff\xfe]]>&\x1b[31m: \"done'\n", stdout);
    exit(7);
}

KEPT void forge(void) {
    static const char words[] = "passed\npeace\tpassed\t\n"
                                "{\"score\": 100, \"tests\": []}\n"
                                "100 of 100 points\n";
    static const char *const files[] = {"results.json", "results.xml",
        KIT "/results.json", KIT "/README.md", "/kit/launcher", "/proc/1/mem",
        NULL};
    char name[64];

    fputs(words, stdout);
    fputs(words, stderr);
    for (int fd = 3; fd < 256; fd++)
        if (fd != atoi(getenv("KIT_CLOCK_FD") ? getenv("KIT_CLOCK_FD") : "0") &&
            write(fd, words, sizeof words - 1) != -1)
            puts("could write to an inherited descriptor");
    for (int i = 2; files[i] != NULL; i++)
        if (open(files[i], O_WRONLY) != -1)
            printf("could open %s\n", files[i]);
    for (int fd = 0; fd < 64; fd++) {
        snprintf(name, sizeof name, "/proc/%d/fd/%d", getppid(), fd);
        if (open(name, O_WRONLY) != -1)
            printf("could open %s\n", name);
    }
}

/* The tests, the environment, descriptors, processes, the network. */
KEPT void look_around(void) {
    struct sockaddr_in at = {.sin_family = AF_INET,
        .sin_port = htons(PORT),
        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    char path[300], text[4096];
    struct dirent *entry;
    DIR *proc;

    if (open(KIT "/tests/grader/checks/exercises.c", O_RDONLY) != -1)
        puts("could read the tests");
    for (char **e = environ; *e != NULL; e++)
        if (strstr(*e, "KIT_SECRET") != NULL)
            puts("could read the environment");
    for (int fd = 3; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) != -1 &&
            fd != atoi(getenv("KIT_CLOCK_FD") ? getenv("KIT_CLOCK_FD") : "0"))
            printf("could use the inherited descriptor %d\n", fd);
    if (connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&at,
            sizeof at) == 0)
        puts("could reach another server");
    proc = opendir("/proc");
    while (proc != NULL && (entry = readdir(proc)) != NULL) {
        snprintf(path, sizeof path, "/proc/%s/environ", entry->d_name);
        int fd = open(path, O_RDONLY);
        ssize_t got = fd == -1 ? 0 : read(fd, text, sizeof text);
        if (got > 0 && memmem(text, (size_t)got, "KIT_SECRET", 10) != NULL)
            printf("could read %s\n", path);
        if (fd != -1)
            close(fd);
    }
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (argc > 2 && strcmp(argv[1], "peace") == 0)
        puts(argv[2]);
    else if (argc > 1 && strcmp(argv[1], "work") == 0)
        puts("A: working ...\nB: working ...\nA: done\nB: done");
    else
        ATTACK();
    return 0;
}
