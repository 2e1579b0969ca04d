/*
 * tasks.c - the work that a client can ask for by name: see tasks.h
 * Nobody has checked an argument. None reaches a shell or a format.
 */
#include "tasks.h"

#include <curl/curl.h>
#include <unistd.h>

enum { MESSAGES = 4, INTERVAL_S = 1 };

/* Doing it again sends a customer the same messages again: a real one would
 * look first at what was sent. */
static bool send_messages(const char *customer, char *result, size_t size) {
    for (int message = 1; message <= MESSAGES; message++) {
        print_text(customer);
        printf(": sending message %d of %d ...\n", message, MESSAGES);
        sleep(INTERVAL_S); /* less, if the worker is told to stop */
        print_text(customer);
        printf(": sent message %d of %d\n", message, MESSAGES);
    }
    snprintf(result, size, "%d messages sent", MESSAGES);
    return true;
}

static bool increment(const char *times, char *result, size_t size) {
    char *end;
    volatile long counted = 0;
    long most = strtol(times, &end, 10);
    if (*end != '\0' || most < 1 || most > 1000000000) {
        snprintf(result, size, "not a number from 1 to 1000000000");
        return false;
    }
    printf("increment: counting to %ld ...\n", most);
    while (counted < most)
        counted += 1;
    printf("increment: counted to %ld\n", counted);
    snprintf(result, size, "counted to %ld", counted);
    return true;
}

static size_t discard(char *data, size_t size, size_t count, void *arg) {
    (void)data, (void)arg;
    return size * count;
}

static bool download(const char *url, char *result, size_t size) {
    CURL *curl = curl_easy_init(); /* NULL: curl_easy_perform() will tell */
    curl_off_t bytes = 0;
    long status = 0;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L); /* s, for all of it */
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
    curl_easy_cleanup(curl);
    if (code == CURLE_OK)
        snprintf(result, size, "%ld bytes", (long)bytes);
    else if (code == CURLE_HTTP_RETURNED_ERROR)
        snprintf(result, size, "HTTP %ld", status);
    else
        snprintf(result, size, "%s", curl_easy_strerror(code));
    return code == CURLE_OK;
}

/* For trying things out, and for measuring. */
static bool nothing(const char *argument, char *result, size_t size) {
    if (strcmp(argument, "crash") == 0)
        abort();
    snprintf(result, size, "nothing done");
    return strcmp(argument, "fail") != 0;
}

task *task_named(const char *name) {
    return strcmp(name, "send_messages") == 0 ? send_messages
           : strcmp(name, "increment") == 0   ? increment
           : strcmp(name, "download") == 0    ? download
           : strcmp(name, "nothing") == 0     ? nothing
                                              : NULL;
}
