/*
 * download_no_reason - wrong: says that a page failed, and not why
 * Rejected because: no line on stdout is "page 2: failed, HTTP 404"
 * Build: cc -O2 -o download_no_reason download_no_reason.c -lcurl
 */
#include <curl/curl.h>
#include <stdio.h>

static size_t discard(char *data, size_t size, size_t count, void *arg) {
    (void)data, (void)arg;
    return size * count;
}

int main(int argc, char *argv[]) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    for (int i = 3; i < argc; i++) {
        curl_off_t bytes = 0;
        printf("page %d: fetching %s ...\n", i - 2, argv[i]);
        curl_easy_setopt(curl, CURLOPT_URL, argv[i]);
        CURLcode code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
        if (code == CURLE_OK)
            printf("page %d: fetched, %ld bytes\n", i - 2, (long)bytes);
        else
            printf("page %d: failed\n", i - 2);
    }
    curl_easy_cleanup(curl);
    return 1;
}
