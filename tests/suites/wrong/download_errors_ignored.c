/*
 * download_errors_ignored - wrong: a failed page counts as fetched
 * Rejected because: exited with status 0
 * Build: cc -O2 -o download_errors_ignored download_errors_ignored.c -lcurl
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
    for (int i = 3; i < argc; i++) {
        curl_off_t bytes = 0;
        printf("page %d: fetching %s ...\n", i - 2, argv[i]);
        curl_easy_setopt(curl, CURLOPT_URL, argv[i]);
        curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
        printf("page %d: fetched, %ld bytes\n", i - 2, (long)bytes);
    }
    curl_easy_cleanup(curl);
    return 0;
}
