/*
 * await - three tasks at once on one thread, in code that reads as if it slept
 * Each task has a stack of its own. await_sleep() notes when the task is due
 * and switches to the loop's stack, which switches to whoever is due next.
 * Notice that 2 s, 1 s and 3 s take 3 s, that B ends first, and that gather()
 * keeps the results in the order of the tasks. A task that fails stops none.
 * Needs ucontext, which glibc has and musl has not.
 * Build: cc -O2 -o await await.c
 * Usage: ./await [-f failing_task]
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

struct task {
    const char *name;
    long seconds;
    long result; /* negative: an errno, negated */
    bool ended;
    int64_t due_ns;
    ucontext_t context; /* where it goes on, */
    char *stack;        /* on which stack */
};

static void await_sleep(long seconds);

/* ---------- The tasks: they read as if each were alone ---------- */

static struct task tasks[] = {{.name = "A", .seconds = 2},
    {.name = "B", .seconds = 1}, {.name = "C", .seconds = 3}};
static const long task_count = sizeof tasks / sizeof tasks[0];
static long failing_task;

static long work(const struct task *task) {
    printf("%s: sleeping %ld s ...\n", task->name, task->seconds);
    await_sleep(task->seconds);
    if (task - tasks + 1 == failing_task) {
        printf("%s: failed\n", task->name);
        return -EIO;
    }
    printf("%s: slept %ld s\n", task->name, task->seconds);
    return task->seconds * 10;
}

/* ---------- The loop: whoever is due next goes on ---------- */

enum { GUARD = 64 * 1024, STACK = 256 * 1024 }; /* multiples of any page */

static struct task *running, loop;

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void wait_until(int64_t ns) {
    struct timespec time = {ns / 1000000000, ns % 1000000000};
    if ((errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL)))
        err(EXIT_FAILURE, "clock_nanosleep");
}

/* Goes on with the other stack; comes back when that switches to this one. */
static void switch_to(struct task *to, struct task *from) {
    if (swapcontext(&from->context, &to->context) == -1)
        err(EXIT_FAILURE, "swapcontext");
}

static void await_sleep(long seconds) {
    running->due_ns = now_ns() + seconds * INT64_C(1000000000);
    switch_to(&loop, running);
}

static void enter(void) {
    running->result = work(running);
    running->ended = true;
    switch_to(&loop, running); /* for good */
}

/* Whoever needs more stack runs into the guard below it and is killed,
 * instead of writing over another task's memory. */
static void open_stack(struct task *task) {
    char *memory = mmap(NULL, GUARD + STACK, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, GUARD, PROT_NONE) == -1 ||
        getcontext(&task->context) == -1)
        err(EXIT_FAILURE, "a stack of %d bytes", STACK);
    task->stack = task->context.uc_stack.ss_sp = memory + GUARD;
    task->context.uc_stack.ss_size = STACK;
    makecontext(&task->context, enter, 0);
}

static struct task *next_due(void) {
    struct task *next = NULL;
    for (struct task *one = tasks; one < tasks + task_count; one++)
        if (!one->ended && (next == NULL || one->due_ns < next->due_ns))
            next = one;
    return next;
}

/* Runs all tasks at once. Each has its result when it returns. */
static void gather(void) {
    for (struct task *task = tasks; task < tasks + task_count; task++)
        open_stack(task);
    while ((running = next_due()) != NULL) {
        wait_until(running->due_ns);
        switch_to(running, &loop);
        if (running->ended &&
            munmap(running->stack - GUARD, GUARD + STACK) == -1)
            err(EXIT_FAILURE, "munmap");
    }
}

/* ---------- The run ---------- */

static long number(int option, long most) {
    char *end;
    long value = strtol(optarg, &end, 10);
    if (*end != '\0' || value < 1 || value > most)
        errx(2, "-%c %s: not a number from 1 to %ld", option, optarg, most);
    return value;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    for (int option; (option = getopt(argc, argv, "f:h")) != -1;)
        switch (option) {
        case 'f': failing_task = number('f', task_count); break;
        case 'h': return puts("usage: [-f failing_task]") < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);

    int64_t start = now_ns();
    gather();
    for (struct task *task = tasks; task < tasks + task_count; task++)
        if (task->result >= 0)
            printf("gather: %s returned %ld\n", task->name, task->result);
        else
            printf("gather: %s failed: %s\n", task->name,
                strerror((int)-task->result));
    fprintf(stderr, "%ld tasks in %.2f s\n", task_count,
        (double)(now_ns() - start) / 1e9);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return failing_task == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
