/*
 * browser.c - the pictures in a real browser: make browser
 *
 * Usage: browser BUILD_DIR, after demo, timeline and slides.sh made their pages
 * there. Loads the demo's page, a timeline, and the practice sites' live page
 * while downloads run, and compares what is drawn with what was printed and
 * counted. No slide may hold more than it can show.
 * Screenshots go to BUILD_DIR/browser. Prints a line a check and a last line
 * with the sums. Exit status: 0 if all passed, 1 if not.
 */
#define _GNU_SOURCE
#include "judge/evidence.h"
#include "pictures/webdriver.h"

#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
    int width, height;
} windows[] = {{1280, 720}, {1920, 1080}};
enum { WINDOWS = sizeof windows / sizeof *windows };

static const char *build;
static int passed, failed;

__attribute__((format(printf, 2, 3))) static void check(
    bool ok, const char *format, ...) {
    va_list args;

    printf("%s browser: ", ok ? "ok  " : "FAIL");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    passed += ok;
    failed += !ok;
}

static long number_of(struct browser *b, const char *script) {
    json_t *value = browser_run(b, script);
    double number = json_number_value(value);

    json_decref(value);
    return (long)number;
}

static void screenshot(struct browser *b, const char *name, size_t window) {
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/browser/%s-%d.png", build, name,
        windows[window].width);
    browser_screenshot(b, path);
}

/* No error on the console, and nothing to the right of the window. */
static void check_page(struct browser *b, const char *name, size_t window) {
    char text[400];
    size_t errors = browser_errors(b, text, sizeof text);
    long beyond = number_of(b, "const page = document.documentElement;"
                               "return page.scrollWidth - page.clientWidth;");

    check(errors == 0, "%s: %zu errors on the console %s", name, errors, text);
    check(beyond <= 0, "%s at %d x %d: %ld px beyond the window", name,
        windows[window].width, windows[window].height, beyond);
}

static void load_file(
    struct browser *b, const char *path, const char *name, size_t window) {
    char whole[PATH_MAX], url[PATH_MAX + 20];

    if (realpath(path, whole) == NULL)
        err(EXIT_FAILURE, "%s", path);
    snprintf(url, sizeof url, "file://%s", whole);
    browser_load(b, url, windows[window].width, windows[window].height);
    screenshot(b, name, window);
}

/* ---------- The demo's page ---------- */

static void test_demo(struct browser *b) {
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/demo.html", build);
    for (size_t i = 0; i < WINDOWS; i++) {
        load_file(b, path, "demo", i);
        check_page(b, "demo.html", i);
    }
    long stories =
        number_of(b, "return document.querySelectorAll('figure > svg').length");
    long told =
        number_of(b, "return document.querySelectorAll('tbody').length");
    long lines = number_of(
        b, "return document.querySelectorAll('figure text.title').length");
    long bars =
        number_of(b, "return document.querySelectorAll('rect.speedup').length");
    long measured =
        number_of(b, "return [...document.querySelectorAll('tbody tr')]"
                     ".filter(row => row.cells.length == 10).length");
    long elsewhere = number_of(b,
        "return [...document.querySelectorAll('tbody tr')]"
        ".filter(row => row.textContent.includes('on Redis')).length");
    check(stories == told && stories >= 4,
        "demo.html: pictures of %ld stories, of %ld in the table", stories,
        told);
    check(lines == measured - elsewhere,
        "demo.html: %ld timelines for %ld rows, %ld of them on Redis", lines,
        measured, elsewhere);
    check(bars == measured && bars >= 4 * 5,
        "demo.html: %ld bars of speedup for %ld rows", bars, measured);
}

/* ---------- A timeline ---------- */

/* Two programs send 4 messages to 3 customers each. */
static void test_timeline(struct browser *b) {
    char path[PATH_MAX];

    snprintf(path, sizeof path,
        "%s/timeline/01-sequential-messages+02-threads-messages.svg", build);
    for (size_t i = 0; i < WINDOWS; i++) {
        load_file(b, path, "timeline", i);
        check_page(b, "the timeline", i);
    }
    long pieces =
        number_of(b, "return document.querySelectorAll('g.piece').length");
    long names =
        number_of(b, "return [...document.querySelectorAll('text')]"
                     ".filter(text => text.textContent == 'Alice').length");
    check(pieces == 24 && names == 2,
        "the timeline: %ld pieces of work, %ld rows of Alice", pieces, names);
}

/* ---------- The slides ---------- */

/* The page itself tells, in its title, which slides are too full. */
static void test_slides(struct browser *b) {
    char path[PATH_MAX], whole[PATH_MAX], url[PATH_MAX + 20];

    snprintf(path, sizeof path, "%s/slides.html", build);
    load_file(b, path, "slides", 0);
    check_page(b, "slides.html", 0);
    if (realpath(path, whole) == NULL)
        err(EXIT_FAILURE, "%s", path);
    snprintf(url, sizeof url, "file://%s?check", whole);
    browser_load(b, url, windows[0].width, windows[0].height);
    json_t *told = browser_wait(b,
        "const done = arguments[0];"
        "(function look() { if (document.title.startsWith('too full: '))"
        "  done(document.title); else setTimeout(look, 50); })();");
    const char *full = json_string_value(told);
    check(strncmp(full, "too full: none", 14) == 0, "slides.html: %s", full);
    json_decref(told);
}

/* ---------- The live page ---------- */

static enum outside ask_sites(void *sites) {
    return sites_will(sites);
}

static void download(struct sites *sites, const char *tool, const char *base,
    const char *times, const char *workers) {
    char path[PATH_MAX], urls[3][80];
    static const char *const pages[] = {"small", "medium", "large"};
    const char *argv[] = {
        path, "-n", times, "-w", workers, urls[0], urls[1], urls[2], NULL};
    struct program program = {.argv = argv, .outside = ask_sites, .arg = sites};
    struct run run;
    char how[400];

    snprintf(path, sizeof path, "%s/%s/download", build, tool);
    for (int i = 0; i < 3; i++)
        snprintf(urls[i], sizeof urls[i], "%s/%s", base, pages[i]);
    program_run(&program, &run);
    if (run.end != EXITED || run.code != 0)
        errx(EXIT_FAILURE, "%s %s: %s", path,
            run_describe(&run, how, sizeof how), run.err_text);
    run_free(&run);
}

/* Waits for a message after which this holds. */
static void wait_until(struct browser *b, const char *condition) {
    char *script;

    if (asprintf(&script,
            "const done = arguments[0];"
            "const look = () => { if (%s) { done(true); return true; } };"
            "if (!look()) source.addEventListener('message', function on() {"
            "  if (look()) source.removeEventListener('message', on); });",
            condition) == -1)
        err(EXIT_FAILURE, "asprintf");
    json_decref(browser_wait(b, script));
    free(script);
}

/* What the page was told is what the sites counted. */
static void compare(struct browser *b, struct sites *sites, const char *what,
    long told_before, long requests_before) {
    struct sites_counts counts;
    char condition[120];

    sites_count(sites, &counts);
    snprintf(condition, sizeof condition,
        "Number($('all').textContent) >= %ld && $('now').textContent == '0'",
        counts.requests);
    wait_until(b, condition);
    long began = number_of(b, "return told.began") - told_before;
    long most = number_of(b, "return told.most");
    check(began == counts.requests - requests_before,
        "live page, %s: %ld bars for %ld requests", what, began,
        counts.requests - requests_before);
    check(most == counts.most_in_flight,
        "live page, %s: %ld most in flight, of %ld", what, most,
        counts.most_in_flight);
}

static void test_live(struct browser *b) {
    struct sites_options options = {
        .latency_ms = 100, .connections = 10100, .live = true};
    struct sites_counts before;
    char base[64], url[80];
    struct sites *sites = start_sites(&options, base, sizeof base);

    snprintf(url, sizeof url, "%s/live", base);
    for (size_t i = 0; i < WINDOWS; i++) {
        browser_load(b, url, windows[i].width, windows[i].height);
        wait_until(b, "told.messages > 0");
        sites_count(sites, &before);
        download(sites, "02-threads", base, "10", "5");
        screenshot(b, "live-5", i);
        compare(b, sites, "5 workers", 0, before.requests);
        check_page(b, "the live page", i);
    }
    sites_count(sites, &before);
    long told = number_of(b, "clear(); return told.began");
    download(sites, "04-async", base, "30", "90");
    screenshot(b, "live-90", 1);
    compare(b, sites, "90 at once", told, before.requests);
    download(sites, "04-async", base, "1000", "3000");
    screenshot(b, "live-3000", 1);
    wait_until(b, "$('now').textContent == '0'");
    long bars = number_of(b, "return document.querySelectorAll('.bar').length");
    check(number_of(b, "return told.untold") > 0 && bars <= 1000,
        "live page, 3,000 at once: sums, and %ld bars", bars);
    check_page(b, "the live page", 1);
    sites_stop(sites, NULL);
}

int main(int argc, char *argv[]) {
    char folder[PATH_MAX];

    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (argc != 2)
        errx(2, "usage: browser BUILD_DIR");
    build = argv[1];
    snprintf(folder, sizeof folder, "%s/browser", build);
    if (mkdir(folder, 0777) == -1 && errno != EEXIST)
        err(EXIT_FAILURE, "%s", folder);
    struct browser *b = browser_open();
    test_demo(b);
    test_timeline(b);
    test_slides(b);
    test_live(b);
    browser_close(b);
    printf("Screenshots: %s\n%d passed, %d failed, 0 skipped\n", folder, passed,
        failed);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
