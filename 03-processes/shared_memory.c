/*
 * shared_memory - numbers to a child and back, through memory that both see
 * The kernel only lets wait and wakes: semaphores count free and full slots. No
 * slot is read while it is written, so no lock is needed. Linux only (prctl).
 * Build: cc -O2 -pthread -o shared_memory shared_memory.c
 * Usage: ./shared_memory [-n blocks]
 */
#include <err.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story: the same for every channel ---------- */

enum { NUMBERS = 512, BLOCK = NUMBERS * sizeof(long), MOST = 1000000000 };
static long blocks = 2048; /* go to the child, which sends them back */

static const long *fill(long *block, long n) {
    for (long i = 0; i < NUMBERS; i++)
        block[i] = n * NUMBERS + i;
    return block;
}

/* ---------- The tool: shared memory and semaphores ---------- */

enum { SLOTS = 10, END = -1 };
struct ring {
    sem_t free, full;
    long slots[SLOTS][NUMBERS];
};
static struct ring *rings, *in, *out;

static void child_gone(int signal) { /* of which the memory tells nothing */
    _exit(write(STDERR_FILENO, "the child is gone\n", 18) > 0 ? 1 : signal);
}

static void open_channel(void) {
    rings = mmap(NULL, 2 * sizeof *rings, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (rings == MAP_FAILED || sem_init(&rings[0].free, 1, SLOTS) ||
        sem_init(&rings[1].free, 1, SLOTS) || sem_init(&rings[0].full, 1, 0) ||
        sem_init(&rings[1].full, 1, 0))
        err(EXIT_FAILURE, "shared memory");
    struct sigaction gone = {.sa_handler = child_gone};
    gone.sa_flags = SA_NOCLDSTOP; /* not when it is only stopped */
    sigaction(SIGCHLD, &gone, NULL);
}

static void choose_ends(bool child) {
    in = &rings[!child], out = &rings[child];
}

static void put(const long *block) {
    static unsigned long next;
    sem_wait(&out->free);
    memcpy(out->slots[next++ % SLOTS], block, BLOCK);
    sem_post(&out->full);
}

static void put_end(void) {
    signal(SIGCHLD, SIG_DFL); /* now the child may end */
    put((long[NUMBERS]){END});
}

static bool get(long *block) {
    static unsigned long next;
    sem_wait(&in->full);
    memcpy(block, in->slots[next++ % SLOTS], BLOCK);
    sem_post(&in->free);
    return block[0] != END;
}

/* ---------- The run: the same for every channel ---------- */

/* Returns the microseconds a block, with so many on their way at a time. */
static double ask(long window) {
    long block[NUMBERS], right[NUMBERS];
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (long sent = 0, got = 1 - window; got < blocks; sent++, got++) {
        if (sent < blocks)
            put(fill(block, sent));
        fill(right, got);
        if (got >= 0 && (!get(block) || memcmp(block, right, BLOCK) != 0))
            errx(EXIT_FAILURE, "block %ld: wrong, or the child is gone", got);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    double us = (double)(to.tv_sec - from.tv_sec) * 1e6 +
                (double)(to.tv_nsec - from.tv_nsec) / 1e3;
    return us / (double)blocks;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    setvbuf(stderr, NULL, _IOLBF, BUFSIZ); /* whole lines, whoever writes */
    /* If one is closed, the next pipe or socket would get its number. */
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    for (int option; (option = getopt(argc, argv, "n:h")) != -1;) {
        char *end;
        if (option != 'n')
            return option == 'h' ? puts("usage: [-n blocks]") < 0 : 2;
        blocks = strtol(optarg, &end, 10);
        if (*end != '\0' || blocks < 1 || blocks > MOST)
            errx(2, "-n %s: not a number from 1 to %d", optarg, MOST);
    }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    open_channel();
    pid_t parent = getpid(), pid = fork();
    if (pid == -1)
        err(EXIT_FAILURE, "fork");
    choose_ends(pid == 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the parent ... */
        if (getppid() != parent)          /* ... which may be gone by now */
            _exit(EXIT_FAILURE);
        for (long block[NUMBERS]; get(block);) /* until the end */
            put(block);
        _exit(EXIT_SUCCESS);
    }
    double one = ask(1), eight = ask(8);
    put_end();
    for (int status; wait(&status) > 0;)
        if (status != 0)
            errx(EXIT_FAILURE, "a child failed or was killed");
    fprintf(stderr, "one at a time: %.1f us each, eight: %.1f\n", one, eight);
    if (printf("%ld blocks came back, all right\n", 2 * blocks) < 0)
        err(EXIT_FAILURE, "standard output");
    return EXIT_SUCCESS;
}
