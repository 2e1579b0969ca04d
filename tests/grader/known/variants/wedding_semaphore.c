/*
 * wedding_semaphore - right: a linked list is the queue; a semaphore counts
 * what is in it; a helper thread does nothing but wait for Ctrl-C
 * Exercise: 05-queue/exercise_wedding
 * Kind: semaphores and a linked list; a helper thread for signals
 */
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* ---------- The tool: a queue, and friends who take from it ---------- */

static long friends = 4;
struct node {
    struct node *next;
    struct task *task; /* NULL: nothing more will come */
};
static struct node *first; /* guarded by the semaphore mutex */
static sem_t mutex, waiting;

static void down(sem_t *semaphore) {
    while (sem_wait(semaphore) == -1)
        if (errno != EINTR)
            err(EXIT_FAILURE, "sem_wait");
}

/* Behind all that go before it. */
static void enqueue(struct task *task) {
    struct node *node = malloc(sizeof *node), **at = &first;
    if (node == NULL)
        err(EXIT_FAILURE, "malloc");
    while (*at != NULL &&
           (task == NULL ||
               ((*at)->task != NULL && (*at)->task->hours >= task->hours)))
        at = &(*at)->next;
    *node = (struct node){*at, task};
    *at = node;
}

static struct task *dequeue(void) {
    down(&waiting);
    down(&mutex);
    struct node *node = first;
    struct task *task = node->task;
    first = node->next;
    sem_post(&mutex);
    free(node);
    return task;
}

static void *friend_thread(void *arg) {
    for (struct task *task; (task = dequeue()) != NULL;) {
        long ms = task->hours * ms_per_hour;
        printf("%s: %ld h ...\n", task->name, task->hours);
        nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
        printf("%s: done\n", task->name);
    }
    return arg;
}

static void *wait_for_interrupt(void *set) {
    int number;
    sigwait(set, &number);
    _exit(128 + number);
}

static void do_all(void) {
    pthread_t threads[1000], helper;
    static sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    if ((errno = pthread_create(&helper, NULL, wait_for_interrupt, &set)) != 0)
        err(EXIT_FAILURE, "pthread_create");
    pthread_detach(helper);
    sem_init(&mutex, 0, 1);
    sem_init(&waiting, 0, 0);
    for (long i = 0; i < friends; i++)
        if ((errno = pthread_create(&threads[i], NULL, friend_thread, NULL)) !=
            0)
            err(EXIT_FAILURE, "pthread_create");
    down(&mutex);
    for (long i = 0; i < task_count; i++)
        enqueue(&tasks[i]);
    for (long i = 0; i < friends; i++)
        enqueue(NULL);
    sem_post(&mutex);
    for (long i = 0; i < task_count + friends; i++)
        sem_post(&waiting);
    for (long i = 0; i < friends; i++)
        pthread_join(threads[i], NULL);
    sem_destroy(&mutex);
    sem_destroy(&waiting);
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
