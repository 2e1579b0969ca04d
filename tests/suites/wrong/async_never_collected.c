/*
 * async_never_collected - wrong: transfers that have ended are not taken from
 * the multi handle, so nobody knows of them and their handles stand idle
 * Rejected because: it had 4 requests in flight after 1 of 12 answers
 * Build: cc -O2 -o async_never_collected async_never_collected.c -lcurl
 */
#include <curl/curl.h>
#include <stdio.h>

static size_t discard(char *data, size_t size, size_t count, void *arg) {
    (void)data, (void)arg;
    return size * count;
}

int main(int argc, char *argv[]) {
    CURLM *multi;
    int running = 5;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = curl_multi_init();
    for (int page = 1; page <= 5; page++) {
        CURL *curl = curl_easy_init();
        curl_easy_setopt(curl, CURLOPT_URL, argv[argc - 1]);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
        printf("page %d: fetching %s ...\n", page, argv[argc - 1]);
        curl_multi_add_handle(multi, curl);
    }
    while (running > 0) {
        curl_multi_perform(multi, &running);
        if (running > 0)
            curl_multi_poll(multi, NULL, 0, 60000, NULL);
    }
    fprintf(stderr, "12 of 12 pages in 0.30 s, 5 at a time\n");
    return 0;
}
