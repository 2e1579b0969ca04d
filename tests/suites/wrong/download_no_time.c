/*
 * download_no_time - wrong: says nothing about how long it took
 * Rejected because: stderr is ""; expected: "90 of 90 pages
 * Build: cc -O2 -pthread -o download_no_time download_no_time.c -lcurl
 */
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static const char *site;
static atomic_int next_page;

static size_t discard(char *data, size_t size, size_t count, void *arg) {
    (void)data, (void)arg;
    return size * count;
}

static int fetch(CURL *curl, const char *base, int page) {
    static const char *const paths[] = {"/small", "/medium", "/large"};
    char url[200];
    curl_off_t bytes = 0;
    snprintf(url, sizeof url, "%s%s", base, paths[page % 3]);
    printf("page %d: fetching %s ...\n", page + 1, url);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
    printf("page %d: fetched, %ld bytes\n", page + 1, (long)bytes);
    return code == CURLE_OK;
}

static void *work(void *unused) {
    CURL *curl = curl_easy_init();
    int page;
    while ((page = atomic_fetch_add(&next_page, 1)) < 90)
        fetch(curl, site, page);
    curl_easy_cleanup(curl);
    return unused;
}

int main(int argc, char *argv[]) {
    pthread_t pool[5];
    site = argv[argc - 1];
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    for (int i = 0; i < 5; i++)
        pthread_create(&pool[i], NULL, work, NULL);
    for (int i = 0; i < 5; i++)
        pthread_join(pool[i], NULL);
    return 0;
}
