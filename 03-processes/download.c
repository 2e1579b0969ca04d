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
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
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
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK)
        printf("page %ld: fetched, %ld bytes\n", page + 1, (long)bytes);
    else if (code == CURLE_HTTP_RETURNED_ERROR)
        printf("page %ld: failed, HTTP %ld\n", page + 1, status);
    else
        printf("page %ld: failed, %s\n", page + 1, curl_easy_strerror(code));
    return code == CURLE_OK;
}

/* ---------- The tool: a pool of processes, the list dealt out ---------- */

static long workers = 5, most_workers = 1000;

/* A worker fetches its first page and every workers-th after it. The
 * result is one record below PIPE_BUF: it comes whole or not at all. */
static void work(long worker, const int *ends, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the parent ... */
    if (getppid() != parent)          /* ... which may be gone by now */
        _exit(EXIT_FAILURE);
    close(ends[0]);
    CURL *curl = open_handle();
    long fetched = 0;
    for (long page = worker; page < pages; page += workers) {
        begin_page(curl, page);
        fetched += end_page(curl, page, curl_easy_perform(curl));
    }
    curl_easy_cleanup(curl);
    int mute = ferror(stdout) || write(ends[1], &fetched, sizeof fetched) == -1;
    _exit(mute ? 2 : EXIT_SUCCESS); /* with 1 it has said why */
}

/* Returns how many pages have come. */
static long download_all(void) {
    long sum = 0, result, failed = 0, last = 0;
    int ends[2], status, why = 0;
    pid_t parent = getpid(), pid, pids[1000]; /* -w allows no more */
    if (pipe(ends) == -1)
        err(EXIT_FAILURE, "pipe");
    for (long i = 0; i < workers; i++)
        switch (pids[i] = fork()) {
        case -1: err(EXIT_FAILURE, "fork");
        case 0: work(i, ends, parent);
        }
    close(ends[1]);
    while ((pid = wait(&status)) != -1) /* each as it ends: no zombies */
        if (status == 0 && read(ends[0], &result, sizeof result) > 0)
            sum += result;
        else {
            failed++;
            why = status;
            for (last = 0; last < workers && pids[last] != pid;)
                last++;
        }
    if (WIFSIGNALED(why))
        warnx("%ld of %ld workers failed, worker %ld killed by signal %d",
            failed, workers, last + 1, WTERMSIG(why));
    else if (failed > 0)
        warnx("%ld of %ld workers failed, worker %ld %s", failed, workers,
            last + 1, WEXITSTATUS(why) == 2 ? "could not print" : "said why");
    return sum;
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
    setvbuf(stderr, NULL, _IOLBF, BUFSIZ); /* whole lines, whoever writes */
    /* If one is closed, the next pipe or socket would get its number. */
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
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
    workers = workers < pages ? workers : pages;
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
