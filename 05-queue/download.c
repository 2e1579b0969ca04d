/*
 * download - fetch web pages, by way of a queue
 * Five workers take the next page from the kernel's message queue, each when
 * it has time. Notice that 90 pages take 18 waits, as with the list dealt out;
 * but behind a slow page nothing waits here. Linux only (prctl).
 * Build: cc -O2 -o download download.c -lcurl -lrt
 * Usage: ./download [-n times] [-w workers] [-s http://host:port | URL ...]
 */
#define _GNU_SOURCE /* asprintf */
#include <curl/curl.h>
#include <err.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---------- The story: the same in every lesson ---------- */

static const char *site = "http://127.0.0.1:8000";
static const char *const practice[] = {"/small", "/medium", "/large"};
static const char *const *paths = practice;
static long path_count = 3, times = 30, pages;

/* curl counts the bytes; nobody keeps them. */
static size_t discard(char *data, size_t size, size_t count, void *arg) {
    (void)data, (void)arg;
    return size * count;
}

static CURL *open_handle(void) {
    CURL *curl = curl_easy_init(); /* if NULL, begin_page() will tell */
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
    return curl;
}

static void begin_page(CURL *curl, long page) {
    char *url;
    if (asprintf(&url, "%s%s", site, paths[page % path_count]) == -1 ||
        curl_easy_setopt(curl, CURLOPT_URL, url) != CURLE_OK)
        errx(EXIT_FAILURE, "page %ld: out of memory", page + 1);
    printf("page %ld: fetching %s ...\n", page + 1, url);
    free(url);
}

/* Returns 1 if the page has come, else 0. */
static long end_page(CURL *curl, long page, CURLcode code) {
    curl_off_t bytes = 0;
    curl_easy_getinfo(curl, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
    printf("page %ld: %s, %ld bytes\n", page + 1,
        code == CURLE_OK ? "fetched" : "failed", (long)bytes);
    if (code != CURLE_OK) /* warnx() writes in pieces, which would mix */
        fprintf(stderr, "download: page %ld: %s%s: %s\n", page + 1, site,
            paths[page % path_count], curl_easy_strerror(code));
    return code == CURLE_OK;
}

/* ---------- The tool: a queue of jobs, worker processes ---------- */

static long workers = 5, most_workers = 1000;
static mqd_t queue;   /* pages by number; a number past the last: the end */
static char *outcome; /* by page: 0 not done, 1 failed, 2 come. Shared by all */

/* Waits while the queue is full. The large pages first, which take long; last
 * the end, which has priority 0. */
static void produce(void) {
    for (long job = 0;; job++) {
        long size = paths == practice ? job % path_count : 0; /* else unknown */
        unsigned priority = job < pages ? 1 + (unsigned)size : 0;
        if (mq_send(queue, (char *)&job, sizeof job, priority) == -1)
            err(EXIT_FAILURE, "mq_send");
    }
}

/* Takes the next page until the end comes, or until nobody can be told. */
static void work(void) {
    CURL *handle = open_handle();
    for (long page; mq_receive(queue, (char *)&page, sizeof page, NULL) != -1 &&
                    page < pages && !ferror(stdout);) {
        begin_page(handle, page);
        long came = end_page(handle, page, curl_easy_perform(handle));
        outcome[page] = ferror(stdout) ? 0 : came == 1 ? 2 : 1;
    }
    curl_easy_cleanup(handle);
}

static pid_t start(void (*part)(void)) {
    pid_t parent = getpid(), pid = fork();
    if (pid == -1)
        warn("fork");
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the parent ... */
    if (getppid() == parent)          /* ... which may be gone already */
        part();
    if (ferror(stdout))
        warnx("standard output: not everything was written");
    _exit(EXIT_SUCCESS);
}

/* Returns how many pages have come. */
static long download_all(void) {
    struct mq_attr size = {.mq_maxmsg = 10, .mq_msgsize = sizeof(long)};
    pid_t pids[1001], ended; /* the producer, then the workers */
    long started = 0, running, fetched = 0;
    char name[40];
    snprintf(name, sizeof name, "/download-%ld", (long)getpid());
    outcome = mmap(NULL, (size_t)pages, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &size);
    if (queue == -1 || mq_unlink(name) == -1 || outcome == MAP_FAILED)
        err(EXIT_FAILURE, "message queue %s", name);
    signal(SIGCHLD, SIG_DFL); /* ignored, it hides who has ended */
    while (started <= workers && started <= pages &&
           (pids[started] = start(started == 0 ? produce : work)) != -1)
        started++;
    for (running = started - 1; running > 0 && (ended = wait(NULL)) != pids[0];)
        for (long i = 1; i < started; i++)
            running -= pids[i] == ended;
    if (running != 0 || waitpid(pids[0], NULL, WNOHANG) != 0)
        errx(EXIT_FAILURE, "the producer is missing");
    signal(SIGPIPE, SIG_IGN);
    work(); /* what is left, if all workers have died */
    kill(pids[0], SIGKILL);
    waitpid(pids[0], NULL, 0);
    for (long page = 0; page < pages; fetched += outcome[page++] == 2)
        if (outcome[page] == 0)
            warnx("page %ld: not done", page + 1);
    return fetched;
}

/* ---------- The run: the same in every lesson ---------- */

static const char usage[] = "usage: download [-n times] [-w workers, 1 to %ld] "
                            "[-s http://host:port | URL ...]\n";

static long number(int option, long most) {
    char *end;
    long value = strtol(optarg, &end, 10);
    if (*end != '\0' || value < 1 || value > most)
        errx(2, "-%c %s: not a number from 1 to %ld", option, optarg, most);
    return value;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (write(STDOUT_FILENO, "", 0) ==
        -1) /* else a socket may take its place */
        err(EXIT_FAILURE, "standard output");
    for (int option; (option = getopt(argc, argv, "n:w:s:h")) != -1;)
        switch (option) {
        case 'n': times = number('n', 1000000); break;
        case 'w': workers = number('w', most_workers); break;
        case 's': site = optarg; break;
        case 'h': return printf(usage, most_workers) < 0;
        default: return 2;
        }
    if (optind < argc) {
        site = "";
        paths = (const char *const *)argv + optind;
        path_count = argc - optind;
    }
    pages = times * path_count;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        errx(EXIT_FAILURE, "curl_global_init failed");

    double start = seconds();
    long count = download_all();
    fprintf(stderr, "%ld of %ld pages in %.2f s, %ld at a time\n", count, pages,
        seconds() - start, workers);
    if (count == 0 && paths == practice)
        warnx("do the practice sites run? Start them with: make sites");
    if (ferror(stdout))
        errx(EXIT_FAILURE, "standard output: not everything was written");
    return count == pages ? EXIT_SUCCESS : EXIT_FAILURE;
}
