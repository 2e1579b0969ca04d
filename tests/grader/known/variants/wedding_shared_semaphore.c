/*
 * wedding_shared_semaphore - right: processes, an index in shared memory, a
 * shared semaphore
 * Exercise: 05-queue/exercise_wedding
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story ---------- */

struct task {
    const char *name;
    long hours, place; /* in the order given */
};

static struct task four[] = {{"cake", 3, 0}, {"band", 2, 1},
    {"decorations", 4, 2}, {"invitations", 1, 3}};
static struct task *tasks = four;
static long task_count = 4, ms_per_hour = 100;

/* ---------- The tool ---------- */
static long friends = 4;
struct shared {
    sem_t lock;
    long next, done;
};
static void do_all(void) {
    /* insertion sort: stable */
    for (long i = 1; i < task_count; i++) {
        struct task t = tasks[i];
        long j = i;
        for (; j > 0 && tasks[j - 1].hours < t.hours; j--)
            tasks[j] = tasks[j - 1];
        tasks[j] = t;
    }
    struct shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED)
        err(1, "mmap");
    if (sem_init(&s->lock, 1, 1) == -1)
        err(1, "sem_init");
    long made = 0;
    for (; made < friends && made < task_count; made++) {
        pid_t p = fork();
        if (p == -1) {
            fprintf(stderr, "only %ld friends: %s\n", made, strerror(errno));
            break;
        }
        if (p > 0)
            continue;
        for (;;) {
            while (sem_wait(&s->lock) == -1)
                ;
            long i = s->next;
            if (i < task_count)
                s->next++;
            if (i < task_count)
                printf("%s: %ld h ...\n", tasks[i].name, tasks[i].hours);
            sem_post(&s->lock);
            if (i >= task_count)
                _exit(ferror(stdout) ? 1 : 0);
            struct timespec until;
            clock_gettime(CLOCK_MONOTONIC, &until);
            long ns =
                until.tv_nsec + tasks[i].hours * ms_per_hour % 1000 * 1000000;
            until.tv_sec +=
                tasks[i].hours * ms_per_hour / 1000 + ns / 1000000000;
            until.tv_nsec = ns % 1000000000;
            while (clock_nanosleep(
                       CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
                ;
            printf("%s: done\n", tasks[i].name);
            __atomic_add_fetch(&s->done, 1, __ATOMIC_SEQ_CST);
        }
    }
    if (made == 0)
        exit(1);
    int status, bad = 0;
    while (wait(&status) != -1)
        if (status)
            bad = 1;
    long done = s->done;
    sem_destroy(&s->lock);
    munmap(s, sizeof *s);
    if (bad || done != task_count)
        errx(1, "%ld of %ld tasks done: a friend was lost", done, task_count);
}

/* ---------- The run ---------- */

static const char usage[] = "usage: exercise_wedding [-w friends] "
                            "[-m ms_per_hour] [TASK=HOURS...]\n";

static long number(int option, long most) {
    char *end;
    long value = strtol(optarg, &end, 10);
    if (*end != '\0' || value < 1 || value > most)
        errx(2, "-%c %s: not a number from 1 to %ld", option, optarg, most);
    return value;
}

static struct task *read_tasks(char **words, long count) {
    struct task *list = calloc((size_t)count, sizeof *list);
    if (list == NULL)
        err(EXIT_FAILURE, "calloc");
    for (long i = 0; i < count; i++) {
        char *equals = strchr(words[i], '='), *end = NULL;
        if (equals != NULL)
            list[i].hours = strtol(equals + 1, &end, 10);
        if (end == NULL || equals == words[i] || *end != '\0' ||
            list[i].hours < 1 || list[i].hours > 1000)
            errx(
                2, "%s: not TASK=HOURS with a number from 1 to 1000", words[i]);
        *equals = '\0';
        list[i].name = words[i];
        list[i].place = i;
    }
    return list;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int option; (option = getopt(argc, argv, "w:m:h")) != -1;)
        switch (option) {
        case 'w': friends = number(option, 1000); break;
        case 'm': ms_per_hour = number(option, 60000); break;
        case 'h': return printf(usage) < 0;
        default: return 2;
        }
    if (optind < argc) {
        task_count = argc - optind;
        tasks = read_tasks(argv + optind, task_count);
    }

    double start = seconds();
    do_all();
    fprintf(stderr, "%ld tasks by %ld friends in %.0f h\n", task_count, friends,
        (seconds() - start) * 1000 / (double)ms_per_hour);
    if (tasks != four)
        free(tasks);
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
