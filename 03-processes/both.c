/*
 * both - pages are fetched and computed on, by processes with threads inside
 * While a thread waits for its page, another computes. Notice what -w 1 does:
 * while processes wait, CPUs idle. Fork first, then make threads: a child has
 * only the thread that called fork. Linux only (prctl).
 * Build: cc -O2 -pthread -o both both.c -lcurl
 * Usage: ./both [-p processes] [-w threads] [-n rounds] [-t times] [-s site]
 */
#define _GNU_SOURCE /* asprintf */
#include <curl/curl.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATHS = 3, MOST = 1000 };
static const char *const paths[PATHS] = {"/small", "/medium", "/large"};
static const char *site = "http://127.0.0.1:8000";
static long processes, threads = 5, rounds = 20, pages = 30 * PATHS;

/* ---------- A page: to wait for, then to compute on ---------- */

/* FNV-1a, by Fowler, Noll and Vo, over and over. */
static unsigned checksum(const char *text, size_t size) {
    unsigned sum = 2166136261;
    for (long round = 0; round < rounds; round++)
        for (size_t i = 0; i < size; i++)
            sum = (sum ^ (unsigned char)text[i]) * 16777619;
    return sum;
}

/* Returns 1 if the page has come, else 0. */
static long do_page(CURL *curl, long page) {
    char *text, *url;
    size_t size;
    long status;
    FILE *file = open_memstream(&text, &size); /* for curl to write to */
    if (file == NULL || asprintf(&url, "%s%s", site, paths[page % PATHS]) == -1)
        errx(EXIT_FAILURE, "page %ld: out of memory", page + 1);
    printf("page %ld: fetching %s ...\n", page + 1, url);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, file);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    fclose(file);
    if (code == CURLE_OK)
        printf("page %ld: fetched, %zu bytes, checksum %08x\n", page + 1, size,
            checksum(text, size));
    else if (code == CURLE_HTTP_RETURNED_ERROR)
        printf("page %ld: failed, HTTP %ld\n", page + 1, status);
    else
        printf("page %ld: failed, %s\n", page + 1, curl_easy_strerror(code));
    free(text), free(url);
    return code == CURLE_OK;
}

/* ---------- The tool: a process for each CPU, threads in each ---------- */

static atomic_long *next, *good; /* pages: to begin, done; shared by all */

static void *work(void *unused) {
    CURL *curl = curl_easy_init(); /* if NULL, do_page() will tell */
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
    for (long page; (page = (*next)++) < pages;)
        *good += do_page(curl, page);
    curl_easy_cleanup(curl);
    return unused;
}

static void start_process(void) {
    pthread_t pool[MOST];
    pid_t parent = getpid(), pid = fork();
    if (pid == -1)
        err(EXIT_FAILURE, "fork");
    if (pid > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the parent ... */
    if (getppid() != parent)          /* ... which may be gone by now */
        _exit(EXIT_FAILURE);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        errx(EXIT_FAILURE, "curl_global_init failed");
    for (long i = 0; i < threads; i++)
        if ((errno = pthread_create(&pool[i], NULL, work, NULL)) != 0)
            err(EXIT_FAILURE, "pthread_create");
    for (long i = 0; i < threads; i++)
        if ((errno = pthread_join(pool[i], NULL)) != 0)
            err(EXIT_FAILURE, "pthread_join");
    _exit(ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS);
}

static void do_all_pages(void) {
    long failed = 0;
    next = mmap(NULL, 2 * sizeof *next, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (next == MAP_FAILED)
        err(EXIT_FAILURE, "mmap");
    good = next + 1;
    for (long i = 0; i < processes; i++)
        start_process();
    for (int status; wait(&status) > 0;)
        failed += status != 0;
    if (failed > 0)
        errx(EXIT_FAILURE, "%ld processes failed or were killed", failed);
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
    struct timespec from, to;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    setvbuf(stderr, NULL, _IOLBF, BUFSIZ); /* whole lines, whoever writes */
    /* If one is closed, the next pipe or socket would get its number. */
    if (fcntl(1, F_GETFD) == -1 || fcntl(2, F_GETFD) == -1)
        err(EXIT_FAILURE, "standard output or error");
    processes = sysconf(_SC_NPROCESSORS_ONLN);
    for (int option; (option = getopt(argc, argv, "p:w:n:t:s:h")) != -1;)
        switch (option) {
        case 'p': processes = number('p', MOST); break;
        case 'w': threads = number('w', MOST); break;
        case 'n': rounds = number('n', 1000000); break;
        case 't': pages = number('t', 1000000) * PATHS; break;
        case 's': site = optarg; break;
        case 'h':
            return printf("usage: both [-p processes] [-w threads] "
                          "[-n rounds] [-t times] [-s site]\n") < 0;
        default: return 2;
        }
    if (optind < argc)
        errx(2, "%s: not an option, see -h", argv[optind]);
    processes = processes < pages ? processes : pages;
    threads = threads < pages / processes ? threads : pages / processes;
    clock_gettime(CLOCK_MONOTONIC, &from);
    do_all_pages();
    clock_gettime(CLOCK_MONOTONIC, &to);
    long ms = (to.tv_sec - from.tv_sec) * 1000 +
              (to.tv_nsec - from.tv_nsec) / 1000000;
    fprintf(stderr, "%ld of %ld pages in %.2f s by %ld x %ld threads\n", *good,
        pages, (double)ms / 1e3, processes, threads);
    return *good == pages ? EXIT_SUCCESS : EXIT_FAILURE;
}
