/*
 * webdriver.c - a browser without a screen, told what to do by WebDriver
 */
#define _GNU_SOURCE
#include "pictures/webdriver.h"
#include <curl/curl.h>
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_S = 60, ANSWER_S = 150 };

struct browser {
    pid_t driver;
    CURL *curl;
    char base[60];     /* of the driver */
    char session[160]; /* its URL */
    char profile[40];  /* a directory of its own, removed in the end */
};

/* ---------- The driver ---------- */

/* The child. On SIGTERM, and when we die, the driver ends its browser, too. */
static void become_driver(int out, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent || dup2(out, STDOUT_FILENO) == -1)
        _exit(EXIT_FAILURE);
    execlp("chromedriver", "chromedriver", "--port=0", NULL);
    err(EXIT_FAILURE, "chromedriver");
}

/* The driver chooses its port and says so: "... successfully on port 1234." */
static void start_driver(struct browser *b) {
    pid_t parent = getpid();
    int ends[2], port = 0;
    char *line = NULL;
    size_t size = 0;

    if (pipe2(ends, O_CLOEXEC) == -1)
        err(EXIT_FAILURE, "pipe");
    b->driver = fork();
    if (b->driver == -1)
        err(EXIT_FAILURE, "fork");
    if (b->driver == 0)
        become_driver(ends[1], parent);
    close(ends[1]);
    FILE *said = fdopen(ends[0], "r");
    alarm(START_S); /* it ends us, and the driver with us */
    while (port == 0 && said != NULL && getline(&line, &size, said) != -1) {
        const char *at = strstr(line, "on port ");
        port = at == NULL ? 0 : atoi(at + strlen("on port "));
    }
    if (port == 0)
        errx(EXIT_FAILURE, "chromedriver does not start");
    alarm(0);
    free(line); /* the pipe stays open, for what else it says */
    snprintf(b->base, sizeof b->base, "http://127.0.0.1:%d", port);
}

/* ---------- Asking it ---------- */

struct body {
    char *text;
    size_t length;
};

static size_t add_to_body(char *data, size_t size, size_t count, void *arg) {
    struct body *body = arg;
    char *longer = realloc(body->text, body->length + size * count + 1);

    if (longer == NULL)
        return 0;
    body->text = longer;
    memcpy(body->text + body->length, data, size * count);
    body->length += size * count;
    body->text[body->length] = '\0';
    return size * count;
}

/* Sends a command, with what it needs unless that is NULL, which is taken over.
 * Returns the "value" of the answer. */
static json_t *ask(struct browser *b, const char *method, const char *url,
    json_t *parameters) {
    struct body body = {NULL, 0};
    struct curl_slist *headers =
        curl_slist_append(NULL, "Content-Type: application/json");
    char *text = parameters == NULL ? NULL : json_dumps(parameters, 0);
    json_error_t error;

    curl_easy_reset(b->curl);
    curl_easy_setopt(b->curl, CURLOPT_URL, url);
    curl_easy_setopt(b->curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(b->curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(b->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(b->curl, CURLOPT_TIMEOUT, (long)ANSWER_S);
    curl_easy_setopt(b->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(b->curl, CURLOPT_WRITEFUNCTION, add_to_body);
    curl_easy_setopt(b->curl, CURLOPT_WRITEDATA, &body);
    if (text != NULL)
        curl_easy_setopt(b->curl, CURLOPT_POSTFIELDS, text);
    CURLcode code = curl_easy_perform(b->curl);
    if (code != CURLE_OK)
        errx(EXIT_FAILURE, "%s: %s", url, curl_easy_strerror(code));
    json_t *answer = json_loads(body.text == NULL ? "" : body.text, 0, &error);
    json_t *value = json_incref(json_object_get(answer, "value"));
    if (value == NULL || json_object_get(value, "error") != NULL)
        errx(EXIT_FAILURE, "%s: %.600s", url, body.text);
    json_decref(answer);
    json_decref(parameters);
    curl_slist_free_all(headers);
    free(body.text);
    free(text);
    return value;
}

/* A command of the session. */
static json_t *command(struct browser *b, const char *method, const char *what,
    json_t *parameters) {
    char url[240];

    snprintf(url, sizeof url, "%s%s", b->session, what);
    return ask(b, method, url, parameters);
}

/* Chromium's sandbox wants another user than root. */
static json_t *capabilities(const struct browser *b) {
    char profile[80];

    snprintf(profile, sizeof profile, "--user-data-dir=%s", b->profile);
    return json_pack("{s:{s:{s:s, s:{s:[s,s,s,s,s]}, s:{s:s}, s:{s:i}}}}",
        "capabilities", "alwaysMatch", "browserName", "chrome",
        "goog:chromeOptions", "args", "--headless=new", "--disable-gpu",
        "--disable-dev-shm-usage", profile,
        getuid() == 0 ? "--no-sandbox" : "--no-first-run", "goog:loggingPrefs",
        "browser", "ALL", "timeouts", "script", 120000);
}

struct browser *browser_open(void) {
    struct browser *b = calloc(1, sizeof *b);

    if (b == NULL)
        err(EXIT_FAILURE, "calloc");
    snprintf(b->profile, sizeof b->profile, "/tmp/kit-browser-XXXXXX");
    if (mkdtemp(b->profile) == NULL)
        err(EXIT_FAILURE, "mkdtemp");
    b->curl = curl_easy_init();
    if (b->curl == NULL)
        errx(EXIT_FAILURE, "curl_easy_init");
    start_driver(b);
    char url[80];
    snprintf(url, sizeof url, "%s/session", b->base);
    json_t *session = ask(b, "POST", url, capabilities(b));
    snprintf(b->session, sizeof b->session, "%s/session/%s", b->base,
        json_string_value(json_object_get(session, "sessionId")));
    json_decref(session);
    return b;
}

static void remove_profile(const struct browser *b) {
    pid_t pid = fork();

    if (pid == 0) {
        execlp("rm", "rm", "-rf", b->profile, NULL);
        _exit(EXIT_FAILURE);
    }
    if (pid != -1)
        waitpid(pid, NULL, 0);
}

void browser_close(struct browser *b) {
    json_decref(command(b, "DELETE", "", NULL));
    kill(b->driver, SIGTERM);
    waitpid(b->driver, NULL, 0);
    curl_easy_cleanup(b->curl);
    remove_profile(b);
    free(b);
}

/* ---------- What it can do ---------- */

void browser_load(struct browser *b, const char *url, int width, int height) {
    json_decref(command(b, "POST", "/window/rect",
        json_pack("{s:i, s:i}", "width", width, "height", height)));
    json_decref(command(b, "POST", "/url", json_pack("{s:s}", "url", url)));
}

json_t *browser_run(struct browser *b, const char *script) {
    return command(b, "POST", "/execute/sync",
        json_pack("{s:s, s:[]}", "script", script, "args"));
}

json_t *browser_wait(struct browser *b, const char *script) {
    return command(b, "POST", "/execute/async",
        json_pack("{s:s, s:[]}", "script", script, "args"));
}

/* Base 64, as RFC 4648 has it. */
static void decode(const char *text, FILE *out) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0;
    int count = 0;

    for (; *text != '\0' && *text != '='; text++) {
        const char *digit = strchr(digits, *text);
        if (digit == NULL)
            continue;
        bits = bits << 6 | (unsigned)(digit - digits);
        count += 6;
        if (count >= 8) {
            count -= 8;
            putc((int)(bits >> count & 0xff), out);
        }
    }
}

void browser_screenshot(struct browser *b, const char *path) {
    json_t *value = command(b, "GET", "/screenshot", NULL);
    FILE *out = fopen(path, "w");

    if (out == NULL)
        err(EXIT_FAILURE, "%s", path);
    decode(json_string_value(value), out);
    if (fclose(out) != 0)
        err(EXIT_FAILURE, "%s", path);
    json_decref(value);
}

size_t browser_errors(struct browser *b, char *text, size_t size) {
    json_t *log =
        command(b, "POST", "/se/log", json_pack("{s:s}", "type", "browser"));
    json_t *entry;
    size_t i, count = 0;

    text[0] = '\0';
    json_array_foreach(log, i, entry) {
        const char *level = json_string_value(json_object_get(entry, "level"));
        if (level == NULL || strcmp(level, "SEVERE") != 0)
            continue;
        if (count++ == 0)
            snprintf(text, size, "%s",
                json_string_value(json_object_get(entry, "message")));
    }
    json_decref(log);
    return count;
}
