/*
 * cause.c - the likely cause of a fault, and what to read about it
 *
 * The cause belongs to what was seen, not to the check that saw it. Where a
 * fault has no usual cause, none is given.
 */
#include "grader/cause.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

static const struct {
    const char *words, *read;
} causes[FAULTS] = {
    [FAULT_COMPILE] = {"The first error counts: what follows is often its "
                       "echo. The line named is where the compiler noticed; "
                       "the mistake may be in the line before.",
        NULL},
    [FAULT_WARNING] = {"A warning is a question that the compiler has; answer "
                       "it in the code. -Wall -Wextra shows them all.",
        NULL},
    [FAULT_LINK] = {"A function is called that is nowhere: its name is "
                    "misspelt, or its library is not in the Build: line of "
                    "the exercise, which is the one that is used.",
        NULL},
    [FAULT_EXIT] = {"It gave up, or said that all went well when it had not: "
                    "exit status 0 is for success, 1 for a failure, 2 for "
                    "wrong usage.",
        NULL},
    [FAULT_ABORT] = {"The C library or an assertion found a fault and ended "
                     "the program: most often memory that was freed twice, or "
                     "written past its end.",
        NULL},
    [FAULT_SEGV] = {"An access through a pointer that points nowhere: NULL, "
                    "not set, freed, or past the end. Build with "
                    "-g -fsanitize=address and it names the line.",
        NULL},
    [FAULT_SIGPIPE] = {"It wrote into a pipe that nobody reads any more.",
        "03-processes/README.md"},
    [FAULT_TIMEOUT] = {"A loop whose end is never reached, or far more work "
                       "than was asked for.",
        NULL},
    [FAULT_FLOOD] = {"A loop that prints and never ends.", NULL},
    [FAULT_GREEDY] = {"It takes memory, processes or files in a loop and "
                      "gives none back; a child that does not end by _exit() "
                      "goes on in its parent's loop.",
        "03-processes/README.md"},
    [FAULT_TOO_MANY] = {"It asks for more threads or processes at once than "
                        "the system gives: one for each piece of work instead "
                        "of -w, or ended ones that nobody has waited for.",
        NULL},
    [FAULT_BUSY_WAIT] = {"It asks again and again whether it may go on, and "
                         "so keeps a CPU busy with waiting. Wait in a call "
                         "that sleeps: a join, a condition, a read, poll().",
        NULL},
    [FAULT_POLL] = {"It sleeps a little, looks, and sleeps again. Wait in a "
                    "call that ends when there is something: a join, a "
                    "condition, a read, poll().",
        NULL},
    [FAULT_DEADLOCK] = {"All of it waits, and nobody is left who could wake "
                        "anyone.",
        "06-locks/README.md"},
    [FAULT_DEADLOCK_FUTEX] = {"A lock that was not given back, two locks taken "
                              "in opposite order, or a signal that came before "
                              "anyone waited and left no trace in a variable.",
        "06-locks/README.md"},
    [FAULT_DEADLOCK_READ] = {"A read() ends at the end of the data only when "
                             "every process has closed its writing end, the "
                             "reader's own among them.",
        "03-processes/README.md"},
    [FAULT_DEADLOCK_CHILD] = {"It waits for a child that waits itself: for its "
                              "parent to read a pipe that is full, or for data "
                              "or an end that never comes.",
        "03-processes/README.md"},
    [FAULT_DEADLOCK_QUEUE] = {"Somebody waits for a message that nobody sends "
                              "any more: each worker needs to be told the end.",
        "05-queue/README.md"},
    [FAULT_LOCK_ORDER] = {"Two locks are taken in one order here and in the "
                          "other there. Take them in one order everywhere.",
        "06-locks/README.md"},
    [FAULT_LOCK_KEPT] = {"A lock was not given back on some path (a return, a "
                         "break or a continue before the unlock), or the "
                         "thread that holds it takes it again.",
        "06-locks/README.md"},
    [FAULT_LOST_WAKEUP] = {"A signal leaves no trace: who waits looks at a "
                           "variable first, under the lock under which it is "
                           "changed, and one signal wakes one.",
        "06-locks/README.md"},
    [FAULT_LEFT_PROCESS] = {"The program ended before its children: each fork "
                            "needs a wait(), on the way out by an error, too.",
        "03-processes/README.md"},
    [FAULT_LEFT_ZOMBIE] = {"A child that has ended stays in the table of "
                           "processes until its parent waits for it.",
        "03-processes/README.md"},
    [FAULT_LEFT_OBJECT] = {"What has a name in the kernel outlives the "
                           "program: each shm_open, sem_open and mq_open needs "
                           "its unlink, each shmget, semget and msgget its "
                           "IPC_RMID.",
        "03-processes/README.md"},
    [FAULT_LEFT_OPEN] = {"A descriptor is opened for each job and not closed "
                         "again; in the end there is none left.",
        "03-processes/README.md"},
    [FAULT_NEWLINE] = {"The last printf() lacks its \\n.", NULL},
    [FAULT_TWICE] = {"Printed twice after fork(): what was in the buffer of "
                     "stdout at that moment is in both processes. setvbuf() "
                     "to whole lines first, or fflush() before the fork.",
        "03-processes/README.md"},
    [FAULT_TAKEN_TWICE] = {"Two threads did the same piece. Either both were "
                           "given the address of one variable, such as the "
                           "loop's, which had another value when they looked; "
                           "or both read which piece is next before either "
                           "had changed it.",
        "02-threads/README.md, Investigate"},
    [FAULT_LINE] = {"Compare with the lines in the exercise, letter for "
                    "letter.",
        NULL},
    [FAULT_NUMBER] = {"The line is right but for its number: a type too small "
                      "for a product or a sum, the result of another job, or a "
                      "variable that two write to.",
        NULL},
    [FAULT_NO_LINES] = {"Nothing came out: stdout to a pipe is kept in a "
                        "buffer, which _exit() or a signal throws away.",
        "03-processes/README.md"},
    [FAULT_NOT_BEGUN] = {"Nobody did this piece before the program ended: main "
                         "did not wait for its threads or children, or a loop "
                         "ends one too early.",
        "02-threads/README.md, Modify"},
    [FAULT_NOT_ENDED] = {"The program ended before this was done: main did not "
                         "wait (a join for each thread, a wait for each child) "
                         "for all that it had begun.",
        "02-threads/README.md, Modify"},
    [FAULT_IN_TURN] = {"A join (or a wait) inside the loop that starts the "
                       "threads (or processes), or one lock that is held "
                       "during all of the work.",
        "02-threads/README.md, Modify"},
    [FAULT_EACH_ONE] = {"A thread or process is started for each piece of "
                        "work. Start as many as -w says, and let each of them "
                        "take the next piece until none is left.",
        "02-threads/README.md, Investigate"},
    [FAULT_SPARE] = {"As many threads are started as -w says, even if there is "
                     "less to do. Start the smaller of the two numbers: -w, "
                     "and the pieces of work.",
        NULL},
    [FAULT_PAST_CLOCK] = {"A bare system call instead of nanosleep(), usleep() "
                          "or poll(), or a call that the grader's virtual time "
                          "does not support.",
        NULL},
    [FAULT_RACE] = {"Two threads use one variable, one of them writes, and no "
                    "lock, atomic or join puts them in order.",
        NULL},
    [FAULT_BETWEEN] = {"Two threads read and change the same thing, and one "
                       "came in between: between the look and the change no "
                       "other may come (one lock around both, or one atomic "
                       "operation).",
        NULL},
    [FAULT_GONE] = {"Its memory was freed, or the function whose variable it "
                    "is had returned, while a thread still used it. Join the "
                    "threads first, and give each a place of its own.",
        "02-threads/README.md, Investigate"},
    [FAULT_LOCK_USE] = {"A lock is given back by whoever holds it, once, and "
                        "destroyed only when nobody holds it.",
        "06-locks/README.md"},
    [FAULT_MEMORY] = {"An access outside an object, or to one that is gone.",
        NULL},
    [FAULT_LEAK] = {"Each malloc(), calloc() and strdup() needs its free(), "
                    "each curl_easy_init() its curl_easy_cleanup().",
        NULL},
    [FAULT_OVERFLOW] = {"A number does not fit into its type: take the "
                        "remainder at each step, or a wider type before the "
                        "multiplication, not after it.",
        NULL},
    [FAULT_UNDEFINED] = {"The C standard gives this no meaning, so any other "
                         "compiler or flag may give it another result.",
        NULL},
    [FAULT_WOKEN] = {"A wait at a condition variable stands in a while, not in "
                     "an if: it may end for nothing.",
        NULL},
    [FAULT_INPUT] = {"strtol() is not asked whether it used the whole text, or "
                     "the range is not checked before the work begins.",
        NULL},
    [FAULT_ERRNO] = {"errno is not set by the functions of pthreads: they "
                     "return the error, so it is strerror(result), or errno = "
                     "result before err().",
        NULL},
    [FAULT_UNWRITTEN] = {"Whether printing worked is to be asked before the "
                         "end, by ferror(stdout), and in each process that "
                         "prints: each has a stdout of its own.",
        NULL},
};

static enum fault of_deadlock(const char *why) {
    static const struct {
        const char *words;
        enum fault fault;
    } calls[] = {
        {" in read", FAULT_DEADLOCK_READ},
        {" in mq_", FAULT_DEADLOCK_QUEUE},
        {" in msgrcv", FAULT_DEADLOCK_QUEUE},
        {" in futex", FAULT_DEADLOCK_FUTEX},
        {" (for a child)", FAULT_DEADLOCK_CHILD},
    };

    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (strstr(why, calls[i].words) != NULL)
            return calls[i].fault;
    return FAULT_DEADLOCK;
}

static enum fault of_signal(int number) {
    switch (number) {
    case SIGABRT: return FAULT_ABORT;
    case SIGSEGV:
    case SIGBUS: return FAULT_SEGV;
    case SIGPIPE: return FAULT_SIGPIPE;
    default: return FAULT_NONE;
    }
}

enum fault cause_of_end(const struct run *run) {
    switch (run->end) {
    case DEADLOCK: return of_deadlock(run->why);
    case BUSY_WAIT: return FAULT_BUSY_WAIT;
    case TIMED_OUT:
        return strstr(run->why, " to look") ? FAULT_POLL : FAULT_TIMEOUT;
    case FLOODED: return FAULT_FLOOD;
    case GREEDY: return FAULT_GREEDY;
    case SIGNALLED: return of_signal(run->code);
    case EXITED: break;
    default: return FAULT_NONE;
    }
    if (run->left_behind > 0)
        return strstr(run->left_names, "not waited for") ? FAULT_LEFT_ZOMBIE
                                                         : FAULT_LEFT_PROCESS;
    if (run->left_objects[0] != '\0')
        return FAULT_LEFT_OBJECT;
    if (run->code != 0 && strstr(run->err_text, strerror(EAGAIN)) != NULL &&
        (strstr(run->err_text, "fork") || strstr(run->err_text, "thr") ||
            strstr(run->err_text, "process")))
        return FAULT_TOO_MANY;
    return run->code != 0 ? FAULT_EXIT : FAULT_NONE;
}

/* Are these words in the first line of the text? */
static bool line_has(const char *text, const char *words) {
    const char *at = strstr(text, words);

    return at != NULL && at < text + strcspn(text, "\n");
}

enum fault cause_of_words(const char *compiler_words) {
    if (line_has(compiler_words, "undefined reference"))
        return FAULT_LINK;
    if (line_has(compiler_words, "[-Werror=") ||
        line_has(compiler_words, "warning:"))
        return FAULT_WARNING;
    return line_has(compiler_words, "error:") ? FAULT_COMPILE : FAULT_NONE;
}

enum fault cause_of_report(const char *report) {
    static const struct {
        const char *words;
        enum fault fault;
    } reports[] = {
        {"data race", FAULT_RACE},
        {"mutex", FAULT_LOCK_USE},
        {"LeakSanitizer", FAULT_LEAK},
        {"overflow", FAULT_MEMORY},
        {"use-after", FAULT_MEMORY},
        {"double-free", FAULT_MEMORY},
        {"AddressSanitizer", FAULT_MEMORY},
    };
    static const char *const numbers[] = {
        "integer overflow", "cannot be represented", "left shift", NULL};

    for (int i = 0; numbers[i] != NULL; i++)
        if (line_has(report, numbers[i]))
            return FAULT_OVERFLOW;
    for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++)
        if (line_has(report, reports[i].words))
            return reports[i].fault;
    return FAULT_UNDEFINED;
}

enum fault cause_of_order(const char *found) {
    if (strstr(found, "data race") != NULL)
        return FAULT_RACE;
    if (strstr(found, "use after ") != NULL || /* free, or its function's end */
        strstr(found, "_Thread_local variable of") != NULL)
        return FAULT_GONE;
    if (strstr(found, "double free") != NULL ||
        strstr(found, "past the end of a block") != NULL ||
        strstr(found, "beside the blocks") != NULL)
        return FAULT_MEMORY;
    if (strstr(found, " was lost") != NULL)
        return FAULT_NOT_ENDED;
    if (strstr(found, "though it has ended") != NULL ||
        strstr(found, "which it holds") != NULL)
        return FAULT_LOCK_KEPT;
    if (strstr(found, "deadlock") == NULL)
        return FAULT_BETWEEN;
    if (strstr(found, "cond_") != NULL || strstr(found, "sem_") != NULL)
        return FAULT_LOST_WAKEUP;
    return strstr(found, "pthread_mutex_lock") != NULL ? FAULT_LOCK_ORDER
                                                       : FAULT_DEADLOCK_FUTEX;
}

enum fault cause_in_order(enum fault fault) {
    return fault == FAULT_OWN || fault == FAULT_LINE ? FAULT_BETWEEN : fault;
}

const char *cause_words(enum fault fault, const struct check *check) {
    return fault == FAULT_OWN ? check->cause : causes[fault].words;
}

const char *cause_read(enum fault fault, const struct check *check) {
    const char *read = fault == FAULT_OWN ? NULL : causes[fault].read;

    if (fault != FAULT_OWN && causes[fault].words == NULL)
        return NULL;
    return read != NULL ? read : check->read;
}

/* All that waits for what never comes is one family, and so on. */
static enum fault family(enum fault fault) {
    switch (fault) {
    case FAULT_DEADLOCK_FUTEX:
    case FAULT_DEADLOCK_READ:
    case FAULT_DEADLOCK_CHILD:
    case FAULT_DEADLOCK_QUEUE:
    case FAULT_LOCK_ORDER:
    case FAULT_LOCK_KEPT:
    case FAULT_LOST_WAKEUP: return FAULT_DEADLOCK;
    case FAULT_TOO_MANY: return FAULT_EACH_ONE;
    case FAULT_POLL: return FAULT_BUSY_WAIT;
    case FAULT_NOT_BEGUN: return FAULT_NOT_ENDED;
    case FAULT_RACE:
    case FAULT_TAKEN_TWICE: return FAULT_BETWEEN;
    default: return fault;
    }
}

bool cause_is_same(enum fault one, enum fault other) {
    switch (one) {
    case FAULT_OWN:
    case FAULT_NONE:
    case FAULT_LINE:
    case FAULT_EXIT:
    case FAULT_INPUT: return false;
    default: return family(one) == family(other);
    }
}
