/*
 * sharing - one exchange between two processes, told in five ways
 * The asker hands over numbers, a block at a time, and the answerer sends
 * back a checksum: first of every block, which shows what a round trip costs,
 * then of every 64th, which shows what moving data costs. Notice that shared
 * memory moves most: it asks the kernel only to wait and to wake. An ordinary
 * global variable is not shared at all. Linux only.
 * Build: cc -O2 -pthread -o sharing sharing.c -lrt
 * Usage: ./sharing [-m MiB] [-w way, 1 to 6]
 */
#define _GNU_SOURCE /* sched_getcpu, sched_setaffinity */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---------- The exchange: the same for every way ---------- */

enum { NUMBERS = 512, BLOCK = NUMBERS * sizeof(long) }; /* 4096: PIPE_BUF */
enum { PART = 64 }; /* blocks timed at once; the fastest part counts */

static long blocks;

typedef void put_call(const void *data, size_t size);
typedef void get_call(void *data, size_t size);

static void must(long result, const char *what) {
    if (result == -1)
        err(EXIT_FAILURE, "%s", what);
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Any number lost, doubled or out of its place changes it. */
static long checksum(long sum, const long *block) {
    unsigned long total = (unsigned long)sum * 31;
    for (unsigned long i = 0; i < NUMBERS; i++)
        total += (unsigned long)block[i] * (i + 1);
    return (long)total;
}

/* The children that tell one way. This process only waits for them, so that
 * when one fails it can end the others, which would wait for ever. */
static pid_t team[3];
static int members;

static void end_team(void) {
    for (int i = 0; i < 3; i++)
        if (team[i] != 0)
            kill(team[i], SIGKILL);
}

/* Returns whether all members did their part. Each is waited for by pid. */
static bool wait_for_team(void) {
    bool good = true;
    while (members > 0) {
        siginfo_t end;
        if (waitid(P_ALL, 0, &end, WEXITED | WNOWAIT) == -1 ||
            waitpid(end.si_pid, NULL, 0) == -1)
            err(EXIT_FAILURE, "wait");
        int who = 0;
        while (who < 3 && team[who] != end.si_pid)
            who++;
        if (who == 3) /* a stranger, from before exec */
            continue;
        team[who] = 0;
        members--;
        if (end.si_status != 0 && good) {
            good = false;
            if (end.si_code != CLD_EXITED)
                warnx("a child was killed by signal %d (%s)", end.si_status,
                    strsignal(end.si_status));
            end_team();
        }
    }
    return good;
}

/* Forks. Returns true in the child, which never outlives the parent. */
static bool join_team(void) {
    pid_t parent = getpid(), pid = fork();
    if (pid == -1) {
        warn("fork");
        end_team();
        wait_for_team();
        exit(EXIT_FAILURE);
    }
    if (pid > 0) {
        team[members++] = pid;
        return false;
    }
    must(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
    return true;
}

/* All on one CPU: else it is chance, and no matter of the way, whether a
 * process is woken on a CPU that is near, far or asleep. */
static void stay_on_one_cpu(void) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    must(sched_setaffinity(0, sizeof one, &one), "sched_setaffinity");
}

static void answer(put_call *put, get_call *get) {
    long block[NUMBERS], sum = 0;
    for (long i = 1; i <= 2 * blocks; i++) {
        get(block, BLOCK);
        sum = checksum(sum, block);
        if (i <= blocks || i % PART == 0)
            put(&sum, sizeof sum);
    }
    _exit(EXIT_SUCCESS);
}

static void ask(const char *way, put_call *put, get_call *get) {
    long block[NUMBERS], sum = 0, answer = 0, every[] = {1, PART};
    double best[] = {1e9, 1e9};
    for (int phase = 0; phase < 2; phase++)
        for (long part = 0; part < blocks / PART; part++) {
            double start = seconds();
            for (long i = 1; i <= PART; i++) {
                for (long n = 0; n < NUMBERS; n++)
                    block[n] = (part * PART + i) * NUMBERS + n;
                sum = checksum(sum, block);
                put(block, BLOCK);
                if (i % every[phase] == 0)
                    get(&answer, sizeof answer);
            }
            double took = seconds() - start + 1e-9; /* it may stand still */
            best[phase] = took < best[phase] ? took : best[phase];
            if (answer != sum)
                errx(EXIT_FAILURE, "%s: what came is not what was sent", way);
        }
    printf("%-26s %8.1f us %10.1f MiB/s\n", way, best[0] * 1e6 / PART,
        PART * BLOCK / best[1] / (1 << 20));
    _exit(ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* ---------- 1: a pipe goes one way, so an answer needs another ---------- */

static int in, out;

static void fd_put(const void *data, size_t size) {
    if (write(out, data, size) != (ssize_t)size)
        err(EXIT_FAILURE, "write");
}

/* Reads until the record is whole: it may come in parts. */
static void fd_get(void *data, size_t size) {
    for (size_t got = 0; got < size;) {
        ssize_t count = read(in, (char *)data + got, size - got);
        must(count, "read");
        if (count == 0)
            errx(EXIT_FAILURE, "the other process is gone");
        got += (size_t)count;
    }
}

static bool by_pipes(void) {
    int there[2], back[2];
    must(pipe(there), "pipe");
    must(pipe(back), "pipe");
    in = back[0], out = there[1];
    if (join_team())
        ask("pipes, one each way", fd_put, fd_get);
    in = there[0], out = back[1];
    if (join_team())
        answer(fd_put, fd_get);
    close(there[0]), close(there[1]);
    close(back[0]), close(back[1]);
    return wait_for_team();
}

/* ---------- 2: a socketpair goes both ways ---------- */

static bool by_socketpair(void) {
    int ends[2];
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
    in = out = ends[0];
    if (join_team())
        ask("socketpair", fd_put, fd_get);
    in = out = ends[1];
    if (join_team())
        answer(fd_put, fd_get);
    close(ends[0]), close(ends[1]);
    return wait_for_team();
}

/* ---------- 3: a message queue keeps records apart ---------- */

static void queue_put(const void *data, size_t size) {
    must(mq_send(out, data, size, 0), "mq_send");
}

static void queue_get(void *data, size_t size) {
    must(mq_receive(in, data, size, NULL), "mq_receive");
}

/* It is unlinked at once, with all signals held back, so that its name is not
 * left behind: the queue lives on until both processes have closed it. */
static mqd_t new_queue(long message_bytes) {
    struct mq_attr limits = {.mq_maxmsg = 10, .mq_msgsize = message_bytes};
    sigset_t all, old;
    char name[40];
    snprintf(name, sizeof name, "/sharing-%d", (int)getpid());
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old);
    mqd_t queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &limits);
    must(queue, "mq_open");
    must(mq_unlink(name), "mq_unlink");
    sigprocmask(SIG_SETMASK, &old, NULL);
    return queue;
}

static bool by_queues(void) {
    mqd_t there = new_queue(BLOCK), back = new_queue(sizeof(long));
    in = back, out = there;
    if (join_team())
        ask("message queues", queue_put, queue_get);
    in = there, out = back;
    if (join_team())
        answer(queue_put, queue_get);
    mq_close(there), mq_close(back);
    return wait_for_team();
}

/* ---------- 4: shared memory needs a lock ---------- */

enum { SLOTS = 16 }; /* 64 KiB, as much as a pipe holds */

/* The lock guards all the rest: two values and an array. */
static struct box {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned long put, taken;
    char slots[SLOTS][BLOCK];
} * inbox, *outbox;

static void memory_put(const void *data, size_t size) {
    pthread_mutex_lock(&outbox->lock);
    while (outbox->put - outbox->taken == SLOTS)
        pthread_cond_wait(&outbox->changed, &outbox->lock);
    memcpy(outbox->slots[outbox->put++ % SLOTS], data, size);
    pthread_cond_signal(&outbox->changed);
    pthread_mutex_unlock(&outbox->lock);
}

static void memory_get(void *data, size_t size) {
    pthread_mutex_lock(&inbox->lock);
    while (inbox->put == inbox->taken)
        pthread_cond_wait(&inbox->changed, &inbox->lock);
    memcpy(data, inbox->slots[inbox->taken++ % SLOTS], size);
    pthread_cond_signal(&inbox->changed);
    pthread_mutex_unlock(&inbox->lock);
}

static void init_box(struct box *box) {
    pthread_mutexattr_t mutex;
    pthread_condattr_t cond;
    if ((errno = pthread_mutexattr_init(&mutex)) != 0 ||
        (errno = pthread_mutexattr_setpshared(
             &mutex, PTHREAD_PROCESS_SHARED)) != 0 ||
        (errno = pthread_mutex_init(&box->lock, &mutex)) != 0 ||
        (errno = pthread_condattr_init(&cond)) != 0 ||
        (errno = pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED)) !=
            0 ||
        (errno = pthread_cond_init(&box->changed, &cond)) != 0)
        err(EXIT_FAILURE, "process-shared mutex");
}

static bool by_memory(void) {
    struct box *boxes = mmap(NULL, 2 * sizeof *boxes, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (boxes == MAP_FAILED)
        err(EXIT_FAILURE, "mmap");
    init_box(&boxes[0]);
    init_box(&boxes[1]);
    inbox = &boxes[1], outbox = &boxes[0];
    if (join_team())
        ask("shared memory and a mutex", memory_put, memory_get);
    inbox = &boxes[0], outbox = &boxes[1];
    if (join_team())
        answer(memory_put, memory_get);
    munmap(boxes, 2 * sizeof *boxes);
    return wait_for_team();
}

/* ---------- 5: a manager, a third process that owns the data ---------- */

/* The asker and the answerer are its clients. Each has one line on which it
 * puts into a box, and one on which it takes from the other box: lines 0 and
 * 3, lines 2 and 1. Every record is a request or its answer. */
static struct sockaddr_un address = {.sun_family = AF_UNIX};

static void manage(int listener) {
    static char boxes[2][BLOCK], request;
    ssize_t held[2] = {0, 0};
    struct pollfd lines[4];
    for (int i = 0; i < 4; i++) {
        int line = accept(listener, NULL, NULL);
        must(line, "accept");
        must(recv(line, &request, 1, 0), "recv");
        lines[(int)request] = (struct pollfd){.fd = line};
    }
    while (lines[3].fd != -1) {
        for (int i = 0; i < 4; i++) /* put into an empty, take from a full */
            lines[i].events = (held[i / 2] == 0) == (i % 2 == 0) ? POLLIN : 0;
        must(poll(lines, 4, -1), "poll");
        for (int i = 0; i < 4; i++) {
            int fd = lines[i].fd, box = i / 2;
            if (lines[i].revents & POLLHUP) {
                lines[i].fd = -1;
            } else if (lines[i].revents & POLLIN && i % 2 == 0) {
                must(held[box] = recv(fd, boxes[box], BLOCK, 0), "recv");
                must(send(fd, "", 1, 0), "send");
            } else if (lines[i].revents & POLLIN) {
                must(recv(fd, &request, 1, 0), "recv");
                must(send(fd, boxes[box], (size_t)held[box], 0), "send");
                held[box] = 0;
            }
        }
    }
    _exit(EXIT_SUCCESS);
}

static int open_line(char number) {
    int line = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    must(line, "socket");
    must(connect(line, (struct sockaddr *)&address, sizeof address), "connect");
    must(send(line, &number, 1, 0), "send");
    return line;
}

static void manager_put(const void *data, size_t size) {
    char done;
    must(send(out, data, size, 0), "send");
    must(recv(out, &done, 1, 0), "recv");
}

static void manager_get(void *data, size_t size) {
    must(send(in, "", 1, 0), "send");
    must(recv(in, data, size, 0), "recv");
}

static bool by_manager(void) {
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "sharing-%d",
        (int)getpid()); /* after a NUL byte: a name, but not of a file */
    int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    must(listener, "socket");
    must(bind(listener, (struct sockaddr *)&address, sizeof address), "bind");
    must(listen(listener, 4), "listen");
    if (join_team())
        manage(listener);
    close(listener);
    if (join_team()) {
        out = open_line(0), in = open_line(3);
        ask("a manager", manager_put, manager_get);
    }
    if (join_team()) {
        out = open_line(2), in = open_line(1);
        answer(manager_put, manager_get);
    }
    return wait_for_team();
}

/* ---------- Not shared: each process has its own ---------- */

static long global = 0;

static bool by_global_variable(void) {
    if (join_team()) {
        global = 1;
        _exit(EXIT_SUCCESS);
    }
    bool good = wait_for_team();
    printf(
        "a global variable: the child set it to 1, here it is %ld\n", global);
    return good;
}

/* ---------- The run ---------- */

static bool (*const ways[])(void) = {by_pipes, by_socketpair, by_queues,
    by_memory, by_manager, by_global_variable};

static long number(int option, long most) {
    char *end;
    long value = strtol(optarg, &end, 10);
    if (*end != '\0' || value < 1 || value > most)
        errx(2, "-%c %s: not a number from 1 to %ld", option, optarg, most);
    return value;
}

int main(int argc, char *argv[]) {
    long mebibytes = 8, only = 0;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
    for (int option; (option = getopt(argc, argv, "m:w:h")) != -1;)
        switch (option) {
        case 'm': mebibytes = number(option, 65536); break;
        case 'w': only = number(option, 6); break;
        case 'h':
            return printf("usage: sharing [-m MiB] [-w way, 1 to 6]\n") < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    blocks = mebibytes * (1 << 20) / BLOCK;
    stay_on_one_cpu();
    for (long way = 1; way <= 6; way++)
        if ((only == 0 || only == way) && !ways[way - 1]())
            return EXIT_FAILURE;
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return EXIT_SUCCESS;
}
