/*
 * hooks_threads.c - the child: the life of a thread, from create to join
 *
 * Design. Each thread is a real one, on a stack at a fixed address, so that a
 * replay finds what is on it where the search did. main() gets such a stack,
 * too. A thread is known by its slot, which is given again when the thread has
 * ended and was joined.
 */
#define _GNU_SOURCE
#include "explore/arena.h"
#include "explore/child.h"

#include <errno.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

int program_main(int argc, char *argv[]);

static char *stack_of(int id) {
    char *at = STACKS + (size_t)id * STACK_DISTANCE;
    return mmap(at, STACK_SIZE, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
                   MAP_FIXED_NOREPLACE,
               -1, 0) == at
               ? at
               : NULL;
}

void memory_reserve(void) {
    if (stack_of(0) == NULL) {
        perror("explore: the stack");
        exit(2);
    }
    arena_reserve();
}

static struct thread *new_slot(void) {
    for (int i = 0; i < MOST_THREADS; i++) {
        struct thread *t = &threads[i];
        if (!t->used) {
            sh->nthreads = i + 1;
            return t;
        }
        if (i > 0 && !t->alive && t->joined) {
            pthread_join(t->handle, NULL); /* to its real end */
            return t;
        }
    }
    end_run(UNFIT, "more than %d threads at once are too many to be explored",
        MOST_THREADS);
}

static struct thread *thread_new(void *pc) {
    struct thread *t = new_slot();
    int id = (int)(t - threads);
    unsigned clock = t->hb[id]; /* goes on: old accesses stay in the past */
    *t = (struct thread){.id = id, .used = true, .alive = true};
    t->settled = true;
    if (self != NULL) {
        t->creator = self->id;
        t->state = self->state;
        memcpy(t->hb, self->hb, sizeof t->hb);
        memcpy(t->life, self->life, sizeof t->life);
        self->yielded = true; /* its next choice may as well be the new one's */
    }
    t->life[id] = t->hb[id] = clock;
    alive++;
    t->next = (struct op){QUICK, "start", .pc = pc};
    forget(t, 1); /* its place is at its first byte */
    t->place = find_place((uintptr_t)t, sizeof *t, true); /* for who joins it */
    t->place->owner = t;
    t->state = mix(t->state, (unsigned)id + 1);
    state += t->state;
    return t;
}

static struct thread *thread_of(pthread_t handle) {
    for (int i = 0; i < sh->nthreads; i++)
        if (threads[i].used && pthread_equal(threads[i].handle, handle))
            return &threads[i];
    end_run(UNFIT, "it joins or detaches a thread that it did not create");
}

static void run_leave(int status, bool flush) {
    turn((struct op){EXIT, "exit", .at = 1, .size = 1, .pc = sh->pc});
    if (over || ended)
        return;
    leaving();
    over = alive == 1;
    if (over)
        return;
    if (flush)
        fflush(stdout);
    else
        __fpurge(stdout);
    sh->kept = lseek(STDOUT_FILENO, 0, SEEK_CUR);
    sh->status = status;
    sh->ender = self->id;
    ended = true;
    self->alive = false;
    leave_to_others();
    for (;;)
        pause();
}

static void at_exit(int status, void *unused) {
    (void)unused;
    run_leave(status, true);
}

void __wrap__exit(int status) {
    run_leave(status, false);
    _exit(status);
}
void __wrap_quick_exit(int status) {
    run_leave(status, false);
    quick_exit(status);
}

/* ---------- The end of a thread ---------- */

static void (*destructors[MOST_KEYS])(void *);
static bool key_used[MOST_KEYS];

/* POSIX: again while there is something left, four times at least. */
static void destroy_specific(struct thread *t) {
    for (int round = 0; round < 4; round++)
        for (int key = 0; key < MOST_KEYS; key++) {
            void *value = t->specific[key];
            t->specific[key] = NULL;
            if (value != NULL && destructors[key] != NULL)
                destructors[key](value);
        }
}

/* What is to be done while it still takes turns. */
static void thread_last(struct thread *t) {
    destroy_specific(t);
    struct place *p = find_place((uintptr_t)t, sizeof *t, true);
    if (p->level == CHOICE)
        turn((struct op){LOCK, "end", p->at, p->size, .pc = sh->pc});
    settle(t->base);
    if (alive == 1) /* main left by pthread_exit */
        exit(EXIT_SUCCESS);
    p->tokens = 1;
    t->alive = false;
    t->joined = t->detached;
    alive--;
    changes++;
    leave_to_others();
}

/* In the thread's first function the way out is remembered: jumped to by
   pthread_exit. */
#define RUN(t, call)                 \
    do {                             \
        (t)->base = stack_pointer(); \
        if (_setjmp((t)->end) == 0)  \
            call;                    \
        thread_last(t);              \
    } while (0)

static void *thread_main(void *thread) {
    struct thread *t = self = thread;
    t->tid = gettid();
    while (sem_wait(&t->go) == -1)
        continue;
    scrub();
    RUN(t, t->result = t->start(t->arg));
    return NULL;
}

static int main_argc;
static char **main_argv;

static void main_begin(void) {
    scrub();
    RUN(self, exit(program_main(main_argc, main_argv)));
    for (;;)
        pause(); /* its return would be the process's end */
}

/* The same arguments at the same addresses, whatever the environment is. */
static char **copy_arguments(int argc, char *argv[]) {
    char **copy = allocate(16, (size_t)(argc + 1) * sizeof *copy, NULL);
    for (int i = 0; i < argc; i++) {
        size_t size = strlen(argv[i]) + 1;
        copy[i] = memcpy(allocate(16, size, NULL), argv[i], size);
    }
    copy[argc] = NULL;
    return copy;
}

void run_begin(int argc, char *argv[]) {
    static ucontext_t context;
    main_argc = argc;
    main_argv = copy_arguments(argc, argv);
    recall_learned();
    self = thread_new(NULL);
    self->begun = true;
    self->handle = pthread_self();
    self->tid = gettid();
    catch_crashes();
    on_exit(at_exit, NULL);
    getcontext(&context);
    context.uc_stack.ss_sp = STACKS;
    context.uc_stack.ss_size = STACK_SIZE;
    makecontext(&context, main_begin, 0);
    setcontext(&context);
    abort();
}

/* ---------- pthread_cleanup_push: what its macros call ---------- */

/* In its private part: the handler that was pushed before it. */
static __pthread_unwind_buf_t **below(__pthread_unwind_buf_t *c) {
    return (__pthread_unwind_buf_t **)c->__pad;
}
void __wrap___pthread_register_cancel(__pthread_unwind_buf_t *c) {
    *below(c) = self->cleanup;
    self->cleanup = c;
}
void __wrap___pthread_unregister_cancel(__pthread_unwind_buf_t *c) {
    self->cleanup = *below(c);
}

/* The handlers, the last first: each comes back here by unwind_next. */
_Noreturn static void thread_exit(void) {
    __pthread_unwind_buf_t *c = self->cleanup;
    if (c == NULL)
        longjmp(self->end, 1);
    self->cleanup = *below(c);
    longjmp((struct __jmp_buf_tag *)(void *)c, 1); /* they begin alike */
}
void __wrap___pthread_unwind_next(__pthread_unwind_buf_t *c) {
    (void)c;
    thread_exit();
}
void __wrap_pthread_exit(void *result) {
    self->result = result;
    thread_exit();
}

/* ---------- pthread_create to pthread_join ---------- */

static int create(pthread_t *handle, bool detached, void *(*start)(void *),
    void *arg, void *pc) {
    struct thread *t = thread_new(pc);
    pthread_attr_t attr;
    char *stack = STACKS + (size_t)t->id * STACK_DISTANCE;
    t->detached = detached;
    t->start = start;
    t->arg = arg;
    if (t->handle == 0)
        stack_of(t->id); /* or it is there from the thread before */
    pthread_attr_init(&attr);
    pthread_attr_setstack(&attr, stack, STACK_SIZE);
    for (int tries = 0;; tries++) { /* the machine may be full for a while */
        int error = pthread_create(&t->handle, &attr, thread_main, t);
        if (error == 0)
            break;
        if (error != EAGAIN || tries == 1000)
            end_run(UNFIT, "pthread_create failed: %s", strerror(error));
        usleep(10000);
    }
    *handle = t->handle;
    begin_at_once(t);
    scrub();
    return 0;
}
int __wrap_pthread_create(pthread_t *handle, const pthread_attr_t *attr,
    void *(*start)(void *), void *arg) {
    int detached = PTHREAD_CREATE_JOINABLE;
    if (attr != NULL)
        pthread_attr_getdetachstate(attr, &detached);
    return create(handle, detached == PTHREAD_CREATE_DETACHED, start, arg, PC);
}

/* Until then, 0: for ever. */
static int join(struct op op, void **result, int64_t until) {
    struct thread *t = (struct thread *)op.at;
    op.need = 1;
    if (t == self || t->detached || t->joined)
        return t == self ? EDEADLK : EINVAL;
    if (until != 0)
        time_out(until);
    turn(op);
    if (find_place(op.at, op.size, true)->tokens == 0)
        return op.try ? EBUSY : ETIMEDOUT;
    join_clock(self->hb, t->hb);
    join_clock(self->life, t->life);
    t->joined = true;
    if (result != NULL)
        *result = t->result;
    return 0;
}
WRAP(int, pthread_join, (pthread_t handle, void **result),
    join(OP(JOIN, thread_of(handle)), result, 0))
WRAP(int, pthread_timedjoin_np,
    (pthread_t handle, void **result, const struct timespec *until),
    join(OP(JOIN, thread_of(handle)), result, nanoseconds(until)))
WRAP(int, pthread_clockjoin_np,
    (pthread_t handle, void **result, clockid_t clock,
        const struct timespec *until),
    ((void)clock,
        join(OP(JOIN, thread_of(handle)), result, nanoseconds(until))))
int __wrap_pthread_tryjoin_np(pthread_t handle, void **result) {
    struct op op = OP(LOCK, thread_of(handle));
    op.try = true;
    choose_at(find_place(op.at, op.size, true));
    return join(op, result, 0);
}
int __wrap_pthread_detach(pthread_t handle) {
    struct thread *t = thread_of(handle);
    if (t->detached || t->joined)
        return EINVAL;
    t->detached = true;
    t->joined = !t->alive;
    return 0;
}

/* ---------- Thread-specific data ---------- */

int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *)) {
    for (unsigned i = 0; i < MOST_KEYS; i++)
        if (!key_used[i]) {
            key_used[i] = true;
            destructors[i] = destructor;
            *key = i;
            return 0;
        }
    return EAGAIN;
}
int __wrap_pthread_key_delete(pthread_key_t key) {
    key_used[key % MOST_KEYS] = false;
    destructors[key % MOST_KEYS] = NULL;
    for (int i = 0; i < MOST_THREADS; i++)
        threads[i].specific[key % MOST_KEYS] = NULL;
    return 0;
}
WRAP(int, pthread_setspecific, (pthread_key_t key, const void *value),
    (self->specific[key % MOST_KEYS] = (void *)value, 0))
WRAP(void *, pthread_getspecific, (pthread_key_t key),
    self->specific[key % MOST_KEYS])

/* ---------- The same for C11 (their mutexes: hooks_locks.c) ---------- */

#include <threads.h>

struct c11 {
    thrd_start_t start;
    void *arg;
};

static void *c11_start(void *c11) {
    struct c11 c = *(struct c11 *)c11;
    return (void *)(intptr_t)c.start(c.arg);
}
int __wrap_thrd_create(thrd_t *handle, thrd_start_t start, void *arg) {
    struct c11 *c = allocate(16, sizeof *c, NULL);
    *c = (struct c11){start, arg};
    return create(handle, false, c11_start, c, PC);
}
int __wrap_thrd_join(thrd_t handle, int *result) {
    void *value = NULL;
    int error = join(OP(JOIN, thread_of(handle)), &value, 0);
    if (result != NULL)
        *result = (int)(intptr_t)value;
    return error == 0 ? thrd_success : thrd_error;
}
WRAP(int, thrd_detach, (thrd_t handle),
    __wrap_pthread_detach(handle) == 0 ? thrd_success : thrd_error)
void __wrap_thrd_exit(int result) {
    __wrap_pthread_exit((void *)(intptr_t)result);
}
WRAP(int, tss_create, (tss_t * key, tss_dtor_t destructor),
    __wrap_pthread_key_create(key, destructor) == 0 ? thrd_success : thrd_error)
void __wrap_tss_delete(tss_t key) {
    __wrap_pthread_key_delete(key);
}
WRAP(int, tss_set, (tss_t key, void *value),
    (self->specific[key % MOST_KEYS] = value, thrd_success))
WRAP(void *, tss_get, (tss_t key), self->specific[key % MOST_KEYS])
