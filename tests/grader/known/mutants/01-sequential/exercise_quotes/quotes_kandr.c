/*
 * quotes_kandr - wrong: function definitions of 1978, and a warning about them
 * Exercise: 01-sequential/exercise_quotes
 * Loses: build
 * Because: the compiler says
 */

/* quotes.c -- in the old manner */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>

#define MAXLINE 8192
char line[MAXLINE];
int pos;
char *site = "http://127.0.0.1:8000";
char *dflt[] = {"ABT", "ABBV", "ABMD", "ATVI", "ADBE", NULL};

/* clang-format off */
size_t catch (p, size, n, dummy) char *p;
size_t size, n;
void *dummy;
{
    size_t i;
    for (i = 0; i < size * n; i++)
        if (pos < MAXLINE - 1)
            line[pos++] = p[i];
    line[pos] = 0;
    return size * n;
}

int ask(curl, sym)
CURL *curl;
char *sym;
{
    char url[4096];
    CURLcode rc;
    sprintf(url, "%.2000s/quote/%.2000s", site, sym);
    pos = 0;
    line[0] = 0;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    printf("%s: asking ...\n", sym);
    if ((rc = curl_easy_perform(curl)) != 0) {
        printf("%s: no quote\n", sym);
        fprintf(
            stderr, "exercise_quotes: %s: %s\n", sym, curl_easy_strerror(rc));
        return 0;
    }
    if (pos > 0 && line[pos - 1] == '\n')
        line[pos - 1] = 0;
    printf("%s: %s\n", sym, line);
    return 1;
}

int main(argc, argv)
int argc;
char **argv;
{
    int c, came = 0, all = 0;
    CURL *curl;
    struct timeval t0, t1;
    struct rusage ru;
    double el, cpu, pc;
    char **sym;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    while ((c = getopt(argc, argv, "s:h")) != EOF)
        switch (c) {
        case 's': site = optarg; break;
        case 'h':
            puts("usage: exercise_quotes [-s base_url] [SYMBOL...]");
            return 0;
        default: return 2;
        }
    sym = optind < argc ? argv + optind : dflt;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, catch);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
    gettimeofday(&t0, NULL);
    for (; *sym; sym++, all++)
        came += ask(curl, *sym);
    gettimeofday(&t1, NULL);
    curl_easy_cleanup(curl);
    curl_global_cleanup();
    getrusage(RUSAGE_SELF, &ru);
    el = (t1.tv_sec - t0.tv_sec) + (t1.tv_usec - t0.tv_usec) / 1e6;
    cpu = ru.ru_utime.tv_sec + ru.ru_stime.tv_sec +
          (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
    pc = 100 * (1 - cpu / el);
    fprintf(stderr, "%d quotes in %.2f s, %.0f %% of it waiting: %s\n", came,
        el, pc, pc < 50 ? "CPU-bound" : "I/O-bound");
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "exercise_quotes: write error\n");
        return 1;
    }
    return came != all;
}
