/*
 * download - fetch web pages, by way of a queue
 * The queue is a pipe: whoever is free reads the next page. Notice that behind
 * a slow one nothing waits. Linux only (prctl): there a read() takes one record
 * and the whole of it; POSIX does not promise that to several readers.
 * Build: cc -O2 -o download download.c -lcurl
 * Usage: ./download [-n times] [-w workers] [-s http://host:port | URL ...]
 */
#define _GNU_SOURCE /* asprintf */
#include <curl/curl.h>
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
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

/* ---------- The tool: a queue of jobs, worker processes ---------- */

static long workers = 5, most_workers = 1000;
static atomic_long *fetched; /* in memory that all processes share */

/* Takes the next page, until the queue ends or nobody can be told. */
static void work(const int *ends, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the parent ... */
    if (getppid() != parent)          /* ... which may be gone by now */
        _exit(EXIT_FAILURE);
    close(ends[1]); /* while anyone can write, the queue has no end */
    CURL *curl = open_handle();
    for (long page; !ferror(stdout) && read(ends[0], &page, sizeof page) > 0;) {
        begin_page(curl, page);
        *fetched += end_page(curl, page, curl_easy_perform(curl));
    }
    curl_easy_cleanup(curl);
    _exit(ferror(stdout) ? 2 : EXIT_SUCCESS); /* with 1 it has said why */
}

/* Returns how many pages have come. */
static long download_all(void) {
    long page = 0;
    int ends[2], why = 0;
    pid_t parent = getpid();
    fetched = mmap(NULL, sizeof *fetched, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (fetched == MAP_FAILED || pipe(ends) == -1)
        err(EXIT_FAILURE, "mmap or pipe");
    for (long i = 0; i < workers; i++)
        switch (fork()) {
        case -1: err(EXIT_FAILURE, "fork");
        case 0: work(ends, parent);
        }
    signal(SIGPIPE, SIG_IGN); /* if no worker is left, write() fails instead */
    close(ends[0]);
    while (page < pages && write(ends[1], &page, sizeof page) != -1)
        page++; /* write() waits while the queue is full */
    close(ends[1]);
    for (int status; wait(&status) != -1;)
        why = status != 0 && !WIFSIGNALED(why) ? status : why;
    if (WIFSIGNALED(why))
        errx(EXIT_FAILURE, "worker killed by signal %d, pages missing: %ld",
            WTERMSIG(why), pages - *fetched);
    if (why != 0)
        errx(EXIT_FAILURE, WEXITSTATUS(why) == 1
                               ? "a worker failed"
                               : "standard output: not everything was written");
    return *fetched;
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
