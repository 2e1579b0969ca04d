/*
 * await - three tasks at once on one thread, in code that reads as if it slept
 * Each task has a stack of its own. await_sleep() notes when the task is due
 * and switches to the loop's stack, which switches to whoever is due next.
 * Notice that 2 s, 1 s and 3 s take 3 s, that B ends first, and that gather()
 * keeps the results in the order of the tasks. A task that fails stops none.
 * Build: cc -O2 -o await await.c
 * Usage: ./await [-f failing_task]
 */
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

/* The sanitizers must be told of every switch of stacks. */
#ifndef __has_feature /* clang's; gcc defines __SANITIZE_...__ instead */
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/common_interface_defs.h>
#define ASAN(code) code
#else
#define ASAN(code)
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#include <sanitizer/tsan_interface.h>
#define TSAN(code) code
#else
#define TSAN(code)
#endif

struct task {
    const char *name;
    long seconds;
    long result; /* negative: an errno, negated */
    bool ended;
    int64_t due_ns;
    ucontext_t context; /* where it goes on, */
    const void *stack;  /* on this stack */
    size_t size;
    void *fiber; /* ThreadSanitizer's name for it */
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

/* ---------- The loop: a heap of tasks, the next due on top ---------- */

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

static bool is_sooner(const struct task *a, const struct task *b) {
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a < b;
}

/* The top has become later: lets it sink, so that the soonest is on top. */
static void sink(struct task **heap, long count) {
    struct task *top = heap[0];
    long at = 0;
    for (long child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && is_sooner(heap[child + 1], heap[child]))
            child++;
        if (!is_sooner(heap[child], top))
            break;
        heap[at] = heap[child];
    }
    heap[at] = top;
}

/* Goes on with the other stack; comes back when that switches to this one. */
static void switch_to(struct task *to, struct task *from) {
    volatile bool is_back = false;
    ASAN(void *fake = NULL;)
    ASAN(__sanitizer_start_switch_fiber(&fake, to->stack, to->size);)
    TSAN(__tsan_switch_to_fiber(to->fiber, 0);)
    /* swapcontext() does just this, but AddressSanitizer warns of it. */
    getcontext(&from->context);
    if (!is_back) {
        is_back = true;
        setcontext(&to->context);
    }
    ASAN(__sanitizer_finish_switch_fiber(fake, NULL, NULL);)
}

static void await_sleep(long seconds) {
    running->due_ns = now_ns() + seconds * INT64_C(1000000000);
    switch_to(&loop, running);
}

static void enter(void) {
    ASAN(__sanitizer_finish_switch_fiber(NULL, &loop.stack, &loop.size);)
    running->result = work(running);
    running->ended = true;
    ASAN(__sanitizer_start_switch_fiber(NULL, loop.stack, loop.size);)
    TSAN(__tsan_switch_to_fiber(loop.fiber, 0);)
    setcontext(&loop.context); /* for good */
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
    task->size = task->context.uc_stack.ss_size = STACK;
    makecontext(&task->context, enter, 0);
    TSAN(task->fiber = __tsan_create_fiber(0);)
}

static void close_stack(struct task *task) {
    TSAN(__tsan_destroy_fiber(task->fiber);)
    if (munmap((char *)task->stack - GUARD, GUARD + STACK) == -1)
        err(EXIT_FAILURE, "munmap");
}

/* Runs all tasks at once. Each has its result when it returns. */
static void gather(struct task *all, long count) {
    struct task **heap = calloc((size_t)count, sizeof *heap);
    if (heap == NULL)
        err(EXIT_FAILURE, "calloc");
    TSAN(loop.fiber = __tsan_get_current_fiber();)
    for (long i = 0; i < count; i++)
        open_stack(heap[i] = &all[i]);
    for (; count > 0; sink(heap, count)) {
        running = heap[0];
        wait_until(running->due_ns);
        switch_to(running, &loop);
        if (running->ended) {
            close_stack(running);
            heap[0] = heap[--count];
        }
    }
    free(heap);
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
    for (int option; (option = getopt(argc, argv, "f:h")) != -1;)
        switch (option) {
        case 'f': failing_task = number(option, task_count); break;
        case 'h': return printf("usage: await [-f failing_task]\n") < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);

    int64_t start = now_ns();
    gather(tasks, task_count);
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
