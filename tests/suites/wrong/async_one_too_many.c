/*
 * async_one_too_many - wrong: a new transfer is started before an ended one is
 * counted, so that the limit of 5 is passed by one
 * Rejected because: it had 6 requests in flight
 * Build: cc -O2 -o async_one_too_many async_one_too_many.c -lcurl
 */
#include <curl/curl.h>
#include <stdio.h>

enum { PAGES = 12, LIMIT = 5 };

static int started, ended;
static char *pages[PAGES];

static size_t discard(char *data, size_t size, size_t count, void *arg) {
    (void)data, (void)arg;
    return size * count;
}

static void start_next(CURLM *multi, char *url) {
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, (char *)&pages[started++]);
    printf("page %d: fetching %s ...\n", started, url);
    curl_multi_add_handle(multi, curl);
}

static void end(CURLM *multi, CURL *curl) {
    char *page;
    curl_off_t bytes = 0;
    curl_easy_getinfo(curl, CURLINFO_PRIVATE, &page);
    curl_easy_getinfo(curl, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
    printf("page %d: fetched, %ld bytes\n", (int)((char **)page - pages) + 1,
        (long)bytes);
    curl_multi_remove_handle(multi, curl);
    curl_easy_cleanup(curl);
    ended++;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM *multi = curl_multi_init();
    for (int running; ended < PAGES;) {
        while (started - ended <= LIMIT && started < PAGES)
            start_next(multi, argv[argc - 1]);
        curl_multi_poll(multi, NULL, 0, 60000, NULL);
        curl_multi_perform(multi, &running);
        for (CURLMsg *m; (m = curl_multi_info_read(multi, &running));)
            end(multi, m->easy_handle);
    }
    curl_multi_cleanup(multi);
    fprintf(stderr, "12 of 12 pages in 0.30 s, 5 at a time\n");
    return 0;
}
