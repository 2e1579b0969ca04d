/*
 * download - fetch web pages, by a pool of processes
 * The list is dealt out in advance, like cards: 90 pages take 18 waits.
 * Notice the weakness: behind a slow page, the straggler, the rest of that
 * worker's hand must wait, while the other workers idle. Linux only (prctl).
 * Build: cc -O2 -o download download.c -lcurl
 * Usage: ./download [-n times] [-w workers] [-s http://host:port | URL ...]
 */
#define _GNU_SOURCE /* asprintf */
#include <curl/curl.h>
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* ---------- The tool: a pool of processes, the list dealt out ---------- */

enum { MOST = 1000 };
static long workers = 5, most_workers = MOST;

/* A worker fetches its first page and every workers-th after it. */
static long work(long worker) {
    CURL *curl = open_handle();
    long fetched = 0;
    for (long page = worker; page < pages; page += workers) {
        begin_page(curl, page);
        fetched += end_page(curl, page, curl_easy_perform(curl));
    }
    curl_easy_cleanup(curl);
    return fetched;
}

/* The result is one record below PIPE_BUF: it comes whole or not at all. */
static pid_t start(long worker, int results) {
    pid_t parent = getpid(), pid = fork();
    if (pid == -1)
        warn("worker %ld: fork", worker + 1);
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the parent ... */
    if (getppid() != parent)          /* ... which may be gone by now */
        _exit(EXIT_FAILURE);
    long result = work(worker);
    _exit(ferror(stdout) || write(results, &result, sizeof result) == -1);
}

/* Waits for each child when it ends, so that none stays a zombie. */
static long join_all(const pid_t *pids, long count, int results) {
    long sum = 0, result;
    for (long left = count; left > 0;) {
        siginfo_t end;
        if (waitid(P_ALL, 0, &end, WEXITED | WNOWAIT) == -1 ||
            waitpid(end.si_pid, NULL, 0) == -1)
            err(EXIT_FAILURE, "wait");
        for (long i = 0; i < count; i++)
            if (pids[i] == end.si_pid) {
                left--;
                if (end.si_code != CLD_EXITED)
                    warnx("worker %ld: killed by signal %d (%s)", i + 1,
                        end.si_status, strsignal(end.si_status));
                else if (end.si_status != 0)
                    warnx("worker %ld: failed, or could not print", i + 1);
                else if (read(results, &result, sizeof result) > 0)
                    sum += result;
            }
    }
    return sum;
}

/* Returns how many pages have come. */
static long download_all(void) {
    pid_t pids[MOST];
    long started = 0;
    int ends[2];
    /* Whole lines: all workers write to it, and the kernel keeps a line whole
     * only if it comes in one piece. */
    setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
    if (pipe(ends) == -1)
        err(EXIT_FAILURE, "pipe");
    while (started < workers && started < pages &&
           (pids[started] = start(started, ends[1])) != -1)
        started++;
    close(ends[1]);
    return join_all(pids, started, ends[0]);
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
